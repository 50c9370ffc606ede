-- of 1e78affa9778423f
SELECT COUNT(*) AS events FROM staging_events HAVING COUNT(*) > 0 AND (SELECT COUNT(*) FROM songplays) = 0 AND (SELECT COUNT(*) FROM etl.files WHERE kind = 'events' AND state = 'loaded' AND run_id >= $plays_from) > 0;
