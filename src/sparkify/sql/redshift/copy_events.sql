-- One log file. Our options follow: MANIFEST, GZIP or ZSTD, REGION. A line that cannot be loaded
-- fails no COPY: its absence is counted, and the file read again, carefully.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM :source
IAM_ROLE :role
FORMAT AS JSON :jsonpaths
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF;
