-- of 35a71fead27efd21
SELECT COUNT(*) AS events FROM staging_events HAVING COUNT(*) > 0 AND (SELECT COUNT(*) FROM songplays) = 0;
