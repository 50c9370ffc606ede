-- What landed of every song file of this run.
SELECT file_id, COUNT(*) AS songs FROM run_songs GROUP BY file_id;
