-- The songs after a song_id whose title or artist has letters beyond ASCII, some at a time.
SELECT s.song_id, s.title, s.artist_id, s.artist_name, s.duration, s.year
FROM songs AS s
WHERE
    s.song_id > :after
    AND (LEN(s.title) <> OCTET_LENGTH(s.title) OR LEN(s.artist_name) <> OCTET_LENGTH(s.artist_name))
ORDER BY s.song_id
LIMIT :most;
