-- What is known of each person at a moment (as_of, in ms since 1970): counts of what they did before it.
-- grain: user_id
-- Nothing at or after the moment counts, and neither do people who were first seen then. level is that of the
-- latest event before it, first_seen and last_seen are UTC. days_… are counted back from the moment.
WITH events AS (
    SELECT e.user_id, e.session_id, e.item_in_session, e.ts, e.page, e.level, e.gender
    FROM analytics.events AS e
    WHERE e.ts < :as_of
),

lasts AS (
    SELECT e.user_id, e.level, e.gender
    FROM events AS e
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.user_id
        ORDER BY e.ts DESC, e.item_in_session DESC, e.level, e.gender, e.session_id, e.page
    ) = 1
),

counted AS (
    SELECT
        e.user_id,
        MIN(e.ts) AS first_ts,
        MAX(e.ts) AS last_ts,
        COUNT(*) AS events,
        COUNT(DISTINCT e.session_id) AS sessions,
        COUNT(DISTINCT e.ts - MOD(e.ts, 86400000)) AS active_days,
        COUNT(CASE WHEN e.page = 'NextSong' THEN 1 END) AS plays,
        COUNT(CASE WHEN e.page = 'NextSong' AND e.ts >= :as_of - 604800000 THEN 1 END) AS plays_7d,
        COUNT(CASE WHEN e.page = 'NextSong' AND e.ts >= :as_of - 2419200000 THEN 1 END) AS plays_28d,
        COUNT(CASE WHEN e.page = 'Thumbs Up' THEN 1 END) AS thumbs_up,
        COUNT(CASE WHEN e.page = 'Thumbs Down' THEN 1 END) AS thumbs_down,
        COUNT(CASE WHEN e.page = 'Add to Playlist' THEN 1 END) AS playlist_additions,
        COUNT(CASE WHEN e.page = 'Add Friend' THEN 1 END) AS friends_added,
        COUNT(CASE WHEN e.page = 'Roll Advert' THEN 1 END) AS adverts,
        COUNT(CASE WHEN e.page = 'Help' THEN 1 END) AS help_visits,
        COUNT(CASE WHEN e.page = 'Error' THEN 1 END) AS errors,
        COUNT(CASE WHEN e.page = 'Submit Upgrade' THEN 1 END) AS upgrades,
        COUNT(CASE WHEN e.page = 'Submit Downgrade' THEN 1 END) AS downgrades
    FROM events AS e
    GROUP BY e.user_id
)

SELECT
    c.user_id,
    l.level,
    l.gender,
    DATEADD(ms, c.first_ts, '1970-01-01'::TIMESTAMP) AS first_seen,
    DATEADD(ms, c.last_ts, '1970-01-01'::TIMESTAMP) AS last_seen,
    CAST(:as_of - c.first_ts AS DOUBLE PRECISION) / 86400000 AS days_since_first,
    CAST(:as_of - c.last_ts AS DOUBLE PRECISION) / 86400000 AS days_since_last,
    c.events,
    c.sessions,
    c.active_days,
    c.plays,
    c.plays_7d,
    c.plays_28d,
    c.thumbs_up,
    c.thumbs_down,
    c.playlist_additions,
    c.friends_added,
    c.adverts,
    c.help_visits,
    c.errors,
    c.upgrades,
    c.downgrades
FROM counted AS c
INNER JOIN lasts AS l ON c.user_id = l.user_id
ORDER BY c.user_id;
