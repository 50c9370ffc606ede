-- The number of slices, which load in parallel.
SELECT COUNT(*) AS slices FROM stv_slices;
