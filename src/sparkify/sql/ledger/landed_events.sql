-- What landed of every log file of this run: rows, plays, the range of their times, rows that want a
-- closer look, values that are null, and texts.
SELECT
    file_id,
    COUNT(*) AS landed,
    COUNT(CASE WHEN page = 'NextSong' THEN 1 END) AS plays,
    MIN(ts) AS ts_from,
    MAX(ts) AS ts_to,
    COUNT(CASE WHEN suspect THEN 1 END) AS suspects,
    18 * COUNT(*)
    - COUNT(artist) - COUNT(auth) - COUNT(first_name) - COUNT(gender) - COUNT(item_in_session)
    - COUNT(last_name) - COUNT(length) - COUNT(level) - COUNT(location) - COUNT(method)
    - COUNT(page) - COUNT(registration) - COUNT(session_id) - COUNT(song) - COUNT(status)
    - COUNT(ts) - COUNT(user_agent) - COUNT(user_id) AS null_values,
    COUNT(artist) + COUNT(auth) + COUNT(first_name) + COUNT(gender) + COUNT(last_name) + COUNT(level)
    + COUNT(location) + COUNT(method) + COUNT(page) + COUNT(song) + COUNT(user_agent) + COUNT(user_id)
    AS text_values
FROM run_events
GROUP BY file_id;
