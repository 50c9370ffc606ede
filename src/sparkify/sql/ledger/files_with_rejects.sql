-- The loaded files of which some records were rejected.
SELECT uri FROM etl.files WHERE state = 'loaded' AND rows_rejected > 0;
