-- One log file. Our options follow: MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file with
-- anything that cannot be loaded is left out, whole, and read again, carefully.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM :source
IAM_ROLE :role
FORMAT AS JSON :jsonpaths
COMPUPDATE OFF STATUPDATE OFF;
