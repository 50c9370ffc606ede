-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= :first_run
    ) > 0;
