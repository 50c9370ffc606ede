-- The moment of the oldest event; NULL: there is none.
SELECT MIN(d.first_ts) AS first_ts FROM etl.days AS d;
