-- of bf530968a5145d46
SELECT COUNT(*) AS sessions, MIN(s.plays) AS fewest, ROUND(1.0 * SUM(s.plays) / COUNT(*), 1) AS average, MAX(s.plays) AS most FROM (SELECT p.user_id, p.session_id, COUNT(*) AS plays FROM songplays AS p GROUP BY p.user_id, p.session_id) AS s;
