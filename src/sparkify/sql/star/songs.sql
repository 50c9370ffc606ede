-- Songs of the catalogue: of several records of one song_id the most complete, then the first by content,
-- so that the order in which files arrive does not matter. Year 0 and empty texts mean unknown.
-- Also records the old and new titles of the changed songs: plays of these titles are matched again.
INSERT INTO run_changed_titles
SELECT DISTINCT s.title, s.artist_name
FROM songs AS s
WHERE s.song_id IN (SELECT song_id FROM run_changed_songs);

DELETE FROM songs WHERE song_id IN (SELECT song_id FROM run_changed_songs);

INSERT INTO songs (song_id, title, artist_id, year, duration, artist_name)
SELECT
    s.song_id,
    NULLIF(RTRIM(s.title, ' '), '') AS title,
    s.artist_id,
    NULLIF(s.year, 0) AS year,
    s.duration,
    NULLIF(RTRIM(s.artist_name, ' '), '') AS artist_name
FROM staging_songs AS s
WHERE s.song_id IN (SELECT song_id FROM run_changed_songs)
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY s.song_id
    ORDER BY
        CASE WHEN s.year > 0 THEN 0 ELSE 1 END,
        CASE WHEN s.duration > 0 THEN 0 ELSE 1 END,
        NULLIF(RTRIM(s.title, ' '), ''), NULLIF(RTRIM(s.artist_name, ' '), ''),
        s.artist_id, s.duration, s.year
) = 1;

INSERT INTO run_changed_titles
SELECT DISTINCT s.title, s.artist_name
FROM songs AS s
WHERE s.song_id IN (SELECT song_id FROM run_changed_songs);
