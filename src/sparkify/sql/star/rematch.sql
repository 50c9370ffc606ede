-- Plays loaded by earlier runs get, change or lose their song when the catalogue does.
-- Which plays: those whose title a song that changed has, or had, wherever they lie between titles_from and
-- titles_to. Then what matches them (song_matches.sql), then the change.
INSERT INTO run_rematched (
    songplay_id, start_time, user_id, level, session_id, location, user_agent, item_in_session, song, artist,
    length, was_matched
)
SELECT
    p.songplay_id,
    p.start_time,
    p.user_id,
    p.level,
    p.session_id,
    p.location,
    p.user_agent,
    p.item_in_session,
    p.song,
    p.artist,
    p.length,
    CASE WHEN p.song_id IS NULL THEN 0 ELSE 1 END AS was_matched
FROM songplays AS p
INNER JOIN (SELECT DISTINCT title, artist_name FROM run_changed_titles) AS t
    ON p.song = t.title AND p.artist = t.artist_name
WHERE p.start_time BETWEEN DATEADD(ms, :titles_from, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, :titles_to, '1970-01-01'::TIMESTAMP);

DELETE FROM run_played;

INSERT INTO run_played (song, artist, length)
SELECT DISTINCT song, artist, length FROM run_rematched;
