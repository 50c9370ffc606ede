SELECT file_id, COUNT(*) AS events, COUNT(CASE WHEN page = 'NextSong' THEN 1 END) AS plays, MIN(ts) AS ts_from, MAX(ts) AS ts_to FROM run_events GROUP BY file_id;
