-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
SELECT COUNT(*) AS events
FROM staging_events
HAVING COUNT(*) > 0 AND (SELECT COUNT(*) FROM songplays) = 0;
