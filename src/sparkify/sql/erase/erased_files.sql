-- How many records of each file are erased, and how many of these were plays.
SELECT e.file_id, SUM(e.rows_erased) AS rows_erased, SUM(e.plays_erased) AS plays_erased
FROM run_erased_files AS e
GROUP BY e.file_id;
