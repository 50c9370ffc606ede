-- Log lines we packed, each with the number of its file. Our options follow: MANIFEST GZIP, REGION.
-- What is left out is counted.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid, file_id
)
FROM :source
IAM_ROLE :role
FORMAT AS JSON :jsonpaths
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF;
