-- Artists of the catalogue: one row per artist_id, although records credit it under several names.
-- The name most songs credit wins; ties go to the shortest, then the first by alphabet.
-- The location comes from a record that has one.
DELETE FROM artists WHERE artist_id IN (SELECT artist_id FROM run_changed_artists);

INSERT INTO artists (artist_id, name, location, latitude, longitude)
WITH records AS (
    SELECT
        s.artist_id,
        s.song_id,
        NULLIF(RTRIM(s.artist_name, ' '), '') AS name,
        NULLIF(RTRIM(s.artist_location, ' '), '') AS location,
        s.artist_latitude AS latitude,
        s.artist_longitude AS longitude
    FROM staging_songs AS s
    WHERE s.artist_id IN (SELECT artist_id FROM run_changed_artists)
),

credits AS (
    SELECT r.artist_id, r.name, COUNT(DISTINCT r.song_id) AS songs
    FROM records AS r
    GROUP BY r.artist_id, r.name
),

names AS (
    SELECT c.artist_id, c.name
    FROM credits AS c
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY c.artist_id
        ORDER BY CASE WHEN c.name IS NULL THEN 1 ELSE 0 END, c.songs DESC, LEN(c.name), c.name
    ) = 1
),

places AS (
    SELECT r.artist_id, r.location, r.latitude, r.longitude
    FROM records AS r
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY r.artist_id
        ORDER BY
            CASE WHEN r.location IS NULL THEN 1 ELSE 0 END,
            CASE WHEN r.latitude IS NULL OR r.longitude IS NULL THEN 1 ELSE 0 END,
            r.location, r.latitude, r.longitude
    ) = 1
)

SELECT n.artist_id, n.name, p.location, p.latitude, p.longitude
FROM names AS n
INNER JOIN places AS p ON n.artist_id = p.artist_id;
