-- Song records that the careful reader has accepted: converted as they are; a value that
-- cannot be is an error.
INSERT INTO run_songs (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id,
    title, duration, year, file_id, suspect
)
SELECT
    CAST(c.num_songs AS INTEGER) AS num_songs,
    c.artist_id,
    CAST(c.artist_latitude AS DOUBLE PRECISION) AS artist_latitude,
    CAST(c.artist_longitude AS DOUBLE PRECISION) AS artist_longitude,
    c.artist_location,
    c.artist_name,
    c.song_id,
    c.title,
    CAST(c.duration AS DOUBLE PRECISION) AS duration,
    CAST(c.year AS INTEGER) AS year,
    c.file_id,
    FALSE AS suspect
FROM run_song_copy AS c;
