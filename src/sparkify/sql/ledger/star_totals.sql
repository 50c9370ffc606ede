-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
        start_time BETWEEN DATEADD(ms, :ts_from, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, :ts_to, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN :ts_from AND :ts_to
        AND ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
) AS e;
