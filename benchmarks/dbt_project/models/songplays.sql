{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="songplay_id") }}

SELECT
    ('0x' || substr(md5(user_id || '|' || session_id || '|' || item_in_session || '|' || ts), 1, 15))::BIGINT
        AS songplay_id,
    epoch_ms(ts) AS start_time, user_id, level, s.song_id, s.artist_id, session_id, location, user_agent,
    item_in_session, CASE WHEN s.song_id IS NOT NULL THEN 'exact' END AS song_match, song, artist, length
FROM {{ ref("staging_events") }} AS e
LEFT JOIN {{ ref("songs") }} AS s ON e.song = s.title AND e.artist = s.artist_name AND e.length = s.duration
WHERE page = 'NextSong'
{% if is_incremental() %}
    AND ts > (SELECT epoch_ms(max(start_time)) FROM {{ this }})
{% endif %}
