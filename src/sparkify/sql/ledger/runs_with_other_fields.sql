-- The runs whose files of a kind had fields without a column.
SELECT DISTINCT run_id, kind FROM etl.unknown_fields;
