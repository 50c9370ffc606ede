-- The months in which something was played, in UTC.
SELECT DISTINCT
    year,
    month
FROM time
ORDER BY year, month;
