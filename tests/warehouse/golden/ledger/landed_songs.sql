SELECT file_id, COUNT(*) AS songs FROM run_songs GROUP BY file_id;
