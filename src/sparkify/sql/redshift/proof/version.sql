-- Which Redshift it is.
SELECT VERSION() AS version;
