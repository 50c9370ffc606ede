-- How many records of each file are erased of the people (run_gone).
INSERT INTO run_erased_files (file_id, rows_erased, plays_erased)
SELECT
    g.file_id,
    COUNT(*) - COUNT(g.user_id) AS rows_erased,
    COUNT(CASE WHEN g.page = 'NextSong' AND g.user_id IS NULL THEN 1 END) AS plays_erased
FROM run_gone AS g
GROUP BY g.file_id;
