-- How fresh it is
-- The whole warehouse, whatever the range; times are UTC. last_load: the latest run that published.
-- last_event: the latest event of a person or nobody; events and plays as of etl.days. set_aside: log or
-- song files that are kept out; open_rejects: records that were not loaded and that nothing has resolved.
SELECT
    r.last_load,
    d.last_event,
    d.days,
    d.events,
    d.plays,
    f.loaded_files,
    f.set_aside,
    j.open_rejects
FROM (SELECT MAX(u.finished_at) AS last_load FROM etl.runs AS u WHERE u.status = 'done') AS r
CROSS JOIN (
    SELECT
        DATEADD(ms, MAX(e.last_ts), '1970-01-01'::TIMESTAMP) AS last_event,
        COUNT(*) AS days,
        COALESCE(SUM(e.events), 0)::BIGINT AS events,
        COALESCE(SUM(e.plays), 0)::BIGINT AS plays
    FROM etl.days AS e
) AS d
CROSS JOIN (
    SELECT
        COUNT(CASE WHEN l.state = 'loaded' THEN 1 END) AS loaded_files,
        COUNT(CASE WHEN l.state = 'set_aside' THEN 1 END) AS set_aside
    FROM etl.files AS l
) AS f
CROSS JOIN (
    SELECT COUNT(*) AS open_rejects
    FROM etl.rejects AS x
    INNER JOIN etl.runs AS u ON x.run_id = u.run_id
    WHERE u.status = 'done' AND x.resolved_by IS NULL
) AS j;
