-- The adopted fields, in the order in which they were adopted.
SELECT
    f.kind,
    f.field,
    f.path,
    f.column_name,
    f.column_type,
    f.column_width,
    f.run_id
FROM etl.fields AS f
ORDER BY f.run_id, f.kind, f.field;
