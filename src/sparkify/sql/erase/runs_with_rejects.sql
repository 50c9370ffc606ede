-- The runs that rejected records.
SELECT DISTINCT r.run_id FROM etl.rejects AS r ORDER BY r.run_id;
