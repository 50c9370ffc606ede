-- of 8ac11326ebd267a5
SELECT uri, rows_rejected FROM etl.files WHERE state = 'loaded' AND rows_rejected > 0;
