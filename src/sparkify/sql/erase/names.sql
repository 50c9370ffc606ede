-- The names and places of the people who are forgotten.
SELECT DISTINCT f.user_id, s.first_name, s.last_name, s.location
FROM staging_events AS s
INNER JOIN run_forgotten AS f ON s.user_id = f.user_id;
