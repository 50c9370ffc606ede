-- The loaded files of which some records were rejected, and how many.
SELECT uri, rows_rejected FROM etl.files WHERE state = 'loaded' AND rows_rejected > 0;
