-- People whose latest event went, as of the one before it, if that lies between ts_from and ts_to.
DELETE FROM run_users;

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
SELECT
    e.user_id,
    NULLIF(RTRIM(e.first_name, ' '), '') AS first_name,
    NULLIF(RTRIM(e.last_name, ' '), '') AS last_name,
    NULLIF(RTRIM(e.gender, ' '), '') AS gender,
    NULLIF(RTRIM(e.level, ' '), '') AS level,
    e.ts,
    e.item_in_session
FROM staging_events AS e
INNER JOIN run_lost_users AS l ON e.user_id = l.user_id
WHERE e.ts BETWEEN :ts_from AND :ts_to
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY e.user_id
    ORDER BY
        e.ts DESC, e.item_in_session DESC, NULLIF(RTRIM(e.level, ' '), ''),
        NULLIF(RTRIM(e.first_name, ' '), ''), NULLIF(RTRIM(e.last_name, ' '), ''),
        NULLIF(RTRIM(e.gender, ' '), '')
) = 1;

DELETE FROM users WHERE user_id IN (SELECT user_id FROM run_users);

INSERT INTO users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
SELECT user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session FROM run_users;

DELETE FROM run_lost_users WHERE user_id IN (SELECT user_id FROM run_users);
