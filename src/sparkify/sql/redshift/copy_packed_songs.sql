-- Song records we packed, each with the number of its file. Our options follow: MANIFEST GZIP, REGION.
-- What is left out is counted.
COPY run_song_copy (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id,
    title, duration, year, file_id
)
FROM :source
IAM_ROLE :role
FORMAT AS JSON :jsonpaths
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF;
