-- of 85a87d1d846e672b
SELECT p.level, COUNT(*) AS plays, COUNT(DISTINCT p.user_id) AS listeners, ROUND(1.0 * COUNT(*) / COUNT(DISTINCT p.user_id), 1) AS plays_per_listener FROM songplays AS p GROUP BY p.level ORDER BY plays DESC NULLS FIRST;
