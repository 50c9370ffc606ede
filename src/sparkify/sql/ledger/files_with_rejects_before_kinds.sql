-- The files of such a warehouse of which records are rejected; none is set aside.
SELECT uri FROM etl.files WHERE state = 'loaded' AND rows_rejected > 0;
