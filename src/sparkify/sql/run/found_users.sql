-- People whose latest event went are found: those that users.sql has just computed.
DELETE FROM run_lost_users WHERE user_id IN (SELECT user_id FROM run_users);
