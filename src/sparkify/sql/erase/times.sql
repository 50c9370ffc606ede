-- The start times of plays that went (run_gone) and that no play has any more.
DELETE FROM time
WHERE start_time IN (
    SELECT g.start_time
    FROM (
        SELECT DISTINCT DATEADD(ms, r.ts, '1970-01-01'::TIMESTAMP) AS start_time
        FROM run_gone AS r
        WHERE r.page = 'NextSong' AND r.user_id IS NULL
    ) AS g
    LEFT JOIN songplays AS p ON g.start_time = p.start_time
    WHERE p.start_time IS NULL
);
