-- When the titles of the plays that went (run_gone) are played now, between the same moments as before.
INSERT INTO run_played (song, artist, played_from, played_to)
SELECT t.song, t.artist, t.played_from, t.played_to
FROM etl.played_titles AS t
INNER JOIN (
    SELECT DISTINCT RTRIM(g.song, ' ') AS title, RTRIM(g.artist, ' ') AS artist_name
    FROM run_gone AS g
    WHERE g.page = 'NextSong' AND g.user_id IS NULL
) AS d ON t.song = d.title AND t.artist = d.artist_name;

DELETE FROM etl.played_titles
USING run_played
WHERE played_titles.song = run_played.song AND played_titles.artist = run_played.artist;

INSERT INTO etl.played_titles (song, artist, played_from, played_to)
SELECT p.song, p.artist, MIN(e.ts) AS played_from, MAX(e.ts) AS played_to
FROM run_played AS p
INNER JOIN staging_events AS e ON RTRIM(e.song, ' ') = p.song AND RTRIM(e.artist, ' ') = p.artist
WHERE e.page = 'NextSong' AND e.ts BETWEEN p.played_from AND p.played_to
GROUP BY p.song, p.artist;

DELETE FROM run_played;
