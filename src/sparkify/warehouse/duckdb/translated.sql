-- Our statements in DuckDB's dialect, for reading and for running: made by `make generate`.

-- analytics/clocks.sql:1 8ea520e334aa1728
CREATE VIEW analytics.clocks AS
SELECT
  c.time_zone,
  c.utc_hour,
  CASE
    WHEN (
      EXTRACT(MONTH FROM c.less_two) BETWEEN 4 AND 11
      OR (
        EXTRACT(MONTH FROM c.less_two) = 3
        AND EXTRACT(DAY FROM c.less_two) - EXTRACT(DAYOFWEEK FROM c.less_two) >= 8
      )
    )
    AND (
      EXTRACT(MONTH FROM c.less_one) < 11
      OR (
        EXTRACT(MONTH FROM c.less_one) = 11
        AND EXTRACT(DAY FROM c.less_one) - EXTRACT(DAYOFWEEK FROM c.less_one) < 1
      )
    )
    THEN CAST(c.utc_hour AS TIMESTAMP) + INTERVAL (c.summer_hours) HOUR
    ELSE CAST(c.utc_hour AS TIMESTAMP) + INTERVAL (c.standard_hours) HOUR
  END AS local_hour
FROM (
  SELECT
    z.time_zone,
    z.standard_hours,
    z.summer_hours,
    h.utc_hour,
    CAST(h.utc_hour AS TIMESTAMP) + INTERVAL (z.standard_hours - 2) HOUR AS less_two,
    CAST(h.utc_hour AS TIMESTAMP) + INTERVAL (z.standard_hours - 1) HOUR AS less_one
  FROM (
    SELECT DISTINCT
      DATE_TRUNC('HOUR', p.start_time) AS utc_hour
    FROM main.songplays AS p
    WHERE
      p.start_time >= CAST('2008-01-01' AS TIMESTAMP)
  ) AS h
  CROSS JOIN (
    SELECT
      'America/Puerto_Rico' AS time_zone,
      -4 AS standard_hours,
      -4 AS summer_hours
    UNION ALL
    SELECT
      'America/New_York' AS time_zone,
      -5 AS standard_hours,
      -4 AS summer_hours
    UNION ALL
    SELECT
      'America/Chicago' AS time_zone,
      -6 AS standard_hours,
      -5 AS summer_hours
    UNION ALL
    SELECT
      'America/Denver' AS time_zone,
      -7 AS standard_hours,
      -6 AS summer_hours
    UNION ALL
    SELECT
      'America/Phoenix' AS time_zone,
      -7 AS standard_hours,
      -7 AS summer_hours
    UNION ALL
    SELECT
      'America/Los_Angeles' AS time_zone,
      -8 AS standard_hours,
      -7 AS summer_hours
    UNION ALL
    SELECT
      'America/Anchorage' AS time_zone,
      -9 AS standard_hours,
      -8 AS summer_hours
    UNION ALL
    SELECT
      'Pacific/Honolulu' AS time_zone,
      -10 AS standard_hours,
      -10 AS summer_hours
  ) AS z
) AS c;

-- analytics/daily_activity.sql:1 0f960d13e4c9b0ee
CREATE VIEW analytics.daily_activity AS
WITH of_people AS (
  SELECT
    u.day,
    COUNT(*) AS people,
    COUNT(CASE WHEN u.day_before IS NULL THEN 1 END) AS new_people,
    COUNT(u.day_before) AS returning_people,
    COUNT(
      CASE
        WHEN u.day_after IS NULL
        OR DATE_DIFF('DAY', CAST(u.day AS TIMESTAMP), CAST(u.day_after AS TIMESTAMP)) > 28
        THEN 1
      END
    ) AS lost_people
  FROM analytics.user_days AS u
  GROUP BY
    u.day
), of_plays AS (
  SELECT
    l.day,
    COUNT(DISTINCT l.user_id) AS listeners,
    CAST(SUM(l.plays) AS BIGINT) AS plays
  FROM analytics.listener_days AS l
  GROUP BY
    l.day
)
SELECT
  d.day,
  d.people,
  COALESCE(p.listeners, 0) AS listeners,
  COALESCE(p.plays, 0) AS plays,
  d.new_people,
  d.returning_people,
  CASE
    WHEN DATE_DIFF(
      'DAY',
      CAST(d.day AS TIMESTAMP),
      CAST((
        SELECT
          MAX(l.day)
        FROM of_people AS l
      ) AS TIMESTAMP)
    ) >= 28
    THEN d.lost_people
  END AS lost_people
FROM of_people AS d
LEFT JOIN of_plays AS p
  ON d.day = p.day;

-- analytics/daily_levels.sql:1 1fd085f278497e3e
CREATE VIEW analytics.daily_levels AS
SELECT
  l.day,
  l.level,
  COUNT(l.user_id) AS listeners,
  CAST(SUM(l.plays) AS BIGINT) AS plays
FROM analytics.listener_days AS l
GROUP BY
  l.day,
  l.level;

-- analytics/events.sql:1 651856db9e5938c9
CREATE VIEW analytics.events AS
SELECT
  e.user_id,
  e.session_id,
  e.item_in_session,
  CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (e.ts) MILLISECOND AS event_at,
  e.page,
  NULLIF(RTRIM(e.level, ' '), '') AS level,
  NULLIF(RTRIM(e.first_name, ' '), '') AS first_name,
  NULLIF(RTRIM(e.last_name, ' '), '') AS last_name,
  NULLIF(RTRIM(e.gender, ' '), '') AS gender,
  e.ts
FROM main.staging_events AS e
WHERE
  e.user_id <> ''
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY e.user_id, e.session_id, e.item_in_session, e.ts
    ORDER BY CASE WHEN e.page = 'NextSong' THEN 0 ELSE 1 END, NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.first_name, ' '), ''), NULLIF(RTRIM(e.last_name, ' '), ''), NULLIF(RTRIM(e.gender, ' '), ''), e.page
  ) = 1;

-- analytics/funnel.sql:1 4a67051e3944e78f
CREATE VIEW analytics.funnel AS
SELECT
  CASE f.page
    WHEN 'Upgrade'
    THEN 1
    WHEN 'Submit Upgrade'
    THEN 2
    WHEN 'Downgrade'
    THEN 3
    WHEN 'Submit Downgrade'
    THEN 4
    WHEN 'Cancel'
    THEN 5
    ELSE 6
  END AS step,
  f.page,
  COUNT(*) AS events,
  COUNT(DISTINCT f.user_id) AS people
FROM (
  SELECT DISTINCT
    e.user_id,
    e.session_id,
    e.item_in_session,
    e.ts,
    e.page
  FROM main.staging_events AS e
  WHERE
    e.user_id <> ''
    AND e.page IN (
      'Upgrade',
      'Submit Upgrade',
      'Downgrade',
      'Submit Downgrade',
      'Cancel',
      'Cancellation Confirmation'
    )
) AS f
GROUP BY
  f.page;

-- analytics/level_changes.sql:1 5740bac9b9a6b33f
CREATE VIEW analytics.level_changes AS
WITH levels AS (
  SELECT
    g.user_id,
    NULLIF(RTRIM(g.level, ' '), '') AS level,
    MIN(g.first_ts) AS first_ts,
    MAX(g.last_ts) AS last_ts
  FROM (
    SELECT
      e.user_id,
      e.level,
      MIN(e.ts) AS first_ts,
      MAX(e.ts) AS last_ts
    FROM main.staging_events AS e
    WHERE
      e.user_id <> ''
    GROUP BY
      e.user_id,
      e.level
  ) AS g
  GROUP BY
    g.user_id,
    NULLIF(RTRIM(g.level, ' '), '')
), mixed_users AS (
  SELECT DISTINCT
    o.user_id
  FROM (
    SELECT
      l.user_id,
      l.first_ts,
      LAG(l.last_ts) OVER (PARTITION BY l.user_id ORDER BY l.first_ts) AS last_before
    FROM levels AS l
  ) AS o
  WHERE
    o.first_ts <= o.last_before
), days AS (
  SELECT
    g.user_id,
    g.midnight,
    NULLIF(RTRIM(g.level, ' '), '') AS level,
    MIN(g.first_ts) AS first_ts,
    MAX(g.last_ts) AS last_ts
  FROM (
    SELECT
      e.user_id,
      e.ts - e.ts % 86400000 AS midnight,
      e.level,
      MIN(e.ts) AS first_ts,
      MAX(e.ts) AS last_ts
    FROM main.staging_events AS e
    INNER JOIN mixed_users AS u
      ON e.user_id = u.user_id
    GROUP BY
      e.user_id,
      e.ts - e.ts % 86400000,
      e.level
  ) AS g
  GROUP BY
    g.user_id,
    g.midnight,
    NULLIF(RTRIM(g.level, ' '), '')
), mixed_days AS (
  SELECT DISTINCT
    o.user_id,
    o.midnight
  FROM (
    SELECT
      d.user_id,
      d.midnight,
      d.first_ts,
      LAG(d.last_ts) OVER (PARTITION BY d.user_id ORDER BY d.first_ts) AS last_before
    FROM days AS d
  ) AS o
  WHERE
    o.first_ts <= o.last_before
), distinct_events AS (
  SELECT
    k.user_id,
    k.item_in_session,
    k.ts,
    NULLIF(RTRIM(k.level, ' '), '') AS level
  FROM main.staging_events AS k
  INNER JOIN mixed_days AS d
    ON k.user_id = d.user_id AND k.ts - k.ts % 86400000 = d.midnight
  WHERE
    k.user_id IN (
      SELECT
        x.user_id
      FROM mixed_days AS x
    )
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY k.user_id, k.session_id, k.item_in_session, k.ts
      ORDER BY CASE WHEN k.page = 'NextSong' THEN 0 ELSE 1 END, NULLIF(RTRIM(k.level, ' '), '')
    ) = 1
), moments AS (
  SELECT
    l.user_id,
    l.first_ts AS ts,
    l.level
  FROM levels AS l
  LEFT JOIN mixed_users AS x
    ON l.user_id = x.user_id
  WHERE
    x.user_id IS NULL
  UNION ALL
  SELECT
    d.user_id,
    d.first_ts AS ts,
    d.level
  FROM days AS d
  LEFT JOIN mixed_days AS x
    ON d.user_id = x.user_id AND d.midnight = x.midnight
  WHERE
    x.user_id IS NULL
  UNION ALL
  SELECT
    m.user_id,
    m.ts,
    m.level
  FROM (
    SELECT
      e.user_id,
      e.ts,
      e.level,
      ROW_NUMBER() OVER (PARTITION BY e.user_id, e.ts ORDER BY e.item_in_session DESC NULLS FIRST, e.level) AS from_end
    FROM distinct_events AS e
  ) AS m
  WHERE
    m.from_end = 1
)
SELECT
  c.user_id,
  CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (c.ts) MILLISECOND AS changed_at,
  c.level_before AS from_level,
  c.level AS to_level
FROM (
  SELECT
    m.user_id,
    m.ts,
    m.level,
    LAG(m.level) OVER (PARTITION BY m.user_id ORDER BY m.ts) AS level_before,
    LAG(m.ts) OVER (PARTITION BY m.user_id ORDER BY m.ts) AS ts_before
  FROM moments AS m
) AS c
WHERE
  NOT c.ts_before IS NULL AND COALESCE(c.level, '') <> COALESCE(c.level_before, '');

-- analytics/listener_days.sql:1 aa3d09b4e37e2abb
CREATE VIEW analytics.listener_days AS
SELECT
  p.user_id,
  CAST(p.start_time AS DATE) AS day,
  p.level,
  COUNT(*) AS plays
FROM main.songplays AS p
GROUP BY
  p.user_id,
  CAST(p.start_time AS DATE),
  p.level;

-- analytics/listening_hours.sql:1 59e41ae0dec6b95c
CREATE VIEW analytics.listening_hours AS
SELECT
  CAST(EXTRACT(DAYOFWEEK FROM p.start_time) AS INT) AS weekday,
  CAST(EXTRACT(HOUR FROM p.start_time) AS INT) AS hour,
  COUNT(*) AS plays,
  COUNT(DISTINCT p.user_id) AS listeners
FROM main.songplays AS p
GROUP BY
  EXTRACT(DAYOFWEEK FROM p.start_time),
  EXTRACT(HOUR FROM p.start_time);

-- analytics/listening_hours_local.sql:1 7c479f8a4aecd431
CREATE VIEW analytics.listening_hours_local AS
SELECT
  CAST(EXTRACT(DAYOFWEEK FROM p.local_time) AS INT) AS weekday,
  CAST(EXTRACT(HOUR FROM p.local_time) AS INT) AS hour,
  COUNT(*) AS plays,
  COUNT(DISTINCT p.user_id) AS listeners
FROM analytics.local_plays AS p
GROUP BY
  EXTRACT(DAYOFWEEK FROM p.local_time),
  EXTRACT(HOUR FROM p.local_time);

-- analytics/listening_time.sql:1 d959832da99ab9ab
CREATE VIEW analytics.listening_time AS
WITH followed AS (
  SELECT
    e.user_id,
    e.session_id,
    e.item_in_session,
    e.event_at,
    e.page,
    (
      LEAD(e.ts) OVER (PARTITION BY e.user_id, e.session_id ORDER BY e.ts, e.item_in_session) - e.ts
    ) / 1000.0 AS seconds
  FROM analytics.events AS e
), plays AS (
  SELECT
    p.songplay_id,
    p.start_time,
    p.user_id,
    p.level,
    CASE WHEN p.length > 0 THEN p.length END AS length,
    CAST(f.seconds AS DOUBLE) AS seconds
  FROM main.songplays AS p
  INNER JOIN followed AS f
    ON p.user_id = f.user_id
    AND p.session_id = f.session_id
    AND p.item_in_session = f.item_in_session
    AND p.start_time = f.event_at
  WHERE
    f.page = 'NextSong'
)
SELECT
  p.songplay_id,
  p.start_time,
  p.user_id,
  p.level,
  CASE
    WHEN p.seconds IS NULL
    THEN 0.0
    WHEN p.length < p.seconds + 1
    THEN p.length
    ELSE p.seconds
  END AS seconds_at_least,
  CASE
    WHEN p.seconds IS NULL OR p.length < p.seconds + 1
    THEN p.length
    ELSE p.seconds
  END AS seconds_at_most,
  CASE
    WHEN p.seconds IS NULL
    THEN 'unknown'
    WHEN p.length < p.seconds + 1
    THEN 'length'
    ELSE 'next_event'
  END AS how_it_ended
FROM plays AS p;

-- analytics/local_plays.sql:1 39eca8e80cad99ac
CREATE VIEW analytics.local_plays AS
SELECT
  p.songplay_id,
  p.start_time,
  p.user_id,
  p.level,
  z.time_zone,
  CAST(p.start_time AS TIMESTAMP) + INTERVAL (CAST(DATE_DIFF('HOUR', CAST(c.utc_hour AS TIMESTAMP), CAST(c.local_hour AS TIMESTAMP)) AS INT)) HOUR AS local_time
FROM main.songplays AS p
LEFT JOIN analytics.places AS z
  ON p.location = z.location
LEFT JOIN analytics.clocks AS c
  ON z.time_zone = c.time_zone AND DATE_TRUNC('HOUR', p.start_time) = c.utc_hour;

-- analytics/match_coverage.sql:1 c365a14045c41e74
CREATE VIEW analytics.match_coverage AS
SELECT
  p.song_match,
  COUNT(*) AS plays
FROM main.songplays AS p
GROUP BY
  p.song_match;

-- analytics/monthly_activity.sql:1 7dabdacd3d6b7916
CREATE VIEW analytics.monthly_activity AS
WITH of_days AS (
  SELECT
    u.day,
    CAST(DATE_TRUNC('MONTH', u.day) AS DATE) AS month,
    COUNT(*) AS people,
    COUNT(
      CASE
        WHEN u.day_before IS NULL OR u.day_before < CAST(DATE_TRUNC('MONTH', u.day) AS DATE)
        THEN 1
      END
    ) AS first_in_month,
    COUNT(CASE WHEN u.day_before IS NULL THEN 1 END) AS new_people
  FROM analytics.user_days AS u
  GROUP BY
    u.day
), of_people AS (
  SELECT
    d.month,
    CAST(SUM(d.first_in_month) AS BIGINT) AS people,
    CAST(SUM(d.new_people) AS BIGINT) AS new_people,
    CAST(SUM(d.people) AS BIGINT) AS person_days,
    COUNT(d.day) AS days
  FROM of_days AS d
  GROUP BY
    d.month
), of_plays AS (
  SELECT
    CAST(DATE_TRUNC('MONTH', l.day) AS DATE) AS month,
    COUNT(DISTINCT l.user_id) AS listeners,
    CAST(SUM(l.plays) AS BIGINT) AS plays
  FROM analytics.listener_days AS l
  GROUP BY
    CAST(DATE_TRUNC('MONTH', l.day) AS DATE)
)
SELECT
  m.month,
  m.people,
  COALESCE(p.listeners, 0) AS listeners,
  COALESCE(p.plays, 0) AS plays,
  m.new_people,
  CAST(m.person_days AS DOUBLE) / m.days AS mean_daily_people,
  CAST(m.person_days AS DOUBLE) / (
    m.days * m.people
  ) AS stickiness
FROM of_people AS m
LEFT JOIN of_plays AS p
  ON m.month = p.month;

-- analytics/places.sql:1 5a603b7cfa58d5aa
CREATE VIEW analytics.places AS
SELECT
  c.location,
  CASE
    WHEN c.state || ' ' || c.city IN (
      'FL Crestview',
      'FL Panama City',
      'FL Pensacola',
      'IN Evansville',
      'IN Michigan City',
      'KY Bowling Green',
      'KY Central City',
      'KY Glasgow',
      'KY Madisonville',
      'KY Mayfield',
      'KY Murray',
      'KY Owensboro',
      'KY Paducah',
      'MI Iron Mountain'
    )
    THEN 'America/Chicago'
    WHEN c.state || ' ' || c.city IN (
      'TN Athens',
      'TN Chattanooga',
      'TN Cleveland',
      'TN Dayton',
      'TN Greeneville',
      'TN Harriman',
      'TN Johnson City',
      'TN Kingsport',
      'TN Knoxville',
      'TN La Follette',
      'TN Morristown',
      'TN Newport',
      'TN Sevierville'
    )
    THEN 'America/New_York'
    WHEN c.state || ' ' || c.city IN (
      'ND Dickinson',
      'NE Scottsbluff',
      'OR Ontario',
      'SD Rapid City',
      'SD Spearfish',
      'TX El Paso'
    )
    THEN 'America/Denver'
    WHEN c.state || ' ' || c.city IN ('ID Coeur d''Alene', 'ID Lewiston', 'ID Moscow', 'ID Sandpoint')
    THEN 'America/Los_Angeles'
    WHEN c.state IN (
      'CT',
      'DC',
      'DE',
      'FL',
      'GA',
      'IN',
      'KY',
      'MA',
      'MD',
      'ME',
      'MI',
      'NC',
      'NH',
      'NJ',
      'NY',
      'OH',
      'PA',
      'RI',
      'SC',
      'VA',
      'VT',
      'WV'
    )
    THEN 'America/New_York'
    WHEN c.state IN (
      'AL',
      'AR',
      'IA',
      'IL',
      'KS',
      'LA',
      'MN',
      'MO',
      'MS',
      'ND',
      'NE',
      'OK',
      'SD',
      'TN',
      'TX',
      'WI'
    )
    THEN 'America/Chicago'
    WHEN c.state IN ('CO', 'ID', 'MT', 'NM', 'UT', 'WY')
    THEN 'America/Denver'
    WHEN c.state IN ('CA', 'NV', 'OR', 'WA')
    THEN 'America/Los_Angeles'
    WHEN c.state = 'AK'
    THEN 'America/Anchorage'
    WHEN c.state = 'AZ'
    THEN 'America/Phoenix'
    WHEN c.state = 'HI'
    THEN 'Pacific/Honolulu'
    WHEN c.state = 'PR'
    THEN 'America/Puerto_Rico'
  END AS time_zone
FROM (
  SELECT
    d.location,
    SPLIT_PART(SPLIT_PART(d.location, ', ', 1), '-', 1) AS city,
    SPLIT_PART(SPLIT_PART(d.location, ', ', 2), '-', 1) AS state
  FROM (
    SELECT DISTINCT
      p.location
    FROM main.songplays AS p
    WHERE
      NOT p.location IS NULL
  ) AS d
) AS c;

-- analytics/retention.sql:1 1412394b996dece3
CREATE VIEW analytics.retention AS
WITH user_weeks AS (
  SELECT
    u.user_id,
    CAST(DATE_TRUNC('WEEK', u.day) AS DATE) AS week,
    u.day_before
  FROM analytics.user_days AS u
  WHERE
    u.day_before IS NULL OR u.day_before < CAST(DATE_TRUNC('WEEK', u.day) AS DATE)
), registered AS (
  SELECT
    e.user_id,
    MIN(e.registration) AS registration
  FROM main.staging_events AS e
  WHERE
    e.user_id <> '' AND e.registration BETWEEN 946684800000 AND 4102444799999
  GROUP BY
    e.user_id
), cohorts AS (
  SELECT
    CAST('first_event' AS TEXT(16)) AS cohort_by,
    u.user_id,
    u.week AS cohort
  FROM user_weeks AS u
  WHERE
    u.day_before IS NULL
  UNION ALL
  SELECT
    CAST('registration' AS TEXT(16)) AS cohort_by,
    r.user_id,
    CAST(DATE_TRUNC(
      'WEEK',
      CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (CAST(FLOOR(r.registration) AS BIGINT)) MILLISECOND
    ) AS DATE) AS cohort
  FROM registered AS r
), sizes AS (
  SELECT
    c.cohort_by,
    c.cohort,
    COUNT(*) AS cohort_people
  FROM cohorts AS c
  GROUP BY
    c.cohort_by,
    c.cohort
)
SELECT
  c.cohort_by,
  c.cohort,
  CAST(DATE_DIFF('DAY', CAST(c.cohort AS TIMESTAMP), CAST(u.week AS TIMESTAMP)) / 7.0 AS INT) AS weeks_later,
  COUNT(*) AS people,
  s.cohort_people
FROM cohorts AS c
INNER JOIN user_weeks AS u
  ON c.user_id = u.user_id AND c.cohort <= u.week
INNER JOIN sizes AS s
  ON c.cohort_by = s.cohort_by AND c.cohort = s.cohort
GROUP BY
  c.cohort_by,
  c.cohort,
  u.week,
  s.cohort_people;

-- analytics/sessions.sql:1 e3d3e899dc1b3027
CREATE VIEW analytics.sessions AS
SELECT
  s.user_id,
  s.session_id,
  MIN(s.event_at) AS started_at,
  MAX(s.event_at) AS ended_at,
  COUNT(*) AS events,
  COUNT(CASE WHEN s.page = 'NextSong' THEN 1 END) AS plays,
  MAX(CASE WHEN s.from_end = 1 THEN s.level END) AS level,
  MAX(CASE WHEN s.from_end = 1 THEN s.page END) AS last_page
FROM (
  SELECT
    e.user_id,
    e.session_id,
    e.event_at,
    e.page,
    e.level,
    ROW_NUMBER() OVER (
      PARTITION BY e.user_id, e.session_id
      ORDER BY e.ts DESC NULLS FIRST, e.item_in_session DESC NULLS FIRST
    ) AS from_end
  FROM analytics.events AS e
) AS s
GROUP BY
  s.user_id,
  s.session_id;

-- analytics/top_artists.sql:1 8e531d0472f682f5
CREATE VIEW analytics.top_artists AS
SELECT
  p.artist,
  COUNT(*) AS plays,
  COUNT(DISTINCT p.user_id) AS listeners
FROM main.songplays AS p
GROUP BY
  p.artist
ORDER BY
  plays DESC NULLS FIRST,
  p.artist;

-- analytics/top_artists_by_day.sql:1 1baf2e8a8db4b121
CREATE VIEW analytics.top_artists_by_day AS
SELECT
  CAST(p.start_time AS DATE) AS day,
  p.artist,
  COUNT(*) AS plays
FROM main.songplays AS p
GROUP BY
  CAST(p.start_time AS DATE),
  p.artist;

-- analytics/top_artists_by_week.sql:1 892a69761cc2259f
CREATE VIEW analytics.top_artists_by_week AS
SELECT
  CAST(DATE_TRUNC('WEEK', p.start_time) AS DATE) AS week,
  p.artist,
  COUNT(*) AS plays
FROM main.songplays AS p
GROUP BY
  CAST(DATE_TRUNC('WEEK', p.start_time) AS DATE),
  p.artist;

-- analytics/top_songs.sql:1 83c799ec827fcb3d
CREATE VIEW analytics.top_songs AS
SELECT
  p.song,
  p.artist,
  COUNT(*) AS plays,
  COUNT(DISTINCT p.user_id) AS listeners
FROM main.songplays AS p
GROUP BY
  p.song,
  p.artist
ORDER BY
  plays DESC NULLS FIRST,
  p.song,
  p.artist;

-- analytics/top_songs_by_day.sql:1 c8646e6785ba1756
CREATE VIEW analytics.top_songs_by_day AS
SELECT
  CAST(p.start_time AS DATE) AS day,
  p.song,
  p.artist,
  COUNT(*) AS plays
FROM main.songplays AS p
GROUP BY
  CAST(p.start_time AS DATE),
  p.song,
  p.artist;

-- analytics/top_songs_by_week.sql:1 7889c1c95ae4a790
CREATE VIEW analytics.top_songs_by_week AS
SELECT
  CAST(DATE_TRUNC('WEEK', p.start_time) AS DATE) AS week,
  p.song,
  p.artist,
  COUNT(*) AS plays
FROM main.songplays AS p
GROUP BY
  CAST(DATE_TRUNC('WEEK', p.start_time) AS DATE),
  p.song,
  p.artist;

-- analytics/top_unmatched.sql:1 50040d79ea6303e4
CREATE VIEW analytics.top_unmatched AS
SELECT
  p.song,
  p.artist,
  COUNT(*) AS plays
FROM main.songplays AS p
WHERE
  p.song_id IS NULL
GROUP BY
  p.song,
  p.artist
ORDER BY
  plays DESC NULLS FIRST,
  p.song,
  p.artist;

-- analytics/user_days.sql:1 159a1c17b49609e7
CREATE VIEW analytics.user_days AS
SELECT
  u.user_id,
  u.day,
  LAG(u.day) OVER (PARTITION BY u.user_id ORDER BY u.day) AS day_before,
  LEAD(u.day) OVER (PARTITION BY u.user_id ORDER BY u.day) AS day_after
FROM (
  SELECT
    d.user_id,
    CAST(CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (d.midnight) MILLISECOND AS DATE) AS day
  FROM (
    SELECT DISTINCT
      e.user_id,
      e.ts - e.ts % 86400000 AS midnight
    FROM main.staging_events AS e
    WHERE
      e.user_id <> ''
  ) AS d
) AS u;

