-- The loaded files with rejected records, and the number of these records.
SELECT uri, rows_rejected FROM etl.files WHERE state = 'loaded' AND rows_rejected > 0;
