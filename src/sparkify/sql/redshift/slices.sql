-- How many slices load side by side.
SELECT COUNT(*) AS slices FROM stv_slices;
