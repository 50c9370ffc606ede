-- The rows and plays of the files of a state whose URIs are like a pattern, when they were loaded.
SELECT file_id, rows_loaded, plays_loaded
FROM etl.files
WHERE state = :state AND uri LIKE :pattern;
