-- The names and places of the people who are forgotten.
SELECT DISTINCT g.of_user, g.first_name, g.last_name, g.location
FROM run_gone AS g;
