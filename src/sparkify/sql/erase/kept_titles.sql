-- What is played by the plays that stay without their person (run_gone), to be matched with songs.
DELETE FROM run_played;

INSERT INTO run_played (song, artist, length)
SELECT DISTINCT RTRIM(g.song, ' ') AS song, RTRIM(g.artist, ' ') AS artist, g.length
FROM run_gone AS g
WHERE g.user_id IS NOT NULL;
