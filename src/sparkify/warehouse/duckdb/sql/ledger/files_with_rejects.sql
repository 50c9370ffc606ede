-- of 1859be1451a57ff3
SELECT uri FROM etl.files WHERE state = 'loaded' AND rows_rejected > 0;
