-- Titles that nobody else may have played (run_played): between which moments they are played, if they are.
DELETE FROM etl.played_titles
USING run_played
WHERE played_titles.song = run_played.song AND played_titles.artist = run_played.artist;

INSERT INTO etl.played_titles (song, artist, played_from, played_to)
SELECT
    p.song,
    p.artist,
    DATEDIFF(ms, '1970-01-01'::TIMESTAMP, MIN(p.start_time)) AS played_from,
    DATEDIFF(ms, '1970-01-01'::TIMESTAMP, MAX(p.start_time)) AS played_to
FROM songplays AS p
INNER JOIN run_played AS r ON p.song = r.song AND p.artist = r.artist
WHERE
    p.start_time BETWEEN DATEADD(ms, :titles_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :titles_to, '1970-01-01'::TIMESTAMP)
GROUP BY p.song, p.artist;
