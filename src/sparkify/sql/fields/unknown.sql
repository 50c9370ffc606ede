-- The fields that have no column: how often files had them, and which file had one first, in which run.
SELECT
    t.kind,
    t.field,
    t.occurrences,
    f.first_uri,
    r.started_at
FROM (
    SELECT
        u.kind,
        u.field,
        SUM(u.occurrences) AS occurrences,
        MIN(u.run_id) AS first_run
    FROM etl.unknown_fields AS u
    GROUP BY u.kind, u.field
) AS t
INNER JOIN etl.unknown_fields AS f ON t.kind = f.kind AND t.field = f.field AND t.first_run = f.run_id
LEFT JOIN etl.runs AS r ON t.first_run = r.run_id
ORDER BY t.kind, t.field;
