-- People whose latest event went and is not found yet, the time of the newest of these events.
SELECT COUNT(*) AS people, MAX(ts) AS newest FROM run_lost_users;
