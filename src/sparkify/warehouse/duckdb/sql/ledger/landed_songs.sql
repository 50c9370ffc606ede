-- of a82f543068e236ee
SELECT file_id, COUNT(*) AS landed, COUNT(CASE WHEN suspect THEN 1 END) AS suspects FROM run_songs GROUP BY file_id;
