-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
SELECT SUM(f.rows_loaded) AS events
FROM etl.files AS f
WHERE f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= :plays_from
HAVING SUM(f.rows_loaded) > 0 AND (SELECT COUNT(*) FROM songplays) = 0;
