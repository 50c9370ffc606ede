-- The songs after a song_id, some at a time.
SELECT s.song_id, s.title, s.artist_id, s.artist_name, s.duration, s.year
FROM songs AS s
WHERE s.song_id > :after
ORDER BY s.song_id
LIMIT :most;