-- analytics/user_levels.sql:1 59a4434741b7e9f6
CREATE VIEW analytics.user_levels AS
WITH moments AS (
  SELECT
    e.user_id,
    e.ts,
    e.event_at,
    e.level,
    e.first_name,
    e.last_name
  FROM analytics.events AS e
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY e.user_id, e.ts
      ORDER BY e.item_in_session DESC NULLS FIRST, e.level, e.first_name, e.last_name, e.gender
    ) = 1
), changes AS (
  SELECT
    m.user_id,
    m.ts,
    m.event_at,
    m.level,
    m.first_name,
    m.last_name,
    CASE
      WHEN COALESCE(m.level, '') <> COALESCE(LAG(m.level) OVER (PARTITION BY m.user_id ORDER BY m.ts), '')
      THEN 1
      ELSE 0
    END AS changed
  FROM moments AS m
), stretches AS (
  SELECT
    c.user_id,
    c.ts,
    c.event_at,
    c.level,
    c.first_name,
    c.last_name,
    SUM(c.changed) OVER (
      PARTITION BY c.user_id
      ORDER BY c.ts
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS stretch
  FROM changes AS c
), lasts AS (
  SELECT
    s.user_id,
    s.level,
    s.stretch,
    s.first_name,
    s.last_name,
    MIN(s.event_at) OVER (PARTITION BY s.user_id, s.stretch) AS valid_from
  FROM stretches AS s
  QUALIFY
    ROW_NUMBER() OVER (PARTITION BY s.user_id, s.stretch ORDER BY s.ts DESC NULLS FIRST) = 1
)
SELECT
  l.user_id,
  l.level,
  l.valid_from,
  LEAD(l.valid_from) OVER (PARTITION BY l.user_id ORDER BY l.stretch) AS valid_to,
  l.first_name,
  l.last_name
FROM lasts AS l;

-- analytics/weekly_activity.sql:1 5ced3425a7fc7c92
CREATE VIEW analytics.weekly_activity AS
WITH of_people AS (
  SELECT
    CAST(DATE_TRUNC('WEEK', u.day) AS DATE) AS week,
    COUNT(*) AS people,
    COUNT(CASE WHEN u.day_before IS NULL THEN 1 END) AS new_people
  FROM analytics.user_days AS u
  WHERE
    u.day_before IS NULL OR u.day_before < CAST(DATE_TRUNC('WEEK', u.day) AS DATE)
  GROUP BY
    CAST(DATE_TRUNC('WEEK', u.day) AS DATE)
), of_plays AS (
  SELECT
    CAST(DATE_TRUNC('WEEK', l.day) AS DATE) AS week,
    COUNT(DISTINCT l.user_id) AS listeners,
    CAST(SUM(l.plays) AS BIGINT) AS plays
  FROM analytics.listener_days AS l
  GROUP BY
    CAST(DATE_TRUNC('WEEK', l.day) AS DATE)
)
SELECT
  w.week,
  w.people,
  COALESCE(p.listeners, 0) AS listeners,
  COALESCE(p.plays, 0) AS plays,
  w.new_people
FROM of_people AS w
LEFT JOIN of_plays AS p
  ON w.week = p.week;

-- checks/cut_file.sql:1 06d02f61baaacef2
SELECT
  f.uri AS subject,
  'ends inside a record, line ' || CAST(MAX(r.line) AS TEXT(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r
  ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE
  f.state = 'loaded' AND f.run_id >= $first_run AND r.reason = 'truncated_file'
GROUP BY
  f.uri
ORDER BY
  f.uri;

-- checks/empty_log.sql:1 af0d69b9df5e6c79
WITH latest AS (
  SELECT
    f.rows_read
  FROM etl.files AS f
  WHERE
    f.kind = 'events' AND f.state = 'loaded'
  ORDER BY
    f.run_id DESC NULLS FIRST,
    f.uri DESC NULLS FIRST
  LIMIT 30
), counted AS (
  SELECT
    COUNT(*) AS files,
    COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
  FROM latest AS l
)
SELECT
  f.uri AS subject,
  'holds no record; of the ' || CAST(c.files AS TEXT(20)) || ' latest logs ' || CAST(c.empty_files AS TEXT(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
  f.kind = 'events'
  AND f.state = 'loaded'
  AND f.run_id >= $first_run
  AND f.rows_read = 0
  AND c.empty_files * 10 < c.files
ORDER BY
  f.uri;

-- checks/hole_in_time.sql:1 8772b45211652ff2
WITH days AS (
  SELECT
    d.day,
    d.first_ts,
    d.last_ts,
    d.first_ts % 86400000 AS start_ms,
    d.last_ts % 86400000 AS end_ms,
    d.longest_gap_ms,
    d.gap_within_ms,
    COUNT(*) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS days_before,
    MAX(d.longest_gap_ms) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS longest_ms,
    MAX(d.first_ts % 86400000) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS latest_start_ms,
    MIN(d.last_ts % 86400000) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS earliest_end_ms
  FROM etl.days AS d
), suspects AS (
  SELECT
    d.day,
    d.first_ts,
    d.last_ts,
    d.start_ms,
    d.end_ms,
    d.longest_gap_ms,
    d.gap_within_ms,
    d.days_before,
    CASE
      WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms
      THEN 1
      WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000
      THEN 1
      WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
      THEN 1
      ELSE 0
    END AS is_hole,
    CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
    CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
  FROM days AS d
), usual AS (
  SELECT
    d.day,
    d.first_ts,
    d.last_ts,
    d.start_ms,
    d.end_ms,
    d.gap_within_ms,
    d.days_before,
    MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS usual_ms,
    MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS usual_start_ms,
    MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS usual_end_ms
  FROM suspects AS d
), judged AS (
  SELECT
    u.first_ts,
    u.last_ts,
    u.gap_within_ms,
    u.usual_ms,
    u.days_before,
    LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
    LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
    CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
    CASE
      WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000
      THEN 1
      ELSE 0
    END AS ends_early,
    LAG(
      CASE
        WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000
        THEN 1
        ELSE 0
      END
    ) OVER (ORDER BY u.day) AS ended_early
  FROM usual AS u
), touched AS (
  SELECT
    j.first_ts,
    j.last_ts,
    j.gap_within_ms,
    j.ts_before,
    j.ts_after,
    j.usual_ms,
    CASE WHEN j.starts_late = 1 OR j.ended_early = 1 THEN 1 ELSE 0 END AS unusual_start,
    j.ends_early AS unusual_end
  FROM judged AS j
  WHERE
    j.days_before >= 7
), logs AS (
  SELECT
    COUNT(*) AS files,
    COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
    COUNT(CASE WHEN f.run_id >= $first_run THEN 1 END) AS of_load,
    COUNT(CASE WHEN f.run_id >= $first_run AND f.rows_read = 0 THEN 1 END) AS empty_of_load
  FROM (
    SELECT
      run_id,
      rows_read
    FROM etl.files
    WHERE
      kind = 'events' AND state = 'loaded'
    ORDER BY
      run_id DESC NULLS FIRST,
      uri DESC NULLS FIRST
    LIMIT 30
  ) AS f
), stretches AS (
  SELECT
    t.ts_before AS ts_from,
    t.first_ts AS ts_to,
    'between' AS kind,
    t.usual_ms,
    t.unusual_start AS unusual_hours
  FROM touched AS t
  WHERE
    t.first_ts BETWEEN $days_from AND $days_to
    OR (
      t.ts_before <= $days_to AND t.first_ts > $days_to
    )
  UNION ALL
  SELECT
    t.first_ts - t.first_ts % 86400000 AS ts_from,
    t.first_ts - t.first_ts % 86400000 + t.gap_within_ms AS ts_to,
    'within' AS kind,
    t.usual_ms,
    0 AS unusual_hours
  FROM touched AS t
  WHERE
    t.first_ts BETWEEN $days_from AND $days_to
  UNION ALL
  SELECT
    t.last_ts AS ts_from,
    t.last_ts - t.last_ts % 86400000 + 86400000 AS ts_to,
    'newest' AS kind,
    t.usual_ms,
    t.unusual_end AS unusual_hours
  FROM touched AS t
  WHERE
    t.ts_after IS NULL
    AND t.first_ts BETWEEN $days_from AND $days_to
    AND (
      CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (t.last_ts - t.last_ts % 86400000 + 86400000) MILLISECOND
    ) <= $now
  UNION ALL
  SELECT
    t.last_ts AS ts_from,
    t.last_ts + 86400000 AS ts_to,
    'empty' AS kind,
    t.usual_ms,
    1 AS unusual_hours
  FROM touched AS t
  WHERE
    t.ts_after IS NULL
    AND (
      SELECT
        l.empty_of_load
      FROM logs AS l
      WHERE
        l.empty_files * 10 < l.files
    ) > 0
    AND (
      SELECT
        l.of_load - l.empty_of_load
      FROM logs AS l
    ) = 0
), holes AS (
  SELECT
    s.kind,
    LEFT(
      CAST(CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (s.ts_from) MILLISECOND AS TEXT(32)),
      16
    ) AS since,
    LEFT(
      CAST(CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (s.ts_to) MILLISECOND AS TEXT(32)),
      16
    ) AS until,
    LEFT(
      CAST(CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (s.ts_from + 86400000) MILLISECOND AS TEXT(32)),
      10
    ) AS day_from,
    LEFT(
      CAST(CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (s.ts_to - 86400000) MILLISECOND AS TEXT(32)),
      10
    ) AS day_to,
    CAST(CAST((
      s.ts_to - s.ts_from
    ) / 3600000.0 AS DECIMAL(18, 1)) AS TEXT(20)) AS hours,
    CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS TEXT(20)) AS usual_hours
  FROM stretches AS s
  WHERE
    s.ts_to - s.ts_from > 10800000
    AND s.ts_to - s.ts_from > s.usual_ms
    AND (
      s.unusual_hours = 1
      OR (
        s.ts_to - s.ts_from > 2 * s.usual_ms
        AND s.ts_to - s.ts_from > s.usual_ms + 10800000
      )
    )
)
SELECT
  CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
  CASE
    WHEN h.kind = 'within'
    THEN 'no event for ' || h.hours || ' hours'
    WHEN h.kind = 'empty'
    THEN 'no event since, the logs loaded are empty'
    WHEN h.kind = 'newest'
    THEN 'no event for ' || h.hours || ' hours, to the end of the day'
    ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
  END || CASE
    WHEN h.kind <> 'between' OR h.day_from > h.day_to
    THEN ''
    WHEN h.day_from = h.day_to
    THEN ', none on ' || h.day_from
    ELSE ', none from ' || h.day_from || ' to ' || h.day_to
  END || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY
  subject;

-- checks/match_rate_fell.sql:1 eb4e09c3242945c1
WITH days AS (
  SELECT
    d.day,
    d.first_ts,
    d.plays,
    d.plays_matched,
    COUNT(*) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS days_before,
    CAST(SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS DOUBLE) AS plays_before,
    CAST(SUM(d.plays_matched) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS DOUBLE) AS matched_before
  FROM etl.days AS d
), expected AS (
  SELECT
    d.day,
    d.plays,
    d.plays_matched,
    d.plays_before,
    d.matched_before / d.plays_before AS rate,
    d.plays * d.matched_before / d.plays_before AS matches
  FROM days AS d
  WHERE
    d.first_ts BETWEEN $days_from AND $days_to
    AND d.days_before >= 7
    AND d.plays >= 50
    AND d.plays_before > 0
)
SELECT
  CAST(e.day AS TEXT(10)) AS subject,
  CAST(e.plays_matched AS TEXT(20)) || ' of ' || CAST(e.plays AS TEXT(20)) || ' plays match a song (' || CAST(CAST(100.0 * e.plays_matched / e.plays AS DECIMAL(18, 1)) AS TEXT(20)) || ' %); in the 28 days before, ' || CAST(CAST(100.0 * e.rate AS DECIMAL(18, 1)) AS TEXT(20)) || ' %' AS found
FROM expected AS e
WHERE
  e.plays_matched < 0.75 * e.matches
  AND (
    e.matches - e.plays_matched
  ) * (
    e.matches - e.plays_matched
  ) > 25 * e.matches * (
    1 - e.rate
  ) * (
    1 + e.plays / e.plays_before
  )
ORDER BY
  subject;

-- checks/no_fan_out.sql:1 3da7809ed3c98bdb
WITH counts AS (
  SELECT
    (
      SELECT
        COUNT(*)
      FROM staging_events
      WHERE
        page = 'NextSong'
        AND ts BETWEEN $ts_from AND $ts_to
        AND ts IN (
          SELECT
            m.ts
          FROM run_moments AS m
        )
    ) AS staged,
    (
      SELECT
        COUNT(*)
      FROM songplays
      WHERE
        start_time IN (
          SELECT
            CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
          FROM run_moments AS m
        )
        AND start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
    ) AS plays
)
SELECT
  e.events,
  c.plays
FROM counts AS c
CROSS JOIN (
  SELECT
    COUNT(*) AS events
  FROM (
    SELECT DISTINCT
      s.user_id,
      s.session_id,
      s.item_in_session,
      s.ts
    FROM staging_events AS s
    CROSS JOIN counts AS d
    WHERE
      s.page = 'NextSong'
      AND s.ts BETWEEN $ts_from AND $ts_to
      AND d.staged <> d.plays
      AND s.ts IN (
        SELECT
          m.ts
        FROM run_moments AS m
      )
  ) AS i
) AS e
WHERE
  c.staged <> c.plays AND e.events <> c.plays;

-- checks/no_fan_out.sql:1 d356ff2e44919a15
WITH counts AS (
  SELECT
    (
      SELECT
        COUNT(*)
      FROM staging_events
      WHERE
        page = 'NextSong' AND ts BETWEEN $ts_from AND $ts_to
    ) AS staged,
    (
      SELECT
        COUNT(*)
      FROM songplays
      WHERE
        start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
    ) AS plays
)
SELECT
  e.events,
  c.plays
FROM counts AS c
CROSS JOIN (
  SELECT
    COUNT(*) AS events
  FROM (
    SELECT DISTINCT
      s.user_id,
      s.session_id,
      s.item_in_session,
      s.ts
    FROM staging_events AS s
    CROSS JOIN counts AS d
    WHERE
      s.page = 'NextSong' AND s.ts BETWEEN $ts_from AND $ts_to AND d.staged <> d.plays
  ) AS i
) AS e
WHERE
  c.staged <> c.plays AND e.events <> c.plays;

-- checks/not_null.sql:1 16969d55d07c3906
SELECT
  'songplays' AS in_table,
  CAST(songplay_id AS TEXT(64)) AS key_value
FROM songplays
WHERE
  start_time IN (
    SELECT
      CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
    FROM run_moments AS m
  )
  AND start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND (
    songplay_id IS NULL
    OR user_id IS NULL
    OR user_id = ''
    OR session_id IS NULL
    OR item_in_session IS NULL
  )
UNION ALL
SELECT
  'users' AS in_table,
  user_id AS key_value
FROM users
WHERE
  user_id IS NULL OR user_id = ''
UNION ALL
SELECT
  'songs' AS in_table,
  song_id AS key_value
FROM songs
WHERE
  song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT
  'artists' AS in_table,
  artist_id AS key_value
FROM artists
WHERE
  artist_id IS NULL;

-- checks/not_null.sql:1 e617db38e413694b
SELECT
  'songplays' AS in_table,
  CAST(songplay_id AS TEXT(64)) AS key_value
FROM songplays
WHERE
  start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND (
    songplay_id IS NULL
    OR user_id IS NULL
    OR user_id = ''
    OR session_id IS NULL
    OR item_in_session IS NULL
  )
UNION ALL
SELECT
  'users' AS in_table,
  user_id AS key_value
FROM users
WHERE
  user_id IS NULL OR user_id = ''
UNION ALL
SELECT
  'songs' AS in_table,
  song_id AS key_value
FROM songs
WHERE
  song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT
  'artists' AS in_table,
  artist_id AS key_value
FROM artists
WHERE
  artist_id IS NULL;

-- checks/plays_from_logs.sql:1 5e1f0765d07ef601
SELECT
  COUNT(*) AS events
FROM staging_events
HAVING
  COUNT(*) > 0
  AND (
    SELECT
      COALESCE(SUM(rows_erased), 0)
    FROM etl.files
    WHERE
      state IN ('loaded', 'expired')
  ) = 0
  AND (
    SELECT
      COUNT(*)
    FROM songplays
  ) = 0
  AND (
    SELECT
      COUNT(*)
    FROM etl.files
    WHERE
      kind = 'events' AND state = 'loaded' AND run_id >= $first_run
  ) > 0;

-- checks/plays_without_names.sql:1 7839f3447e6e3305
WITH before AS (
  SELECT
    d.day,
    d.first_ts,
    d.plays,
    d.plays_without_title AS titles,
    d.plays_without_artist AS artists,
    SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS plays_before,
    SUM(d.plays_without_title) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS titles_before,
    SUM(d.plays_without_artist) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS artists_before
  FROM etl.days AS d
), days AS (
  SELECT
    b.day,
    b.plays,
    b.titles,
    b.artists,
    CAST(COALESCE(b.plays_before, 0) AS BIGINT) AS plays_before,
    CAST(COALESCE(b.titles_before, 0) AS BIGINT) AS titles_before,
    CAST(COALESCE(b.artists_before, 0) AS BIGINT) AS artists_before
  FROM before AS b
  WHERE
    b.first_ts BETWEEN $days_from AND $days_to AND b.plays >= 20
)
SELECT
  CAST(d.day AS TEXT(10)) AS subject,
  'of ' || CAST(d.plays AS TEXT(20)) || ' plays ' || CAST(d.titles AS TEXT(20)) || ' have no title and ' || CAST(d.artists AS TEXT(20)) || ' no artist; in the 28 days before, of ' || CAST(d.plays_before AS TEXT(20)) || ' plays ' || CAST(d.titles_before AS TEXT(20)) || ' and ' || CAST(d.artists_before AS TEXT(20)) AS found
FROM days AS d
WHERE
  (
    d.titles >= 10
    AND d.titles * 20 > d.plays
    AND d.titles * d.plays_before >= 3 * d.plays * d.titles_before
  )
  OR (
    d.artists >= 10
    AND d.artists * 20 > d.plays
    AND d.artists * d.plays_before >= 3 * d.plays * d.artists_before
  )
ORDER BY
  subject;

-- checks/references.sql:1 7f5888279a902df3
SELECT
  'songplays.user_id' AS reference,
  p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u
  ON p.user_id = u.user_id
WHERE
  p.start_time IN (
    SELECT
      CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
    FROM run_moments AS m
  )
  AND p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND u.user_id IS NULL
UNION ALL
SELECT
  'songplays.start_time' AS reference,
  CAST(p.start_time AS TEXT(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
  ON p.start_time = t.start_time
  AND t.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
WHERE
  p.start_time IN (
    SELECT
      CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
    FROM run_moments AS m
  )
  AND p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND t.start_time IS NULL
UNION ALL
SELECT
  'songplays.song_id' AS reference,
  p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s
  ON p.song_id = s.song_id
WHERE
  p.start_time IN (
    SELECT
      CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
    FROM run_moments AS m
  )
  AND p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND NOT p.song_id IS NULL
  AND s.song_id IS NULL
UNION ALL
SELECT
  'songplays.artist_id' AS reference,
  p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a
  ON p.artist_id = a.artist_id
WHERE
  p.start_time IN (
    SELECT
      CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
    FROM run_moments AS m
  )
  AND p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND NOT p.artist_id IS NULL
  AND a.artist_id IS NULL
UNION ALL
SELECT
  'songplays.user_id' AS reference,
  p.user_id AS key_value
FROM songplays AS p
INNER JOIN (
  SELECT DISTINCT
    c.user_id
  FROM run_changed_users AS c
  LEFT JOIN users AS u
    ON c.user_id = u.user_id
  WHERE
    u.user_id IS NULL
) AS g
  ON p.user_id = g.user_id
UNION ALL
SELECT
  'songplays.song_id' AS reference,
  p.song_id AS key_value
FROM songplays AS p
INNER JOIN (
  SELECT DISTINCT
    c.song_id
  FROM run_changed_songs AS c
  LEFT JOIN songs AS s
    ON c.song_id = s.song_id
  WHERE
    s.song_id IS NULL
) AS g
  ON p.song_id = g.song_id
UNION ALL
SELECT
  'songplays.artist_id' AS reference,
  p.artist_id AS key_value
FROM songplays AS p
INNER JOIN (
  SELECT DISTINCT
    c.artist_id
  FROM run_changed_artists AS c
  LEFT JOIN artists AS a
    ON c.artist_id = a.artist_id
  WHERE
    a.artist_id IS NULL
) AS g
  ON p.artist_id = g.artist_id
UNION ALL
SELECT
  'songs.artist_id' AS reference,
  s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a
  ON s.artist_id = a.artist_id
WHERE
  a.artist_id IS NULL;

-- checks/references.sql:1 91381ae8cda9206b
SELECT
  'songplays.user_id' AS reference,
  p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u
  ON p.user_id = u.user_id
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND u.user_id IS NULL
UNION ALL
SELECT
  'songplays.start_time' AS reference,
  CAST(p.start_time AS TEXT(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
  ON p.start_time = t.start_time
  AND t.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND t.start_time IS NULL
UNION ALL
SELECT
  'songplays.song_id' AS reference,
  p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s
  ON p.song_id = s.song_id
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND NOT p.song_id IS NULL
  AND s.song_id IS NULL
UNION ALL
SELECT
  'songplays.artist_id' AS reference,
  p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a
  ON p.artist_id = a.artist_id
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND NOT p.artist_id IS NULL
  AND a.artist_id IS NULL
UNION ALL
SELECT
  'songplays.user_id' AS reference,
  p.user_id AS key_value
FROM songplays AS p
INNER JOIN (
  SELECT DISTINCT
    c.user_id
  FROM run_changed_users AS c
  LEFT JOIN users AS u
    ON c.user_id = u.user_id
  WHERE
    u.user_id IS NULL
) AS g
  ON p.user_id = g.user_id
UNION ALL
SELECT
  'songplays.song_id' AS reference,
  p.song_id AS key_value
FROM songplays AS p
INNER JOIN (
  SELECT DISTINCT
    c.song_id
  FROM run_changed_songs AS c
  LEFT JOIN songs AS s
    ON c.song_id = s.song_id
  WHERE
    s.song_id IS NULL
) AS g
  ON p.song_id = g.song_id
UNION ALL
SELECT
  'songplays.artist_id' AS reference,
  p.artist_id AS key_value
FROM songplays AS p
INNER JOIN (
  SELECT DISTINCT
    c.artist_id
  FROM run_changed_artists AS c
  LEFT JOIN artists AS a
    ON c.artist_id = a.artist_id
  WHERE
    a.artist_id IS NULL
) AS g
  ON p.artist_id = g.artist_id
UNION ALL
SELECT
  'songs.artist_id' AS reference,
  s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a
  ON s.artist_id = a.artist_id
WHERE
  a.artist_id IS NULL;

-- checks/references.sql:1 788155ef632e03b9
SELECT
  'songplays.user_id' AS reference,
  p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u
  ON p.user_id = u.user_id
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND u.user_id IS NULL
UNION ALL
SELECT
  'songplays.start_time' AS reference,
  CAST(p.start_time AS TEXT(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
  ON p.start_time = t.start_time
  AND t.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND t.start_time IS NULL
UNION ALL
SELECT
  'songplays.song_id' AS reference,
  p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s
  ON p.song_id = s.song_id
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND NOT p.song_id IS NULL
  AND s.song_id IS NULL
UNION ALL
SELECT
  'songplays.artist_id' AS reference,
  p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a
  ON p.artist_id = a.artist_id
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND NOT p.artist_id IS NULL
  AND a.artist_id IS NULL
UNION ALL
SELECT
  'songs.artist_id' AS reference,
  s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a
  ON s.artist_id = a.artist_id
WHERE
  a.artist_id IS NULL;

-- checks/unique_keys.sql:1 5eb6728414c65c4b
SELECT
  'songplays' AS in_table,
  CAST(songplay_id AS TEXT(64)) AS key_value,
  COUNT(*) AS times
FROM songplays
WHERE
  start_time IN (
    SELECT
      CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
    FROM run_moments AS m
  )
  AND start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
GROUP BY
  songplay_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'users' AS in_table,
  user_id AS key_value,
  COUNT(*) AS times
FROM users
WHERE
  user_id IN (
    SELECT
      c.user_id
    FROM run_changed_users AS c
  )
GROUP BY
  user_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'songs' AS in_table,
  song_id AS key_value,
  COUNT(*) AS times
FROM songs
WHERE
  song_id IN (
    SELECT
      c.song_id
    FROM run_changed_songs AS c
  )
GROUP BY
  song_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'artists' AS in_table,
  artist_id AS key_value,
  COUNT(*) AS times
FROM artists
WHERE
  artist_id IN (
    SELECT
      c.artist_id
    FROM run_changed_artists AS c
  )
GROUP BY
  artist_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'time' AS in_table,
  CAST(start_time AS TEXT(64)) AS key_value,
  COUNT(*) AS times
FROM time
WHERE
  start_time IN (
    SELECT
      CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
    FROM run_moments AS m
  )
  AND start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
GROUP BY
  start_time
HAVING
  COUNT(*) > 1;

-- checks/unique_keys.sql:1 3935bd1a2ec767b6
SELECT
  'songplays' AS in_table,
  CAST(songplay_id AS TEXT(64)) AS key_value,
  COUNT(*) AS times
FROM songplays
WHERE
  start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
GROUP BY
  songplay_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'users' AS in_table,
  user_id AS key_value,
  COUNT(*) AS times
FROM users
WHERE
  user_id IN (
    SELECT
      c.user_id
    FROM run_changed_users AS c
  )
GROUP BY
  user_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'songs' AS in_table,
  song_id AS key_value,
  COUNT(*) AS times
FROM songs
WHERE
  song_id IN (
    SELECT
      c.song_id
    FROM run_changed_songs AS c
  )
GROUP BY
  song_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'artists' AS in_table,
  artist_id AS key_value,
  COUNT(*) AS times
FROM artists
WHERE
  artist_id IN (
    SELECT
      c.artist_id
    FROM run_changed_artists AS c
  )
GROUP BY
  artist_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'time' AS in_table,
  CAST(start_time AS TEXT(64)) AS key_value,
  COUNT(*) AS times
FROM time
WHERE
  start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
GROUP BY
  start_time
HAVING
  COUNT(*) > 1;

-- checks/unique_keys.sql:1 46d4784f9ff7b330
SELECT
  'songplays' AS in_table,
  CAST(songplay_id AS TEXT(64)) AS key_value,
  COUNT(*) AS times
FROM songplays
WHERE
  start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
GROUP BY
  songplay_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'users' AS in_table,
  user_id AS key_value,
  COUNT(*) AS times
FROM users
GROUP BY
  user_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'songs' AS in_table,
  song_id AS key_value,
  COUNT(*) AS times
FROM songs
GROUP BY
  song_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'artists' AS in_table,
  artist_id AS key_value,
  COUNT(*) AS times
FROM artists
GROUP BY
  artist_id
HAVING
  COUNT(*) > 1
UNION ALL
SELECT
  'time' AS in_table,
  CAST(start_time AS TEXT(64)) AS key_value,
  COUNT(*) AS times
FROM time
WHERE
  start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
GROUP BY
  start_time
HAVING
  COUNT(*) > 1;

-- erase/any_kept.sql:1 831e978e7e956b2a
SELECT
  1 AS any_kept
FROM run_gone AS g
WHERE
  NOT g.user_id IS NULL
LIMIT 1;

-- erase/blank.sql:1 6a56982c5f9cd3a3
UPDATE etl.checks SET sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END, subject = CASE WHEN subject IS NULL OR $keeps_subject THEN subject ELSE 'erased' END
WHERE
  run_id = $run_id AND check_name = $check_name;

-- erase/blank.sql:7 315eae44b05c32cd
UPDATE etl.runs SET error = 'erased'
WHERE
  run_id = $run_id;

-- erase/blank.sql:9 03ffebaaf3890380
UPDATE etl.files SET detail = 'erased'
WHERE
  file_id = $file_id AND run_id = $run_id;

-- erase/count_gone.sql:1 1e471bffd0a238ab
INSERT INTO run_erased_files (
  file_id,
  rows_erased,
  plays_erased
)
SELECT
  g.file_id,
  COUNT(*) - COUNT(g.user_id) AS rows_erased,
  COUNT(CASE WHEN g.page = 'NextSong' AND g.user_id IS NULL THEN 1 END) AS plays_erased
FROM run_gone AS g
GROUP BY
  g.file_id;

-- erase/count_kept.sql:1 ed0f4956542627c5
SELECT
  s.staged,
  s.events,
  k.plays,
  k.matched
FROM (
  SELECT
    SUM(d.deliveries) AS staged,
    COUNT(*) AS events
  FROM (
    SELECT
      COUNT(*) AS deliveries
    FROM run_gone AS r
    WHERE
      NOT r.user_id IS NULL
    GROUP BY
      r.user_id,
      r.session_id,
      r.item_in_session,
      r.ts
  ) AS d
) AS s
CROSS JOIN (
  SELECT
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  WHERE
    p.user_id IN (
      SELECT
        g.user_id
      FROM run_gone AS g
      WHERE
        NOT g.user_id IS NULL
    )
) AS k;

-- erase/count_older.sql:1 9c9b7772d127b711
INSERT INTO run_erased_files (
  file_id,
  rows_erased,
  plays_erased
)
SELECT
  s.file_id,
  COUNT(*) AS rows_erased,
  COUNT(CASE WHEN s.page = 'NextSong' THEN 1 END) AS plays_erased
FROM staging_events AS s
WHERE
  s.ts < $before_ts
GROUP BY
  s.file_id;

-- erase/emptied.sql:1 f4d400b716dde7e6
SELECT
  f.file_id,
  f.uri
FROM etl.files AS f
INNER JOIN (
  SELECT
    s.file_id,
    COUNT(*) AS older
  FROM staging_events AS s
  WHERE
    s.ts < $before_ts
  GROUP BY
    s.file_id
) AS e
  ON f.file_id = e.file_id
WHERE
  f.state = 'loaded' AND f.rows_loaded = e.older;

-- erase/erased_files.sql:1 06f845b9f10f16c3
SELECT
  e.file_id,
  SUM(e.rows_erased) AS rows_erased,
  SUM(e.plays_erased) AS plays_erased
FROM run_erased_files AS e
GROUP BY
  e.file_id;

-- erase/expired_files.sql:1 fc9a7bf1fbcdbd26
UPDATE etl.files SET state = 'expired'
WHERE
  state = 'loaded'
  AND rows_loaded = 0
  AND rows_rejected = 0
  AND file_id IN (
    SELECT
      file_id
    FROM run_files
  );

-- erase/find_older.sql:1 2a120a0ee94ca7cf
SELECT
  COUNT(*) AS events,
  COUNT(CASE WHEN s.page = 'NextSong' THEN 1 END) AS plays,
  MIN(s.ts) AS first_ts,
  MAX(s.ts) AS last_ts
FROM staging_events AS s
WHERE
  s.ts < $before_ts;

-- erase/find_people.sql:1 0cd93416447457a5
SELECT
  u.digest,
  s.file_id,
  s.first_name,
  s.last_name,
  s.location,
  COUNT(*) AS events,
  COUNT(CASE WHEN s.page = 'NextSong' THEN 1 END) AS plays
FROM staging_events AS s
INNER JOIN (
  SELECT
    l.user_id,
    SHA256($hash_key || l.user_id) AS digest
  FROM (
    SELECT DISTINCT
      e.user_id
    FROM staging_events AS e
  ) AS l
) AS u
  ON s.user_id = u.user_id
WHERE
  u.digest IN (
    SELECT
      r.digest
    FROM run_sought AS r
  )
GROUP BY
  u.digest,
  s.file_id,
  s.first_name,
  s.last_name,
  s.location
ORDER BY
  u.digest,
  s.file_id;

-- erase/first_run.sql:1 122cbbf5edae33c1
SELECT
  COALESCE(MIN(f.run_id), $run_id) AS run_id
FROM etl.files AS f
WHERE
  f.state = 'loaded'
  AND f.file_id IN (
    SELECT
      e.file_id
    FROM run_erased_files AS e
  );

-- erase/forgotten_landed.sql:1 07e7cd29478461c2
INSERT INTO run_forgotten (
  user_id,
  anonymous
)
SELECT
  u.user_id,
  CASE WHEN e.keeps_plays THEN 'anonymous-' || SUBSTRING(e.person, 1, 32) END AS anonymous
FROM (
  SELECT
    l.user_id,
    SHA256(h.hash_key || l.user_id) AS digest
  FROM (
    SELECT DISTINCT
      r.user_id
    FROM run_events AS r
    WHERE
      r.user_id <> ''
  ) AS l
  CROSS JOIN (
    SELECT
      MAX(k.hash_key) AS hash_key
    FROM etl.erased AS k
  ) AS h
) AS u
INNER JOIN etl.erased AS e
  ON u.digest = e.digest AND e.field = 'user_id';

-- erase/forgotten_landed.sql:11 695158fa0749cb4c
INSERT INTO run_gone (
  artist,
  auth,
  item_in_session,
  length,
  level,
  method,
  page,
  session_id,
  song,
  status,
  ts,
  user_agent,
  user_id,
  file_id
)
SELECT
  r.artist,
  r.auth,
  r.item_in_session,
  r.length,
  r.level,
  r.method,
  r.page,
  r.session_id,
  r.song,
  r.status,
  r.ts,
  r.user_agent,
  CASE WHEN r.page = 'NextSong' THEN f.anonymous END AS user_id,
  r.file_id
FROM run_events AS r
INNER JOIN run_forgotten AS f
  ON r.user_id = f.user_id;

-- erase/forgotten_landed.sql:33 c5172742a5a85659
DELETE FROM run_events
WHERE
  user_id IN (
    SELECT
      user_id
    FROM run_forgotten
  );

-- erase/forgotten_landed.sql:35 8e249df6400c7451
INSERT INTO run_events (
  artist,
  auth,
  item_in_session,
  length,
  level,
  method,
  page,
  session_id,
  song,
  status,
  ts,
  user_agent,
  user_id,
  file_id,
  needs_rereading
)
SELECT
  g.artist,
  g.auth,
  g.item_in_session,
  g.length,
  g.level,
  g.method,
  g.page,
  g.session_id,
  g.song,
  g.status,
  g.ts,
  g.user_agent,
  g.user_id,
  g.file_id,
  FALSE AS needs_rereading
FROM run_gone AS g
WHERE
  NOT g.user_id IS NULL;

-- erase/forgotten_staged.sql:1 3bbd3d451c754dd0
INSERT INTO run_forgotten (
  user_id,
  anonymous
)
WITH people AS (
  SELECT DISTINCT
    s.user_id
  FROM staging_events AS s
)
SELECT
  u.user_id,
  CASE WHEN e.keeps_plays THEN 'anonymous-' || SUBSTRING(e.person, 1, 32) END AS anonymous
FROM (
  SELECT
    l.user_id,
    SHA256(h.hash_key || l.user_id) AS digest
  FROM people AS l
  CROSS JOIN (
    SELECT
      MAX(k.hash_key) AS hash_key
    FROM etl.erased AS k
  ) AS h
) AS u
INNER JOIN etl.erased AS e
  ON u.digest = e.digest AND e.field = 'user_id'
UNION ALL
SELECT
  l.user_id,
  NULL AS anonymous
FROM people AS l
INNER JOIN etl.erased AS p
  ON l.user_id = 'anonymous-' || SUBSTRING(p.person, 1, 32)
WHERE
  p.field = 'user_id' AND NOT p.keeps_plays;

-- erase/forgotten_staged.sql:21 7b2d76ee8a3ab606
INSERT INTO run_gone (
  page,
  song,
  artist,
  ts,
  file_id,
  of_user,
  first_name,
  last_name,
  location
)
SELECT
  s.page,
  s.song,
  s.artist,
  s.ts,
  s.file_id,
  s.user_id AS of_user,
  s.first_name,
  s.last_name,
  s.location
FROM staging_events AS s
INNER JOIN run_forgotten AS f
  ON s.user_id = f.user_id
WHERE
  f.anonymous IS NULL;

-- erase/forgotten_staged.sql:27 9922de4e9b3f47da
SELECT
  f.anonymous
FROM run_forgotten AS f
WHERE
  NOT f.anonymous IS NULL
LIMIT 1;

-- erase/kept_plays.sql:1 90c6535bde77928e
INSERT INTO songplays (
  songplay_id,
  start_time,
  user_id,
  level,
  song_id,
  artist_id,
  session_id,
  location,
  user_agent,
  item_in_session,
  song_match,
  song,
  artist,
  length
)
WITH plays AS (
  SELECT
    g.ts,
    g.user_id,
    g.session_id,
    g.item_in_session,
    g.level,
    g.user_agent,
    g.song,
    g.artist,
    g.length
  FROM run_gone AS g
  WHERE
    NOT g.user_id IS NULL
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY g.ts, g.user_id, g.session_id, g.item_in_session
      ORDER BY NULLIF(RTRIM(g.level, ' '), ''), NULLIF(RTRIM(g.song, ' '), ''), NULLIF(RTRIM(g.artist, ' '), ''), g.length, NULLIF(RTRIM(g.user_agent, ' '), '')
    ) = 1
)
SELECT
  MD5_FIRST_60_BITS(
    p.user_id || '|' || CAST(p.session_id AS TEXT(20)) || '|' || CAST(p.item_in_session AS TEXT(20)) || '|' || CAST(p.ts AS TEXT(20))
  ) AS songplay_id,
  CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (p.ts) MILLISECOND AS start_time,
  p.user_id,
  NULLIF(RTRIM(p.level, ' '), '') AS level,
  m.song_id,
  m.artist_id,
  p.session_id,
  NULL AS location,
  NULLIF(RTRIM(p.user_agent, ' '), '') AS user_agent,
  p.item_in_session,
  m.song_match,
  NULLIF(RTRIM(p.song, ' '), '') AS song,
  NULLIF(RTRIM(p.artist, ' '), '') AS artist,
  p.length
FROM plays AS p
LEFT JOIN run_song_matches AS m
  ON RTRIM(p.song, ' ') = m.song
  AND RTRIM(p.artist, ' ') = m.artist
  AND (
    p.length = m.length OR (
      p.length IS NULL AND m.length IS NULL
    )
  );

-- erase/kept_plays.sql:48 c4a4f272eeddf932
INSERT INTO users (
  user_id,
  first_name,
  last_name,
  gender,
  level,
  last_seen_ts,
  last_item_in_session
)
SELECT
  g.user_id,
  NULL AS first_name,
  NULL AS last_name,
  NULL AS gender,
  NULLIF(RTRIM(g.level, ' '), '') AS level,
  g.ts AS last_seen_ts,
  g.item_in_session AS last_item_in_session
FROM run_gone AS g
WHERE
  NOT g.user_id IS NULL
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY g.user_id
    ORDER BY g.ts DESC NULLS FIRST, g.item_in_session DESC NULLS FIRST, NULLIF(RTRIM(g.level, ' '), '')
  ) = 1;

-- erase/kept_plays.sql:64 c052d201aca6ab15
INSERT INTO run_changed_users
SELECT DISTINCT
  g.user_id
FROM run_gone AS g
WHERE
  NOT g.user_id IS NULL;

-- erase/kept_staged.sql:1 f254916b93242a77
INSERT INTO run_gone (
  artist,
  auth,
  item_in_session,
  length,
  level,
  method,
  page,
  session_id,
  song,
  status,
  ts,
  user_agent,
  user_id,
  file_id,
  of_user,
  first_name,
  last_name,
  location
)
SELECT
  s.artist,
  s.auth,
  s.item_in_session,
  s.length,
  s.level,
  s.method,
  s.page,
  s.session_id,
  s.song,
  s.status,
  s.ts,
  s.user_agent,
  CASE WHEN s.page = 'NextSong' THEN f.anonymous END AS user_id,
  s.file_id,
  s.user_id AS of_user,
  s.first_name,
  s.last_name,
  s.location
FROM staging_events AS s
INNER JOIN run_forgotten AS f
  ON s.user_id = f.user_id
WHERE
  NOT f.anonymous IS NULL;

-- erase/kept_titles.sql:1 64ee3dcaab810d77
DELETE FROM run_played;

-- erase/kept_titles.sql:4 16b54bcc654a52bf
INSERT INTO run_played (
  song,
  artist,
  length
)
SELECT DISTINCT
  RTRIM(g.song, ' ') AS song,
  RTRIM(g.artist, ' ') AS artist,
  g.length
FROM run_gone AS g
WHERE
  NOT g.user_id IS NULL;

-- erase/lone_titles.sql:1 54593bc0208d350b
DELETE FROM etl.played_titles USING   run_played
WHERE
  played_titles.song = run_played.song AND played_titles.artist = run_played.artist;

-- erase/lone_titles.sql:6 2935f15aa4b1250c
INSERT INTO etl.played_titles (
  song,
  artist,
  played_from,
  played_to
)
SELECT
  p.song,
  p.artist,
  DATE_DIFF('MILLISECOND', CAST('1970-01-01' AS TIMESTAMP), CAST(MIN(p.start_time) AS TIMESTAMP)) AS played_from,
  DATE_DIFF('MILLISECOND', CAST('1970-01-01' AS TIMESTAMP), CAST(MAX(p.start_time) AS TIMESTAMP)) AS played_to
FROM songplays AS p
INNER JOIN run_played AS r
  ON p.song = r.song AND p.artist = r.artist
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($titles_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($titles_to) MILLISECOND
GROUP BY
  p.song,
  p.artist;

-- erase/names.sql:1 68350ef9eb9acf17
SELECT DISTINCT
  g.of_user,
  g.first_name,
  g.last_name,
  g.location
FROM run_gone AS g;

-- erase/no_bound.sql:1 4f3a4c8c3f9b518c
DELETE FROM etl.erased
WHERE
  person IS NULL;

-- erase/not_any_more.sql:1 cb26e95b24d3f4a5
UPDATE etl.erased SET keeps_plays = FALSE
WHERE
  person = $person;

-- erase/note_files.sql:1 991fcab271a17678
UPDATE etl.files SET rows_loaded = files.rows_loaded - e.gone, plays_loaded = files.plays_loaded - e.plays, rows_erased = COALESCE(files.rows_erased, 0) + e.gone
FROM (
  SELECT
    r.file_id AS of_file,
    SUM(r.rows_erased) AS gone,
    SUM(r.plays_erased) AS plays
  FROM run_erased_files AS r
  GROUP BY
    r.file_id
) AS e
WHERE
  files.file_id = e.of_file AND files.state = 'loaded';

-- erase/older.sql:1 a38581294ba434e6
INSERT INTO run_changed_users
SELECT
  u.user_id
FROM users AS u
WHERE
  u.last_seen_ts < $before_ts;

-- erase/older.sql:4 838b205151226ff9
DELETE FROM users
WHERE
  last_seen_ts < $before_ts;

-- erase/older.sql:6 63436b5f1548bbb6
DELETE FROM staging_events
WHERE
  ts < $before_ts;

-- erase/older.sql:8 ff0a1c9dece81142
DELETE FROM etl.played_titles
WHERE
  played_to < $before_ts;

-- erase/older.sql:10 137f93a7779aa322
UPDATE etl.played_titles SET played_from = $before_ts
WHERE
  played_from < $before_ts;

-- erase/older_landed.sql:1 b5053d4748897f23
INSERT INTO run_erased_files (
  file_id,
  rows_erased,
  plays_erased
)
SELECT
  r.file_id,
  COUNT(*) AS rows_erased,
  COUNT(CASE WHEN r.page = 'NextSong' THEN 1 END) AS plays_erased
FROM run_events AS r
WHERE
  r.ts < $before_ts
GROUP BY
  r.file_id;

-- erase/older_landed.sql:8 c6d1f9c95ceab3d8
DELETE FROM run_events
WHERE
  ts < $before_ts;

-- erase/oldest_day.sql:1 6db8e8775586e01e
SELECT
  MIN(d.first_ts) AS first_ts
FROM etl.days AS d;

-- erase/people.sql:1 d2b23f9429195b1c
INSERT INTO run_moments
SELECT
  g.ts
FROM run_gone AS g;

-- erase/people.sql:7 75f2e66bdcdba5fb
INSERT INTO run_changed_users
SELECT
  f.user_id
FROM run_forgotten AS f;

-- erase/people.sql:9 255fc66a74d3ba62
UPDATE etl.days SET events = events - g.gone
FROM (
  SELECT
    r.ts - r.ts % 86400000 AS midnight,
    COUNT(*) AS gone
  FROM run_gone AS r
  WHERE
    r.user_id IS NULL
  GROUP BY
    r.ts - r.ts % 86400000
) AS g
WHERE
  first_ts BETWEEN g.midnight AND g.midnight + 86399999;

-- erase/people.sql:18 7ccafff3c49c8894
UPDATE etl.days SET plays = plays - g.gone, plays_without_title = plays_without_title - g.without_title, plays_without_artist = plays_without_artist - g.without_artist, plays_matched = plays_matched - g.matched
FROM (
  SELECT
    CAST(p.start_time AS DATE) AS of_day,
    COUNT(*) AS gone,
    COUNT(*) - COUNT(p.song) AS without_title,
    COUNT(*) - COUNT(p.artist) AS without_artist,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  INNER JOIN run_forgotten AS f
    ON p.user_id = f.user_id
  WHERE
    f.anonymous IS NULL
  GROUP BY
    CAST(p.start_time AS DATE)
) AS g
WHERE
  day = g.of_day;

-- erase/people.sql:37 c15521bee41014cc
DELETE FROM users
WHERE
  user_id IN (
    SELECT
      user_id
    FROM run_forgotten
  );

-- erase/people.sql:39 6715f1b942fcbdae
DELETE FROM songplays
WHERE
  user_id IN (
    SELECT
      user_id
    FROM run_forgotten
  );

-- erase/people.sql:41 1fc3f8758522b690
DELETE FROM staging_events
WHERE
  user_id IN (
    SELECT
      user_id
    FROM run_forgotten
  );

-- erase/people.sql:43 8eace7203acf14fe
INSERT INTO staging_events (
  artist,
  auth,
  item_in_session,
  length,
  level,
  method,
  page,
  session_id,
  song,
  status,
  ts,
  user_agent,
  user_id,
  file_id
)
SELECT
  g.artist,
  g.auth,
  g.item_in_session,
  g.length,
  g.level,
  g.method,
  g.page,
  g.session_id,
  g.song,
  g.status,
  g.ts,
  g.user_agent,
  g.user_id,
  g.file_id
FROM run_gone AS g
WHERE
  NOT g.user_id IS NULL;

-- erase/rejects.sql:1 cea742a16fb8806f
UPDATE etl.files SET rows_rejected = files.rows_rejected - e.gone, rows_erased = COALESCE(files.rows_erased, 0) + e.gone
FROM (
  SELECT
    r.file_id AS of_file,
    r.run_id AS of_run,
    COUNT(*) AS gone
  FROM run_erased_rejects AS r
  GROUP BY
    r.file_id,
    r.run_id
) AS e
WHERE
  files.file_id = e.of_file AND files.run_id = e.of_run;

-- erase/rejects.sql:12 4e7ac71894fa1f28
DELETE FROM etl.rejects USING   run_erased_rejects
WHERE
  rejects.file_id = run_erased_rejects.file_id
  AND rejects.run_id = run_erased_rejects.run_id
  AND rejects.byte_offset = run_erased_rejects.byte_offset;

-- erase/rejects_of_run.sql:1 f56ca8da00dc9bc0
SELECT
  r.file_id,
  r.byte_offset,
  r.uri,
  r.encoding,
  r.content,
  r.kind
FROM etl.rejects AS r
WHERE
  r.run_id = $run_id;

-- erase/run_tables.sql:1 04e8136c523e986e
CREATE TEMPORARY TABLE IF NOT EXISTS run_forgotten (
  user_id TEXT(64) NOT NULL,
  anonymous TEXT(64)
);

-- erase/run_tables.sql:4 e450714d6cde0d19
CREATE TEMPORARY TABLE IF NOT EXISTS run_gone (
  artist TEXT(1024),
  auth TEXT(64),
  item_in_session INT,
  length DOUBLE,
  level TEXT(16),
  method TEXT(16),
  page TEXT(64),
  session_id BIGINT,
  song TEXT(1024),
  status INT,
  ts BIGINT,
  user_agent TEXT(1024),
  user_id TEXT(64),
  file_id BIGINT NOT NULL,
  of_user TEXT(64),
  first_name TEXT(1024),
  last_name TEXT(1024),
  location TEXT(1024)
);

-- erase/run_tables.sql:26 e3dd44c89c460f14
CREATE TEMPORARY TABLE IF NOT EXISTS run_erased_files (
  file_id BIGINT NOT NULL,
  rows_erased BIGINT NOT NULL,
  plays_erased BIGINT NOT NULL
);

-- erase/run_tables.sql:32 7ebac4e2f63cb482
CREATE TEMPORARY TABLE IF NOT EXISTS run_erased_rejects (
  file_id BIGINT NOT NULL,
  run_id INT NOT NULL,
  byte_offset BIGINT NOT NULL
);

-- erase/run_tables.sql:37 366477913b93ac7e
DELETE FROM run_forgotten;

-- erase/run_tables.sql:39 9987125ec7de6026
DELETE FROM run_gone;

-- erase/run_tables.sql:41 33cfc646f261ca6d
DELETE FROM run_erased_files;

-- erase/run_tables.sql:43 90383bd32490b0dc
DELETE FROM run_erased_rejects;

-- erase/runs_with_rejects.sql:1 62b53ee650dab852
SELECT DISTINCT
  r.run_id
FROM etl.rejects AS r
ORDER BY
  r.run_id;

-- erase/settled_days.sql:1 e3520f2a01ee7124
WITH gone AS (
  SELECT DISTINCT
    g.ts,
    g.ts - g.ts % 86400000 AS midnight
  FROM run_gone AS g
), sought AS (
  SELECT
    g.ts,
    g.midnight,
    g.ts >> 16 AS stretch
  FROM gone AS g
  UNION ALL
  SELECT
    g.ts,
    g.midnight,
    (
      g.ts >> 16
    ) - 1 AS stretch
  FROM gone AS g
  UNION ALL
  SELECT
    g.ts,
    g.midnight,
    (
      g.ts >> 16
    ) + 1 AS stretch
  FROM gone AS g
), neighbours AS (
  SELECT
    s.ts,
    s.midnight,
    MAX(CASE WHEN e.ts BETWEEN s.midnight AND s.ts THEN e.ts END) AS before_ts,
    MIN(CASE WHEN e.ts BETWEEN s.ts AND s.midnight + 86399999 THEN e.ts END) AS after_ts
  FROM sought AS s
  INNER JOIN staging_events AS e
    ON (
      e.ts >> 16
    ) = s.stretch
  WHERE
    e.ts BETWEEN $days_from AND $days_to
  GROUP BY
    s.ts,
    s.midnight
), settled AS (
  SELECT
    n.midnight,
    COUNT(*) AS moments
  FROM neighbours AS n
  INNER JOIN etl.days AS d
    ON d.first_ts BETWEEN n.midnight AND n.midnight + 86399999
  WHERE
    n.after_ts - n.before_ts <= d.gap_within_ms
  GROUP BY
    n.midnight
)
SELECT
  s.midnight
FROM settled AS s
INNER JOIN (
  SELECT
    g.midnight,
    COUNT(*) AS moments
  FROM gone AS g
  GROUP BY
    g.midnight
) AS a
  ON s.midnight = a.midnight AND s.moments = a.moments
ORDER BY
  s.midnight;

-- erase/sought.sql:1 055fec312a490ca6
CREATE TEMPORARY TABLE IF NOT EXISTS run_sought (
  digest TEXT(64) NOT NULL
);

-- erase/sought.sql:4 db4c65a48c201e56
DELETE FROM run_sought;

-- erase/texts.sql:1 07d9e3366535afc6
SELECT
  c.run_id,
  c.check_name,
  c.sample,
  c.subject
FROM etl.checks AS c
WHERE
  NOT c.sample IS NULL OR NOT c.subject IS NULL;

-- erase/texts.sql:7 5970072b279e62e5
SELECT
  r.run_id,
  r.error
FROM etl.runs AS r
WHERE
  NOT r.error IS NULL;

-- erase/texts.sql:9 e530bc029e3f7aa2
SELECT
  f.file_id,
  f.run_id,
  f.detail
FROM etl.files AS f
WHERE
  NOT f.detail IS NULL;

-- erase/times.sql:1 326beb613e0c31df
DELETE FROM time
WHERE
  start_time IN (
    SELECT
      g.start_time
    FROM (
      SELECT DISTINCT
        CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (r.ts) MILLISECOND AS start_time
      FROM run_gone AS r
      WHERE
        r.page = 'NextSong' AND r.user_id IS NULL
    ) AS g
    LEFT JOIN songplays AS p
      ON g.start_time = p.start_time
    WHERE
      p.start_time IS NULL
  );

-- erase/titles.sql:1 675cd2035dd98bf9
DELETE FROM run_played;

-- erase/titles.sql:7 fe02c859996b0f4d
INSERT INTO run_played (
  song,
  artist,
  played_from,
  played_to
)
SELECT
  t.song,
  t.artist,
  t.played_from,
  t.played_to
FROM etl.played_titles AS t
INNER JOIN (
  SELECT
    RTRIM(g.song, ' ') AS title,
    RTRIM(g.artist, ' ') AS artist_name,
    MIN(g.ts) AS first_ts,
    MAX(g.ts) AS last_ts
  FROM run_gone AS g
  WHERE
    g.page = 'NextSong' AND g.user_id IS NULL
  GROUP BY
    RTRIM(g.song, ' '),
    RTRIM(g.artist, ' ')
) AS d
  ON t.song = d.title AND t.artist = d.artist_name
WHERE
  (
    t.played_from = d.first_ts OR t.played_from % 86400000 = 0
  )
  AND (
    t.played_to = d.last_ts OR t.played_to % 86400000 = 86399999
  );

-- erase/titles.sql:24 08698ba13ec09fea
UPDATE etl.played_titles SET played_from = CASE
  WHEN played_from = d.first_ts
  THEN played_from - played_from % 86400000
  ELSE played_from
END, played_to = CASE
  WHEN played_to = d.last_ts
  THEN played_to - played_to % 86400000 + 86399999
  ELSE played_to
END
FROM (
  SELECT
    RTRIM(g.song, ' ') AS title,
    RTRIM(g.artist, ' ') AS artist_name,
    MIN(g.ts) AS first_ts,
    MAX(g.ts) AS last_ts
  FROM run_gone AS g
  WHERE
    g.page = 'NextSong' AND g.user_id IS NULL
  GROUP BY
    RTRIM(g.song, ' '),
    RTRIM(g.artist, ' ')
) AS d
WHERE
  song = d.title
  AND artist = d.artist_name
  AND (
    played_from = d.first_ts OR played_to = d.last_ts
  );

-- erase/titles.sql:43 fd461265650d4a5a
SELECT
  MIN(p.played_from) AS titles_from,
  MAX(p.played_to) AS titles_to
FROM run_played AS p;

-- export/months.sql:1 48530809d358e670
SELECT DISTINCT
  year,
  month
FROM time
ORDER BY
  year,
  month;

-- export/views.sql:1 fcc545150df98312
SELECT
  viewname AS view_name
FROM pg_views
WHERE
  schemaname = 'analytics'
ORDER BY
  viewname;

-- features/user_features.sql:1 6cc5eaf913084173
WITH events AS (
  SELECT
    e.user_id,
    e.session_id,
    e.item_in_session,
    e.ts,
    e.page,
    e.level,
    e.gender
  FROM analytics.events AS e
  WHERE
    e.ts < $as_of
), lasts AS (
  SELECT
    e.user_id,
    e.level,
    e.gender
  FROM events AS e
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY e.user_id
      ORDER BY e.ts DESC NULLS FIRST, e.item_in_session DESC NULLS FIRST, e.level, e.gender, e.session_id, e.page
    ) = 1
), counted AS (
  SELECT
    e.user_id,
    MIN(e.ts) AS first_ts,
    MAX(e.ts) AS last_ts,
    COUNT(*) AS events,
    COUNT(DISTINCT e.session_id) AS sessions,
    COUNT(DISTINCT e.ts - e.ts % 86400000) AS active_days,
    COUNT(CASE WHEN e.page = 'NextSong' THEN 1 END) AS plays,
    COUNT(CASE WHEN e.page = 'NextSong' AND e.ts >= $as_of - 604800000 THEN 1 END) AS plays_7d,
    COUNT(CASE WHEN e.page = 'NextSong' AND e.ts >= $as_of - 2419200000 THEN 1 END) AS plays_28d,
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
  GROUP BY
    e.user_id
)
SELECT
  c.user_id,
  l.level,
  l.gender,
  CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (c.first_ts) MILLISECOND AS first_seen,
  CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (c.last_ts) MILLISECOND AS last_seen,
  CAST($as_of - c.first_ts AS DOUBLE) / 86400000 AS days_since_first,
  CAST($as_of - c.last_ts AS DOUBLE) / 86400000 AS days_since_last,
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
INNER JOIN lasts AS l
  ON c.user_id = l.user_id
ORDER BY
  c.user_id;

-- fields/adopted.sql:1 05c2ea98ec9a9fd2
SELECT
  f.kind,
  f.field,
  f.path,
  f.column_name,
  f.column_type,
  f.column_width,
  f.run_id
FROM etl.fields AS f
ORDER BY
  f.run_id,
  f.kind,
  f.field;

-- fields/files.sql:1 28ed652471d4b9cd
SELECT
  f.file_id,
  f.rows_loaded
FROM etl.files AS f
WHERE
  f.kind = $kind AND f.state = 'loaded' AND f.rows_loaded > 0
ORDER BY
  f.file_id;

-- fields/forget.sql:1 5f4036c535c565cd
DELETE FROM etl.fields
WHERE
  kind = $kind AND field = $field AND column_name = $column_name;

-- fields/recent_events.sql:1 0b709f4f9a1d52f6
SELECT
  MIN(r.first_ts) AS ts_from,
  SUM(r.events) AS events
FROM (
  SELECT
    d.first_ts,
    d.events
  FROM etl.days AS d
  ORDER BY
    d.day DESC NULLS FIRST
  LIMIT 7
) AS r;

-- fields/recent_events.sql:14 94141e576ad750e6
SELECT
  e.extra
FROM staging_events AS e
WHERE
  e.ts >= $ts_from AND NOT e.extra IS NULL;

-- fields/songs.sql:1 478d9f0b90acd74e
SELECT
  COUNT(*) AS songs
FROM staging_songs;

-- fields/songs.sql:5 1fc53f0f295018f6
SELECT
  s.extra
FROM staging_songs AS s
WHERE
  NOT s.extra IS NULL;

-- fields/unknown.sql:1 26e90e9d89961746
SELECT
  t.kind,
  t.field,
  t.occurrences,
  f.first_uri,
  r.started_at
FROM (
  SELECT
    u.kind,
    u.field,
    SUM(u.occurrences) AS occurrences,
    MIN(u.run_id) AS first_run
  FROM etl.unknown_fields AS u
  GROUP BY
    u.kind,
    u.field
) AS t
INNER JOIN etl.unknown_fields AS f
  ON t.kind = f.kind AND t.field = f.field AND t.first_run = f.run_id
LEFT JOIN etl.runs AS r
  ON t.first_run = r.run_id
ORDER BY
  t.kind,
  t.field;

-- ledger/columns_of.sql:1 dd43442d3f9247fc
SELECT
  column_name,
  data_type
FROM information_schema."columns"
WHERE
  table_schema = $schema_name AND table_name = $table_name
ORDER BY
  ordinal_position;

-- ledger/count_files.sql:1 a75892ba29f2e74f
SELECT
  COUNT(*) AS files
FROM etl.files;

-- ledger/count_runs.sql:1 9a08ee883f245bc5
SELECT
  COUNT(*) AS runs
FROM etl.runs;

-- ledger/counts_below.sql:1 c92f15bebb28bdb5
SELECT
  file_id,
  rows_loaded,
  plays_loaded
FROM etl.files
WHERE
  state = $state AND uri LIKE $pattern;

-- ledger/current_files.sql:1 09e949b18e07da8c
SELECT
  file_id,
  kind,
  uri,
  size,
  version,
  state,
  run_id,
  rows_read,
  rows_rejected,
  content,
  reason
FROM etl.files
WHERE
  state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired');

-- ledger/current_files_before_contents.sql:1 0cf9bb90ee23a998
SELECT
  file_id,
  kind,
  uri,
  size,
  version,
  state,
  run_id,
  rows_read,
  rows_rejected
FROM etl.files
WHERE
  state IN ('loaded', 'retracted');

-- ledger/drop_models.sql:1 e4ece96d5b3b2d0a
DROP TABLE IF EXISTS etl.models;

-- ledger/files_below.sql:1 250cf403818ae25c
SELECT
  file_id,
  kind,
  uri,
  size,
  version,
  state,
  run_id,
  rows_read,
  rows_rejected,
  content,
  reason
FROM etl.files
WHERE
  state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
  AND uri LIKE $pattern;

-- ledger/files_like.sql:1 2c7e15301c66812c
SELECT
  file_id,
  kind,
  uri,
  size,
  version,
  state,
  run_id,
  rows_read,
  rows_rejected,
  content,
  reason
FROM etl.files
WHERE
  state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
  AND (
    uri = $uri
    OR content IN (
      SELECT
        c.content
      FROM etl.files AS c
      WHERE
        c.uri = $uri
    )
  );

-- ledger/files_of_run.sql:1 1815a48f8d032311
SELECT
  file_id,
  kind,
  uri,
  size,
  version,
  state,
  run_id,
  rows_read,
  rows_rejected,
  content,
  reason
FROM etl.files
WHERE
  state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
  AND run_id = $run_id;

-- ledger/files_with_rejects.sql:1 7f70e32c3de70972
SELECT
  uri
FROM etl.files
WHERE
  (
    state = 'loaded' AND rows_rejected > 0
  )
  OR state = 'set_aside'
  OR NOT reason IS NULL;

-- ledger/files_with_rejects_before_kinds.sql:1 f63887b6a8567294
SELECT
  uri
FROM etl.files
WHERE
  state = 'loaded' AND rows_rejected > 0;

-- ledger/find_run.sql:1 1545729f81add4af
SELECT
  mode,
  status,
  files_loaded
FROM etl.runs
WHERE
  run_id = $run_id;

-- ledger/forget_models.sql:1 e4998061905b9dd7
DELETE FROM etl.models;

-- ledger/latest_run.sql:1 1e8d7c5b83eb06b1
SELECT
  COALESCE(MAX(run_id), 0) AS run_id
FROM etl.runs;

-- ledger/list_erased.sql:1 4a90ecae04688bd5
SELECT
  person,
  field,
  digest,
  keeps_plays,
  hash_key,
  before_ts
FROM etl.erased;

-- ledger/list_files.sql:1 ded0593363308c25
SELECT
  run_id,
  kind,
  state,
  rows_read,
  rows_loaded,
  rows_rejected,
  rows_erased,
  plays_loaded,
  size,
  uri
FROM etl.files
ORDER BY
  run_id DESC NULLS FIRST,
  uri
LIMIT $most;

-- ledger/list_files_before_erasure.sql:1 6161a0fea9b9778a
SELECT
  run_id,
  kind,
  state,
  rows_read,
  rows_loaded,
  rows_rejected,
  plays_loaded,
  size,
  uri
FROM etl.files
ORDER BY
  run_id DESC NULLS FIRST,
  uri
LIMIT $most;

-- ledger/list_models.sql:1 5f50decabd0a8306
SELECT
  m.model,
  m.materialized,
  m.digest,
  m.build_order,
  m.run_id,
  CASE WHEN m.upto_run >= r.latest_run THEN m.upto_run ELSE 0 END AS upto_run
FROM etl.models AS m
CROSS JOIN (
  SELECT
    COALESCE(MAX(run_id), 0) AS latest_run
  FROM etl.runs
  WHERE
    status = 'done'
) AS r
ORDER BY
  m.build_order,
  m.model;

-- ledger/list_runs.sql:1 de6ba0275c5cd3b9
SELECT
  run_id,
  mode,
  status,
  started_at,
  finished_at,
  files_loaded,
  rows_read,
  rows_loaded,
  rows_rejected,
  rows_erased,
  plays_loaded,
  plays_matched,
  error
FROM etl.runs
ORDER BY
  run_id DESC NULLS FIRST
LIMIT $most;

-- ledger/list_runs_before_erasure.sql:1 983eddcf8b6dae0e
SELECT
  run_id,
  mode,
  status,
  started_at,
  finished_at,
  files_loaded,
  rows_read,
  rows_loaded,
  rows_rejected,
  plays_loaded,
  plays_matched,
  error
FROM etl.runs
ORDER BY
  run_id DESC NULLS FIRST
LIMIT $most;

-- ledger/list_schemas.sql:1 50e1c6785196ffc4
SELECT
  n.nspname AS schema_name
FROM pg_namespace AS n;

-- ledger/move_files.sql:1 68f07daa45ccd058
UPDATE etl.files SET uri = run_moves.uri, size = run_moves.size, version = run_moves.version, content = run_moves.content, reason = CASE WHEN files.state = 'set_aside' THEN files.reason END, detail = CASE WHEN files.state = 'set_aside' THEN files.detail END
FROM run_moves
WHERE
  files.file_id = run_moves.file_id AND files.run_id = run_moves.run_id;

-- ledger/move_rejects.sql:1 0e9f7b9bff361569
UPDATE etl.rejects SET uri = run_moves.uri
FROM run_moves
WHERE
  rejects.file_id = run_moves.file_id AND rejects.run_id = run_moves.run_id;

-- ledger/note_set_aside.sql:1 6b9637330575fee5
UPDATE etl.files SET reason = run_moves.reason, detail = run_moves.detail
FROM run_moves
WHERE
  files.state = 'loaded' AND files.file_id = run_moves.file_id;

-- ledger/read_meta.sql:1 bee3f8fb4c3f6566
SELECT
  schema_version,
  rules_version,
  models_digest,
  made_by,
  upgraded_by
FROM etl.meta;

-- ledger/rejects_by_reason.sql:1 69bbde8a12454e6e
SELECT
  r.kind,
  r.reason,
  COUNT(*) AS rejects,
  COUNT(DISTINCT r.uri) AS files,
  u.status = 'done' AS published,
  MIN(r.run_id) AS first_run,
  MAX(r.run_id) AS last_run,
  MIN(r.uri) AS first_file
FROM etl.rejects AS r
INNER JOIN etl.runs AS u
  ON r.run_id = u.run_id
WHERE
  (
    u.status = 'done' AND r.resolved_by IS NULL
  )
  OR (
    u.status = 'failed'
    AND r.run_id IN (
      SELECT
        MAX(l.run_id)
      FROM etl.runs AS l
    )
  )
GROUP BY
  r.kind,
  r.reason,
  u.status = 'done'
ORDER BY
  published DESC NULLS FIRST,
  rejects DESC NULLS FIRST,
  r.kind,
  r.reason;

-- ledger/rejects_by_reason_before_kinds.sql:1 db7bd90a0b7640cb
SELECT
  f.kind,
  r.reason,
  COUNT(*) AS rejects,
  COUNT(DISTINCT r.uri) AS files,
  NOT f.file_id IS NULL AS published,
  MIN(r.run_id) AS first_run,
  MAX(r.run_id) AS last_run,
  MIN(r.uri) AS first_file
FROM etl.rejects AS r
LEFT JOIN etl.files AS f
  ON r.file_id = f.file_id AND r.run_id = f.run_id AND f.state = 'loaded'
WHERE
  NOT f.file_id IS NULL
  OR r.run_id IN (
    SELECT
      MAX(u.run_id)
    FROM etl.runs AS u
    HAVING
      MAX(u.run_id) = MAX(CASE WHEN u.status = 'failed' THEN u.run_id END)
  )
GROUP BY
  f.kind,
  r.reason,
  NOT f.file_id IS NULL
ORDER BY
  published DESC NULLS FIRST,
  rejects DESC NULLS FIRST,
  r.reason;

-- ledger/rejects_in_full.sql:1 b3e928a934d7e3a2
SELECT
  r.run_id,
  u.status = 'done' AS published,
  r.kind,
  r.uri,
  r.line,
  r.byte_offset,
  r.size,
  r.reason,
  r.detail,
  r.encoding,
  r.content
FROM etl.rejects AS r
INNER JOIN etl.runs AS u
  ON r.run_id = u.run_id
WHERE
  (
    (
      u.status = 'done' AND r.resolved_by IS NULL
    )
    OR (
      u.status = 'failed'
      AND r.run_id IN (
        SELECT
          MAX(l.run_id)
        FROM etl.runs AS l
      )
    )
  )
  AND (
    $kind = '' OR r.kind = $kind
  )
  AND (
    $reason = '' OR r.reason = $reason
  )
  AND (
    $uri = '' OR RIGHT(r.uri, LENGTH($uri)) = $uri
  )
ORDER BY
  r.uri,
  r.byte_offset,
  r.run_id
LIMIT $most;

-- ledger/rejects_in_full_before_kinds.sql:1 f5112ca9c473aac4
SELECT
  r.run_id,
  NOT f.file_id IS NULL AS published,
  f.kind,
  r.uri,
  r.line,
  r.byte_offset,
  CAST(NULL AS BIGINT) AS size,
  r.reason,
  r.detail,
  r.encoding,
  r.content
FROM etl.rejects AS r
LEFT JOIN etl.files AS f
  ON r.file_id = f.file_id AND r.run_id = f.run_id AND f.state = 'loaded'
WHERE
  (
    NOT f.file_id IS NULL
    OR r.run_id IN (
      SELECT
        MAX(u.run_id)
      FROM etl.runs AS u
      HAVING
        MAX(u.run_id) = MAX(CASE WHEN u.status = 'failed' THEN u.run_id END)
    )
  )
  AND (
    $kind = '' OR f.kind = $kind
  )
  AND (
    $reason = '' OR r.reason = $reason
  )
  AND (
    $uri = '' OR RIGHT(r.uri, LENGTH($uri)) = $uri
  )
ORDER BY
  r.uri,
  r.byte_offset,
  r.run_id
LIMIT $most;

-- ledger/resolve_later_rejects.sql:1 4455a846928d3121
UPDATE etl.rejects SET resolved_by = $run_id
FROM etl.files AS f
WHERE
  rejects.file_id = f.file_id
  AND f.state = 'loaded'
  AND rejects.run_id > f.run_id
  AND rejects.resolved_by IS NULL
  AND rejects.file_id IN (
    SELECT
      file_id
    FROM run_files
  );

-- ledger/resolve_moved.sql:1 142acf987c936e83
UPDATE etl.rejects SET resolved_by = $run_id
FROM run_moves
WHERE
  rejects.file_id = run_moves.file_id
  AND rejects.run_id > run_moves.run_id
  AND rejects.resolved_by IS NULL;

-- ledger/resolve_rejects.sql:1 6762fb4b828a2ddc
UPDATE etl.rejects SET resolved_by = $run_id
WHERE
  resolved_by IS NULL AND file_id IN (
    SELECT
      file_id
    FROM run_files
  );

-- ledger/run_stands.sql:1 c3b37040ad8ebc56
SELECT
  run_id
FROM etl.runs
WHERE
  run_id = $run_id AND started_at = $started_at AND status = 'done';

-- ledger/runs_with_other_fields.sql:1 e54bad5d4544d8ec
SELECT DISTINCT
  run_id,
  kind
FROM etl.unknown_fields;

-- ledger/star_totals.sql:1 e93aa4bd23d2d0b6
SELECT
  p.songplays,
  p.matched,
  e.staged
FROM (
  SELECT
    COUNT(*) AS songplays,
    COUNT(song_id) AS matched
  FROM songplays
  WHERE
    start_time IN (
      SELECT
        CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
      FROM run_moments AS m
    )
    AND start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
) AS p
CROSS JOIN (
  SELECT
    COUNT(*) AS staged
  FROM staging_events
  WHERE
    page = 'NextSong'
    AND ts BETWEEN $ts_from AND $ts_to
    AND ts IN (
      SELECT
        m.ts
      FROM run_moments AS m
    )
) AS e;

-- ledger/star_totals.sql:1 2f0d43ea36306495
SELECT
  p.songplays,
  p.matched,
  e.staged
FROM (
  SELECT
    COUNT(*) AS songplays,
    COUNT(song_id) AS matched
  FROM songplays
  WHERE
    start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
) AS p
CROSS JOIN (
  SELECT
    COUNT(*) AS staged
  FROM staging_events
  WHERE
    page = 'NextSong' AND ts BETWEEN $ts_from AND $ts_to
) AS e;

-- ledger/states_of_run.sql:1 a610bbc07d265432
SELECT
  state,
  COUNT(*) AS files
FROM etl.files
WHERE
  run_id = $run_id
GROUP BY
  state;

-- ledger/supersede.sql:1 79b93c9593cbc21b
UPDATE etl.files SET state = $state
WHERE
  state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
  AND file_id IN (
    SELECT
      file_id
    FROM run_files
  );

-- ledger/taken_out.sql:1 02211384de3ab178
SELECT
  COUNT(*) AS files,
  COALESCE(SUM(f.rows_read), 0) AS rows_read,
  COALESCE(SUM(f.rows_loaded), 0) AS rows_loaded,
  COALESCE(SUM(f.rows_rejected), 0) AS rows_rejected,
  COALESCE(SUM(f.plays_loaded), 0) AS plays_loaded,
  COALESCE(SUM(f.rows_erased), 0) AS rows_erased
FROM etl.files AS f
INNER JOIN (
  SELECT
    file_id,
    MAX(run_id) AS run_id
  FROM etl.files
  WHERE
    file_id IN (
      SELECT
        file_id
      FROM run_files
    )
  GROUP BY
    file_id
) AS l
  ON f.file_id = l.file_id AND f.run_id = l.run_id;

-- ledger/told.sql:1 4d9db11b9c457cd6
SELECT DISTINCT
  c.check_name,
  c.subject
FROM etl.checks AS c
INNER JOIN etl.runs AS r
  ON c.run_id = r.run_id
WHERE
  c.severity = 'warn' AND c.failing_rows > 0 AND r.status = 'done';

-- ledger/upgraded.sql:1 b77e44c7d0021e47
UPDATE etl.meta SET schema_version = $schema_version, rules_version = $rules_version, models_digest = $models_digest, upgraded_by = $upgraded_by, upgraded_at = $upgraded_at;

-- migrations/0001_version.sql:1 63aac15a191e3c89
CREATE TABLE IF NOT EXISTS etl.meta (
  schema_version INT NOT NULL,
  rules_version INT NOT NULL,
  models_digest TEXT(4096) NOT NULL,
  made_by TEXT(32) NOT NULL,
  upgraded_by TEXT(32),
  upgraded_at TIMESTAMP
);

-- migrations/0001_version.sql:11 bd6f0d086feb1b18
INSERT INTO etl.meta (
  schema_version,
  rules_version,
  models_digest,
  made_by
)
SELECT
  0 AS schema_version,
  1 AS rules_version,
  '' AS models_digest,
  COALESCE(MAX(version), '0.1.0') AS made_by
FROM etl.runs;

-- migrations/0002_contents.sql:1 d6127040a794c83d
ALTER TABLE etl.files
ADD COLUMN content TEXT(32);

-- migrations/0002_contents.sql:4 eb73f75dedc173e1
ALTER TABLE etl.files
ADD COLUMN reason TEXT(16);

-- migrations/0002_contents.sql:6 e4bbfe5a93cc4b09
ALTER TABLE etl.files
ADD COLUMN detail TEXT(1024);

-- migrations/0002_contents.sql:8 4395ffbea92e347d
ALTER TABLE etl.rejects
ADD COLUMN size BIGINT;

-- migrations/0002_contents.sql:10 7dbaa6bb8f96b4d2
ALTER TABLE etl.rejects
ADD COLUMN resolved_by INT;

-- migrations/0003_days.sql:1 d1c8cadf8f099df9
ALTER TABLE etl.checks
ADD COLUMN severity TEXT(8);

-- migrations/0003_days.sql:5 92858ebd383bf350
ALTER TABLE etl.checks
ADD COLUMN subject TEXT(4096);

-- migrations/0003_days.sql:7 eb40f902df0366a8
CREATE TABLE IF NOT EXISTS etl.days (
  day DATE NOT NULL,
  events BIGINT NOT NULL,
  plays BIGINT NOT NULL,
  first_ts BIGINT NOT NULL,
  last_ts BIGINT NOT NULL,
  longest_gap_ms BIGINT,
  plays_without_title BIGINT NOT NULL,
  plays_without_artist BIGINT NOT NULL,
  plays_matched BIGINT NOT NULL,
  absent TEXT(4096) NOT NULL,
  gap_within_ms BIGINT
);

-- migrations/0004_rejects.sql:1 88c8b1c999316c03
ALTER TABLE etl.rejects
ADD COLUMN kind TEXT(16);

-- migrations/0004_rejects.sql:4 166f465d99d9eb0c
UPDATE etl.rejects SET kind = f.kind
FROM etl.files AS f
WHERE
  rejects.file_id = f.file_id AND rejects.run_id = f.run_id;

-- migrations/0004_rejects.sql:8 175bb17be24b8859
UPDATE etl.rejects SET resolved_by = f.run_id
FROM etl.files AS f
WHERE
  rejects.file_id = f.file_id AND rejects.run_id = f.run_id AND f.state <> 'loaded';

-- migrations/0005_played_titles.sql:1 ea0adebff73527b4
CREATE TABLE IF NOT EXISTS etl.played_titles (
  song TEXT(1024) NOT NULL,
  artist TEXT(1024) NOT NULL,
  played_from BIGINT NOT NULL,
  played_to BIGINT NOT NULL
);

-- migrations/0006_analytics.sql:1 352197fb1b533c14
CREATE SCHEMA IF NOT EXISTS analytics;

-- migrations/0007_extra.sql:1 32c6a64f45ef4278
ALTER TABLE staging_events
ADD COLUMN extra TEXT(65535);

-- migrations/0007_extra.sql:5 84945bd72f769152
ALTER TABLE staging_songs
ADD COLUMN extra TEXT(65535);

-- migrations/0008_erased.sql:1 04f0d648351e33d3
CREATE TABLE IF NOT EXISTS etl.erased (
  run_id INT NOT NULL,
  person TEXT(64),
  field TEXT(16) NOT NULL,
  digest TEXT(64),
  keeps_plays BOOLEAN,
  hash_key TEXT(64),
  before_ts BIGINT
);

-- migrations/0008_erased.sql:12 5c26757c69e415fd
ALTER TABLE etl.files
ADD COLUMN rows_erased BIGINT;

-- migrations/0008_erased.sql:14 efbb5406d3bc61f6
ALTER TABLE etl.runs
ADD COLUMN rows_erased BIGINT;

-- migrations/0008_erased.sql:16 8b7526332f97e90e
UPDATE etl.files SET rows_erased = 0;

-- migrations/0008_erased.sql:18 1ce02bbc4e92fab7
UPDATE etl.runs SET rows_erased = 0;

-- migrations/0009_fields.sql:1 8c747bfcd2651b6c
CREATE TABLE IF NOT EXISTS etl.fields (
  kind TEXT(16) NOT NULL,
  field TEXT(1024) NOT NULL,
  path TEXT(4096) NOT NULL,
  column_name TEXT(128) NOT NULL,
  column_type TEXT(16) NOT NULL,
  column_width INT,
  run_id INT NOT NULL
);

-- questions/1_levels.sql:1 85a87d1d846e672b
SELECT
  p.level,
  COUNT(*) AS plays,
  COUNT(DISTINCT p.user_id) AS listeners,
  ROUND(1.0 * COUNT(*) / COUNT(DISTINCT p.user_id), 1) AS plays_per_listener
FROM songplays AS p
GROUP BY
  p.level
ORDER BY
  plays DESC NULLS FIRST;

-- questions/2_songs.sql:1 b5f9da3a9fe21d4e
SELECT
  s.title,
  a.name AS artist,
  COUNT(*) AS plays
FROM songplays AS p
INNER JOIN songs AS s
  ON p.song_id = s.song_id
INNER JOIN artists AS a
  ON p.artist_id = a.artist_id
GROUP BY
  s.song_id,
  s.title,
  a.name
ORDER BY
  plays DESC NULLS FIRST,
  s.title,
  a.name
LIMIT 5;

-- questions/3_hours.sql:1 b7f1e9cdf1c4a7cb
SELECT
  t.hour,
  COUNT(*) AS plays
FROM songplays AS p
INNER JOIN time AS t
  ON p.start_time = t.start_time
GROUP BY
  t.hour
ORDER BY
  plays DESC NULLS FIRST,
  t.hour
LIMIT 5;

-- questions/4_sessions.sql:1 bf530968a5145d46
SELECT
  COUNT(*) AS sessions,
  MIN(s.plays) AS fewest,
  ROUND(1.0 * SUM(s.plays) / COUNT(*), 1) AS average,
  MAX(s.plays) AS most
FROM (
  SELECT
    p.user_id,
    p.session_id,
    COUNT(*) AS plays
  FROM songplays AS p
  GROUP BY
    p.user_id,
    p.session_id
) AS s;

-- questions/5_matches.sql:1 568cea5e57261b8f
SELECT
  COALESCE(p.song_match, 'no song of that title and artist') AS song_match,
  COUNT(*) AS plays
FROM songplays AS p
GROUP BY
  p.song_match
ORDER BY
  plays DESC NULLS FIRST;

-- report/activity_by_day.sql:1 e3ffa9c01d1b8e3e
SELECT
  a.day,
  a.people,
  a.listeners,
  a.plays,
  a.new_people,
  a.returning_people,
  a.lost_people
FROM analytics.daily_activity AS a
WHERE
  a.day >= CAST($days_since AS DATE) AND a.day < CAST($until AS DATE)
ORDER BY
  a.day;

-- report/activity_by_month.sql:1 261e54456b4b4d93
SELECT
  m.month,
  m.people,
  m.listeners,
  m.new_people,
  m.mean_daily_people,
  m.stickiness,
  m.plays
FROM (
  SELECT
    a.month,
    a.people,
    a.listeners,
    a.new_people,
    a.mean_daily_people,
    a.stickiness,
    a.plays
  FROM analytics.monthly_activity AS a
  WHERE
    a.month >= CAST(DATE_TRUNC('MONTH', $since) AS DATE)
    AND a.month < CAST($until AS DATE)
  ORDER BY
    a.month DESC NULLS FIRST
  LIMIT 60
) AS m
ORDER BY
  m.month;

-- report/activity_by_week.sql:1 256f1c2eaa382db1
SELECT
  a.week,
  a.people,
  a.listeners,
  a.new_people,
  a.plays
FROM analytics.weekly_activity AS a
WHERE
  a.week >= CAST(DATE_TRUNC('WEEK', $days_since) AS DATE)
  AND a.week < CAST($until AS DATE)
ORDER BY
  a.week;

-- report/artist_trends.sql:1 69988c0b3b65326e
WITH most AS (
  SELECT
    t.artist,
    ROW_NUMBER() OVER (ORDER BY t.plays DESC NULLS FIRST, t.artist) AS place
  FROM (
    SELECT
      p.artist,
      SUM(p.plays) AS plays
    FROM songs_played AS p
    GROUP BY
      p.artist
  ) AS t
)
SELECT
  m.place,
  m.artist,
  CAST(DATE_TRUNC('WEEK', p.start_time) AS DATE) AS week,
  COUNT(*) AS plays
FROM most AS m
INNER JOIN songplays AS p
  ON COALESCE(m.artist, '') = COALESCE(p.artist, '')
WHERE
  m.place <= 10 AND p.start_time >= $days_since AND p.start_time < $until
GROUP BY
  m.place,
  m.artist,
  DATE_TRUNC('WEEK', p.start_time)
ORDER BY
  m.place,
  3;

-- report/checks.sql:1 977a1b84b97c1db8
SELECT
  c.check_name,
  CASE
    WHEN c.failing_rows = 0
    THEN 'ok'
    WHEN c.severity = 'warn'
    THEN 'warn'
    ELSE 'FAIL'
  END AS result,
  c.failing_rows,
  c.subject,
  c.sample,
  c.run_id
FROM etl.checks AS c
WHERE
  c.run_id IN (
    SELECT
      MAX(l.run_id)
    FROM etl.checks AS l
  )
ORDER BY
  c.failing_rows DESC NULLS FIRST,
  c.severity,
  c.check_name,
  c.subject
LIMIT 100;

-- report/coverage.sql:1 32c1ca4a2ce6e027
SELECT
  p.song_match,
  COUNT(*) AS plays
FROM songplays AS p
WHERE
  p.start_time >= $since AND p.start_time < $until
GROUP BY
  p.song_match
ORDER BY
  2 DESC NULLS FIRST,
  1;

-- report/coverage_by_day.sql:1 34c1d0d2964a5181
SELECT
  CAST(h.utc_hour AS DATE) AS day,
  CAST(SUM(h.plays) AS BIGINT) AS plays,
  CAST(SUM(h.matched) AS BIGINT) AS matched,
  CAST(SUM(h.matched) AS DOUBLE) / SUM(h.plays) AS share
FROM hours_played AS h
WHERE
  h.utc_hour >= $days_since
GROUP BY
  CAST(h.utc_hour AS DATE)
ORDER BY
  1;

-- report/devices.sql:1 ee11b7470eaaccbe
SELECT
  d.device,
  d.level,
  CAST(SUM(d.plays) AS BIGINT) AS plays,
  COUNT(DISTINCT d.user_id) AS listeners
FROM (
  SELECT
    CASE
      WHEN g.user_agent LIKE '%iPhone%'
      THEN 'iPhone'
      WHEN g.user_agent LIKE '%iPad%'
      THEN 'iPad'
      WHEN g.user_agent LIKE '%Android%'
      THEN 'Android'
      WHEN g.user_agent LIKE '%Windows%'
      THEN 'Windows'
      WHEN g.user_agent LIKE '%Macintosh%'
      THEN 'Mac'
      WHEN g.user_agent LIKE '%Linux%'
      THEN 'Linux'
      WHEN NOT g.user_agent IS NULL
      THEN 'other'
    END AS device,
    g.level,
    g.user_id,
    g.plays
  FROM (
    SELECT
      l.user_agent,
      l.level,
      l.user_id,
      SUM(l.plays) AS plays
    FROM listeners AS l
    GROUP BY
      l.user_agent,
      l.level,
      l.user_id
  ) AS g
) AS d
GROUP BY
  d.device,
  d.level
ORDER BY
  1,
  2;

-- report/freshness.sql:1 1fa7abd65a999594
SELECT
  r.last_load,
  d.last_event,
  d.days,
  d.events,
  d.plays,
  f.loaded_files,
  f.set_aside,
  j.open_rejects
FROM (
  SELECT
    MAX(u.finished_at) AS last_load
  FROM etl.runs AS u
  WHERE
    u.status = 'done'
) AS r
CROSS JOIN (
  SELECT
    CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (MAX(e.last_ts)) MILLISECOND AS last_event,
    COUNT(*) AS days,
    CAST(COALESCE(SUM(e.events), 0) AS BIGINT) AS events,
    CAST(COALESCE(SUM(e.plays), 0) AS BIGINT) AS plays
  FROM etl.days AS e
) AS d
CROSS JOIN (
  SELECT
    COUNT(CASE WHEN l.state = 'loaded' THEN 1 END) AS loaded_files,
    COUNT(CASE WHEN l.state = 'set_aside' THEN 1 END) AS set_aside
  FROM etl.files AS l
) AS f
CROSS JOIN (
  SELECT
    COUNT(*) AS open_rejects
  FROM etl.rejects AS x
  INNER JOIN etl.runs AS u
    ON x.run_id = u.run_id
  WHERE
    u.status = 'done' AND x.resolved_by IS NULL
) AS j;

-- report/funnel.sql:1 b63ea3e700c2dcba
SELECT
  CASE f.page
    WHEN 'Upgrade'
    THEN 1
    WHEN 'Submit Upgrade'
    THEN 2
    WHEN 'Downgrade'
    THEN 3
    WHEN 'Submit Downgrade'
    THEN 4
    WHEN 'Cancel'
    THEN 5
    ELSE 6
  END AS step,
  f.page,
  COUNT(*) AS events,
  COUNT(DISTINCT f.user_id) AS people
FROM (
  SELECT DISTINCT
    e.user_id,
    e.session_id,
    e.item_in_session,
    e.ts,
    e.page
  FROM staging_events AS e
  WHERE
    e.user_id <> ''
    AND e.ts >= $ts_since
    AND e.ts < $ts_until
    AND e.page IN (
      'Upgrade',
      'Submit Upgrade',
      'Downgrade',
      'Submit Downgrade',
      'Cancel',
      'Cancellation Confirmation'
    )
) AS f
GROUP BY
  f.page
ORDER BY
  1;

-- report/genders.sql:1 a26b816468ccfed2
SELECT
  u.gender,
  g.level,
  CAST(SUM(g.plays) AS BIGINT) AS plays,
  COUNT(*) AS listeners
FROM (
  SELECT
    l.user_id,
    l.level,
    SUM(l.plays) AS plays
  FROM listeners AS l
  GROUP BY
    l.user_id,
    l.level
) AS g
INNER JOIN users AS u
  ON g.user_id = u.user_id
GROUP BY
  u.gender,
  g.level
ORDER BY
  1,
  2;

-- report/headline.sql:1 fa2512d8874f946a
SELECT
  t.plays,
  (
    SELECT
      COUNT(DISTINCT l.user_id)
    FROM listeners AS l
  ) AS listeners,
  (
    SELECT
      COUNT(*)
    FROM (
      SELECT
        v.user_id,
        v.session_id
      FROM visits AS v
      GROUP BY
        v.user_id,
        v.session_id
    ) AS s
  ) AS sessions,
  (
    SELECT
      COUNT(*)
    FROM (
      SELECT
        p.song,
        p.artist
      FROM songs_played AS p
      GROUP BY
        p.song,
        p.artist
    ) AS s
  ) AS songs,
  t.matched,
  (
    SELECT
      COUNT(DISTINCT u.user_id)
    FROM analytics.user_days AS u
    WHERE
      u.day >= CAST($since AS DATE) AND u.day < CAST($until AS DATE)
  ) AS people,
  t.first_play,
  t.last_play
FROM (
  SELECT
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched,
    MIN(p.start_time) AS first_play,
    MAX(p.start_time) AS last_play
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
) AS t;

-- report/hours.sql:1 2d3b12c7e2960ab3
SELECT
  CAST(EXTRACT(DAYOFWEEK FROM h.utc_hour) AS INT) AS weekday,
  CAST(EXTRACT(HOUR FROM h.utc_hour) AS INT) AS hour,
  h.level,
  CAST(SUM(h.plays) AS BIGINT) AS plays
FROM hours_played AS h
GROUP BY
  EXTRACT(DAYOFWEEK FROM h.utc_hour),
  EXTRACT(HOUR FROM h.utc_hour),
  h.level
ORDER BY
  1,
  2,
  3;

-- report/hours_by_day.sql:1 6e9bc9016ae34287
SELECT
  CAST(h.utc_hour AS DATE) AS day,
  h.level,
  CAST(EXTRACT(HOUR FROM h.utc_hour) AS INT) AS hour,
  CAST(SUM(h.plays) AS BIGINT) AS plays
FROM hours_played AS h
WHERE
  h.utc_hour >= $days_since
GROUP BY
  h.utc_hour,
  h.level
ORDER BY
  1,
  2,
  3;

-- report/level_changes.sql:1 587bed4e60f04b28
SELECT
  CAST(c.changed_at AS DATE) AS day,
  COUNT(CASE WHEN c.from_level = 'free' AND c.to_level = 'paid' THEN 1 END) AS free_to_paid,
  COUNT(CASE WHEN c.from_level = 'paid' AND c.to_level = 'free' THEN 1 END) AS paid_to_free,
  COUNT(
    CASE
      WHEN c.from_level = 'free' AND c.to_level = 'paid'
      THEN NULL
      WHEN c.from_level = 'paid' AND c.to_level = 'free'
      THEN NULL
      ELSE 1
    END
  ) AS other_changes
FROM analytics.level_changes AS c
WHERE
  c.changed_at >= $days_since AND c.changed_at < $until
GROUP BY
  CAST(c.changed_at AS DATE)
ORDER BY
  1;

-- report/levels.sql:1 31880f131388e72f
SELECT
  v.level,
  CAST(SUM(v.plays) AS BIGINT) AS plays,
  COUNT(DISTINCT v.user_id) AS listeners,
  COUNT(*) AS sessions,
  CAST(SUM(v.plays) AS DOUBLE) / COUNT(DISTINCT v.user_id) AS plays_per_listener
FROM visits AS v
GROUP BY
  v.level
ORDER BY
  2 DESC NULLS FIRST,
  1;

-- report/levels_by_day.sql:1 d7be5a7e5b185aac
SELECT
  d.day,
  d.level,
  d.plays,
  d.listeners
FROM analytics.daily_levels AS d
WHERE
  d.day >= CAST($days_since AS DATE) AND d.day < CAST($until AS DATE)
ORDER BY
  d.day,
  d.level;

-- report/local_hours.sql:1 54515723d8c7c00c
SELECT
  CAST(EXTRACT(DAYOFWEEK FROM c.local_hour) AS INT) AS weekday,
  CAST(EXTRACT(HOUR FROM c.local_hour) AS INT) AS hour,
  p.level,
  CAST(SUM(p.plays) AS BIGINT) AS plays
FROM (
  SELECT
    DATE_TRUNC('HOUR', g.start_time) AS utc_hour,
    g.level,
    z.time_zone,
    COUNT(*) AS plays
  FROM songplays AS g
  LEFT JOIN analytics.places AS z
    ON g.location = z.location
  WHERE
    g.start_time >= $since AND g.start_time < $until
  GROUP BY
    DATE_TRUNC('HOUR', g.start_time),
    g.level,
    z.time_zone
) AS p
LEFT JOIN analytics.clocks AS c
  ON p.time_zone = c.time_zone AND p.utc_hour = c.utc_hour
GROUP BY
  EXTRACT(DAYOFWEEK FROM c.local_hour),
  EXTRACT(HOUR FROM c.local_hour),
  p.level
ORDER BY
  1,
  2,
  3;

-- report/metros.sql:1 80c50782176cb670
WITH counted AS (
  SELECT
    COALESCE(l.level, 'unknown') AS of_level,
    l.location,
    l.user_id,
    SUM(l.plays) AS plays
  FROM listeners AS l
  GROUP BY
    COALESCE(l.level, 'unknown'),
    l.location,
    l.user_id
), ranked AS (
  SELECT
    a.of_level,
    a.location,
    a.plays,
    a.listeners,
    ROW_NUMBER() OVER (PARTITION BY a.of_level ORDER BY a.plays DESC NULLS FIRST, a.location) AS place
  FROM (
    SELECT
      '' AS of_level,
      c.location,
      CAST(SUM(c.plays) AS BIGINT) AS plays,
      COUNT(DISTINCT c.user_id) AS listeners
    FROM counted AS c
    GROUP BY
      c.location
    UNION ALL
    SELECT
      c.of_level,
      c.location,
      CAST(SUM(c.plays) AS BIGINT) AS plays,
      COUNT(*) AS listeners
    FROM counted AS c
    GROUP BY
      c.of_level,
      c.location
  ) AS a
)
SELECT
  NULLIF(r.of_level, '') AS of_level,
  r.place,
  r.location,
  r.plays,
  r.listeners
FROM ranked AS r
WHERE
  r.place <= 20 OR (
    r.place <= 100 AND r.of_level = ''
  )
ORDER BY
  r.of_level,
  r.place;

-- report/rejects.sql:1 927bb15b93f274fa
SELECT
  r.kind,
  r.reason,
  COUNT(*) AS rejects,
  COUNT(DISTINCT r.uri) AS files,
  MIN(r.uri) AS first_file
FROM etl.rejects AS r
INNER JOIN etl.runs AS u
  ON r.run_id = u.run_id
WHERE
  u.status = 'done' AND r.resolved_by IS NULL
GROUP BY
  r.kind,
  r.reason
ORDER BY
  rejects DESC NULLS FIRST,
  r.kind,
  r.reason
LIMIT 100;

-- report/retention.sql:1 c8cf2ab842cb6c01
SELECT
  r.cohort_by,
  r.cohort,
  r.cohort_people,
  r.weeks_later,
  r.people
FROM analytics.retention AS r
WHERE
  r.cohort >= CAST(DATE_TRUNC('WEEK', $cohorts_since) AS DATE)
  AND r.cohort < CAST($until AS DATE)
  AND r.weeks_later <= 26
ORDER BY
  r.cohort_by,
  r.cohort,
  r.weeks_later;

-- report/runs.sql:1 81b7b9b455c88292
SELECT
  r.run_id,
  r.mode,
  r.status,
  r.finished_at,
  r.files_loaded,
  r.rows_read,
  r.rows_loaded,
  r.rows_rejected,
  r.plays_loaded
FROM etl.runs AS r
ORDER BY
  r.run_id DESC NULLS FIRST
LIMIT 20;

-- report/set_aside.sql:1 63f1fd96b552f3c4
SELECT
  f.uri,
  f.kind,
  f.run_id,
  f.reason,
  f.rows_read,
  f.rows_rejected,
  f.detail
FROM etl.files AS f
WHERE
  f.state = 'set_aside'
ORDER BY
  f.run_id DESC NULLS FIRST,
  f.uri
LIMIT 100;

-- report/shared/hours_played.sql:1 cb68b7ca2b73290d
SELECT
  DATE_TRUNC('HOUR', p.start_time) AS utc_hour,
  p.level,
  COUNT(*) AS plays,
  COUNT(p.song_id) AS matched
FROM songplays AS p
WHERE
  p.start_time >= $since AND p.start_time < $until
GROUP BY
  DATE_TRUNC('HOUR', p.start_time),
  p.level;

-- report/shared/listeners.sql:1 6ed44910cc420504
SELECT
  p.user_id,
  p.level,
  p.location,
  p.user_agent,
  COUNT(*) AS plays
FROM songplays AS p
WHERE
  p.start_time >= $since AND p.start_time < $until
GROUP BY
  p.user_id,
  p.level,
  p.location,
  p.user_agent;

-- report/shared/songs_played.sql:1 38fce512950ab9e1
SELECT
  p.level,
  p.song,
  p.artist,
  COUNT(*) AS plays,
  COUNT(p.song_id) AS matched
FROM songplays AS p
WHERE
  p.start_time >= $since AND p.start_time < $until
GROUP BY
  p.level,
  p.song,
  p.artist;

-- report/shared/visits.sql:1 73d63e407e18c0bc
SELECT
  p.user_id,
  p.session_id,
  p.level,
  COUNT(*) AS plays
FROM songplays AS p
WHERE
  p.start_time >= $since AND p.start_time < $until
GROUP BY
  p.user_id,
  p.session_id,
  p.level;

-- report/song_trends.sql:1 10c08f565032e81c
WITH most AS (
  SELECT
    t.song,
    t.artist,
    ROW_NUMBER() OVER (ORDER BY t.plays DESC NULLS FIRST, t.song, t.artist) AS place
  FROM (
    SELECT
      p.song,
      p.artist,
      SUM(p.plays) AS plays
    FROM songs_played AS p
    GROUP BY
      p.song,
      p.artist
  ) AS t
)
SELECT
  m.place,
  m.song,
  m.artist,
  CAST(DATE_TRUNC('WEEK', p.start_time) AS DATE) AS week,
  COUNT(*) AS plays
FROM most AS m
INNER JOIN songplays AS p
  ON COALESCE(m.song, '') = COALESCE(p.song, '')
  AND COALESCE(m.artist, '') = COALESCE(p.artist, '')
WHERE
  m.place <= 10 AND p.start_time >= $days_since AND p.start_time < $until
GROUP BY
  m.place,
  m.song,
  m.artist,
  DATE_TRUNC('WEEK', p.start_time)
ORDER BY
  m.place,
  4;

-- report/top_artists.sql:1 1eb00f41aee1493b
WITH counted AS (
  SELECT
    COALESCE(p.level, 'unknown') AS of_level,
    p.artist,
    CAST(SUM(p.plays) AS BIGINT) AS plays
  FROM songs_played AS p
  GROUP BY
    COALESCE(p.level, 'unknown'),
    p.artist
), ranked AS (
  SELECT
    a.of_level,
    a.artist,
    a.plays,
    ROW_NUMBER() OVER (PARTITION BY a.of_level ORDER BY a.plays DESC NULLS FIRST, a.artist) AS place
  FROM (
    SELECT
      '' AS of_level,
      c.artist,
      CAST(SUM(c.plays) AS BIGINT) AS plays
    FROM counted AS c
    GROUP BY
      c.artist
    UNION ALL
    SELECT
      c.of_level,
      c.artist,
      c.plays
    FROM counted AS c
  ) AS a
)
SELECT
  NULLIF(r.of_level, '') AS of_level,
  r.place,
  r.artist,
  r.plays
FROM ranked AS r
WHERE
  r.place <= 20 OR (
    r.place <= 100 AND r.of_level = ''
  )
ORDER BY
  r.of_level,
  r.place;

-- report/top_songs.sql:1 c5db9bd1f32e5bec
WITH counted AS (
  SELECT
    COALESCE(p.level, 'unknown') AS of_level,
    p.song,
    p.artist,
    CAST(SUM(p.plays) AS BIGINT) AS plays
  FROM songs_played AS p
  GROUP BY
    COALESCE(p.level, 'unknown'),
    p.song,
    p.artist
), ranked AS (
  SELECT
    a.of_level,
    a.song,
    a.artist,
    a.plays,
    ROW_NUMBER() OVER (PARTITION BY a.of_level ORDER BY a.plays DESC NULLS FIRST, a.song, a.artist) AS place
  FROM (
    SELECT
      '' AS of_level,
      c.song,
      c.artist,
      CAST(SUM(c.plays) AS BIGINT) AS plays
    FROM counted AS c
    GROUP BY
      c.song,
      c.artist
    UNION ALL
    SELECT
      c.of_level,
      c.song,
      c.artist,
      c.plays
    FROM counted AS c
  ) AS a
)
SELECT
  NULLIF(r.of_level, '') AS of_level,
  r.place,
  r.song,
  r.artist,
  r.plays
FROM ranked AS r
WHERE
  r.place <= 20 OR (
    r.place <= 100 AND r.of_level = ''
  )
ORDER BY
  r.of_level,
  r.place;

-- report/unmatched.sql:1 22739ec5f12668ba
SELECT
  p.song,
  p.artist,
  CAST(SUM(p.plays - p.matched) AS BIGINT) AS plays
FROM songs_played AS p
WHERE
  p.plays > p.matched
GROUP BY
  p.song,
  p.artist
ORDER BY
  plays DESC NULLS FIRST,
  p.song,
  p.artist
LIMIT 100;

-- run/changes.sql:1 12277d7176884315
SELECT
  (
    SELECT
      COUNT(*)
    FROM run_changed_songs
  ) AS songs,
  (
    SELECT
      COUNT(*)
    FROM run_lost_users
  ) AS people;

-- run/clear.sql:1 953c780020c72a35
DELETE FROM run_files;

-- run/clear.sql:4 7a81a47b9144e7e3
DELETE FROM run_moves;

-- run/clear.sql:6 2636e0a8fc7327b7
DELETE FROM run_moments;

-- run/clear.sql:8 a6c50e3e4fec521f
DELETE FROM run_changed_songs;

-- run/clear.sql:10 34abbe8d9a005594
DELETE FROM run_changed_artists;

-- run/clear.sql:12 54fd10894a93e822
DELETE FROM run_changed_titles;

-- run/clear.sql:14 e4e8221af4a27497
DELETE FROM run_changed_users;

-- run/clear.sql:16 ceac014f0f40d77d
DELETE FROM run_lost_users;

-- run/clear.sql:18 63620d7c34cd43c4
DELETE FROM run_rematched;

-- run/found_users.sql:1 c8628a863a7902e7
DELETE FROM run_lost_users
WHERE
  user_id IN (
    SELECT
      user_id
    FROM run_users
  );

-- run/lost_users.sql:1 46ba596125f14db7
SELECT
  COUNT(*) AS people,
  MAX(ts) AS newest
FROM run_lost_users;

-- run/no_files.sql:1 904d9e8362c0d0c7
DELETE FROM run_files;

-- run/no_moves.sql:1 95adf7d37f484cf6
DELETE FROM run_moves;

-- run/played_range.sql:1 d9ec09ac511ebb92
SELECT
  MIN(p.played_from) AS titles_from,
  MAX(p.played_to) AS titles_to
FROM etl.played_titles AS p
INNER JOIN run_changed_titles AS t
  ON p.song = t.title AND p.artist = t.artist_name;

-- run/rematched_days.sql:1 7ca0deba32989781
SELECT DISTINCT
  CAST(r.start_time AS DATE) AS day
FROM run_rematched AS r
ORDER BY
  day;

-- run/run_scope.sql:1 abf925c9820250e7
CREATE TEMPORARY TABLE IF NOT EXISTS run_moments (
  ts BIGINT NOT NULL
);

-- run/run_scope.sql:4 64b895ab4cfdf549
CREATE TEMPORARY TABLE IF NOT EXISTS run_files (
  file_id BIGINT NOT NULL
);

-- run/run_scope.sql:5 01512f2a564ee60d
CREATE TEMPORARY TABLE IF NOT EXISTS run_moves (
  file_id BIGINT NOT NULL,
  new_file_id BIGINT,
  run_id INT,
  uri TEXT(4096),
  size BIGINT,
  version TEXT(256),
  content TEXT(32),
  reason TEXT(16),
  detail TEXT(1024)
);

-- run/run_scope.sql:16 32dfb2cd299d0dfc
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_songs (
  song_id TEXT(64) NOT NULL
);

-- run/run_scope.sql:17 9acceddb17a4dd5a
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_artists (
  artist_id TEXT(64) NOT NULL
);

-- run/run_scope.sql:18 74f0722414d4e812
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_titles (
  title TEXT(1024),
  artist_name TEXT(1024)
);

-- run/run_scope.sql:19 e16650333989d0b1
CREATE TEMPORARY TABLE IF NOT EXISTS run_played (
  song TEXT(1024),
  artist TEXT(1024),
  length DOUBLE,
  played_from BIGINT,
  played_to BIGINT
);

-- run/run_scope.sql:27 0e921f398c85a9a2
CREATE TEMPORARY TABLE IF NOT EXISTS run_rematched (
  songplay_id BIGINT NOT NULL,
  start_time TIMESTAMP NOT NULL,
  user_id TEXT(64) NOT NULL,
  level TEXT(16),
  session_id BIGINT NOT NULL,
  location TEXT(1024),
  user_agent TEXT(1024),
  item_in_session INT NOT NULL,
  song TEXT(1024),
  artist TEXT(1024),
  length DOUBLE,
  was_matched INT NOT NULL
);

-- run/run_scope.sql:42 8409ed4ed9a25681
CREATE TEMPORARY TABLE IF NOT EXISTS run_song_matches (
  song TEXT(1024),
  artist TEXT(1024),
  length DOUBLE,
  song_id TEXT(64),
  artist_id TEXT(64),
  song_match TEXT(16)
);

-- run/run_scope.sql:50 171de56939af6e04
CREATE TEMPORARY TABLE IF NOT EXISTS run_users (
  user_id TEXT(64) NOT NULL,
  first_name TEXT(1024),
  last_name TEXT(1024),
  gender TEXT(16),
  level TEXT(16),
  last_seen_ts BIGINT NOT NULL,
  last_item_in_session INT NOT NULL
);

-- run/run_scope.sql:59 ad6afd5420f7ddd1
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_users (
  user_id TEXT(64) NOT NULL
);

-- run/run_scope.sql:60 9e7d5f25dd4a4816
CREATE TEMPORARY TABLE IF NOT EXISTS run_lost_users (
  user_id TEXT(64) NOT NULL,
  ts BIGINT NOT NULL
);

-- run/touched_days.sql:1 fa3d0e2e9409df1c
SELECT
  m.midnight,
  m.events,
  m.ts_from,
  m.ts_to,
  COALESCE(d.events, 0) AS events_before
FROM (
  SELECT
    ts - ts % 86400000 AS midnight,
    COUNT(*) AS events,
    MIN(ts) AS ts_from,
    MAX(ts) AS ts_to
  FROM run_moments
  GROUP BY
    ts - ts % 86400000
) AS m
LEFT JOIN etl.days AS d
  ON d.day = CAST(CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.midnight) MILLISECOND AS DATE)
ORDER BY
  m.midnight;

-- star/artists.sql:1 dee44f816aae186f
DELETE FROM artists
WHERE
  artist_id IN (
    SELECT
      artist_id
    FROM run_changed_artists
  );

-- star/artists.sql:6 f06f46779eab8b1c
INSERT INTO artists (
  artist_id,
  name,
  location,
  latitude,
  longitude
)
WITH records AS (
  SELECT
    s.artist_id,
    s.song_id,
    NULLIF(RTRIM(s.artist_name, ' '), '') AS name,
    NULLIF(RTRIM(s.artist_location, ' '), '') AS location,
    s.artist_latitude AS latitude,
    s.artist_longitude AS longitude
  FROM staging_songs AS s
  WHERE
    s.artist_id IN (
      SELECT
        artist_id
      FROM run_changed_artists
    )
), credits AS (
  SELECT
    r.artist_id,
    r.name,
    COUNT(DISTINCT r.song_id) AS songs
  FROM records AS r
  GROUP BY
    r.artist_id,
    r.name
), names AS (
  SELECT
    c.artist_id,
    c.name
  FROM credits AS c
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY c.artist_id
      ORDER BY CASE WHEN c.name IS NULL THEN 1 ELSE 0 END, c.songs DESC NULLS FIRST, LENGTH(c.name), c.name
    ) = 1
), places AS (
  SELECT
    r.artist_id,
    r.location,
    r.latitude,
    r.longitude
  FROM records AS r
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY r.artist_id
      ORDER BY CASE WHEN r.location IS NULL THEN 1 ELSE 0 END, CASE WHEN r.latitude IS NULL OR r.longitude IS NULL THEN 1 ELSE 0 END, r.location, r.latitude, r.longitude
    ) = 1
)
SELECT
  n.artist_id,
  n.name,
  p.location,
  p.latitude,
  p.longitude
FROM names AS n
INNER JOIN places AS p
  ON n.artist_id = p.artist_id;

-- star/days.sql:1 b5fadc9a7dc18210
DELETE FROM etl.days
WHERE
  first_ts BETWEEN $days_from AND $days_to;

-- star/days.sql:6 778c93787237b6fa
INSERT INTO etl.days (
  day,
  events,
  plays,
  first_ts,
  last_ts,
  plays_without_title,
  plays_without_artist,
  plays_matched,
  absent,
  gap_within_ms
)
WITH minutes AS (
  SELECT
    e.ts - e.ts % 60000 AS minute_ts,
    COUNT(*) AS events,
    MIN(e.ts) AS first_ts,
    MAX(e.ts) AS last_ts
  FROM staging_events AS e
  WHERE
    e.ts BETWEEN $days_from AND $days_to
  GROUP BY
    e.ts - e.ts % 60000
), spaced AS (
  SELECT
    m.minute_ts - m.minute_ts % 86400000 AS midnight,
    m.events,
    m.first_ts,
    m.last_ts,
    m.first_ts - LAG(m.last_ts) OVER (PARTITION BY m.minute_ts - m.minute_ts % 86400000 ORDER BY m.minute_ts) AS gap
  FROM minutes AS m
), of_events AS (
  SELECT
    CAST(CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (s.midnight) MILLISECOND AS DATE) AS day,
    CAST(SUM(s.events) AS BIGINT) AS events,
    MIN(s.first_ts) AS first_ts,
    MAX(s.last_ts) AS last_ts,
    MAX(s.gap) AS gap_within_ms
  FROM spaced AS s
  GROUP BY
    s.midnight
), of_plays AS (
  SELECT
    CAST(p.start_time AS DATE) AS day,
    COUNT(*) AS plays,
    COUNT(*) - COUNT(p.song) AS without_title,
    COUNT(*) - COUNT(p.artist) AS without_artist,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  WHERE
    p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($days_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($days_to) MILLISECOND
  GROUP BY
    CAST(p.start_time AS DATE)
)
SELECT
  e.day,
  e.events,
  COALESCE(p.plays, 0) AS plays,
  e.first_ts,
  e.last_ts,
  COALESCE(p.without_title, 0) AS plays_without_title,
  COALESCE(p.without_artist, 0) AS plays_without_artist,
  COALESCE(p.matched, 0) AS plays_matched,
  '' AS absent,
  e.gap_within_ms
FROM of_events AS e
LEFT JOIN of_plays AS p
  ON e.day = p.day;

-- star/days.sql:71 bb9df8d947373c8c
UPDATE etl.days SET longest_gap_ms = g.longest
FROM (
  SELECT
    s.day AS of_day,
    CASE
      WHEN s.gap_before >= COALESCE(s.gap_within_ms, 0)
      THEN s.gap_before
      ELSE s.gap_within_ms
    END AS longest
  FROM (
    SELECT
      d.day,
      d.gap_within_ms,
      d.first_ts - LAG(d.last_ts) OVER (ORDER BY d.day) AS gap_before
    FROM etl.days AS d
  ) AS s
) AS g
WHERE
  day = g.of_day AND COALESCE(longest_gap_ms, -1) <> COALESCE(g.longest, -1);

-- star/played.sql:1 fd791c0c007c913e
DELETE FROM run_played;

-- star/played.sql:5 746c2dc231612446
INSERT INTO run_played (
  song,
  artist,
  length,
  played_from,
  played_to
)
SELECT
  RTRIM(e.song, ' ') AS song,
  RTRIM(e.artist, ' ') AS artist,
  e.length,
  MIN(e.ts) AS played_from,
  MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
  e.page = 'NextSong'
  AND e.ts BETWEEN $ts_from AND $ts_to
  AND e.ts IN (
    SELECT
      m.ts
    FROM run_moments AS m
    WHERE
      m.ts BETWEEN $ts_from AND $ts_to
  )
GROUP BY
  RTRIM(e.song, ' '),
  RTRIM(e.artist, ' '),
  e.length;

-- star/played.sql:5 d4b0a027416aaa4f
INSERT INTO run_played (
  song,
  artist,
  length,
  played_from,
  played_to
)
SELECT
  RTRIM(e.song, ' ') AS song,
  RTRIM(e.artist, ' ') AS artist,
  e.length,
  MIN(e.ts) AS played_from,
  MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
  e.page = 'NextSong' AND e.ts BETWEEN $ts_from AND $ts_to
GROUP BY
  RTRIM(e.song, ' '),
  RTRIM(e.artist, ' '),
  e.length;

-- star/played.sql:18 26314cc8e9cfc926
UPDATE etl.played_titles SET played_from = LEAST(played_from, r.first_ts), played_to = GREATEST(played_to, r.last_ts)
FROM (
  SELECT
    song AS title,
    artist AS artist_name,
    MIN(played_from) AS first_ts,
    MAX(played_to) AS last_ts
  FROM run_played
  WHERE
    song <> '' AND artist <> ''
  GROUP BY
    song,
    artist
) AS r
WHERE
  song = r.title
  AND artist = r.artist_name
  AND (
    r.first_ts < played_from OR r.last_ts > played_to
  );

-- star/played.sql:30 0663298dd741da77
INSERT INTO etl.played_titles (
  song,
  artist,
  played_from,
  played_to
)
SELECT
  r.song,
  r.artist,
  MIN(r.played_from) AS played_from,
  MAX(r.played_to) AS played_to
FROM run_played AS r
LEFT JOIN etl.played_titles AS t
  ON r.song = t.song AND r.artist = t.artist
WHERE
  r.song <> '' AND r.artist <> '' AND t.song IS NULL
GROUP BY
  r.song,
  r.artist;

-- star/rematch.sql:1 cabf5d348ce5facf
INSERT INTO run_rematched (
  songplay_id,
  start_time,
  user_id,
  level,
  session_id,
  location,
  user_agent,
  item_in_session,
  song,
  artist,
  length,
  was_matched
)
SELECT
  p.songplay_id,
  p.start_time,
  p.user_id,
  p.level,
  p.session_id,
  p.location,
  p.user_agent,
  p.item_in_session,
  p.song,
  p.artist,
  p.length,
  CASE WHEN p.song_id IS NULL THEN 0 ELSE 1 END AS was_matched
FROM songplays AS p
INNER JOIN (
  SELECT DISTINCT
    title,
    artist_name
  FROM run_changed_titles
) AS t
  ON p.song = t.title AND p.artist = t.artist_name
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($titles_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($titles_to) MILLISECOND;

-- star/rematch.sql:27 17bc60887754c92e
DELETE FROM run_played;

-- star/rematch.sql:29 3483ac2e998f2a3e
INSERT INTO run_played (
  song,
  artist,
  length
)
SELECT DISTINCT
  song,
  artist,
  length
FROM run_rematched;

-- star/rematched.sql:1 75f14770bac1469c
DELETE FROM songplays
WHERE
  songplay_id IN (
    SELECT
      r.songplay_id
    FROM run_rematched AS r
  )
  AND start_time IN (
    SELECT
      r.start_time
    FROM run_rematched AS r
  )
  AND start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($titles_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($titles_to) MILLISECOND;

-- star/rematched.sql:11 512570f75e9e5085
INSERT INTO songplays (
  songplay_id,
  start_time,
  user_id,
  level,
  song_id,
  artist_id,
  session_id,
  location,
  user_agent,
  item_in_session,
  song_match,
  song,
  artist,
  length
)
SELECT
  p.songplay_id,
  p.start_time,
  p.user_id,
  p.level,
  m.song_id,
  m.artist_id,
  p.session_id,
  p.location,
  p.user_agent,
  p.item_in_session,
  m.song_match,
  p.song,
  p.artist,
  p.length
FROM run_rematched AS p
LEFT JOIN run_song_matches AS m
  ON p.song = m.song
  AND p.artist = m.artist
  AND (
    p.length = m.length OR (
      p.length IS NULL AND m.length IS NULL
    )
  );

-- star/rematched.sql:36 11b8183986c1d9e7
UPDATE etl.days SET plays_matched = plays_matched + c.gained
FROM (
  SELECT
    n.of_day,
    SUM(n.plays) AS gained
  FROM (
    SELECT
      CAST(p.start_time AS DATE) AS of_day,
      1 AS plays
    FROM run_rematched AS p
    INNER JOIN run_song_matches AS m
      ON p.song = m.song
      AND p.artist = m.artist
      AND (
        p.length = m.length OR (
          p.length IS NULL AND m.length IS NULL
        )
      )
    UNION ALL
    SELECT
      CAST(p.start_time AS DATE) AS of_day,
      -p.was_matched AS plays
    FROM run_rematched AS p
  ) AS n
  GROUP BY
    n.of_day
) AS c
WHERE
  day = c.of_day AND c.gained <> 0;

-- star/reset.sql:1 7cb0440fd60a5f78
DELETE FROM songplays;

-- star/reset.sql:4 e33b34f34dd62b80
DELETE FROM time;

-- star/reset.sql:6 0f840aa3904e5d0c
DELETE FROM users;

-- star/reset.sql:8 4c29d779ce7ec60e
DELETE FROM songs;

-- star/reset.sql:10 f8c9284f8de873f8
DELETE FROM artists;

-- star/reset.sql:12 0d2809984abe3567
DELETE FROM etl.days;

-- star/reset.sql:14 cfe486abf380f9f7
DELETE FROM etl.played_titles;

-- star/reset.sql:16 a6c50e3e4fec521f
DELETE FROM run_changed_songs;

-- star/reset.sql:18 34abbe8d9a005594
DELETE FROM run_changed_artists;

-- star/reset.sql:20 2bf6084257a9e07c
INSERT INTO run_changed_songs
SELECT DISTINCT
  song_id
FROM staging_songs;

-- star/reset.sql:22 199bb1d69c65cf39
INSERT INTO run_changed_artists
SELECT DISTINCT
  artist_id
FROM staging_songs;

-- star/reset.sql:24 ceac014f0f40d77d
DELETE FROM run_lost_users;

-- star/song_matches.sql:1 267cc37ce6ac1797
DELETE FROM run_song_matches;

-- star/song_matches.sql:5 a3576aa134edc642
INSERT INTO run_song_matches (
  song,
  artist,
  length,
  song_id,
  artist_id,
  song_match
)
SELECT
  p.song,
  p.artist,
  p.length,
  s.song_id,
  s.artist_id,
  CASE WHEN ABS(s.duration - p.length) <= 0.001 THEN 'exact' ELSE 'title_artist' END AS song_match
FROM run_played AS p
INNER JOIN songs AS s
  ON p.song = s.title AND p.artist = s.artist_name
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY p.song, p.artist, p.length
    ORDER BY ABS(s.duration - p.length), s.song_id
  ) = 1;

-- star/songplays.sql:1 917f8fbc5d22fd8c
DELETE FROM songplays
WHERE
  start_time IN (
    SELECT
      CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
    FROM run_moments AS m
  )
  AND start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND;

-- star/songplays.sql:1 2f03b9a885adcbb7
DELETE FROM songplays
WHERE
  start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND;

-- star/songplays.sql:14 6ddf80d4e3b40f4a
INSERT INTO songplays (
  songplay_id,
  start_time,
  user_id,
  level,
  song_id,
  artist_id,
  session_id,
  location,
  user_agent,
  item_in_session,
  song_match,
  song,
  artist,
  length
)
WITH repeated AS (
  SELECT
    e.ts,
    e.session_id
  FROM staging_events AS e
  WHERE
    e.page = 'NextSong'
    AND e.ts BETWEEN $ts_from AND $ts_to
    AND e.ts IN (
      SELECT
        m.ts
      FROM run_moments AS m
      WHERE
        m.ts BETWEEN $ts_from AND $ts_to
    )
  GROUP BY
    e.ts,
    e.session_id
  HAVING
    COUNT(*) > 1
), plays AS (
  SELECT
    e.ts,
    e.user_id,
    e.session_id,
    e.item_in_session,
    e.level,
    e.location,
    e.user_agent,
    e.song,
    e.artist,
    e.length
  FROM staging_events AS e
  LEFT JOIN repeated AS r
    ON e.ts = r.ts
  WHERE
    e.page = 'NextSong'
    AND e.ts BETWEEN $ts_from AND $ts_to
    AND e.ts IN (
      SELECT
        m.ts
      FROM run_moments AS m
      WHERE
        m.ts BETWEEN $ts_from AND $ts_to
    )
    AND r.ts IS NULL
  UNION ALL
  SELECT
    e.ts,
    e.user_id,
    e.session_id,
    e.item_in_session,
    e.level,
    e.location,
    e.user_agent,
    e.song,
    e.artist,
    e.length
  FROM staging_events AS e
  WHERE
    e.page = 'NextSong'
    AND e.ts BETWEEN $ts_from AND $ts_to
    AND e.ts IN (
      SELECT
        r.ts
      FROM repeated AS r
    )
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
      ORDER BY NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''), e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)
SELECT
  MD5_FIRST_60_BITS(
    p.user_id || '|' || CAST(p.session_id AS TEXT(20)) || '|' || CAST(p.item_in_session AS TEXT(20)) || '|' || CAST(p.ts AS TEXT(20))
  ) AS songplay_id,
  CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (p.ts) MILLISECOND AS start_time,
  p.user_id,
  NULLIF(RTRIM(p.level, ' '), '') AS level,
  m.song_id,
  m.artist_id,
  p.session_id,
  NULLIF(RTRIM(p.location, ' '), '') AS location,
  NULLIF(RTRIM(p.user_agent, ' '), '') AS user_agent,
  p.item_in_session,
  m.song_match,
  NULLIF(RTRIM(p.song, ' '), '') AS song,
  NULLIF(RTRIM(p.artist, ' '), '') AS artist,
  p.length
FROM plays AS p
LEFT JOIN run_song_matches AS m
  ON RTRIM(p.song, ' ') = m.song
  AND RTRIM(p.artist, ' ') = m.artist
  AND (
    p.length = m.length OR (
      p.length IS NULL AND m.length IS NULL
    )
  );

-- star/songplays.sql:14 6f74bb3b49fb90d1
INSERT INTO songplays (
  songplay_id,
  start_time,
  user_id,
  level,
  song_id,
  artist_id,
  session_id,
  location,
  user_agent,
  item_in_session,
  song_match,
  song,
  artist,
  length
)
WITH repeated AS (
  SELECT
    e.ts,
    e.session_id
  FROM staging_events AS e
  WHERE
    e.page = 'NextSong' AND e.ts BETWEEN $ts_from AND $ts_to
  GROUP BY
    e.ts,
    e.session_id
  HAVING
    COUNT(*) > 1
), plays AS (
  SELECT
    e.ts,
    e.user_id,
    e.session_id,
    e.item_in_session,
    e.level,
    e.location,
    e.user_agent,
    e.song,
    e.artist,
    e.length
  FROM staging_events AS e
  LEFT JOIN repeated AS r
    ON e.ts = r.ts
  WHERE
    e.page = 'NextSong' AND e.ts BETWEEN $ts_from AND $ts_to AND r.ts IS NULL
  UNION ALL
  SELECT
    e.ts,
    e.user_id,
    e.session_id,
    e.item_in_session,
    e.level,
    e.location,
    e.user_agent,
    e.song,
    e.artist,
    e.length
  FROM staging_events AS e
  WHERE
    e.page = 'NextSong'
    AND e.ts BETWEEN $ts_from AND $ts_to
    AND e.ts IN (
      SELECT
        r.ts
      FROM repeated AS r
    )
  QUALIFY
    ROW_NUMBER() OVER (
      PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
      ORDER BY NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''), e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)
SELECT
  MD5_FIRST_60_BITS(
    p.user_id || '|' || CAST(p.session_id AS TEXT(20)) || '|' || CAST(p.item_in_session AS TEXT(20)) || '|' || CAST(p.ts AS TEXT(20))
  ) AS songplay_id,
  CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (p.ts) MILLISECOND AS start_time,
  p.user_id,
  NULLIF(RTRIM(p.level, ' '), '') AS level,
  m.song_id,
  m.artist_id,
  p.session_id,
  NULLIF(RTRIM(p.location, ' '), '') AS location,
  NULLIF(RTRIM(p.user_agent, ' '), '') AS user_agent,
  p.item_in_session,
  m.song_match,
  NULLIF(RTRIM(p.song, ' '), '') AS song,
  NULLIF(RTRIM(p.artist, ' '), '') AS artist,
  p.length
FROM plays AS p
LEFT JOIN run_song_matches AS m
  ON RTRIM(p.song, ' ') = m.song
  AND RTRIM(p.artist, ' ') = m.artist
  AND (
    p.length = m.length OR (
      p.length IS NULL AND m.length IS NULL
    )
  );

-- star/songs.sql:1 b4a3969d5f18891f
INSERT INTO run_changed_titles
SELECT DISTINCT
  s.title,
  s.artist_name
FROM songs AS s
WHERE
  s.song_id IN (
    SELECT
      song_id
    FROM run_changed_songs
  );

-- star/songs.sql:9 d2ef5c551f19df1a
DELETE FROM songs
WHERE
  song_id IN (
    SELECT
      song_id
    FROM run_changed_songs
  );

-- star/songs.sql:11 f13c9eee5063aca8
INSERT INTO songs (
  song_id,
  title,
  artist_id,
  year,
  duration,
  artist_name
)
SELECT
  s.song_id,
  NULLIF(RTRIM(s.title, ' '), '') AS title,
  s.artist_id,
  NULLIF(s.year, 0) AS year,
  s.duration,
  NULLIF(RTRIM(s.artist_name, ' '), '') AS artist_name
FROM staging_songs AS s
WHERE
  s.song_id IN (
    SELECT
      song_id
    FROM run_changed_songs
  )
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY s.song_id
    ORDER BY CASE WHEN s.year > 0 THEN 0 ELSE 1 END, CASE WHEN s.duration > 0 THEN 0 ELSE 1 END, NULLIF(RTRIM(s.title, ' '), ''), NULLIF(RTRIM(s.artist_name, ' '), ''), s.artist_id, s.duration, s.year
  ) = 1;

-- star/songs.sql:30 eea30c0c17085ef0
INSERT INTO run_changed_titles
SELECT DISTINCT
  s.title,
  s.artist_name
FROM songs AS s
WHERE
  s.song_id IN (
    SELECT
      song_id
    FROM run_changed_songs
  );

-- star/time.sql:1 1ee88d90fcb93091
DELETE FROM time
WHERE
  start_time IN (
    SELECT
      CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
    FROM run_moments AS m
  )
  AND start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND;

-- star/time.sql:1 0b56caecfcf4f6fd
DELETE FROM time
WHERE
  start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND;

-- star/time.sql:9 d3a7606322eedf81
INSERT INTO time (
  start_time,
  hour,
  day,
  week,
  month,
  year,
  weekday
)
SELECT
  p.start_time,
  EXTRACT(HOUR FROM p.start_time) AS hour,
  EXTRACT(DAY FROM p.start_time) AS day,
  EXTRACT(WEEK FROM p.start_time) AS week,
  EXTRACT(MONTH FROM p.start_time) AS month,
  EXTRACT(YEAR FROM p.start_time) AS year,
  EXTRACT(DAYOFWEEK FROM p.start_time) AS weekday
FROM (
  SELECT DISTINCT
    start_time
  FROM songplays
  WHERE
    start_time IN (
      SELECT
        CAST('1970-01-01' AS TIMESTAMP) + INTERVAL (m.ts) MILLISECOND
      FROM run_moments AS m
    )
    AND start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
) AS p
ORDER BY
  p.start_time;

-- star/time.sql:9 52d00a59b6f31cbe
INSERT INTO time (
  start_time,
  hour,
  day,
  week,
  month,
  year,
  weekday
)
SELECT
  p.start_time,
  EXTRACT(HOUR FROM p.start_time) AS hour,
  EXTRACT(DAY FROM p.start_time) AS day,
  EXTRACT(WEEK FROM p.start_time) AS week,
  EXTRACT(MONTH FROM p.start_time) AS month,
  EXTRACT(YEAR FROM p.start_time) AS year,
  EXTRACT(DAYOFWEEK FROM p.start_time) AS weekday
FROM (
  SELECT DISTINCT
    start_time
  FROM songplays
  WHERE
    start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
) AS p
ORDER BY
  p.start_time;

-- star/users.sql:1 b2520f2a04bc37fd
DELETE FROM run_users;

-- star/users.sql:8 67f5b238dccb0698
INSERT INTO run_users (
  user_id,
  first_name,
  last_name,
  gender,
  level,
  last_seen_ts,
  last_item_in_session
)
WITH latest AS (
  SELECT
    e.user_id,
    MAX(e.ts) AS ts
  FROM staging_events AS e
  WHERE
    e.user_id <> ''
    AND e.ts BETWEEN $ts_from AND $ts_to
    AND e.ts IN (
      SELECT
        m.ts
      FROM run_moments AS m
      WHERE
        m.ts BETWEEN $ts_from AND $ts_to
    )
    AND e.user_id IN (
      SELECT
        u.user_id
      FROM run_lost_users AS u
    )
  GROUP BY
    e.user_id
), candidates AS (
  SELECT
    e.user_id,
    NULLIF(RTRIM(e.first_name, ' '), '') AS first_name,
    NULLIF(RTRIM(e.last_name, ' '), '') AS last_name,
    NULLIF(RTRIM(e.gender, ' '), '') AS gender,
    NULLIF(RTRIM(e.level, ' '), '') AS level,
    e.ts,
    e.item_in_session
  FROM staging_events AS e
  INNER JOIN latest AS l
    ON e.user_id = l.user_id AND e.ts = l.ts
  WHERE
    e.ts BETWEEN $ts_from AND $ts_to
  UNION ALL
  SELECT
    u.user_id,
    u.first_name,
    u.last_name,
    u.gender,
    u.level,
    u.last_seen_ts,
    u.last_item_in_session
  FROM users AS u
  INNER JOIN latest AS l
    ON u.user_id = l.user_id
)
SELECT
  c.user_id,
  c.first_name,
  c.last_name,
  c.gender,
  c.level,
  c.ts,
  c.item_in_session
FROM candidates AS c
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY c.user_id
    ORDER BY c.ts DESC NULLS FIRST, c.item_in_session DESC NULLS FIRST, c.level, c.first_name, c.last_name, c.gender
  ) = 1;

-- star/users.sql:8 2a2453d37681a060
INSERT INTO run_users (
  user_id,
  first_name,
  last_name,
  gender,
  level,
  last_seen_ts,
  last_item_in_session
)
WITH latest AS (
  SELECT
    e.user_id,
    MAX(e.ts) AS ts
  FROM staging_events AS e
  WHERE
    e.user_id <> ''
    AND e.ts BETWEEN $ts_from AND $ts_to
    AND e.user_id IN (
      SELECT
        u.user_id
      FROM run_lost_users AS u
    )
  GROUP BY
    e.user_id
), candidates AS (
  SELECT
    e.user_id,
    NULLIF(RTRIM(e.first_name, ' '), '') AS first_name,
    NULLIF(RTRIM(e.last_name, ' '), '') AS last_name,
    NULLIF(RTRIM(e.gender, ' '), '') AS gender,
    NULLIF(RTRIM(e.level, ' '), '') AS level,
    e.ts,
    e.item_in_session
  FROM staging_events AS e
  INNER JOIN latest AS l
    ON e.user_id = l.user_id AND e.ts = l.ts
  WHERE
    e.ts BETWEEN $ts_from AND $ts_to
  UNION ALL
  SELECT
    u.user_id,
    u.first_name,
    u.last_name,
    u.gender,
    u.level,
    u.last_seen_ts,
    u.last_item_in_session
  FROM users AS u
  INNER JOIN latest AS l
    ON u.user_id = l.user_id
)
SELECT
  c.user_id,
  c.first_name,
  c.last_name,
  c.gender,
  c.level,
  c.ts,
  c.item_in_session
FROM candidates AS c
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY c.user_id
    ORDER BY c.ts DESC NULLS FIRST, c.item_in_session DESC NULLS FIRST, c.level, c.first_name, c.last_name, c.gender
  ) = 1;

-- star/users.sql:8 743e8e1ab755352a
INSERT INTO run_users (
  user_id,
  first_name,
  last_name,
  gender,
  level,
  last_seen_ts,
  last_item_in_session
)
WITH latest AS (
  SELECT
    e.user_id,
    MAX(e.ts) AS ts
  FROM staging_events AS e
  WHERE
    e.user_id <> ''
    AND e.ts BETWEEN $ts_from AND $ts_to
    AND e.ts IN (
      SELECT
        m.ts
      FROM run_moments AS m
      WHERE
        m.ts BETWEEN $ts_from AND $ts_to
    )
  GROUP BY
    e.user_id
), candidates AS (
  SELECT
    e.user_id,
    NULLIF(RTRIM(e.first_name, ' '), '') AS first_name,
    NULLIF(RTRIM(e.last_name, ' '), '') AS last_name,
    NULLIF(RTRIM(e.gender, ' '), '') AS gender,
    NULLIF(RTRIM(e.level, ' '), '') AS level,
    e.ts,
    e.item_in_session
  FROM staging_events AS e
  INNER JOIN latest AS l
    ON e.user_id = l.user_id AND e.ts = l.ts
  WHERE
    e.ts BETWEEN $ts_from AND $ts_to
  UNION ALL
  SELECT
    u.user_id,
    u.first_name,
    u.last_name,
    u.gender,
    u.level,
    u.last_seen_ts,
    u.last_item_in_session
  FROM users AS u
  INNER JOIN latest AS l
    ON u.user_id = l.user_id
)
SELECT
  c.user_id,
  c.first_name,
  c.last_name,
  c.gender,
  c.level,
  c.ts,
  c.item_in_session
FROM candidates AS c
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY c.user_id
    ORDER BY c.ts DESC NULLS FIRST, c.item_in_session DESC NULLS FIRST, c.level, c.first_name, c.last_name, c.gender
  ) = 1;

-- star/users.sql:8 be22b0e453e6655a
INSERT INTO run_users (
  user_id,
  first_name,
  last_name,
  gender,
  level,
  last_seen_ts,
  last_item_in_session
)
WITH latest AS (
  SELECT
    e.user_id,
    MAX(e.ts) AS ts
  FROM staging_events AS e
  WHERE
    e.user_id <> '' AND e.ts BETWEEN $ts_from AND $ts_to
  GROUP BY
    e.user_id
), candidates AS (
  SELECT
    e.user_id,
    NULLIF(RTRIM(e.first_name, ' '), '') AS first_name,
    NULLIF(RTRIM(e.last_name, ' '), '') AS last_name,
    NULLIF(RTRIM(e.gender, ' '), '') AS gender,
    NULLIF(RTRIM(e.level, ' '), '') AS level,
    e.ts,
    e.item_in_session
  FROM staging_events AS e
  INNER JOIN latest AS l
    ON e.user_id = l.user_id AND e.ts = l.ts
  WHERE
    e.ts BETWEEN $ts_from AND $ts_to
  UNION ALL
  SELECT
    u.user_id,
    u.first_name,
    u.last_name,
    u.gender,
    u.level,
    u.last_seen_ts,
    u.last_item_in_session
  FROM users AS u
  INNER JOIN latest AS l
    ON u.user_id = l.user_id
)
SELECT
  c.user_id,
  c.first_name,
  c.last_name,
  c.gender,
  c.level,
  c.ts,
  c.item_in_session
FROM candidates AS c
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY c.user_id
    ORDER BY c.ts DESC NULLS FIRST, c.item_in_session DESC NULLS FIRST, c.level, c.first_name, c.last_name, c.gender
  ) = 1;

-- star/users.sql:44 a772ab7d070e469c
DELETE FROM users
WHERE
  user_id IN (
    SELECT
      user_id
    FROM run_users
  );

-- star/users.sql:46 ce1539bdd2445ffb
INSERT INTO users (
  user_id,
  first_name,
  last_name,
  gender,
  level,
  last_seen_ts,
  last_item_in_session
)
SELECT
  user_id,
  first_name,
  last_name,
  gender,
  level,
  last_seen_ts,
  last_item_in_session
FROM run_users;

-- star/users.sql:49 b7b5917216909a50
INSERT INTO run_changed_users
SELECT
  user_id
FROM run_users;

-- tables/analytics_schema.sql:1 a3b2eecf02a1240e
CREATE SCHEMA IF NOT EXISTS analytics;

-- tables/artists.sql:1 43bdf83902289ce7
CREATE TABLE IF NOT EXISTS artists (
  artist_id TEXT(64) NOT NULL,
  name TEXT(1024),
  location TEXT(1024),
  latitude DOUBLE,
  longitude DOUBLE
);

-- tables/etl/checks.sql:1 850e7c5477dbf144
CREATE TABLE IF NOT EXISTS etl.checks (
  run_id INT NOT NULL,
  check_name TEXT(64) NOT NULL,
  failing_rows BIGINT NOT NULL,
  sample TEXT(4096),
  severity TEXT(8),
  subject TEXT(4096)
);

-- tables/etl/days.sql:1 85b8840f2d4ae036
CREATE TABLE IF NOT EXISTS etl.days (
  day DATE NOT NULL,
  events BIGINT NOT NULL,
  plays BIGINT NOT NULL,
  first_ts BIGINT NOT NULL,
  last_ts BIGINT NOT NULL,
  longest_gap_ms BIGINT,
  plays_without_title BIGINT NOT NULL,
  plays_without_artist BIGINT NOT NULL,
  plays_matched BIGINT NOT NULL,
  absent TEXT(4096) NOT NULL,
  gap_within_ms BIGINT
);

-- tables/etl/erased.sql:1 45552fdb7c9007fb
CREATE TABLE IF NOT EXISTS etl.erased (
  run_id INT NOT NULL,
  person TEXT(64),
  field TEXT(16) NOT NULL,
  digest TEXT(64),
  keeps_plays BOOLEAN,
  hash_key TEXT(64),
  before_ts BIGINT
);

-- tables/etl/fields.sql:1 2f51dfb386adf061
CREATE TABLE IF NOT EXISTS etl.fields (
  kind TEXT(16) NOT NULL,
  field TEXT(1024) NOT NULL,
  path TEXT(4096) NOT NULL,
  column_name TEXT(128) NOT NULL,
  column_type TEXT(16) NOT NULL,
  column_width INT,
  run_id INT NOT NULL
);

-- tables/etl/files.sql:1 11d08da6e241cd8e
CREATE TABLE IF NOT EXISTS etl.files (
  file_id BIGINT NOT NULL,
  run_id INT NOT NULL,
  kind TEXT(16) NOT NULL,
  uri TEXT(4096) NOT NULL,
  size BIGINT NOT NULL,
  version TEXT(256) NOT NULL,
  state TEXT(16) NOT NULL,
  rows_read BIGINT NOT NULL,
  rows_loaded BIGINT NOT NULL,
  rows_rejected BIGINT NOT NULL,
  plays_loaded BIGINT NOT NULL,
  content TEXT(32),
  reason TEXT(16),
  detail TEXT(1024),
  rows_erased BIGINT
);

-- tables/etl/meta.sql:1 bd277a14d03fe29c
CREATE TABLE IF NOT EXISTS etl.meta (
  schema_version INT NOT NULL,
  rules_version INT NOT NULL,
  models_digest TEXT(4096) NOT NULL,
  made_by TEXT(32) NOT NULL,
  upgraded_by TEXT(32),
  upgraded_at TIMESTAMP
);

-- tables/etl/played_titles.sql:1 c58c1698e2969fab
CREATE TABLE IF NOT EXISTS etl.played_titles (
  song TEXT(1024) NOT NULL,
  artist TEXT(1024) NOT NULL,
  played_from BIGINT NOT NULL,
  played_to BIGINT NOT NULL
);

-- tables/etl/rejects.sql:1 cb66b880333d0225
CREATE TABLE IF NOT EXISTS etl.rejects (
  run_id INT NOT NULL,
  file_id BIGINT NOT NULL,
  uri TEXT(4096) NOT NULL,
  line BIGINT NOT NULL,
  byte_offset BIGINT NOT NULL,
  reason TEXT(32) NOT NULL,
  detail TEXT(1024) NOT NULL,
  content TEXT(65535) NOT NULL,
  encoding TEXT(16) NOT NULL,
  size BIGINT,
  resolved_by INT,
  kind TEXT(16)
);

-- tables/etl/runs.sql:1 1bc9d7c6d11cb660
CREATE TABLE IF NOT EXISTS etl.runs (
  run_id INT NOT NULL,
  mode TEXT(16) NOT NULL,
  status TEXT(16) NOT NULL,
  started_at TIMESTAMP NOT NULL,
  finished_at TIMESTAMP NOT NULL,
  files_loaded BIGINT,
  rows_read BIGINT,
  rows_loaded BIGINT,
  rows_rejected BIGINT,
  plays_loaded BIGINT,
  duplicates BIGINT,
  songplays BIGINT,
  plays_matched BIGINT,
  version TEXT(32) NOT NULL,
  error TEXT(4096),
  rows_erased BIGINT
);

-- tables/etl/unknown_fields.sql:1 c24f4d04d18c090c
CREATE TABLE IF NOT EXISTS etl.unknown_fields (
  run_id INT NOT NULL,
  kind TEXT(16) NOT NULL,
  field TEXT(1024) NOT NULL,
  occurrences BIGINT NOT NULL,
  first_uri TEXT(4096) NOT NULL
);

-- tables/models.sql:1 9ccc6872d705e087
CREATE TABLE IF NOT EXISTS etl.models (
  model TEXT(256) NOT NULL,
  materialized TEXT(16) NOT NULL,
  digest TEXT(32) NOT NULL,
  build_order INT NOT NULL,
  run_id INT NOT NULL,
  upto_run INT NOT NULL
);

-- tables/schema.sql:1 3044a732f804e386
CREATE SCHEMA IF NOT EXISTS etl;

-- tables/songplays.sql:1 5ff6d55970f063d6
CREATE TABLE IF NOT EXISTS songplays (
  songplay_id BIGINT NOT NULL,
  start_time TIMESTAMP NOT NULL,
  user_id TEXT(64) NOT NULL,
  level TEXT(16),
  song_id TEXT(64),
  artist_id TEXT(64),
  session_id BIGINT NOT NULL,
  location TEXT(1024),
  user_agent TEXT(1024),
  item_in_session INT NOT NULL,
  song_match TEXT(16),
  song TEXT(1024),
  artist TEXT(1024),
  length DOUBLE
);

-- tables/songs.sql:1 fef11814334c014d
CREATE TABLE IF NOT EXISTS songs (
  song_id TEXT(64) NOT NULL,
  title TEXT(1024),
  artist_id TEXT(64) NOT NULL,
  year INT,
  duration DOUBLE,
  artist_name TEXT(1024)
);

-- tables/time.sql:1 e4d085714088e478
CREATE TABLE IF NOT EXISTS time (
  start_time TIMESTAMP NOT NULL,
  hour INT NOT NULL,
  day INT NOT NULL,
  week INT NOT NULL,
  month INT NOT NULL,
  year INT NOT NULL,
  weekday INT NOT NULL
);

-- tables/users.sql:1 940c9eb877b74e3c
CREATE TABLE IF NOT EXISTS users (
  user_id TEXT(64) NOT NULL,
  first_name TEXT(1024),
  last_name TEXT(1024),
  gender TEXT(16),
  level TEXT(16),
  last_seen_ts BIGINT NOT NULL,
  last_item_in_session INT NOT NULL
);

-- touch/events_accepted.sql:1 0e106d5a2ee7c1b2
INSERT INTO run_moments
SELECT
  ts
FROM run_events;

-- touch/events_removed.sql:1 0d942491ef8fc310
INSERT INTO run_moments
SELECT
  ts
FROM staging_events
WHERE
  file_id IN (
    SELECT
      file_id
    FROM run_files
  );

-- touch/events_removed.sql:5 c09e32115212e531
INSERT INTO run_lost_users
SELECT DISTINCT
  u.user_id,
  u.last_seen_ts
FROM users AS u
INNER JOIN (
  SELECT
    user_id,
    ts
  FROM staging_events
  WHERE
    file_id IN (
      SELECT
        file_id
      FROM run_files
    )
) AS e
  ON u.user_id = e.user_id AND u.last_seen_ts = e.ts;

-- touch/events_removed.sql:12 3e6077c2f08b5a91
INSERT INTO run_changed_users
SELECT
  user_id
FROM run_lost_users;

-- touch/events_removed.sql:14 ae34ca22d392f951
DELETE FROM users
WHERE
  user_id IN (
    SELECT
      user_id
    FROM run_lost_users
  );

-- touch/songs_accepted.sql:1 5125902deb525d4c
INSERT INTO run_changed_songs
SELECT DISTINCT
  song_id
FROM run_songs;

-- touch/songs_accepted.sql:4 957b059c2e74242f
INSERT INTO run_changed_artists
SELECT DISTINCT
  artist_id
FROM run_songs;

-- touch/songs_removed.sql:1 bbc4e43519c273cb
INSERT INTO run_changed_songs
SELECT DISTINCT
  song_id
FROM staging_songs
WHERE
  file_id IN (
    SELECT
      file_id
    FROM run_files
  );

-- touch/songs_removed.sql:5 ba2b8184245dddfa
INSERT INTO run_changed_artists
SELECT DISTINCT
  artist_id
FROM staging_songs
WHERE
  file_id IN (
    SELECT
      file_id
    FROM run_files
  );

-- why/alike_songs.sql:1 a81008dd61f57c54
SELECT
  c.song_id,
  c.title,
  c.artist_id,
  c.artist_name,
  c.duration,
  c.year
FROM (
  SELECT
    s.song_id,
    s.title,
    s.artist_id,
    s.artist_name,
    s.duration,
    s.year,
    COALESCE(
      CASE
        WHEN LENGTH(s.title) = STRLEN(s.title)
        THEN LOWER(s.title)
        ELSE TRANSLATE(LOWER(s.title), $accented, $plain)
      END,
      ''
    ) AS title_letters,
    COALESCE(
      CASE
        WHEN LENGTH(s.artist_name) = STRLEN(s.artist_name)
        THEN LOWER(s.artist_name)
        ELSE TRANSLATE(LOWER(s.artist_name), $accented, $plain)
      END,
      ''
    ) AS artist_letters
  FROM songs AS s
) AS c
ORDER BY
  CASE WHEN c.title_letters = $title THEN 4 ELSE 0 END + CASE WHEN c.artist_letters = $artist THEN 4 ELSE 0 END + CASE WHEN STRPOS(c.title_letters, $title_a) > 0 THEN 1 ELSE 0 END + CASE WHEN STRPOS(c.title_letters, $title_b) > 0 THEN 1 ELSE 0 END + CASE WHEN STRPOS(c.title_letters, $title_c) > 0 THEN 1 ELSE 0 END + CASE WHEN STRPOS(c.title_letters, $title_d) > 0 THEN 1 ELSE 0 END + CASE WHEN STRPOS(c.artist_letters, $artist_a) > 0 THEN 1 ELSE 0 END + CASE WHEN STRPOS(c.artist_letters, $artist_b) > 0 THEN 1 ELSE 0 END + CASE WHEN STRPOS(c.artist_letters, $artist_c) > 0 THEN 1 ELSE 0 END + CASE WHEN STRPOS(c.artist_letters, $artist_d) > 0 THEN 1 ELSE 0 END DESC NULLS FIRST,
  ABS(LENGTH(c.title_letters) - $title_length) + ABS(LENGTH(c.artist_letters) - $artist_length),
  c.song_id
LIMIT $most;

-- why/deliveries.sql:1 2e0f0dc5e26a26a7
SELECT
  e.file_id,
  NULLIF(RTRIM(e.level, ' '), '') AS level,
  NULLIF(RTRIM(e.song, ' '), '') AS song,
  NULLIF(RTRIM(e.artist, ' '), '') AS artist,
  e.length,
  NULLIF(RTRIM(e.location, ' '), '') AS location,
  NULLIF(RTRIM(e.user_agent, ' '), '') AS user_agent
FROM staging_events AS e
WHERE
  e.page = 'NextSong'
  AND e.ts = $ts
  AND e.session_id = $session_id
  AND e.item_in_session = $item_in_session
  AND e.user_id = $user_id;

-- why/file.sql:1 c6871fb50cd06d9f
SELECT
  f.uri,
  f.size,
  f.version,
  f.run_id,
  r.finished_at,
  f.content
FROM etl.files AS f
LEFT JOIN etl.runs AS r
  ON f.run_id = r.run_id
WHERE
  f.file_id = $file_id AND f.state = 'loaded';

-- why/file_before_contents.sql:1 9c18626b2ee19ca8
SELECT
  f.uri,
  f.size,
  f.version,
  f.run_id,
  r.finished_at,
  CAST(NULL AS TEXT(32)) AS content
FROM etl.files AS f
LEFT JOIN etl.runs AS r
  ON f.run_id = r.run_id
WHERE
  f.file_id = $file_id AND f.state = 'loaded';

-- why/matching_song.sql:1 3fbcd432e482933e
SELECT
  s.song_id,
  s.title,
  s.artist_id,
  s.artist_name,
  s.duration,
  s.year
FROM songs AS s
WHERE
  s.title = $title AND s.artist_name = $artist
ORDER BY
  ABS(s.duration - CAST($length AS DOUBLE)),
  s.song_id
LIMIT 1;

-- why/play.sql:1 7c0a56d35eaf9cc1
SELECT
  p.songplay_id,
  p.start_time,
  p.user_id,
  p.level,
  p.session_id,
  p.item_in_session,
  p.song,
  p.artist,
  p.length,
  p.location,
  p.user_agent,
  p.song_match,
  s.song_id,
  s.title,
  s.artist_id,
  s.artist_name,
  s.duration,
  s.year
FROM songplays AS p
LEFT JOIN songs AS s
  ON p.song_id = s.song_id
WHERE
  p.songplay_id = $songplay_id;

-- why/unusual_songs.sql:1 16b671a44d6d340e
SELECT
  s.song_id,
  s.title,
  s.artist_id,
  s.artist_name,
  s.duration,
  s.year
FROM songs AS s
WHERE
  s.song_id > $after
  AND (
    LENGTH(s.title) <> STRLEN(s.title)
    OR LENGTH(s.artist_name) <> STRLEN(s.artist_name)
  )
ORDER BY
  s.song_id
LIMIT $most;

-- derived/songs.sql:1 80090d3db8c723b9
CREATE TABLE IF NOT EXISTS staging_songs (
  num_songs INT,
  artist_id TEXT(64),
  artist_latitude DOUBLE,
  artist_longitude DOUBLE,
  artist_location TEXT(1024),
  artist_name TEXT(1024),
  song_id TEXT(64),
  title TEXT(1024),
  duration DOUBLE,
  year INT,
  file_id BIGINT NOT NULL,
  extra TEXT(65535)
);

-- derived/songs.sql:19 6dd0fcb77783d7d7
CREATE TEMPORARY TABLE IF NOT EXISTS run_songs (
  num_songs INT,
  artist_id TEXT(64),
  artist_latitude DOUBLE,
  artist_longitude DOUBLE,
  artist_location TEXT(1024),
  artist_name TEXT(1024),
  song_id TEXT(64),
  title TEXT(1024),
  duration DOUBLE,
  year INT,
  file_id BIGINT NOT NULL,
  extra TEXT(65535),
  needs_rereading BOOLEAN
);

-- derived/songs.sql:36 0672c11c30dbc2d8
INSERT INTO staging_songs (
  num_songs,
  artist_id,
  artist_latitude,
  artist_longitude,
  artist_location,
  artist_name,
  song_id,
  title,
  duration,
  year,
  file_id,
  extra
)
SELECT
  num_songs,
  artist_id,
  artist_latitude,
  artist_longitude,
  artist_location,
  artist_name,
  song_id,
  title,
  duration,
  year,
  file_id,
  extra
FROM run_songs;

-- derived/songs.sql:46 e3d9d0e7f1c4cc86
UPDATE run_songs SET file_id = run_moves.new_file_id
FROM run_moves
WHERE
  run_songs.file_id = run_moves.file_id;

-- derived/songs.sql:50 d61589d03fd6b446
SELECT DISTINCT
  d.file_id,
  d.new_file_id
FROM (
  SELECT
    m.file_id,
    m.new_file_id,
    r.num_songs,
    r.artist_id,
    r.artist_latitude,
    r.artist_longitude,
    r.artist_location,
    r.artist_name,
    r.song_id,
    r.title,
    r.duration,
    r.year,
    1 AS weight
  FROM run_songs AS r
  INNER JOIN run_moves AS m
    ON r.file_id = m.file_id
  UNION ALL
  SELECT
    m.file_id,
    m.new_file_id,
    r.num_songs,
    r.artist_id,
    r.artist_latitude,
    r.artist_longitude,
    r.artist_location,
    r.artist_name,
    r.song_id,
    r.title,
    r.duration,
    r.year,
    -1 AS weight
  FROM staging_songs AS r
  INNER JOIN run_moves AS m
    ON r.file_id = m.new_file_id
) AS d
GROUP BY
  d.file_id,
  d.new_file_id,
  d.num_songs,
  d.artist_id,
  d.artist_latitude,
  d.artist_longitude,
  d.artist_location,
  d.artist_name,
  d.song_id,
  d.title,
  d.duration,
  d.year
HAVING
  SUM(d.weight) <> 0;

-- derived/songs.sql:77 63a530dc813826f4
SELECT
  file_id,
  COUNT(*) AS landed,
  0 AS plays,
  CAST(NULL AS BIGINT) AS ts_from,
  CAST(NULL AS BIGINT) AS ts_to,
  COUNT(CASE WHEN needs_rereading THEN 1 END) AS needs_rereading,
  10 * COUNT(*) - COUNT(num_songs) - COUNT(artist_id) - COUNT(artist_latitude) - COUNT(artist_longitude) - COUNT(artist_location) - COUNT(artist_name) - COUNT(song_id) - COUNT(title) - COUNT(duration) - COUNT(year) AS null_values,
  COUNT(extra) AS extras
FROM run_songs
GROUP BY
  file_id;

-- derived/events.sql:1 1de9ff5501c05a77
CREATE TABLE IF NOT EXISTS staging_events (
  artist TEXT(1024),
  auth TEXT(64),
  first_name TEXT(1024),
  gender TEXT(16),
  item_in_session INT,
  last_name TEXT(1024),
  length DOUBLE,
  level TEXT(16),
  location TEXT(1024),
  method TEXT(16),
  page TEXT(64),
  registration DOUBLE,
  session_id BIGINT,
  song TEXT(1024),
  status INT,
  ts BIGINT,
  user_agent TEXT(1024),
  user_id TEXT(64),
  file_id BIGINT NOT NULL,
  extra TEXT(65535)
);

-- derived/events.sql:27 f880ef3ce54e4944
CREATE TEMPORARY TABLE IF NOT EXISTS run_events (
  artist TEXT(1024),
  auth TEXT(64),
  first_name TEXT(1024),
  gender TEXT(16),
  item_in_session INT,
  last_name TEXT(1024),
  length DOUBLE,
  level TEXT(16),
  location TEXT(1024),
  method TEXT(16),
  page TEXT(64),
  registration DOUBLE,
  session_id BIGINT,
  song TEXT(1024),
  status INT,
  ts BIGINT,
  user_agent TEXT(1024),
  user_id TEXT(64),
  file_id BIGINT NOT NULL,
  extra TEXT(65535),
  needs_rereading BOOLEAN
);

-- derived/events.sql:52 29fa555455518557
INSERT INTO staging_events (
  artist,
  auth,
  first_name,
  gender,
  item_in_session,
  last_name,
  length,
  level,
  location,
  method,
  page,
  registration,
  session_id,
  song,
  status,
  ts,
  user_agent,
  user_id,
  file_id,
  extra
)
SELECT
  artist,
  auth,
  first_name,
  gender,
  item_in_session,
  last_name,
  length,
  level,
  location,
  method,
  page,
  registration,
  session_id,
  song,
  status,
  ts,
  user_agent,
  user_id,
  file_id,
  extra
FROM run_events;

-- derived/events.sql:62 c532e39bd0606a84
UPDATE run_events SET file_id = run_moves.new_file_id
FROM run_moves
WHERE
  run_events.file_id = run_moves.file_id;

-- derived/events.sql:66 0ed40556fa6c6e0d
SELECT DISTINCT
  d.file_id,
  d.new_file_id
FROM (
  SELECT
    m.file_id,
    m.new_file_id,
    r.artist,
    r.auth,
    r.first_name,
    r.gender,
    r.item_in_session,
    r.last_name,
    r.length,
    r.level,
    r.location,
    r.method,
    r.page,
    r.registration,
    r.session_id,
    r.song,
    r.status,
    r.ts,
    r.user_agent,
    r.user_id,
    1 AS weight
  FROM run_events AS r
  INNER JOIN run_moves AS m
    ON r.file_id = m.file_id
  UNION ALL
  SELECT
    m.file_id,
    m.new_file_id,
    r.artist,
    r.auth,
    r.first_name,
    r.gender,
    r.item_in_session,
    r.last_name,
    r.length,
    r.level,
    r.location,
    r.method,
    r.page,
    r.registration,
    r.session_id,
    r.song,
    r.status,
    r.ts,
    r.user_agent,
    r.user_id,
    -1 AS weight
  FROM staging_events AS r
  INNER JOIN run_moves AS m
    ON r.file_id = m.new_file_id
) AS d
GROUP BY
  d.file_id,
  d.new_file_id,
  d.artist,
  d.auth,
  d.first_name,
  d.gender,
  d.item_in_session,
  d.last_name,
  d.length,
  d.level,
  d.location,
  d.method,
  d.page,
  d.registration,
  d.session_id,
  d.song,
  d.status,
  d.ts,
  d.user_agent,
  d.user_id
HAVING
  SUM(d.weight) <> 0;

-- derived/events.sql:96 df0faf4dfd64949d
SELECT
  file_id,
  COUNT(*) AS landed,
  COUNT(CASE WHEN page = 'NextSong' THEN 1 END) AS plays,
  MIN(ts) AS ts_from,
  MAX(ts) AS ts_to,
  COUNT(CASE WHEN needs_rereading THEN 1 END) AS needs_rereading,
  18 * COUNT(*) - COUNT(artist) - COUNT(auth) - COUNT(first_name) - COUNT(gender) - COUNT(item_in_session) - COUNT(last_name) - COUNT(length) - COUNT(level) - COUNT(location) - COUNT(method) - COUNT(page) - COUNT(registration) - COUNT(session_id) - COUNT(song) - COUNT(status) - COUNT(ts) - COUNT(user_agent) - COUNT(user_id) AS null_values,
  COUNT(extra) AS extras
FROM run_events
GROUP BY
  file_id;

-- derived/all_kinds.sql:1 a4384f8e01b1ea5f
DELETE FROM run_songs;

-- derived/all_kinds.sql:4 87a6c8c2884a5879
DELETE FROM run_events;

-- derived/all_kinds.sql:7 aa19a7f60822b71b
DELETE FROM run_songs
WHERE
  file_id IN (
    SELECT
      file_id
    FROM run_files
  );

-- derived/all_kinds.sql:10 dec23012967d9ffa
DELETE FROM run_events
WHERE
  file_id IN (
    SELECT
      file_id
    FROM run_files
  );

-- derived/all_kinds.sql:13 97ff155f6724741a
DELETE FROM staging_songs USING   run_files
WHERE
  staging_songs.file_id = run_files.file_id;

-- derived/all_kinds.sql:16 78de53603ffa82a0
DELETE FROM staging_events USING   run_files
WHERE
  staging_events.file_id = run_files.file_id;

-- derived/all_kinds.sql:19 7f1efc97347fdc28
UPDATE etl.days SET absent = a.names
FROM (
  SELECT
    e.ts - e.ts % 86400000 AS midnight,
    RTRIM(
      CASE WHEN COUNT(e.artist) = 0 THEN 'artist ' ELSE '' END || CASE WHEN COUNT(e.auth) = 0 THEN 'auth ' ELSE '' END || CASE WHEN COUNT(e.first_name) = 0 THEN 'first_name ' ELSE '' END || CASE WHEN COUNT(e.gender) = 0 THEN 'gender ' ELSE '' END || CASE WHEN COUNT(e.last_name) = 0 THEN 'last_name ' ELSE '' END || CASE WHEN COUNT(e.length) = 0 THEN 'length ' ELSE '' END || CASE WHEN COUNT(e.level) = 0 THEN 'level ' ELSE '' END || CASE WHEN COUNT(e.location) = 0 THEN 'location ' ELSE '' END || CASE WHEN COUNT(e.method) = 0 THEN 'method ' ELSE '' END || CASE WHEN COUNT(e.registration) = 0 THEN 'registration ' ELSE '' END || CASE WHEN COUNT(e.song) = 0 THEN 'song ' ELSE '' END || CASE WHEN COUNT(e.status) = 0 THEN 'status ' ELSE '' END || CASE WHEN COUNT(e.user_agent) = 0 THEN 'user_agent ' ELSE '' END || CASE WHEN COUNT(e.user_id) = 0 THEN 'user_id ' ELSE '' END
    ) AS names
  FROM staging_events AS e
  WHERE
    e.ts BETWEEN $days_from AND $days_to
  GROUP BY
    e.ts - e.ts % 86400000
) AS a
WHERE
  first_ts BETWEEN a.midnight AND a.midnight + 86399999 AND absent <> a.names;

-- derived/all_kinds.sql:46 0f51d9b1e7337d5d
SELECT
  a.midnight
FROM etl.days AS d
INNER JOIN (
  SELECT
    e.ts - e.ts % 86400000 AS midnight,
    RTRIM(
      CASE WHEN COUNT(e.artist) = 0 THEN 'artist ' ELSE '' END || CASE WHEN COUNT(e.auth) = 0 THEN 'auth ' ELSE '' END || CASE WHEN COUNT(e.first_name) = 0 THEN 'first_name ' ELSE '' END || CASE WHEN COUNT(e.gender) = 0 THEN 'gender ' ELSE '' END || CASE WHEN COUNT(e.last_name) = 0 THEN 'last_name ' ELSE '' END || CASE WHEN COUNT(e.length) = 0 THEN 'length ' ELSE '' END || CASE WHEN COUNT(e.level) = 0 THEN 'level ' ELSE '' END || CASE WHEN COUNT(e.location) = 0 THEN 'location ' ELSE '' END || CASE WHEN COUNT(e.method) = 0 THEN 'method ' ELSE '' END || CASE WHEN COUNT(e.registration) = 0 THEN 'registration ' ELSE '' END || CASE WHEN COUNT(e.song) = 0 THEN 'song ' ELSE '' END || CASE WHEN COUNT(e.status) = 0 THEN 'status ' ELSE '' END || CASE WHEN COUNT(e.user_agent) = 0 THEN 'user_agent ' ELSE '' END || CASE WHEN COUNT(e.user_id) = 0 THEN 'user_id ' ELSE '' END
    ) AS names
  FROM staging_events AS e
  WHERE
    e.ts BETWEEN $days_from AND $days_to AND (
      e.ts & 33554431
    ) < 300000
  GROUP BY
    e.ts - e.ts % 86400000
) AS a
  ON d.first_ts BETWEEN a.midnight AND a.midnight + 86399999
WHERE
  d.absent = a.names
ORDER BY
  a.midnight;

-- derived/all_kinds.sql:78 bd45a31e11d94c11
SELECT
  f.uri,
  f.rows_read,
  f.rows_loaded,
  f.rows_rejected,
  COALESCE(s.staged, 0) AS staged,
  f.rows_erased
FROM etl.files AS f
LEFT JOIN (
  SELECT
    file_id,
    COUNT(*) AS staged
  FROM staging_songs
  WHERE
    file_id IN (
      SELECT
        file_id
      FROM etl.files
      WHERE
        state = 'loaded' AND run_id >= $run_from
    )
  GROUP BY
    file_id
  UNION ALL
  SELECT
    file_id,
    COUNT(*) AS staged
  FROM staging_events
  WHERE
    file_id IN (
      SELECT
        file_id
      FROM etl.files
      WHERE
        state = 'loaded' AND run_id >= $run_from
    )
  GROUP BY
    file_id
) AS s
  ON f.file_id = s.file_id
WHERE
  f.state = 'loaded'
  AND f.run_id >= $run_from
  AND (
    f.rows_read <> f.rows_loaded + f.rows_rejected + COALESCE(f.rows_erased, 0)
    OR f.rows_loaded <> COALESCE(s.staged, 0)
  );

-- derived/all_kinds.sql:78 a1cc6d191b07f8cd
SELECT
  f.uri,
  f.rows_read,
  f.rows_loaded,
  f.rows_rejected,
  COALESCE(s.staged, 0) AS staged,
  f.rows_erased
FROM etl.files AS f
LEFT JOIN (
  SELECT
    file_id,
    COUNT(*) AS staged
  FROM staging_songs
  GROUP BY
    file_id
  UNION ALL
  SELECT
    file_id,
    COUNT(*) AS staged
  FROM staging_events
  GROUP BY
    file_id
) AS s
  ON f.file_id = s.file_id
WHERE
  f.state = 'loaded'
  AND f.run_id >= $run_from
  AND (
    f.rows_read <> f.rows_loaded + f.rows_rejected + COALESCE(f.rows_erased, 0)
    OR f.rows_loaded <> COALESCE(s.staged, 0)
  );

-- derived/all_kinds.sql:103 7e8b40ef175a70b9
SELECT
  'staging_songs' AS in_table,
  s.file_id,
  COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f
  ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
  f.file_id IS NULL
GROUP BY
  s.file_id
UNION ALL
SELECT
  'staging_events' AS in_table,
  s.file_id,
  COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f
  ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
  s.ts IN (
    SELECT
      m.ts
    FROM run_moments AS m
  )
  AND s.ts BETWEEN $ts_from AND $ts_to
  AND f.file_id IS NULL
GROUP BY
  s.file_id;

-- derived/all_kinds.sql:103 14d285f853905c4b
SELECT
  'staging_songs' AS in_table,
  s.file_id,
  COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f
  ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
  f.file_id IS NULL
GROUP BY
  s.file_id
UNION ALL
SELECT
  'staging_events' AS in_table,
  s.file_id,
  COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f
  ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
  s.ts BETWEEN $ts_from AND $ts_to AND f.file_id IS NULL
GROUP BY
  s.file_id;

-- derived/all_kinds.sql:120 afd5b69335329494
WITH fields AS (
  SELECT
    'artist' AS name
  UNION ALL
  SELECT
    'auth' AS name
  UNION ALL
  SELECT
    'first_name' AS name
  UNION ALL
  SELECT
    'gender' AS name
  UNION ALL
  SELECT
    'last_name' AS name
  UNION ALL
  SELECT
    'length' AS name
  UNION ALL
  SELECT
    'level' AS name
  UNION ALL
  SELECT
    'location' AS name
  UNION ALL
  SELECT
    'method' AS name
  UNION ALL
  SELECT
    'registration' AS name
  UNION ALL
  SELECT
    'song' AS name
  UNION ALL
  SELECT
    'status' AS name
  UNION ALL
  SELECT
    'user_agent' AS name
  UNION ALL
  SELECT
    'user_id' AS name
), days AS (
  SELECT
    d.day,
    d.first_ts,
    d.events,
    f.name,
    CASE WHEN ' ' || d.absent || ' ' LIKE '% ' || f.name || ' %' THEN 1 ELSE 0 END AS is_absent
  FROM etl.days AS d
  CROSS JOIN fields AS f
), judged AS (
  SELECT
    d.day,
    d.first_ts,
    d.events,
    d.name,
    d.is_absent,
    COUNT(*) OVER (PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING) AS days_before,
    SUM(d.is_absent) OVER (PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING) AS absent_before
  FROM days AS d
)
SELECT
  CAST(j.day AS TEXT(10)) || ' ' || j.name AS subject,
  'none of ' || CAST(j.events AS TEXT(20)) || ' events has a value for ' || j.name || ', which each of the 7 days before had' AS found
FROM judged AS j
WHERE
  j.first_ts BETWEEN $days_from AND $days_to
  AND j.events >= 50
  AND j.is_absent = 1
  AND j.days_before = 7
  AND j.absent_before = 0
ORDER BY
  subject;

-- derived/tables.sql:1 92ab7f308d479874
SELECT
  'staging_events' AS table_name,
  COUNT(*) AS table_rows
FROM staging_events
UNION ALL
SELECT
  'staging_songs' AS table_name,
  COUNT(*) AS table_rows
FROM staging_songs
UNION ALL
SELECT
  'songplays' AS table_name,
  COUNT(*) AS table_rows
FROM songplays
UNION ALL
SELECT
  'users' AS table_name,
  COUNT(*) AS table_rows
FROM users
UNION ALL
SELECT
  'songs' AS table_name,
  COUNT(*) AS table_rows
FROM songs
UNION ALL
SELECT
  'artists' AS table_name,
  COUNT(*) AS table_rows
FROM artists
UNION ALL
SELECT
  'time' AS table_name,
  COUNT(*) AS table_rows
FROM time;

-- derived/tables.sql:16 a5875a545713e7ac
DROP TABLE IF EXISTS staging_events;

-- derived/tables.sql:18 b6e1441e665206f9
DROP TABLE IF EXISTS staging_songs;

-- derived/tables.sql:20 d689d882b99381ec
DROP TABLE IF EXISTS songplays;

-- derived/tables.sql:22 6b78a3a945fd6230
DROP TABLE IF EXISTS users;

-- derived/tables.sql:24 ec8d2b504b5f81c1
DROP TABLE IF EXISTS songs;

-- derived/tables.sql:26 a9eb0ca1aded3d7a
DROP TABLE IF EXISTS artists;

-- derived/tables.sql:28 9e762d58a02ddf41
DROP TABLE IF EXISTS time;

-- derived/tables.sql:30 c0887c24f3db75b8
DROP TABLE IF EXISTS etl.checks;

-- derived/tables.sql:32 759aa20a784925aa
DROP TABLE IF EXISTS etl.days;

-- derived/tables.sql:34 57fd727b9648c686
DROP TABLE IF EXISTS etl.erased;

-- derived/tables.sql:36 7e6cba0c35790acd
DROP TABLE IF EXISTS etl.fields;

-- derived/tables.sql:38 ff4691b895b3093e
DROP TABLE IF EXISTS etl.files;

-- derived/tables.sql:40 05f6463a11215eac
DROP TABLE IF EXISTS etl.meta;

-- derived/tables.sql:42 dc4dbce4f8a47a12
DROP TABLE IF EXISTS etl.played_titles;

-- derived/tables.sql:44 f2d5d9c5d5173b21
DROP TABLE IF EXISTS etl.rejects;

-- derived/tables.sql:46 45f1ffdab5107ae0
DROP TABLE IF EXISTS etl.runs;

-- derived/tables.sql:48 b05a870fecd0bc61
DROP TABLE IF EXISTS etl.unknown_fields;

-- derived/analytics.listening_hours_local.sql:1 664318abda27bd9e
DROP VIEW IF EXISTS analytics.listening_hours_local;

-- derived/analytics.local_plays.sql:1 a810e89e0c16c9d0
DROP VIEW IF EXISTS analytics.local_plays;

-- derived/analytics.user_levels.sql:1 24d74ed874f0876d
DROP VIEW IF EXISTS analytics.user_levels;

-- derived/analytics.sessions.sql:1 07250b2eb1e76114
DROP VIEW IF EXISTS analytics.sessions;

-- derived/analytics.listening_time.sql:1 51bd47cf1061a8db
DROP VIEW IF EXISTS analytics.listening_time;

-- derived/analytics.weekly_activity.sql:1 8a0bb08de25e9a3b
DROP VIEW IF EXISTS analytics.weekly_activity;

-- derived/analytics.retention.sql:1 92623f4aecad8a87
DROP VIEW IF EXISTS analytics.retention;

-- derived/analytics.monthly_activity.sql:1 8f027c4243e5f046
DROP VIEW IF EXISTS analytics.monthly_activity;

-- derived/analytics.daily_activity.sql:1 d158e6c7e6fc61a2
DROP VIEW IF EXISTS analytics.daily_activity;

-- derived/analytics.daily_levels.sql:1 2e969bb1879253f1
DROP VIEW IF EXISTS analytics.daily_levels;

-- derived/analytics.top_unmatched.sql:1 e70ba10b06192e7b
DROP VIEW IF EXISTS analytics.top_unmatched;

-- derived/analytics.top_songs_by_week.sql:1 1c1f939dc6f3b045
DROP VIEW IF EXISTS analytics.top_songs_by_week;

-- derived/analytics.top_songs_by_day.sql:1 cc802a65c84af0d1
DROP VIEW IF EXISTS analytics.top_songs_by_day;

-- derived/analytics.top_songs.sql:1 291803067c6ec412
DROP VIEW IF EXISTS analytics.top_songs;

-- derived/analytics.top_artists_by_week.sql:1 4e5eaf0abf62b2a2
DROP VIEW IF EXISTS analytics.top_artists_by_week;

-- derived/analytics.top_artists_by_day.sql:1 9b03f9052ddb1509
DROP VIEW IF EXISTS analytics.top_artists_by_day;

-- derived/analytics.top_artists.sql:1 6fc6183d9e38abdc
DROP VIEW IF EXISTS analytics.top_artists;

-- derived/analytics.match_coverage.sql:1 c27371c448e13ae3
DROP VIEW IF EXISTS analytics.match_coverage;

-- derived/analytics.places.sql:1 2edb2f27f1e439ca
DROP VIEW IF EXISTS analytics.places;

-- derived/analytics.listening_hours.sql:1 41544d10ba006b58
DROP VIEW IF EXISTS analytics.listening_hours;

-- derived/analytics.level_changes.sql:1 22899028d3976183
DROP VIEW IF EXISTS analytics.level_changes;

-- derived/analytics.funnel.sql:1 c78e63df770a6d10
DROP VIEW IF EXISTS analytics.funnel;

-- derived/analytics.events.sql:1 2e4932a1d751805a
DROP VIEW IF EXISTS analytics.events;

-- derived/analytics.user_days.sql:1 d746634a960c1cfd
DROP VIEW IF EXISTS analytics.user_days;

-- derived/analytics.listener_days.sql:1 853d54ed9d092fb8
DROP VIEW IF EXISTS analytics.listener_days;

-- derived/analytics.clocks.sql:1 a50aefe3ead0e674
DROP VIEW IF EXISTS analytics.clocks;

-- report/headline.sql:1 0c8ab298ce5d9100
WITH listeners AS (
  SELECT
    p.user_id,
    p.level,
    p.location,
    p.user_agent,
    COUNT(*) AS plays
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.user_id,
    p.level,
    p.location,
    p.user_agent
), songs_played AS (
  SELECT
    p.level,
    p.song,
    p.artist,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.level,
    p.song,
    p.artist
), visits AS (
  SELECT
    p.user_id,
    p.session_id,
    p.level,
    COUNT(*) AS plays
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.user_id,
    p.session_id,
    p.level
)
SELECT
  t.plays,
  (
    SELECT
      COUNT(DISTINCT l.user_id)
    FROM listeners AS l
  ) AS listeners,
  (
    SELECT
      COUNT(*)
    FROM (
      SELECT
        v.user_id,
        v.session_id
      FROM visits AS v
      GROUP BY
        v.user_id,
        v.session_id
    ) AS s
  ) AS sessions,
  (
    SELECT
      COUNT(*)
    FROM (
      SELECT
        p.song,
        p.artist
      FROM songs_played AS p
      GROUP BY
        p.song,
        p.artist
    ) AS s
  ) AS songs,
  t.matched,
  (
    SELECT
      COUNT(DISTINCT u.user_id)
    FROM analytics.user_days AS u
    WHERE
      u.day >= CAST($since AS DATE) AND u.day < CAST($until AS DATE)
  ) AS people,
  t.first_play,
  t.last_play
FROM (
  SELECT
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched,
    MIN(p.start_time) AS first_play,
    MAX(p.start_time) AS last_play
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
) AS t;

-- report/levels.sql:1 adbe02389f7bd0b9
WITH visits AS (
  SELECT
    p.user_id,
    p.session_id,
    p.level,
    COUNT(*) AS plays
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.user_id,
    p.session_id,
    p.level
)
SELECT
  v.level,
  CAST(SUM(v.plays) AS BIGINT) AS plays,
  COUNT(DISTINCT v.user_id) AS listeners,
  COUNT(*) AS sessions,
  CAST(SUM(v.plays) AS DOUBLE) / COUNT(DISTINCT v.user_id) AS plays_per_listener
FROM visits AS v
GROUP BY
  v.level
ORDER BY
  2 DESC NULLS FIRST,
  1;

-- report/hours.sql:1 b828e05913e404ef
WITH hours_played AS (
  SELECT
    DATE_TRUNC('HOUR', p.start_time) AS utc_hour,
    p.level,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    DATE_TRUNC('HOUR', p.start_time),
    p.level
)
SELECT
  CAST(EXTRACT(DAYOFWEEK FROM h.utc_hour) AS INT) AS weekday,
  CAST(EXTRACT(HOUR FROM h.utc_hour) AS INT) AS hour,
  h.level,
  CAST(SUM(h.plays) AS BIGINT) AS plays
FROM hours_played AS h
GROUP BY
  EXTRACT(DAYOFWEEK FROM h.utc_hour),
  EXTRACT(HOUR FROM h.utc_hour),
  h.level
ORDER BY
  1,
  2,
  3;

-- report/hours_by_day.sql:1 419c5bfd1eff8eea
WITH hours_played AS (
  SELECT
    DATE_TRUNC('HOUR', p.start_time) AS utc_hour,
    p.level,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    DATE_TRUNC('HOUR', p.start_time),
    p.level
)
SELECT
  CAST(h.utc_hour AS DATE) AS day,
  h.level,
  CAST(EXTRACT(HOUR FROM h.utc_hour) AS INT) AS hour,
  CAST(SUM(h.plays) AS BIGINT) AS plays
FROM hours_played AS h
WHERE
  h.utc_hour >= $days_since
GROUP BY
  h.utc_hour,
  h.level
ORDER BY
  1,
  2,
  3;

-- report/top_songs.sql:1 960475c72640d111
WITH songs_played AS (
  SELECT
    p.level,
    p.song,
    p.artist,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.level,
    p.song,
    p.artist
), counted AS (
  SELECT
    COALESCE(p.level, 'unknown') AS of_level,
    p.song,
    p.artist,
    CAST(SUM(p.plays) AS BIGINT) AS plays
  FROM songs_played AS p
  GROUP BY
    COALESCE(p.level, 'unknown'),
    p.song,
    p.artist
), ranked AS (
  SELECT
    a.of_level,
    a.song,
    a.artist,
    a.plays,
    ROW_NUMBER() OVER (PARTITION BY a.of_level ORDER BY a.plays DESC NULLS FIRST, a.song, a.artist) AS place
  FROM (
    SELECT
      '' AS of_level,
      c.song,
      c.artist,
      CAST(SUM(c.plays) AS BIGINT) AS plays
    FROM counted AS c
    GROUP BY
      c.song,
      c.artist
    UNION ALL
    SELECT
      c.of_level,
      c.song,
      c.artist,
      c.plays
    FROM counted AS c
  ) AS a
)
SELECT
  NULLIF(r.of_level, '') AS of_level,
  r.place,
  r.song,
  r.artist,
  r.plays
FROM ranked AS r
WHERE
  r.place <= 20 OR (
    r.place <= 100 AND r.of_level = ''
  )
ORDER BY
  r.of_level,
  r.place;

-- report/song_trends.sql:1 3003fc47ddca4b3f
WITH songs_played AS (
  SELECT
    p.level,
    p.song,
    p.artist,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.level,
    p.song,
    p.artist
), most AS (
  SELECT
    t.song,
    t.artist,
    ROW_NUMBER() OVER (ORDER BY t.plays DESC NULLS FIRST, t.song, t.artist) AS place
  FROM (
    SELECT
      p.song,
      p.artist,
      SUM(p.plays) AS plays
    FROM songs_played AS p
    GROUP BY
      p.song,
      p.artist
  ) AS t
)
SELECT
  m.place,
  m.song,
  m.artist,
  CAST(DATE_TRUNC('WEEK', p.start_time) AS DATE) AS week,
  COUNT(*) AS plays
FROM most AS m
INNER JOIN songplays AS p
  ON COALESCE(m.song, '') = COALESCE(p.song, '')
  AND COALESCE(m.artist, '') = COALESCE(p.artist, '')
WHERE
  m.place <= 10 AND p.start_time >= $days_since AND p.start_time < $until
GROUP BY
  m.place,
  m.song,
  m.artist,
  DATE_TRUNC('WEEK', p.start_time)
ORDER BY
  m.place,
  4;

-- report/top_artists.sql:1 c983583f27b44a39
WITH songs_played AS (
  SELECT
    p.level,
    p.song,
    p.artist,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.level,
    p.song,
    p.artist
), counted AS (
  SELECT
    COALESCE(p.level, 'unknown') AS of_level,
    p.artist,
    CAST(SUM(p.plays) AS BIGINT) AS plays
  FROM songs_played AS p
  GROUP BY
    COALESCE(p.level, 'unknown'),
    p.artist
), ranked AS (
  SELECT
    a.of_level,
    a.artist,
    a.plays,
    ROW_NUMBER() OVER (PARTITION BY a.of_level ORDER BY a.plays DESC NULLS FIRST, a.artist) AS place
  FROM (
    SELECT
      '' AS of_level,
      c.artist,
      CAST(SUM(c.plays) AS BIGINT) AS plays
    FROM counted AS c
    GROUP BY
      c.artist
    UNION ALL
    SELECT
      c.of_level,
      c.artist,
      c.plays
    FROM counted AS c
  ) AS a
)
SELECT
  NULLIF(r.of_level, '') AS of_level,
  r.place,
  r.artist,
  r.plays
FROM ranked AS r
WHERE
  r.place <= 20 OR (
    r.place <= 100 AND r.of_level = ''
  )
ORDER BY
  r.of_level,
  r.place;

-- report/artist_trends.sql:1 6ac978c0dfcf9f42
WITH songs_played AS (
  SELECT
    p.level,
    p.song,
    p.artist,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.level,
    p.song,
    p.artist
), most AS (
  SELECT
    t.artist,
    ROW_NUMBER() OVER (ORDER BY t.plays DESC NULLS FIRST, t.artist) AS place
  FROM (
    SELECT
      p.artist,
      SUM(p.plays) AS plays
    FROM songs_played AS p
    GROUP BY
      p.artist
  ) AS t
)
SELECT
  m.place,
  m.artist,
  CAST(DATE_TRUNC('WEEK', p.start_time) AS DATE) AS week,
  COUNT(*) AS plays
FROM most AS m
INNER JOIN songplays AS p
  ON COALESCE(m.artist, '') = COALESCE(p.artist, '')
WHERE
  m.place <= 10 AND p.start_time >= $days_since AND p.start_time < $until
GROUP BY
  m.place,
  m.artist,
  DATE_TRUNC('WEEK', p.start_time)
ORDER BY
  m.place,
  3;

-- report/genders.sql:1 7518b7d51581ece8
WITH listeners AS (
  SELECT
    p.user_id,
    p.level,
    p.location,
    p.user_agent,
    COUNT(*) AS plays
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.user_id,
    p.level,
    p.location,
    p.user_agent
)
SELECT
  u.gender,
  g.level,
  CAST(SUM(g.plays) AS BIGINT) AS plays,
  COUNT(*) AS listeners
FROM (
  SELECT
    l.user_id,
    l.level,
    SUM(l.plays) AS plays
  FROM listeners AS l
  GROUP BY
    l.user_id,
    l.level
) AS g
INNER JOIN users AS u
  ON g.user_id = u.user_id
GROUP BY
  u.gender,
  g.level
ORDER BY
  1,
  2;

-- report/devices.sql:1 0a9b6af14e347c3b
WITH listeners AS (
  SELECT
    p.user_id,
    p.level,
    p.location,
    p.user_agent,
    COUNT(*) AS plays
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.user_id,
    p.level,
    p.location,
    p.user_agent
)
SELECT
  d.device,
  d.level,
  CAST(SUM(d.plays) AS BIGINT) AS plays,
  COUNT(DISTINCT d.user_id) AS listeners
FROM (
  SELECT
    CASE
      WHEN g.user_agent LIKE '%iPhone%'
      THEN 'iPhone'
      WHEN g.user_agent LIKE '%iPad%'
      THEN 'iPad'
      WHEN g.user_agent LIKE '%Android%'
      THEN 'Android'
      WHEN g.user_agent LIKE '%Windows%'
      THEN 'Windows'
      WHEN g.user_agent LIKE '%Macintosh%'
      THEN 'Mac'
      WHEN g.user_agent LIKE '%Linux%'
      THEN 'Linux'
      WHEN NOT g.user_agent IS NULL
      THEN 'other'
    END AS device,
    g.level,
    g.user_id,
    g.plays
  FROM (
    SELECT
      l.user_agent,
      l.level,
      l.user_id,
      SUM(l.plays) AS plays
    FROM listeners AS l
    GROUP BY
      l.user_agent,
      l.level,
      l.user_id
  ) AS g
) AS d
GROUP BY
  d.device,
  d.level
ORDER BY
  1,
  2;

-- report/metros.sql:1 431db91bda175f28
WITH listeners AS (
  SELECT
    p.user_id,
    p.level,
    p.location,
    p.user_agent,
    COUNT(*) AS plays
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.user_id,
    p.level,
    p.location,
    p.user_agent
), counted AS (
  SELECT
    COALESCE(l.level, 'unknown') AS of_level,
    l.location,
    l.user_id,
    SUM(l.plays) AS plays
  FROM listeners AS l
  GROUP BY
    COALESCE(l.level, 'unknown'),
    l.location,
    l.user_id
), ranked AS (
  SELECT
    a.of_level,
    a.location,
    a.plays,
    a.listeners,
    ROW_NUMBER() OVER (PARTITION BY a.of_level ORDER BY a.plays DESC NULLS FIRST, a.location) AS place
  FROM (
    SELECT
      '' AS of_level,
      c.location,
      CAST(SUM(c.plays) AS BIGINT) AS plays,
      COUNT(DISTINCT c.user_id) AS listeners
    FROM counted AS c
    GROUP BY
      c.location
    UNION ALL
    SELECT
      c.of_level,
      c.location,
      CAST(SUM(c.plays) AS BIGINT) AS plays,
      COUNT(*) AS listeners
    FROM counted AS c
    GROUP BY
      c.of_level,
      c.location
  ) AS a
)
SELECT
  NULLIF(r.of_level, '') AS of_level,
  r.place,
  r.location,
  r.plays,
  r.listeners
FROM ranked AS r
WHERE
  r.place <= 20 OR (
    r.place <= 100 AND r.of_level = ''
  )
ORDER BY
  r.of_level,
  r.place;

-- report/coverage_by_day.sql:1 79f83d4b13a169a5
WITH hours_played AS (
  SELECT
    DATE_TRUNC('HOUR', p.start_time) AS utc_hour,
    p.level,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    DATE_TRUNC('HOUR', p.start_time),
    p.level
)
SELECT
  CAST(h.utc_hour AS DATE) AS day,
  CAST(SUM(h.plays) AS BIGINT) AS plays,
  CAST(SUM(h.matched) AS BIGINT) AS matched,
  CAST(SUM(h.matched) AS DOUBLE) / SUM(h.plays) AS share
FROM hours_played AS h
WHERE
  h.utc_hour >= $days_since
GROUP BY
  CAST(h.utc_hour AS DATE)
ORDER BY
  1;

-- report/unmatched.sql:1 610b17ad2f34e0a5
WITH songs_played AS (
  SELECT
    p.level,
    p.song,
    p.artist,
    COUNT(*) AS plays,
    COUNT(p.song_id) AS matched
  FROM songplays AS p
  WHERE
    p.start_time >= $since AND p.start_time < $until
  GROUP BY
    p.level,
    p.song,
    p.artist
)
SELECT
  p.song,
  p.artist,
  CAST(SUM(p.plays - p.matched) AS BIGINT) AS plays
FROM songs_played AS p
WHERE
  p.plays > p.matched
GROUP BY
  p.song,
  p.artist
ORDER BY
  plays DESC NULLS FIRST,
  p.song,
  p.artist
LIMIT 100;
