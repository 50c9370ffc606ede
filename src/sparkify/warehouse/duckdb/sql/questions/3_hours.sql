-- of b7f1e9cdf1c4a7cb
SELECT t.hour, COUNT(*) AS plays FROM songplays AS p INNER JOIN time AS t ON p.start_time = t.start_time GROUP BY t.hour ORDER BY plays DESC NULLS FIRST, t.hour LIMIT 5;
