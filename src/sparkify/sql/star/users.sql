-- People as of their latest event by (ts, item_in_session), whatever the order the files arrive in.
-- The events of a piece of the run's scope are compared with what is stored, so that the cost follows the new
-- data. People whose latest event went (run_lost_users) are looked for in the same way, further back.
-- Two events at the same (ts, item_in_session) are ordered by content, without trailing blanks, as Redshift
-- compares texts.
DELETE FROM run_users;

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN :ts_from AND :ts_to
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN :ts_from AND :ts_to)  -- sparse
        AND e.user_id IN (SELECT u.user_id FROM run_lost_users AS u)  -- lost
    GROUP BY e.user_id
),

candidates AS (
    SELECT
        e.user_id,
        NULLIF(RTRIM(e.first_name, ' '), '') AS first_name,
        NULLIF(RTRIM(e.last_name, ' '), '') AS last_name,
        NULLIF(RTRIM(e.gender, ' '), '') AS gender,
        NULLIF(RTRIM(e.level, ' '), '') AS level,
        e.ts,
        e.item_in_session
    FROM staging_events AS e
    INNER JOIN latest AS l ON e.user_id = l.user_id AND e.ts = l.ts
    WHERE e.ts BETWEEN :ts_from AND :ts_to
    UNION ALL
    SELECT u.user_id, u.first_name, u.last_name, u.gender, u.level, u.last_seen_ts, u.last_item_in_session
    FROM users AS u
    INNER JOIN latest AS l ON u.user_id = l.user_id
)

SELECT c.user_id, c.first_name, c.last_name, c.gender, c.level, c.ts, c.item_in_session
FROM candidates AS c
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY c.user_id
    ORDER BY c.ts DESC, c.item_in_session DESC, c.level, c.first_name, c.last_name, c.gender
) = 1;

DELETE FROM users WHERE user_id IN (SELECT user_id FROM run_users);

INSERT INTO users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
SELECT user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session FROM run_users;

INSERT INTO run_changed_users SELECT user_id FROM run_users;
