SELECT uri FROM etl.files WHERE state = 'loaded' AND rows_rejected > 0;
