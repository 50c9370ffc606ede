-- A play and the song it matched, if it matched one.
SELECT
    p.songplay_id,
    p.start_time,
    p.user_id,
    p.level,
    p.session_id,
    p.item_in_session,
    p.song,
    p.artist,
    p.length,
    p.location,
    p.user_agent,
    p.song_match,
    s.song_id,
    s.title,
    s.artist_id,
    s.artist_name,
    s.duration,
    s.year
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE p.songplay_id = :songplay_id;
