-- The files of which records are rejected, or that are set aside.
SELECT uri FROM etl.files
WHERE (state = 'loaded' AND rows_rejected > 0) OR state = 'set_aside' OR reason IS NOT NULL;
