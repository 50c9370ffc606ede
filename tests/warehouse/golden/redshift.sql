-- A table without a schema is in public, whatever the user's own setting.
SET search_path TO public;

-- In milliseconds; the server cancels a statement that takes longer.
SET statement_timeout TO 3600000;

-- Whose statements these are: what the cluster's own history calls them, and a WLM queue may go by.
SET query_group TO 'sparkify';

-- The existing tables of the warehouse, from the catalogue on the leader node.
SELECT schemaname || '.' || tablename AS table_name
FROM pg_tables
WHERE schemaname IN ('public', 'etl')
ORDER BY table_name;

-- A run's transaction.
BEGIN;

-- The ledger's own schema.
CREATE SCHEMA IF NOT EXISTS etl;

-- Songs as delivered. One row per accepted record of every current file.
-- Storage is AUTO, as AWS recommends. No key is declared: nothing verifies it, and Redshift's planner
-- would trust it.
CREATE TABLE IF NOT EXISTS staging_songs (
    num_songs INTEGER,
    artist_id VARCHAR(64),
    artist_latitude DOUBLE PRECISION,
    artist_longitude DOUBLE PRECISION,
    artist_location VARCHAR(1024),
    artist_name VARCHAR(1024),
    song_id VARCHAR(64),
    title VARCHAR(1024),
    duration DOUBLE PRECISION,
    year INTEGER,
    file_id BIGINT NOT NULL,
    extra VARCHAR(65535)
);

-- Events as delivered. One row per accepted line of every current file.
-- Sorted by time, because a run recomputes plays by time; distribution and encodings are AUTO, as AWS
-- recommends. No key is declared: nothing verifies it, and Redshift's planner would trust it.
CREATE TABLE IF NOT EXISTS staging_events (
    artist VARCHAR(1024),
    auth VARCHAR(64),
    first_name VARCHAR(1024),
    gender VARCHAR(16),
    item_in_session INTEGER,
    last_name VARCHAR(1024),
    length DOUBLE PRECISION,
    level VARCHAR(16),
    location VARCHAR(1024),
    method VARCHAR(16),
    page VARCHAR(64),
    registration DOUBLE PRECISION,
    session_id BIGINT,
    song VARCHAR(1024),
    status INTEGER,
    ts BIGINT,
    user_agent VARCHAR(1024),
    user_id VARCHAR(64),
    file_id BIGINT NOT NULL,
    extra VARCHAR(65535)
) SORTKEY (ts);

-- Songs played by listeners. One row per NextSong event.
-- grain: songplay_id
-- Sorted by time: analysts ask by time, and a run replaces a time range. Distribution and encodings are AUTO,
-- which adapts to size and queries; a single ENCODE would switch it off for the whole table.
-- Redshift does not enforce the key, but its planner trusts it: every run verifies it (unique_keys).
CREATE TABLE IF NOT EXISTS songplays (
    songplay_id BIGINT NOT NULL,
    start_time TIMESTAMP NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    level VARCHAR(16),
    song_id VARCHAR(64),
    artist_id VARCHAR(64),
    session_id BIGINT NOT NULL,
    location VARCHAR(1024),
    user_agent VARCHAR(1024),
    item_in_session INTEGER NOT NULL,
    song_match VARCHAR(16),
    song VARCHAR(1024),
    artist VARCHAR(1024),
    length DOUBLE PRECISION,
    PRIMARY KEY (songplay_id)
) SORTKEY (start_time);

-- People seen in the app, on any page, as of their latest event.
-- grain: user_id
-- Storage is AUTO, as AWS recommends: every node has a copy of a small table, so that joins move no rows.
-- Redshift does not enforce the key, but its planner trusts it: every run verifies it (unique_keys).
CREATE TABLE IF NOT EXISTS users (
    user_id VARCHAR(64) NOT NULL,
    first_name VARCHAR(1024),
    last_name VARCHAR(1024),
    gender VARCHAR(16),
    level VARCHAR(16),
    last_seen_ts BIGINT NOT NULL,
    last_item_in_session INTEGER NOT NULL,
    PRIMARY KEY (user_id)
);

-- Songs of the catalogue. artist_name is the credit on the song's own record.
-- grain: song_id
-- Storage is AUTO, as AWS recommends: every node has a copy of a small table, so that joins move no rows.
-- Redshift does not enforce the key, but its planner trusts it: every run verifies it (unique_keys).
CREATE TABLE IF NOT EXISTS songs (
    song_id VARCHAR(64) NOT NULL,
    title VARCHAR(1024),
    artist_id VARCHAR(64) NOT NULL,
    year INTEGER,
    duration DOUBLE PRECISION,
    artist_name VARCHAR(1024),
    PRIMARY KEY (song_id)
);

-- Artists of the catalogue, under the name most of their songs credit.
-- grain: artist_id
-- Storage is AUTO, as AWS recommends: every node has a copy of a small table, so that joins move no rows.
-- Redshift does not enforce the key, but its planner trusts it: every run verifies it (unique_keys).
CREATE TABLE IF NOT EXISTS artists (
    artist_id VARCHAR(64) NOT NULL,
    name VARCHAR(1024),
    location VARCHAR(1024),
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    PRIMARY KEY (artist_id)
);

-- The start times of the plays in UTC, and their parts: hour, day, week, month, year, weekday.
-- grain: start_time
-- Sorted by time like songplays; distribution and encodings are left to AUTO, as AWS recommends.
-- Redshift does not enforce the key, but its planner trusts it: every run verifies it (unique_keys).
CREATE TABLE IF NOT EXISTS time (
    start_time TIMESTAMP NOT NULL,
    hour INTEGER NOT NULL,
    day INTEGER NOT NULL,
    week INTEGER NOT NULL,
    month INTEGER NOT NULL,
    year INTEGER NOT NULL,
    weekday INTEGER NOT NULL,
    PRIMARY KEY (start_time)
) SORTKEY (start_time);

-- Results of the data checks of every run.
-- grain: run_id, check_name, subject
-- A check of severity warn has one row for each day or file (subject) it names, one without a subject if it
-- names none; any other check has one row.
CREATE TABLE IF NOT EXISTS etl.checks (
    run_id INTEGER NOT NULL,
    check_name VARCHAR(64) NOT NULL,
    failing_rows BIGINT NOT NULL,
    sample VARCHAR(4096),
    severity VARCHAR(8),
    subject VARCHAR(4096)
);

-- What the events of each UTC day come to. One row per day that has events.
-- grain: day
-- A function of staging and songplays, like the star: the model star/days.sql computes it. Times are in ms
-- since 1970. longest_gap_ms is the longest stretch without an event that ends in the day, the one since the
-- last event of an earlier day included (NULL: the first event of all ends none); gap_within_ms leaves that
-- one out. absent names the columns of staging_events that are NULL in every event of the day.
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
    absent VARCHAR(4096) NOT NULL,
    gap_within_ms BIGINT
);

-- Who and what was erased, so that no later file brings it back. A person is known by keyed hashes alone.
-- grain: person, field, digest
-- person is the hash of a user id; each row has the hash of one value of a field of that person's. hash_key,
-- the same in every row, is what is hashed before a value. keeps_plays: the plays stay, under another id.
-- A row without a person is a bound of time: events before before_ts (ms since 1970) are erased.
CREATE TABLE IF NOT EXISTS etl.erased (
    run_id INTEGER NOT NULL,
    person VARCHAR(64),
    field VARCHAR(16) NOT NULL,
    digest VARCHAR(64),
    keeps_plays BOOLEAN,
    hash_key VARCHAR(64),
    before_ts BIGINT
);

-- The fields that were adopted: that staging was given a column for.
-- grain: kind, field
-- path is the keys that lead to the field, as a JSON array: one, or more for a field inside an object. run_id
-- adopted it.
CREATE TABLE IF NOT EXISTS etl.fields (
    kind VARCHAR(16) NOT NULL,
    field VARCHAR(1024) NOT NULL,
    path VARCHAR(4096) NOT NULL,
    column_name VARCHAR(128) NOT NULL,
    column_type VARCHAR(16) NOT NULL,
    column_width INTEGER,
    run_id INTEGER NOT NULL
);

-- The ledger: every version of every file that a run read, and the counts of its lines.
-- grain: file_id, run_id; one row of a file_id at most has state loaded, retracted, set_aside, copy or
-- expired
-- rows_read is rows_loaded + rows_rejected + rows_erased.
-- reason and detail say why a file, or a later version of a loaded one, is set aside.
-- content is a 128-bit hash of the decoded bytes, in hexadecimal; NULL: empty, damaged, or not known.
CREATE TABLE IF NOT EXISTS etl.files (
    file_id BIGINT NOT NULL,
    run_id INTEGER NOT NULL,
    kind VARCHAR(16) NOT NULL,
    uri VARCHAR(4096) NOT NULL,
    size BIGINT NOT NULL,
    version VARCHAR(256) NOT NULL,
    state VARCHAR(16) NOT NULL,
    rows_read BIGINT NOT NULL,
    rows_loaded BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    plays_loaded BIGINT NOT NULL,
    content VARCHAR(32),
    reason VARCHAR(16),
    detail VARCHAR(1024),
    rows_erased BIGINT
);

-- The versions of the tables, rules and models that the warehouse was made with.
-- grain: one row
-- models_digest holds a digest of every model, such as `songs=1f2e… artists=…`.
CREATE TABLE IF NOT EXISTS etl.meta (
    schema_version INTEGER NOT NULL,
    rules_version INTEGER NOT NULL,
    models_digest VARCHAR(4096) NOT NULL,
    made_by VARCHAR(32) NOT NULL,
    upgraded_by VARCHAR(32),
    upgraded_at TIMESTAMP
);

-- Titles that were played, and the moments between which every play of them lies: where to look when a song
-- arrives. One row per title and artist as played, without trailing blanks.
-- grain: song, artist
-- A hint, not a count: plays that are taken out again leave it as it was, a full refresh computes it anew.
-- Times are in ms since 1970.
CREATE TABLE IF NOT EXISTS etl.played_titles (
    song VARCHAR(1024) NOT NULL,
    artist VARCHAR(1024) NOT NULL,
    played_from BIGINT NOT NULL,
    played_to BIGINT NOT NULL
);

-- Quarantine: every rejected line, with its place, the reason, and its bytes.
-- grain: file_id, run_id, byte_offset
CREATE TABLE IF NOT EXISTS etl.rejects (
    run_id INTEGER NOT NULL,
    file_id BIGINT NOT NULL,
    uri VARCHAR(4096) NOT NULL,
    line BIGINT NOT NULL,
    byte_offset BIGINT NOT NULL,
    reason VARCHAR(32) NOT NULL,
    detail VARCHAR(1024) NOT NULL,
    content VARCHAR(65535) NOT NULL,
    encoding VARCHAR(16) NOT NULL,
    size BIGINT,
    resolved_by INTEGER,
    kind VARCHAR(16)
);

-- The history of runs. One row per run that had something to do.
-- grain: run_id
CREATE TABLE IF NOT EXISTS etl.runs (
    run_id INTEGER NOT NULL,
    mode VARCHAR(16) NOT NULL,
    status VARCHAR(16) NOT NULL,
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
    version VARCHAR(32) NOT NULL,
    error VARCHAR(4096),
    rows_erased BIGINT
);

-- Fields of the files for which the warehouse has no column, by run; their values are in the column extra of
-- staging.
-- grain: run_id, kind, field
CREATE TABLE IF NOT EXISTS etl.unknown_fields (
    run_id INTEGER NOT NULL,
    kind VARCHAR(16) NOT NULL,
    field VARCHAR(1024) NOT NULL,
    occurrences BIGINT NOT NULL,
    first_uri VARCHAR(4096) NOT NULL
);

-- The schema of the views for analysts.
CREATE SCHEMA IF NOT EXISTS analytics;

-- What the clocks show. One row per time zone and hour (UTC) with plays.
-- grain: time_zone, utc_hour
-- local_hour follows daylight-saving time as the United States have it since 2008: on from 2:00 on the
-- second Sunday of March, off from 2:00 on the first of November. So one hour of the year is skipped, and
-- one comes twice. There is no row of before 2008, when the rule was another.
CREATE VIEW analytics.clocks AS
SELECT
    c.time_zone,
    c.utc_hour,
    CASE
        -- The day less its weekday is the day of the latest Sunday. By standard time the clocks are put on at
        -- 2:00 and back at 1:00: that much earlier it is midnight.
        WHEN
            (
                EXTRACT(month FROM c.less_two) BETWEEN 4 AND 11
                OR (
                    EXTRACT(month FROM c.less_two) = 3
                    AND EXTRACT(day FROM c.less_two) - EXTRACT(dow FROM c.less_two) >= 8
                )
            )
            AND (
                EXTRACT(month FROM c.less_one) < 11
                OR (
                    EXTRACT(month FROM c.less_one) = 11
                    AND EXTRACT(day FROM c.less_one) - EXTRACT(dow FROM c.less_one) < 1
                )
            )
            THEN DATEADD(hour, c.summer_hours, c.utc_hour)
        ELSE DATEADD(hour, c.standard_hours, c.utc_hour)
    END AS local_hour
FROM (
    SELECT
        z.time_zone, z.standard_hours, z.summer_hours, h.utc_hour,
        DATEADD(hour, z.standard_hours - 2, h.utc_hour) AS less_two,
        DATEADD(hour, z.standard_hours - 1, h.utc_hour) AS less_one
    FROM (
        SELECT DISTINCT DATE_TRUNC('hour', p.start_time) AS utc_hour
        FROM songplays AS p
        WHERE p.start_time >= '2008-01-01'::TIMESTAMP
    ) AS h
    -- Hours to add to UTC, in winter and in summer.
    CROSS JOIN (
        SELECT 'America/Puerto_Rico' AS time_zone, -4 AS standard_hours, -4 AS summer_hours
        UNION ALL
        SELECT 'America/New_York' AS time_zone, -5 AS standard_hours, -4 AS summer_hours
        UNION ALL
        SELECT 'America/Chicago' AS time_zone, -6 AS standard_hours, -5 AS summer_hours
        UNION ALL
        SELECT 'America/Denver' AS time_zone, -7 AS standard_hours, -6 AS summer_hours
        UNION ALL
        SELECT 'America/Phoenix' AS time_zone, -7 AS standard_hours, -7 AS summer_hours
        UNION ALL
        SELECT 'America/Los_Angeles' AS time_zone, -8 AS standard_hours, -7 AS summer_hours
        UNION ALL
        SELECT 'America/Anchorage' AS time_zone, -9 AS standard_hours, -8 AS summer_hours
        UNION ALL
        SELECT 'Pacific/Honolulu' AS time_zone, -10 AS standard_hours, -10 AS summer_hours
    ) AS z
) AS c;

-- On which days people listened, and on which level. One row per user, UTC day and level with plays.
-- grain: user_id, day, level
-- level is the one the plays were on; NULL: unknown. Days of people who only looked round are in user_days.
CREATE VIEW analytics.listener_days AS
SELECT
    p.user_id,
    CAST(p.start_time AS DATE) AS day,
    p.level,
    COUNT(*) AS plays
FROM songplays AS p
GROUP BY p.user_id, CAST(p.start_time AS DATE), p.level;

-- On which days people were there. One row per user and UTC day with any event.
-- grain: user_id, day
-- day_before and day_after are the nearest other days on which the person was there; NULL: there is none.
CREATE VIEW analytics.user_days AS
SELECT
    u.user_id,
    u.day,
    LAG(u.day) OVER (PARTITION BY u.user_id ORDER BY u.day) AS day_before,
    LEAD(u.day) OVER (PARTITION BY u.user_id ORDER BY u.day) AS day_after
FROM (
    SELECT d.user_id, CAST(DATEADD(ms, d.midnight, '1970-01-01'::TIMESTAMP) AS DATE) AS day
    FROM (
        SELECT DISTINCT e.user_id, e.ts - MOD(e.ts, 86400000) AS midnight
        FROM staging_events AS e
        WHERE e.user_id <> ''
    ) AS d
) AS u;

-- What people did in the app: every event of a user once, however often it was delivered.
-- grain: user_id, session_id, item_in_session, ts
-- Of deliveries that differ, a play comes first, then the first by content, known values before unknown ones,
-- as in songplays and users.
-- Events of nobody (logged out) are in staging_events alone.
-- event_at is UTC; ts is the same in ms since 1970. level and names are as the event has them.
CREATE VIEW analytics.events AS
SELECT
    e.user_id,
    e.session_id,
    e.item_in_session,
    DATEADD(ms, e.ts, '1970-01-01'::TIMESTAMP) AS event_at,
    e.page,
    NULLIF(RTRIM(e.level, ' '), '') AS level,
    NULLIF(RTRIM(e.first_name, ' '), '') AS first_name,
    NULLIF(RTRIM(e.last_name, ' '), '') AS last_name,
    NULLIF(RTRIM(e.gender, ' '), '') AS gender,
    e.ts
FROM staging_events AS e
WHERE e.user_id <> ''
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY e.user_id, e.session_id, e.item_in_session, e.ts
    ORDER BY
        CASE WHEN e.page = 'NextSong' THEN 0 ELSE 1 END,
        NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.first_name, ' '), ''),
        NULLIF(RTRIM(e.last_name, ' '), ''), NULLIF(RTRIM(e.gender, ' '), ''), e.page
) = 1;

-- The way from free to paid, back, and away: how often people were on its pages. One row per page that
-- somebody was on.
-- grain: page
-- step orders them. events counts every event once; people are distinct. Counts and no rates: they are small,
-- and somebody may do it again.
CREATE VIEW analytics.funnel AS
SELECT
    CASE f.page
        WHEN 'Upgrade' THEN 1
        WHEN 'Submit Upgrade' THEN 2
        WHEN 'Downgrade' THEN 3
        WHEN 'Submit Downgrade' THEN 4
        WHEN 'Cancel' THEN 5
        ELSE 6
    END AS step,
    f.page,
    COUNT(*) AS events,
    COUNT(DISTINCT f.user_id) AS people
FROM (
    SELECT DISTINCT e.user_id, e.session_id, e.item_in_session, e.ts, e.page
    FROM staging_events AS e
    WHERE
        e.user_id <> ''
        AND e.page IN (
            'Upgrade', 'Submit Upgrade', 'Downgrade', 'Submit Downgrade', 'Cancel',
            'Cancellation Confirmation'
        )
) AS f
GROUP BY f.page;

-- When people changed their level. One row per change.
-- grain: user_id, changed_at
-- changed_at (UTC) is the first event on another level than the one before: from_level ended there and
-- to_level began. NULL: unknown. The changes are those of analytics.user_levels.
CREATE VIEW analytics.level_changes AS
-- The first event on each level tells all, unless one level began before another had ended: then the first
-- of each day does, and where that is so within a day, every event.
WITH levels AS (
    SELECT
        g.user_id,
        NULLIF(RTRIM(g.level, ' '), '') AS level,
        MIN(g.first_ts) AS first_ts,
        MAX(g.last_ts) AS last_ts
    FROM (
        SELECT e.user_id, e.level, MIN(e.ts) AS first_ts, MAX(e.ts) AS last_ts
        FROM staging_events AS e
        WHERE e.user_id <> ''
        GROUP BY e.user_id, e.level
    ) AS g
    GROUP BY g.user_id, NULLIF(RTRIM(g.level, ' '), '')
),

mixed_users AS (
    SELECT DISTINCT o.user_id
    FROM (
        SELECT
            l.user_id, l.first_ts,
            LAG(l.last_ts) OVER (PARTITION BY l.user_id ORDER BY l.first_ts) AS last_before
        FROM levels AS l
    ) AS o
    WHERE o.first_ts <= o.last_before
),

days AS (
    SELECT
        g.user_id,
        g.midnight,
        NULLIF(RTRIM(g.level, ' '), '') AS level,
        MIN(g.first_ts) AS first_ts,
        MAX(g.last_ts) AS last_ts
    FROM (
        SELECT
            e.user_id, e.ts - MOD(e.ts, 86400000) AS midnight, e.level,
            MIN(e.ts) AS first_ts, MAX(e.ts) AS last_ts
        FROM staging_events AS e
        INNER JOIN mixed_users AS u ON e.user_id = u.user_id
        GROUP BY e.user_id, e.ts - MOD(e.ts, 86400000), e.level
    ) AS g
    GROUP BY g.user_id, g.midnight, NULLIF(RTRIM(g.level, ' '), '')
),

mixed_days AS (
    SELECT DISTINCT o.user_id, o.midnight
    FROM (
        SELECT
            d.user_id, d.midnight, d.first_ts,
            LAG(d.last_ts) OVER (PARTITION BY d.user_id ORDER BY d.first_ts) AS last_before
        FROM days AS d
    ) AS o
    WHERE o.first_ts <= o.last_before
),

-- Events count once, as in analytics.events, and of one moment the last does.
distinct_events AS (
    SELECT k.user_id, k.item_in_session, k.ts, NULLIF(RTRIM(k.level, ' '), '') AS level
    FROM staging_events AS k
    INNER JOIN mixed_days AS d ON k.user_id = d.user_id AND k.ts - MOD(k.ts, 86400000) = d.midnight
    -- By the user alone DuckDB filters while it reads.
    WHERE k.user_id IN (SELECT x.user_id FROM mixed_days AS x)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY k.user_id, k.session_id, k.item_in_session, k.ts
        ORDER BY CASE WHEN k.page = 'NextSong' THEN 0 ELSE 1 END, NULLIF(RTRIM(k.level, ' '), '')
    ) = 1
),

moments AS (
    SELECT l.user_id, l.first_ts AS ts, l.level
    FROM levels AS l
    LEFT JOIN mixed_users AS x ON l.user_id = x.user_id
    WHERE x.user_id IS NULL
    UNION ALL
    SELECT d.user_id, d.first_ts AS ts, d.level
    FROM days AS d
    LEFT JOIN mixed_days AS x ON d.user_id = x.user_id AND d.midnight = x.midnight
    WHERE x.user_id IS NULL
    UNION ALL
    SELECT m.user_id, m.ts, m.level
    FROM (
        SELECT
            e.user_id, e.ts, e.level,
            ROW_NUMBER() OVER (
                PARTITION BY e.user_id, e.ts ORDER BY e.item_in_session DESC, e.level
            ) AS from_end
        FROM distinct_events AS e
    ) AS m
    WHERE m.from_end = 1
)

SELECT
    c.user_id,
    DATEADD(ms, c.ts, '1970-01-01'::TIMESTAMP) AS changed_at,
    c.level_before AS from_level,
    c.level AS to_level
FROM (
    SELECT
        m.user_id, m.ts, m.level,
        LAG(m.level) OVER (PARTITION BY m.user_id ORDER BY m.ts) AS level_before,
        LAG(m.ts) OVER (PARTITION BY m.user_id ORDER BY m.ts) AS ts_before
    FROM moments AS m
) AS c
WHERE c.ts_before IS NOT NULL AND COALESCE(c.level, '') <> COALESCE(c.level_before, '');

-- When people listen: plays by weekday and hour (UTC). One row per weekday and hour with plays.
-- grain: weekday, hour
-- weekday 0 is Sunday. listeners are distinct people.
CREATE VIEW analytics.listening_hours AS
SELECT
    CAST(EXTRACT(dow FROM p.start_time) AS INTEGER) AS weekday,
    CAST(EXTRACT(hour FROM p.start_time) AS INTEGER) AS hour,
    COUNT(*) AS plays,
    COUNT(DISTINCT p.user_id) AS listeners
FROM songplays AS p
GROUP BY EXTRACT(dow FROM p.start_time), EXTRACT(hour FROM p.start_time);

-- In which time zone the places are that plays come from. One row per place.
-- grain: location
-- A place is what the app says of where the listener is: a metro area of the United States, such as `St.
-- Louis, MO-IL`. Its first city and first state tell the time zone, in states with two of them, too; all
-- else has none: NULL. time_zone is one of eight of the same clock, such as America/New_York for Detroit.
CREATE VIEW analytics.places AS
SELECT
    c.location,
    CASE
        -- Cities whose zone is not that of most of their state.
        WHEN c.state || ' ' || c.city IN (
            'FL Crestview', 'FL Panama City', 'FL Pensacola', 'IN Evansville', 'IN Michigan City',
            'KY Bowling Green', 'KY Central City', 'KY Glasgow', 'KY Madisonville', 'KY Mayfield',
            'KY Murray', 'KY Owensboro', 'KY Paducah', 'MI Iron Mountain'
        ) THEN 'America/Chicago'
        WHEN c.state || ' ' || c.city IN (
            'TN Athens', 'TN Chattanooga', 'TN Cleveland', 'TN Dayton', 'TN Greeneville', 'TN Harriman',
            'TN Johnson City', 'TN Kingsport', 'TN Knoxville', 'TN La Follette', 'TN Morristown',
            'TN Newport', 'TN Sevierville'
        ) THEN 'America/New_York'
        WHEN c.state || ' ' || c.city IN (
            'ND Dickinson', 'NE Scottsbluff', 'OR Ontario', 'SD Rapid City', 'SD Spearfish', 'TX El Paso'
        ) THEN 'America/Denver'
        WHEN c.state || ' ' || c.city IN (
            'ID Coeur d''Alene', 'ID Lewiston', 'ID Moscow', 'ID Sandpoint'
        ) THEN 'America/Los_Angeles'
        WHEN c.state IN (
            'CT', 'DC', 'DE', 'FL', 'GA', 'IN', 'KY', 'MA', 'MD', 'ME', 'MI', 'NC', 'NH', 'NJ', 'NY',
            'OH', 'PA', 'RI', 'SC', 'VA', 'VT', 'WV'
        ) THEN 'America/New_York'
        WHEN c.state IN (
            'AL', 'AR', 'IA', 'IL', 'KS', 'LA', 'MN', 'MO', 'MS', 'ND', 'NE', 'OK', 'SD', 'TN', 'TX', 'WI'
        ) THEN 'America/Chicago'
        WHEN c.state IN ('CO', 'ID', 'MT', 'NM', 'UT', 'WY') THEN 'America/Denver'
        WHEN c.state IN ('CA', 'NV', 'OR', 'WA') THEN 'America/Los_Angeles'
        WHEN c.state = 'AK' THEN 'America/Anchorage'
        WHEN c.state = 'AZ' THEN 'America/Phoenix'
        WHEN c.state = 'HI' THEN 'Pacific/Honolulu'
        WHEN c.state = 'PR' THEN 'America/Puerto_Rico'
    END AS time_zone
FROM (
    SELECT
        d.location,
        SPLIT_PART(SPLIT_PART(d.location, ', ', 1), '-', 1) AS city,
        SPLIT_PART(SPLIT_PART(d.location, ', ', 2), '-', 1) AS state
    FROM (SELECT DISTINCT p.location FROM songplays AS p WHERE p.location IS NOT NULL) AS d
) AS c;

-- How many plays are of a song in the catalogue. One row per way of matching.
-- grain: song_match
-- exact: title, artist and length (to 0.001 s); title_artist: another length; NULL: no song has that title
-- and artist, letter by letter.
CREATE VIEW analytics.match_coverage AS
SELECT p.song_match, COUNT(*) AS plays
FROM songplays AS p
GROUP BY p.song_match;

-- The artists people play, as the logs name them, in the catalogue or not. One row per artist.
-- grain: artist
-- NULL: the log has no name. The most played come first.
CREATE VIEW analytics.top_artists AS
SELECT p.artist, COUNT(*) AS plays, COUNT(DISTINCT p.user_id) AS listeners
FROM songplays AS p
GROUP BY p.artist
ORDER BY plays DESC, p.artist;

-- The artists people play, by day (UTC), as the logs name them. One row per day and artist with plays.
-- grain: day, artist
CREATE VIEW analytics.top_artists_by_day AS
SELECT
    CAST(p.start_time AS DATE) AS day,
    p.artist,
    COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(p.start_time AS DATE), p.artist;

-- The artists people play, by week (UTC), as the logs name them. One row per week and artist with plays.
-- grain: week, artist
-- week is the date of its Monday.
CREATE VIEW analytics.top_artists_by_week AS
SELECT
    CAST(DATE_TRUNC('week', p.start_time) AS DATE) AS week,
    p.artist,
    COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(DATE_TRUNC('week', p.start_time) AS DATE), p.artist;

-- The songs people play, as the logs name them, in the catalogue or not. One row per title and artist.
-- grain: song, artist
-- NULL: the log has no name. The most played come first.
CREATE VIEW analytics.top_songs AS
SELECT p.song, p.artist, COUNT(*) AS plays, COUNT(DISTINCT p.user_id) AS listeners
FROM songplays AS p
GROUP BY p.song, p.artist
ORDER BY plays DESC, p.song, p.artist;

-- The songs people play, by day (UTC), as the logs name them. One row per day and song with plays.
-- grain: day, song, artist
CREATE VIEW analytics.top_songs_by_day AS
SELECT
    CAST(p.start_time AS DATE) AS day,
    p.song,
    p.artist,
    COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(p.start_time AS DATE), p.song, p.artist;

-- The songs people play, by week (UTC), as the logs name them. One row per week and song with plays.
-- grain: week, song, artist
-- week is the date of its Monday.
CREATE VIEW analytics.top_songs_by_week AS
SELECT
    CAST(DATE_TRUNC('week', p.start_time) AS DATE) AS week,
    p.song,
    p.artist,
    COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(DATE_TRUNC('week', p.start_time) AS DATE), p.song, p.artist;

-- What people play and the catalogue lacks: the list to work off. One row per title and artist.
-- grain: song, artist
-- The most played come first. `sparkify why --song … --artist …` tells what comes near.
CREATE VIEW analytics.top_unmatched AS
SELECT p.song, p.artist, COUNT(*) AS plays
FROM songplays AS p
WHERE p.song_id IS NULL
GROUP BY p.song, p.artist
ORDER BY plays DESC, p.song, p.artist;

-- Who listened on which level, by UTC day. One row per day and level with plays.
-- grain: day, level
-- level is the one the play was on; NULL: unknown. Somebody who changes level is counted under both.
CREATE VIEW analytics.daily_levels AS
SELECT
    l.day,
    l.level,
    COUNT(l.user_id) AS listeners,
    CAST(SUM(l.plays) AS BIGINT) AS plays
FROM analytics.listener_days AS l
GROUP BY l.day, l.level;

-- Who was there, by UTC day. One row per day on which somebody was.
-- grain: day
-- people: with any event. listeners: with a play. new_people: with no earlier event; returning_people: with
-- one. lost_people: with an event on the day and none in the 28 days after it; NULL while the last event of
-- all is less than 28 days later. People do not add up over days: most are there on several.
CREATE VIEW analytics.daily_activity AS
WITH of_people AS (
    SELECT
        u.day,
        COUNT(*) AS people,
        COUNT(CASE WHEN u.day_before IS NULL THEN 1 END) AS new_people,
        COUNT(u.day_before) AS returning_people,
        COUNT(
            CASE WHEN u.day_after IS NULL OR DATEDIFF(day, u.day, u.day_after) > 28 THEN 1 END
        ) AS lost_people
    FROM analytics.user_days AS u
    GROUP BY u.day
),

of_plays AS (
    SELECT
        l.day,
        COUNT(DISTINCT l.user_id) AS listeners,
        CAST(SUM(l.plays) AS BIGINT) AS plays
    FROM analytics.listener_days AS l
    GROUP BY l.day
)

SELECT
    d.day,
    d.people,
    COALESCE(p.listeners, 0) AS listeners,
    COALESCE(p.plays, 0) AS plays,
    d.new_people,
    d.returning_people,
    CASE
        WHEN DATEDIFF(day, d.day, (SELECT MAX(l.day) FROM of_people AS l)) >= 28 THEN d.lost_people
    END AS lost_people
FROM of_people AS d
LEFT JOIN of_plays AS p ON d.day = p.day;

-- Who was there, by month (UTC), and how often. One row per month in which somebody was.
-- grain: month
-- month is the date of its first day. people: with any event. listeners: with a play. new_people: whose
-- first event of all lies in the month. mean_daily_people: people of a day, in the mean of the month's
-- days on which somebody was. stickiness: that, divided by people: 1 means that everybody was there every
-- day.
CREATE VIEW analytics.monthly_activity AS
WITH of_days AS (
    SELECT
        u.day,
        CAST(DATE_TRUNC('month', u.day) AS DATE) AS month,
        COUNT(*) AS people,
        -- Of whom it is the first day in the month, or of all.
        COUNT(
            CASE
                WHEN u.day_before IS NULL OR u.day_before < CAST(DATE_TRUNC('month', u.day) AS DATE) THEN 1
            END
        ) AS first_in_month,
        COUNT(CASE WHEN u.day_before IS NULL THEN 1 END) AS new_people
    FROM analytics.user_days AS u
    GROUP BY u.day
),

of_people AS (
    SELECT
        d.month,
        CAST(SUM(d.first_in_month) AS BIGINT) AS people,
        CAST(SUM(d.new_people) AS BIGINT) AS new_people,
        CAST(SUM(d.people) AS BIGINT) AS person_days,
        COUNT(d.day) AS days
    FROM of_days AS d
    GROUP BY d.month
),

of_plays AS (
    SELECT
        CAST(DATE_TRUNC('month', l.day) AS DATE) AS month,
        COUNT(DISTINCT l.user_id) AS listeners,
        CAST(SUM(l.plays) AS BIGINT) AS plays
    FROM analytics.listener_days AS l
    GROUP BY CAST(DATE_TRUNC('month', l.day) AS DATE)
)

SELECT
    m.month,
    m.people,
    COALESCE(p.listeners, 0) AS listeners,
    COALESCE(p.plays, 0) AS plays,
    m.new_people,
    CAST(m.person_days AS DOUBLE PRECISION) / m.days AS mean_daily_people,
    CAST(m.person_days AS DOUBLE PRECISION) / (m.days * m.people) AS stickiness
FROM of_people AS m
LEFT JOIN of_plays AS p ON m.month = p.month;

-- Who comes back: of the people of a cohort, how many were there so many weeks later. One row per cohort and
-- week in which some were.
-- grain: cohort_by, cohort, weeks_later
-- A cohort is all people whose first event of all (cohort_by first_event), or whose registration
-- (cohort_by registration, where the logs tell it), lies in the week from its Monday (cohort, UTC) on.
-- people: with any event in the week that begins weeks_later weeks after cohort. cohort_people: all of it.
CREATE VIEW analytics.retention AS
WITH user_weeks AS (
    SELECT u.user_id, CAST(DATE_TRUNC('week', u.day) AS DATE) AS week, u.day_before
    FROM analytics.user_days AS u
    WHERE u.day_before IS NULL OR u.day_before < CAST(DATE_TRUNC('week', u.day) AS DATE)
),

registered AS (
    SELECT e.user_id, MIN(e.registration) AS registration
    FROM staging_events AS e
    WHERE e.user_id <> '' AND e.registration BETWEEN 946684800000 AND 4102444799999
    GROUP BY e.user_id
),

cohorts AS (
    SELECT CAST('first_event' AS VARCHAR(16)) AS cohort_by, u.user_id, u.week AS cohort
    FROM user_weeks AS u
    WHERE u.day_before IS NULL
    UNION ALL
    SELECT
        CAST('registration' AS VARCHAR(16)) AS cohort_by,
        r.user_id,
        CAST(
            DATE_TRUNC(
                'week', DATEADD(ms, CAST(FLOOR(r.registration) AS BIGINT), '1970-01-01'::TIMESTAMP)
            ) AS DATE
        ) AS cohort
    FROM registered AS r
),

sizes AS (
    SELECT c.cohort_by, c.cohort, COUNT(*) AS cohort_people
    FROM cohorts AS c
    GROUP BY c.cohort_by, c.cohort
)

SELECT
    c.cohort_by,
    c.cohort,
    CAST(DATEDIFF(day, c.cohort, u.week) / 7.0 AS INTEGER) AS weeks_later,
    COUNT(*) AS people,
    s.cohort_people
FROM cohorts AS c
INNER JOIN user_weeks AS u ON c.user_id = u.user_id AND c.cohort <= u.week
INNER JOIN sizes AS s ON c.cohort_by = s.cohort_by AND c.cohort = s.cohort
GROUP BY c.cohort_by, c.cohort, u.week, s.cohort_people;

-- Who was there, by week (UTC, from Monday on). One row per week in which somebody was.
-- grain: week
-- week is the date of its Monday. people: with any event. listeners: with a play. new_people: whose first
-- event of all lies in the week.
CREATE VIEW analytics.weekly_activity AS
WITH of_people AS (
    -- The first day of each person in the week.
    SELECT
        CAST(DATE_TRUNC('week', u.day) AS DATE) AS week,
        COUNT(*) AS people,
        COUNT(CASE WHEN u.day_before IS NULL THEN 1 END) AS new_people
    FROM analytics.user_days AS u
    WHERE u.day_before IS NULL OR u.day_before < CAST(DATE_TRUNC('week', u.day) AS DATE)
    GROUP BY CAST(DATE_TRUNC('week', u.day) AS DATE)
),

of_plays AS (
    SELECT
        CAST(DATE_TRUNC('week', l.day) AS DATE) AS week,
        COUNT(DISTINCT l.user_id) AS listeners,
        CAST(SUM(l.plays) AS BIGINT) AS plays
    FROM analytics.listener_days AS l
    GROUP BY CAST(DATE_TRUNC('week', l.day) AS DATE)
)

SELECT
    w.week,
    w.people,
    COALESCE(p.listeners, 0) AS listeners,
    COALESCE(p.plays, 0) AS plays,
    w.new_people
FROM of_people AS w
LEFT JOIN of_plays AS p ON w.week = p.week;

-- How long a play lasted, as far as the logs tell. One row per play.
-- grain: songplay_id
-- A play ends at its length or at the person's next event in the session, whichever is sooner;
-- how_it_ended says which: length, next_event, or unknown for the last event of a session, after which
-- nothing tells. There seconds_at_least is 0, and seconds_at_most the song's length (NULL where that is
-- unknown: none, 0 or less). Elsewhere both are the same. Events happen at whole seconds: one less than a
-- second before the end is at the end. No log says that a song was skipped: in the real month a song
-- always plays to its end before the next begins, so there is no rate of skips here.
CREATE VIEW analytics.listening_time AS
WITH followed AS (
    SELECT
        e.user_id, e.session_id, e.item_in_session, e.event_at, e.page,
        (LEAD(e.ts) OVER (PARTITION BY e.user_id, e.session_id ORDER BY e.ts, e.item_in_session) - e.ts)
        / 1000.0 AS seconds
    FROM analytics.events AS e
),

plays AS (
    SELECT
        p.songplay_id, p.start_time, p.user_id, p.level,
        CASE WHEN p.length > 0 THEN p.length END AS length,
        CAST(f.seconds AS DOUBLE PRECISION) AS seconds
    FROM songplays AS p
    INNER JOIN followed AS f
        ON
            p.user_id = f.user_id AND p.session_id = f.session_id
            AND p.item_in_session = f.item_in_session AND p.start_time = f.event_at
    WHERE f.page = 'NextSong'
)

SELECT
    p.songplay_id,
    p.start_time,
    p.user_id,
    p.level,
    CASE WHEN p.seconds IS NULL THEN 0.0 WHEN p.length < p.seconds + 1 THEN p.length ELSE p.seconds END
        AS seconds_at_least,
    CASE WHEN p.seconds IS NULL OR p.length < p.seconds + 1 THEN p.length ELSE p.seconds END
        AS seconds_at_most,
    CASE
        WHEN p.seconds IS NULL THEN 'unknown'
        WHEN p.length < p.seconds + 1 THEN 'length'
        ELSE 'next_event'
    END AS how_it_ended
FROM plays AS p;

-- Visits of people. One row per user and session id; session ids alone are shared between users.
-- grain: user_id, session_id
-- events and plays count every event once. level and last_page are those of the last event, which is how the
-- session ended: Logout, Cancellation Confirmation, or whatever was on the screen when the person went away.
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
        e.user_id, e.session_id, e.event_at, e.page, e.level,
        ROW_NUMBER() OVER (
            PARTITION BY e.user_id, e.session_id ORDER BY e.ts DESC, e.item_in_session DESC
        ) AS from_end
    FROM analytics.events AS e
) AS s
GROUP BY s.user_id, s.session_id;

-- The history of people's levels. One row per user and stretch of time on one level.
-- grain: user_id, valid_from
-- From the first event on a level (valid_from, UTC, included) to the first on another (valid_to, left out;
-- NULL: still so). Stretches neither overlap nor leave gaps, neighbours differ in level, and the last one has
-- the level of users. level NULL: unknown. Names are those of the stretch's last event.
-- It is a function of the events: late ones, duplicates and removed files change it as a full refresh would.
CREATE VIEW analytics.user_levels AS
WITH moments AS (
    SELECT e.user_id, e.ts, e.event_at, e.level, e.first_name, e.last_name
    FROM analytics.events AS e
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.user_id, e.ts
        ORDER BY e.item_in_session DESC, e.level, e.first_name, e.last_name, e.gender
    ) = 1
),

changes AS (
    SELECT
        m.user_id, m.ts, m.event_at, m.level, m.first_name, m.last_name,
        CASE
            WHEN
                COALESCE(m.level, '')
                <> COALESCE(LAG(m.level) OVER (PARTITION BY m.user_id ORDER BY m.ts), '')
                THEN 1
            ELSE 0
        END AS changed
    FROM moments AS m
),

stretches AS (
    SELECT
        c.user_id, c.ts, c.event_at, c.level, c.first_name, c.last_name,
        SUM(c.changed) OVER (PARTITION BY c.user_id ORDER BY c.ts ROWS UNBOUNDED PRECEDING) AS stretch
    FROM changes AS c
),

lasts AS (
    SELECT
        s.user_id, s.level, s.stretch, s.first_name, s.last_name,
        MIN(s.event_at) OVER (PARTITION BY s.user_id, s.stretch) AS valid_from
    FROM stretches AS s
    QUALIFY ROW_NUMBER() OVER (PARTITION BY s.user_id, s.stretch ORDER BY s.ts DESC) = 1
)

SELECT
    l.user_id,
    l.level,
    l.valid_from,
    LEAD(l.valid_from) OVER (PARTITION BY l.user_id ORDER BY l.stretch) AS valid_to,
    l.first_name,
    l.last_name
FROM lasts AS l;

-- When plays began by the clock of the listener's place. One row per play.
-- grain: songplay_id
-- local_time is NULL where the place tells no time zone (analytics.places), and for plays of before 2008.
-- Both changes of the year are in it (analytics.clocks).
CREATE VIEW analytics.local_plays AS
SELECT
    p.songplay_id,
    p.start_time,
    p.user_id,
    p.level,
    z.time_zone,
    DATEADD(hour, DATEDIFF(hour, c.utc_hour, c.local_hour)::INTEGER, p.start_time) AS local_time
FROM songplays AS p
LEFT JOIN analytics.places AS z ON p.location = z.location
LEFT JOIN analytics.clocks AS c
    ON z.time_zone = c.time_zone AND DATE_TRUNC('hour', p.start_time) = c.utc_hour;

-- When people listen by their own clocks: plays by weekday and hour of local time. One row per weekday and
-- hour with plays, and one for plays whose local time is not known.
-- grain: weekday, hour
-- weekday 0 is Sunday; both are NULL where analytics.local_plays has no local time. listeners are distinct
-- people. The same moment is another hour in each time zone: of UTC there is analytics.listening_hours.
CREATE VIEW analytics.listening_hours_local AS
SELECT
    CAST(EXTRACT(dow FROM p.local_time) AS INTEGER) AS weekday,
    CAST(EXTRACT(hour FROM p.local_time) AS INTEGER) AS hour,
    COUNT(*) AS plays,
    COUNT(DISTINCT p.user_id) AS listeners
FROM analytics.local_plays AS p
GROUP BY EXTRACT(dow FROM p.local_time), EXTRACT(hour FROM p.local_time);

INSERT INTO etl.meta (schema_version, rules_version, models_digest, made_by, upgraded_by) VALUES
(9, 3, 'songs=1527d25d78a0534a artists=5115d3276acf70a4 rematch=0fa9f0c8cb1afdd2 song_matches=47357512499e2f35 rematched=fe61cccb85ec45de played=efd25c6b6e3345d6 songplays=a667082220d97130 users=3983512cbc17adb5 time=877e2af157b39eb3 days=489ef267dcd50efd absent=e6433dfcb2e4df3c analytics.clocks=002f536038a17474 analytics.daily_activity=4ba54eb02e88dea7 analytics.daily_levels=fecda1d38e024c16 analytics.events=1e494188108086a9 analytics.funnel=cd6b6d2d56023572 analytics.level_changes=c4dd698707a10a5e analytics.listener_days=07c932e62f8d02a2 analytics.listening_hours=5c477188460d78d6 analytics.listening_hours_local=7558828e7f2f4dee analytics.listening_time=4c3b61c16ba83e9c analytics.local_plays=142e5d9aa3db3526 analytics.match_coverage=ae9cb9aadab494b0 analytics.monthly_activity=5c329571e7f62fb8 analytics.places=dbffa10ca69277e0 analytics.retention=2d0533c8f25a958c analytics.sessions=eaf7c3174e78aeb3 analytics.top_artists=49483f2fe747987b analytics.top_artists_by_day=adbae52693426e1b analytics.top_artists_by_week=b6a279b3d35dd07b analytics.top_songs=6545539feac3d380 analytics.top_songs_by_day=49e458e61aa1363f analytics.top_songs_by_week=41a365ebba088645 analytics.top_unmatched=5ae3cc3ab534115e analytics.user_days=8ae586e0fb33d1de analytics.user_levels=0f3c2a2997d9b2f9 analytics.weekly_activity=9c47c67b0feb4d0f', '0.1.0', NULL);

-- Publish.
COMMIT;

-- Every run takes this lock first, before its snapshot: one run publishes at a time, and sees the result of
-- the one before. Only this table is locked: LOCK makes readers wait too, and the star has readers.
LOCK etl.runs;

-- The versions of the tables, rules and models that the warehouse was made with.
SELECT schema_version, rules_version, models_digest, made_by, upgraded_by FROM etl.meta;

-- The transaction for reading, and for a user's own queries.
BEGIN READ ONLY;

-- The adopted fields, in the order in which they were adopted.
SELECT
    f.kind,
    f.field,
    f.path,
    f.column_name,
    f.column_type,
    f.column_width,
    f.run_id
FROM etl.fields AS f
ORDER BY f.run_id, f.kind, f.field;

-- Who and what was erased.
SELECT person, field, digest, keeps_plays, hash_key, before_ts FROM etl.erased;

-- The number of the latest run; 0 before the first.
SELECT COALESCE(MAX(run_id), 0) AS run_id FROM etl.runs;

-- The files as they are known now: those whose rows are in staging, those that no run loads, and copies.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired');

-- Undo the transaction.
ROLLBACK;

-- Whose statements these are: what the cluster's own history calls them, and a WLM queue may go by.
SET query_group TO 'sparkify run 1';

-- The songs of this run's files before they are accepted.
CREATE TEMP TABLE IF NOT EXISTS run_songs (
    num_songs INTEGER,
    artist_id VARCHAR(64),
    artist_latitude DOUBLE PRECISION,
    artist_longitude DOUBLE PRECISION,
    artist_location VARCHAR(1024),
    artist_name VARCHAR(1024),
    song_id VARCHAR(64),
    title VARCHAR(1024),
    duration DOUBLE PRECISION,
    year INTEGER,
    file_id BIGINT NOT NULL,
    extra VARCHAR(65535),
    needs_rereading BOOLEAN
);

-- The events of this run's files before they are accepted.
CREATE TEMP TABLE IF NOT EXISTS run_events (
    artist VARCHAR(1024),
    auth VARCHAR(64),
    first_name VARCHAR(1024),
    gender VARCHAR(16),
    item_in_session INTEGER,
    last_name VARCHAR(1024),
    length DOUBLE PRECISION,
    level VARCHAR(16),
    location VARCHAR(1024),
    method VARCHAR(16),
    page VARCHAR(64),
    registration DOUBLE PRECISION,
    session_id BIGINT,
    song VARCHAR(1024),
    status INTEGER,
    ts BIGINT,
    user_agent VARCHAR(1024),
    user_id VARCHAR(64),
    file_id BIGINT NOT NULL,
    extra VARCHAR(65535),
    needs_rereading BOOLEAN
);

-- The scope of this run: the keys whose rows in the star have to be computed again.
-- Moments: the times of events that came or went, in ms since 1970, as often as they did.
CREATE TEMP TABLE IF NOT EXISTS run_moments (ts BIGINT NOT NULL);

CREATE TEMP TABLE IF NOT EXISTS run_files (file_id BIGINT NOT NULL);

CREATE TEMP TABLE IF NOT EXISTS run_moves (
    file_id BIGINT NOT NULL,
    new_file_id BIGINT,
    run_id INTEGER,
    uri VARCHAR(4096),
    size BIGINT,
    version VARCHAR(256),
    content VARCHAR(32),
    reason VARCHAR(16),
    detail VARCHAR(1024)
);

CREATE TEMP TABLE IF NOT EXISTS run_changed_songs (song_id VARCHAR(64) NOT NULL);

CREATE TEMP TABLE IF NOT EXISTS run_changed_artists (artist_id VARCHAR(64) NOT NULL);

CREATE TEMP TABLE IF NOT EXISTS run_changed_titles (title VARCHAR(1024), artist_name VARCHAR(1024));

-- What is played: titles as of events, with the moments between which they are played.
CREATE TEMP TABLE IF NOT EXISTS run_played (
    song VARCHAR(1024),
    artist VARCHAR(1024),
    length DOUBLE PRECISION,
    played_from BIGINT,
    played_to BIGINT
);

-- Plays of earlier runs whose song may be another one now, and whether they had one.
CREATE TEMP TABLE IF NOT EXISTS run_rematched (
    songplay_id BIGINT NOT NULL,
    start_time TIMESTAMP NOT NULL,
    user_id VARCHAR(64) NOT NULL,
    level VARCHAR(16),
    session_id BIGINT NOT NULL,
    location VARCHAR(1024),
    user_agent VARCHAR(1024),
    item_in_session INTEGER NOT NULL,
    song VARCHAR(1024),
    artist VARCHAR(1024),
    length DOUBLE PRECISION,
    was_matched INTEGER NOT NULL
);

CREATE TEMP TABLE IF NOT EXISTS run_song_matches (
    song VARCHAR(1024),
    artist VARCHAR(1024),
    length DOUBLE PRECISION,
    song_id VARCHAR(64),
    artist_id VARCHAR(64),
    song_match VARCHAR(16)
);

CREATE TEMP TABLE IF NOT EXISTS run_users (
    user_id VARCHAR(64) NOT NULL,
    first_name VARCHAR(1024),
    last_name VARCHAR(1024),
    gender VARCHAR(16),
    level VARCHAR(16),
    last_seen_ts BIGINT NOT NULL,
    last_item_in_session INTEGER NOT NULL
);

CREATE TEMP TABLE IF NOT EXISTS run_changed_users (user_id VARCHAR(64) NOT NULL);

-- People whose latest event went, with its time: the one before it is looked for.
CREATE TEMP TABLE IF NOT EXISTS run_lost_users (user_id VARCHAR(64) NOT NULL, ts BIGINT NOT NULL);

-- Songs as COPY reads them: every value as text, so that COPY converts, rounds and
-- truncates nothing; a text that is too long for its column is an error. The columns are the keys of the
-- records, in lower case as Redshift folds names.
CREATE TEMP TABLE IF NOT EXISTS run_song_copy (
    num_songs VARCHAR(64),
    artist_id VARCHAR(65),
    artist_latitude VARCHAR(64),
    artist_longitude VARCHAR(64),
    artist_location VARCHAR(1025),
    artist_name VARCHAR(1025),
    song_id VARCHAR(65),
    title VARCHAR(1025),
    duration VARCHAR(64),
    year VARCHAR(64),
    sparkify_extra VARCHAR(65535),
    file_id BIGINT
);

-- The number of slices, which load in parallel.
SELECT COUNT(*) AS slices FROM stv_slices;

-- Packed records (songs), each with the number of its file. The engine appends MANIFEST GZIP and
-- REGION, and counts the records that COPY skips.
COPY run_song_copy (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year, sparkify_extra, file_id
)
FROM 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000003-manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000002-jsonpaths_packed_songs.json'
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF MANIFEST GZIP REGION 'us-west-2';

-- Count the copied records.
SELECT COUNT(*) AS copied FROM run_song_copy;

-- Songs into the run's table: texts that are certainly numbers are converted. Rows that may
-- break a rule, or that COPY may have read differently, need re-reading: their file is read again record
-- by record. These are texts that look like numbers with a fraction or an exponent (COPY makes no
-- difference between 1.50 and "1.50"), values that are too long, and, in files with nested values, texts
-- that begin like an object or array.
-- OCTET_LENGTH and LIKE are used because comparisons ignore trailing blanks. What is not built in was judged
-- when the records were packed.
INSERT INTO run_songs (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year, file_id, extra, needs_rereading
)
SELECT
    CASE
        WHEN c.num_songs ~ '^-?[0-9]{1,9}$'
            THEN CAST(c.num_songs AS INTEGER)
    END AS num_songs,
    CASE WHEN OCTET_LENGTH(c.artist_id) <= 64 THEN c.artist_id END AS artist_id,
    CASE
        WHEN c.artist_latitude ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
            THEN CAST(c.artist_latitude AS DOUBLE PRECISION)
    END AS artist_latitude,
    CASE
        WHEN c.artist_longitude ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
            THEN CAST(c.artist_longitude AS DOUBLE PRECISION)
    END AS artist_longitude,
    CASE WHEN OCTET_LENGTH(c.artist_location) <= 1024 THEN c.artist_location END AS artist_location,
    CASE WHEN OCTET_LENGTH(c.artist_name) <= 1024 THEN c.artist_name END AS artist_name,
    CASE WHEN OCTET_LENGTH(c.song_id) <= 64 THEN c.song_id END AS song_id,
    CASE WHEN OCTET_LENGTH(c.title) <= 1024 THEN c.title END AS title,
    CASE
        WHEN c.duration ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
            THEN CAST(c.duration AS DOUBLE PRECISION)
    END AS duration,
    CASE
        WHEN c.year ~ '^-?[0-9]{1,9}$'
            THEN CAST(c.year AS INTEGER)
    END AS year,
    c.file_id,
    c.sparkify_extra AS extra,
    (
        (
            OCTET_LENGTH(c.num_songs) > 0
            AND NOT c.num_songs ~ '^-?[0-9]{1,9}$'
        )
        OR OCTET_LENGTH(c.artist_id) > 64
        OR c.artist_id IS NULL OR c.artist_id = ''
        OR c.artist_id LIKE '% '
        OR c.artist_id ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.artist_id = '-0'
        OR (
            OCTET_LENGTH(c.artist_latitude) > 0
            AND NOT c.artist_latitude ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
        )
        OR c.artist_latitude ~ '^-0+$'
        OR (
            OCTET_LENGTH(c.artist_longitude) > 0
            AND NOT c.artist_longitude ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
        )
        OR c.artist_longitude ~ '^-0+$'
        OR OCTET_LENGTH(c.artist_location) > 1024
        OR c.artist_location ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.artist_location = '-0'
        OR OCTET_LENGTH(c.artist_name) > 1024
        OR c.artist_name ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.artist_name = '-0'
        OR OCTET_LENGTH(c.song_id) > 64
        OR c.song_id IS NULL OR c.song_id = ''
        OR c.song_id LIKE '% '
        OR c.song_id ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.song_id = '-0'
        OR OCTET_LENGTH(c.title) > 1024
        OR c.title ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.title = '-0'
        OR (
            OCTET_LENGTH(c.duration) > 0
            AND NOT c.duration ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
        )
        OR c.duration ~ '^-0+$'
        OR (
            OCTET_LENGTH(c.year) > 0
            AND NOT c.year ~ '^-?[0-9]{1,9}$'
        )
        OR (FALSE AND (
            LEFT(c.artist_id, 1) IN ('{', '[')
            OR LEFT(c.artist_location, 1) IN ('{', '[')
            OR LEFT(c.artist_name, 1) IN ('{', '[')
            OR LEFT(c.song_id, 1) IN ('{', '[')
            OR LEFT(c.title, 1) IN ('{', '[')
        ))
    ) AS needs_rereading
FROM run_song_copy AS c;

-- Counts of every landed file of this run: rows, rows of the fact, the range of their times, rows that
-- need re-reading, null values, and rows with fields that have no column.
SELECT
    file_id,
    COUNT(*) AS landed,
    0 AS plays,
    CAST(NULL AS BIGINT) AS ts_from,
    CAST(NULL AS BIGINT) AS ts_to,
    COUNT(CASE WHEN needs_rereading THEN 1 END) AS needs_rereading,
    10 * COUNT(*)
    - COUNT(num_songs) - COUNT(artist_id) - COUNT(artist_latitude) - COUNT(artist_longitude)
    - COUNT(artist_location) - COUNT(artist_name) - COUNT(song_id) - COUNT(title) - COUNT(duration)
    - COUNT(year) AS null_values,
    COUNT(extra) AS extras
FROM run_songs
GROUP BY file_id;

INSERT INTO run_files (file_id) VALUES
(3141584196679770);

-- Remove the rows of files that need re-reading (run_files).
DELETE FROM run_songs WHERE file_id IN (SELECT file_id FROM run_files);

-- Remove the rows of files that need re-reading (run_files).
DELETE FROM run_events WHERE file_id IN (SELECT file_id FROM run_files);

-- Empty the list of chosen files.
DELETE FROM run_files;

-- Empty the table that COPY fills.
DELETE FROM run_song_copy;

-- Packed records (songs), each with the number of its file. The engine appends MANIFEST GZIP and
-- REGION, and counts the records that COPY skips.
COPY run_song_copy (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year, sparkify_extra, file_id
)
FROM 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000005-manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000002-jsonpaths_packed_songs.json'
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF MANIFEST GZIP REGION 'us-west-2';

-- Songs that our rules have accepted: every value is converted, and one that cannot be
-- converted is an error.
INSERT INTO run_songs (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year, file_id, extra, needs_rereading
)
SELECT
    CAST(c.num_songs AS INTEGER) AS num_songs,
    c.artist_id,
    CAST(c.artist_latitude AS DOUBLE PRECISION) AS artist_latitude,
    CAST(c.artist_longitude AS DOUBLE PRECISION) AS artist_longitude,
    c.artist_location,
    c.artist_name,
    c.song_id,
    c.title,
    CAST(c.duration AS DOUBLE PRECISION) AS duration,
    CAST(c.year AS INTEGER) AS year,
    c.file_id,
    c.sparkify_extra AS extra,
    FALSE AS needs_rereading
FROM run_song_copy AS c;

-- Events as COPY reads them: every value as text, so that COPY converts, rounds and
-- truncates nothing; a text that is too long for its column is an error. The columns are the keys of the
-- records, in lower case as Redshift folds names.
CREATE TEMP TABLE IF NOT EXISTS run_event_copy (
    artist VARCHAR(1025),
    auth VARCHAR(65),
    firstname VARCHAR(1025),
    gender VARCHAR(17),
    iteminsession VARCHAR(64),
    lastname VARCHAR(1025),
    length VARCHAR(64),
    level VARCHAR(17),
    location VARCHAR(1025),
    method VARCHAR(17),
    page VARCHAR(65),
    registration VARCHAR(64),
    sessionid VARCHAR(64),
    song VARCHAR(1025),
    status VARCHAR(64),
    ts VARCHAR(64),
    useragent VARCHAR(1025),
    userid VARCHAR(65),
    sparkify_extra VARCHAR(65535),
    file_id BIGINT
);

-- Packed records (events), each with the number of its file. The engine appends MANIFEST GZIP and
-- REGION, and counts the records that COPY skips.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid, sparkify_extra, file_id
)
FROM 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000008-manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000007-jsonpaths_packed_events.json'
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF MANIFEST GZIP REGION 'us-west-2';

-- Events into the run's table: texts that are certainly numbers are converted. Rows that may
-- break a rule, or that COPY may have read differently, need re-reading: their file is read again record
-- by record. These are texts that look like numbers with a fraction or an exponent (COPY makes no
-- difference between 1.50 and "1.50"), values that are too long, and, in files with nested values, texts
-- that begin like an object or array.
-- OCTET_LENGTH and LIKE are used because comparisons ignore trailing blanks. What is not built in was judged
-- when the records were packed.
INSERT INTO run_events (
    artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page,
    registration, session_id, song, status, ts, user_agent, user_id, file_id, extra, needs_rereading
)
SELECT
    CASE WHEN OCTET_LENGTH(c.artist) <= 1024 THEN c.artist END AS artist,
    CASE WHEN OCTET_LENGTH(c.auth) <= 64 THEN c.auth END AS auth,
    CASE WHEN OCTET_LENGTH(c.firstname) <= 1024 THEN c.firstname END AS first_name,
    CASE WHEN OCTET_LENGTH(c.gender) <= 16 THEN c.gender END AS gender,
    CASE
        WHEN c.iteminsession ~ '^-?[0-9]{1,9}$'
            THEN CAST(c.iteminsession AS INTEGER)
    END AS item_in_session,
    CASE WHEN OCTET_LENGTH(c.lastname) <= 1024 THEN c.lastname END AS last_name,
    CASE
        WHEN c.length ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
            THEN CAST(c.length AS DOUBLE PRECISION)
    END AS length,
    CASE WHEN OCTET_LENGTH(c.level) <= 16 THEN c.level END AS level,
    CASE WHEN OCTET_LENGTH(c.location) <= 1024 THEN c.location END AS location,
    CASE WHEN OCTET_LENGTH(c.method) <= 16 THEN c.method END AS method,
    CASE WHEN OCTET_LENGTH(c.page) <= 64 THEN c.page END AS page,
    CASE
        WHEN c.registration ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
            THEN CAST(c.registration AS DOUBLE PRECISION)
    END AS registration,
    CASE
        WHEN c.sessionid ~ '^-?[0-9]{1,18}$'
            THEN CAST(c.sessionid AS BIGINT)
    END AS session_id,
    CASE WHEN OCTET_LENGTH(c.song) <= 1024 THEN c.song END AS song,
    CASE
        WHEN c.status ~ '^-?[0-9]{1,9}$'
            THEN CAST(c.status AS INTEGER)
    END AS status,
    CASE
        WHEN c.ts ~ '^-?[0-9]{1,18}$'
            THEN CAST(c.ts AS BIGINT)
    END AS ts,
    CASE WHEN OCTET_LENGTH(c.useragent) <= 1024 THEN c.useragent END AS user_agent,
    CASE WHEN OCTET_LENGTH(c.userid) <= 64 THEN c.userid END AS user_id,
    c.file_id,
    c.sparkify_extra AS extra,
    (
        OCTET_LENGTH(c.artist) > 1024
        OR c.artist ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.artist = '-0'
        OR OCTET_LENGTH(c.auth) > 64
        OR c.auth ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.auth = '-0'
        OR OCTET_LENGTH(c.firstname) > 1024
        OR c.firstname ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.firstname = '-0'
        OR OCTET_LENGTH(c.gender) > 16
        OR c.gender ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.gender = '-0'
        OR c.iteminsession IS NULL OR NOT c.iteminsession ~ '^-?[0-9]{1,9}$'
        OR OCTET_LENGTH(c.lastname) > 1024
        OR c.lastname ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.lastname = '-0'
        OR (
            OCTET_LENGTH(c.length) > 0
            AND NOT c.length ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
        )
        OR c.length ~ '^-0+$'
        OR OCTET_LENGTH(c.level) > 16
        OR c.level ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.level = '-0'
        OR OCTET_LENGTH(c.location) > 1024
        OR c.location ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.location = '-0'
        OR OCTET_LENGTH(c.method) > 16
        OR c.method ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.method = '-0'
        OR OCTET_LENGTH(c.page) > 64
        OR c.page IS NULL OR c.page = ''
        OR c.page LIKE '% '
        OR c.page ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.page = '-0'
        OR (
            OCTET_LENGTH(c.registration) > 0
            AND NOT c.registration ~ '^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'
        )
        OR c.registration ~ '^-0+$'
        OR c.sessionid IS NULL OR NOT c.sessionid ~ '^-?[0-9]{1,18}$'
        OR OCTET_LENGTH(c.song) > 1024
        OR c.song ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.song = '-0'
        OR (
            OCTET_LENGTH(c.status) > 0
            AND NOT c.status ~ '^-?[0-9]{1,9}$'
        )
        OR c.ts IS NULL OR NOT c.ts ~ '^-?[0-9]{1,18}$'
        OR OCTET_LENGTH(c.useragent) > 1024
        OR c.useragent ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.useragent = '-0'
        OR OCTET_LENGTH(c.userid) > 64
        OR c.userid LIKE '% '
        OR c.userid ~ '^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$'
        OR c.userid = '-0'
        OR COALESCE(
            CASE WHEN c.ts ~ '^-?[0-9]{1,18}$' THEN CAST(c.ts AS BIGINT) END
            NOT BETWEEN 946684800000 AND 4102444799999, TRUE
        )
        OR (c.page = 'NextSong' AND COALESCE(c.userid, '') = '')
        OR (FALSE AND (
            LEFT(c.artist, 1) IN ('{', '[')
            OR LEFT(c.auth, 1) IN ('{', '[')
            OR LEFT(c.firstname, 1) IN ('{', '[')
            OR LEFT(c.gender, 1) IN ('{', '[')
            OR LEFT(c.lastname, 1) IN ('{', '[')
            OR LEFT(c.level, 1) IN ('{', '[')
            OR LEFT(c.location, 1) IN ('{', '[')
            OR LEFT(c.method, 1) IN ('{', '[')
            OR LEFT(c.page, 1) IN ('{', '[')
            OR LEFT(c.song, 1) IN ('{', '[')
            OR LEFT(c.useragent, 1) IN ('{', '[')
            OR LEFT(c.userid, 1) IN ('{', '[')
        ))
    ) AS needs_rereading
FROM run_event_copy AS c;

-- Counts of every landed file of this run: rows, rows of the fact, the range of their times, rows that
-- need re-reading, null values, and rows with fields that have no column.
SELECT
    file_id,
    COUNT(*) AS landed,
    COUNT(CASE WHEN page = 'NextSong' THEN 1 END) AS plays,
    MIN(ts) AS ts_from,
    MAX(ts) AS ts_to,
    COUNT(CASE WHEN needs_rereading THEN 1 END) AS needs_rereading,
    18 * COUNT(*)
    - COUNT(artist) - COUNT(auth) - COUNT(first_name) - COUNT(gender) - COUNT(item_in_session)
    - COUNT(last_name) - COUNT(length) - COUNT(level) - COUNT(location) - COUNT(method) - COUNT(page)
    - COUNT(registration) - COUNT(session_id) - COUNT(song) - COUNT(status) - COUNT(ts)
    - COUNT(user_agent) - COUNT(user_id) AS null_values,
    COUNT(extra) AS extras
FROM run_events
GROUP BY file_id;

INSERT INTO run_files (file_id) VALUES
(2647871717814730),
(7588823715942316),
(4015995664136107),
(5172686462209440);

-- Empty the table that COPY fills.
DELETE FROM run_event_copy;

-- Packed records (events), each with the number of its file. The engine appends MANIFEST GZIP and
-- REGION, and counts the records that COPY skips.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid, sparkify_extra, file_id
)
FROM 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000010-manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000007-jsonpaths_packed_events.json'
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF MANIFEST GZIP REGION 'us-west-2';

-- Count the copied records.
SELECT COUNT(*) AS copied FROM run_event_copy;

-- Events that our rules have accepted: every value is converted, and one that cannot be
-- converted is an error.
INSERT INTO run_events (
    artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page,
    registration, session_id, song, status, ts, user_agent, user_id, file_id, extra, needs_rereading
)
SELECT
    c.artist,
    c.auth,
    c.firstname AS first_name,
    c.gender,
    CAST(c.iteminsession AS INTEGER) AS item_in_session,
    c.lastname AS last_name,
    CAST(c.length AS DOUBLE PRECISION) AS length,
    c.level,
    c.location,
    c.method,
    c.page,
    CAST(c.registration AS DOUBLE PRECISION) AS registration,
    CAST(c.sessionid AS BIGINT) AS session_id,
    c.song,
    CAST(c.status AS INTEGER) AS status,
    CAST(c.ts AS BIGINT) AS ts,
    c.useragent AS user_agent,
    c.userid AS user_id,
    c.file_id,
    c.sparkify_extra AS extra,
    FALSE AS needs_rereading
FROM run_event_copy AS c;

INSERT INTO run_files (file_id) VALUES
(7588823715942316);

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 1
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

-- Mark the former versions of this run's files (run_files) as no longer current.
UPDATE etl.files SET state = 'replaced'
WHERE
    state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
    AND file_id IN (SELECT file_id FROM run_files);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(7588823715942316, 1, 'events', 's3://statements/log_data/4.json', 8, 'version', 'set_aside', 1, 0, 1, 0, 'fa485730991d21a635b343cc9e3cac5e', 'rejects', 'nothing of it loads: 1 malformed_json. The first is line 1 of s3://statements/log_data/4.json: Expecting value, column 1.', 0);

-- Record the songs and artists of the records that this run accepts.
INSERT INTO run_changed_songs SELECT DISTINCT song_id FROM run_songs;

INSERT INTO run_changed_artists SELECT DISTINCT artist_id FROM run_songs;

-- Accept the songs of this run.
INSERT INTO staging_songs (
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year, file_id, extra
)
SELECT
    num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title,
    duration, year, file_id, extra
FROM run_songs;

-- Accept the events of this run.
INSERT INTO staging_events (
    artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page,
    registration, session_id, song, status, ts, user_agent, user_id, file_id, extra
)
SELECT
    artist, auth, first_name, gender, item_in_session, last_name, length, level, location, method, page,
    registration, session_id, song, status, ts, user_agent, user_id, file_id, extra
FROM run_events;

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(3423743253137239, 1, 'songs', 's3://statements/song_data/1.json', 211, 'version', 'loaded', 1, 1, 0, 0, 'b2af3012d1562fff80f6d280b5d339ab', NULL, NULL, 0),
(3141584196679770, 1, 'songs', 's3://statements/song_data/2.json', 213, 'version', 'loaded', 1, 1, 0, 0, 'f3293a0df555f2548359e4a7c2b7accc', NULL, NULL, 0),
(4040650450145751, 1, 'events', 's3://statements/log_data/1.json', 696, 'version', 'loaded', 2, 2, 0, 1, '49ca1714cb1659a9ed7f9c6abe895514', NULL, NULL, 0),
(2647871717814730, 1, 'events', 's3://statements/log_data/2.json', 366, 'version', 'loaded', 2, 1, 1, 1, '968542b1f1bba08f16591c00b5fd49c6', NULL, NULL, 0),
(3010460447655594, 1, 'events', 's3://statements/log_data/3.json', 363, 'version', 'loaded', 1, 1, 0, 1, '512046695043b1136c92bcf6b7beeadd', NULL, NULL, 0),
(1386527108295880, 1, 'events', 's3://statements/log_data/5.json', 350, 'version', 'loaded', 1, 1, 0, 1, 'c749ee43b0b113775ae5b09cb3f3666a', NULL, NULL, 0),
(4015995664136107, 1, 'events', 's3://statements/log_data/6.json', 356, 'version', 'loaded', 2, 1, 1, 1, '782dadbb7db713f5913c7e8ac1529c89', NULL, NULL, 0),
(5172686462209440, 1, 'events', 's3://statements/log_data/8.json', 703, 'version', 'loaded', 2, 1, 1, 1, 'e412e3de82682f788b764ec21e11e5a7', NULL, NULL, 0);

INSERT INTO etl.rejects (run_id, file_id, uri, line, byte_offset, reason, detail, content, encoding, size, resolved_by, kind) VALUES
(1, 2647871717814730, 's3://statements/log_data/2.json', 2, 358, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events'),
(1, 4015995664136107, 's3://statements/log_data/6.json', 2, 350, 'truncated_file', 'the file ends inside a record (Expecting value, column 7)', '{"ts":', 'utf-8', 6, NULL, 'events'),
(1, 5172686462209440, 's3://statements/log_data/8.json', 2, 350, 'missing_field', 'sessionId is missing', '{"artist": "Artist", "auth": "Logged In", "firstName": "Ada", "gender": "F", "itemInSession": 0, "lastName": "Day", "length": 200.5, "level": "free", "location": "London", "method": "PUT", "page": "NextSong", "registration": 1540919166796.0, "sessionId": null, "song": "Title", "status": 200, "ts": 1541030400000, "userAgent": "Browser", "userId": "8"}', 'utf-8', 352, NULL, 'events'),
(1, 7588823715942316, 's3://statements/log_data/4.json', 1, 0, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events');

INSERT INTO etl.unknown_fields (run_id, kind, field, occurrences, first_uri) VALUES
(1, 'events', 'more', 1, 's3://statements/log_data/3.json');

-- What a run has to look at besides its moments: songs that came or went, people whose latest event went.
SELECT
    (SELECT COUNT(*) FROM run_changed_songs) AS songs,
    (SELECT COUNT(*) FROM run_lost_users) AS people;

-- Songs of the catalogue: of several records of one song_id the most complete, then the first by content,
-- so that the order in which files arrive does not matter. Year 0 and empty texts mean unknown.
-- Also records the old and new titles of the changed songs: plays of these titles are matched again.
INSERT INTO run_changed_titles
SELECT DISTINCT s.title, s.artist_name
FROM songs AS s
WHERE s.song_id IN (SELECT song_id FROM run_changed_songs);

DELETE FROM songs WHERE song_id IN (SELECT song_id FROM run_changed_songs);

INSERT INTO songs (song_id, title, artist_id, year, duration, artist_name)
SELECT
    s.song_id,
    NULLIF(RTRIM(s.title, ' '), '') AS title,
    s.artist_id,
    NULLIF(s.year, 0) AS year,
    s.duration,
    NULLIF(RTRIM(s.artist_name, ' '), '') AS artist_name
FROM staging_songs AS s
WHERE s.song_id IN (SELECT song_id FROM run_changed_songs)
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY s.song_id
    ORDER BY
        CASE WHEN s.year > 0 THEN 0 ELSE 1 END,
        CASE WHEN s.duration > 0 THEN 0 ELSE 1 END,
        NULLIF(RTRIM(s.title, ' '), ''), NULLIF(RTRIM(s.artist_name, ' '), ''),
        s.artist_id, s.duration, s.year
) = 1;

INSERT INTO run_changed_titles
SELECT DISTINCT s.title, s.artist_name
FROM songs AS s
WHERE s.song_id IN (SELECT song_id FROM run_changed_songs);

-- Artists of the catalogue: one row per artist_id, although records credit it under several names.
-- The name most songs credit wins; ties go to the shortest, then the first by alphabet.
-- The location comes from a record that has one.
DELETE FROM artists WHERE artist_id IN (SELECT artist_id FROM run_changed_artists);

INSERT INTO artists (artist_id, name, location, latitude, longitude)
WITH records AS (
    SELECT
        s.artist_id,
        s.song_id,
        NULLIF(RTRIM(s.artist_name, ' '), '') AS name,
        NULLIF(RTRIM(s.artist_location, ' '), '') AS location,
        s.artist_latitude AS latitude,
        s.artist_longitude AS longitude
    FROM staging_songs AS s
    WHERE s.artist_id IN (SELECT artist_id FROM run_changed_artists)
),

credits AS (
    SELECT r.artist_id, r.name, COUNT(DISTINCT r.song_id) AS songs
    FROM records AS r
    GROUP BY r.artist_id, r.name
),

names AS (
    SELECT c.artist_id, c.name
    FROM credits AS c
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY c.artist_id
        ORDER BY CASE WHEN c.name IS NULL THEN 1 ELSE 0 END, c.songs DESC, LEN(c.name), c.name
    ) = 1
),

places AS (
    SELECT r.artist_id, r.location, r.latitude, r.longitude
    FROM records AS r
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY r.artist_id
        ORDER BY
            CASE WHEN r.location IS NULL THEN 1 ELSE 0 END,
            CASE WHEN r.latitude IS NULL OR r.longitude IS NULL THEN 1 ELSE 0 END,
            r.location, r.latitude, r.longitude
    ) = 1
)

SELECT n.artist_id, n.name, p.location, p.latitude, p.longitude
FROM names AS n
INNER JOIN places AS p ON n.artist_id = p.artist_id;

-- Between which moments titles of the songs that changed are played; NULL: never.
SELECT MIN(p.played_from) AS titles_from, MAX(p.played_to) AS titles_to
FROM etl.played_titles AS p
INNER JOIN run_changed_titles AS t ON p.song = t.title AND p.artist = t.artist_name;

-- The (title, artist, length) of the run's plays, and between which moments they are played.
-- Trailing blanks never matter: Redshift ignores them in every comparison, so the rule says so.
DELETE FROM run_played;

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400008
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- A song that arrives later is looked up here, so that no play is read for titles that nobody played.
UPDATE etl.played_titles SET
    played_from = LEAST(played_from, r.first_ts),
    played_to = GREATEST(played_to, r.last_ts)
FROM (
    SELECT song AS title, artist AS artist_name, MIN(played_from) AS first_ts, MAX(played_to) AS last_ts
    FROM run_played
    WHERE song <> '' AND artist <> ''
    GROUP BY song, artist
) AS r
WHERE song = r.title AND artist = r.artist_name AND (r.first_ts < played_from OR r.last_ts > played_to);

INSERT INTO etl.played_titles (song, artist, played_from, played_to)
SELECT r.song, r.artist, MIN(r.played_from) AS played_from, MAX(r.played_to) AS played_to
FROM run_played AS r
LEFT JOIN etl.played_titles AS t ON r.song = t.song AND r.artist = t.artist
WHERE r.song <> '' AND r.artist <> '' AND t.song IS NULL
GROUP BY r.song, r.artist;

-- The song of the catalogue for every (title, artist, length) as played (run_played).
-- A play matches by title and the artist name on the song's own record, then by the nearest length.
DELETE FROM run_song_matches;

INSERT INTO run_song_matches (song, artist, length, song_id, artist_id, song_match)
SELECT
    p.song,
    p.artist,
    p.length,
    s.song_id,
    s.artist_id,
    CASE WHEN ABS(s.duration - p.length) <= 0.001 THEN 'exact' ELSE 'title_artist' END AS song_match
FROM run_played AS p
INNER JOIN songs AS s ON p.song = s.title AND p.artist = s.artist_name
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY p.song, p.artist, p.length
    ORDER BY ABS(s.duration - p.length), s.song_id
) = 1;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400008
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400008
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400008
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

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
        e.user_id <> '' AND e.ts BETWEEN 1541030400000 AND 1541030400008
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
    WHERE e.ts BETWEEN 1541030400000 AND 1541030400008
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- What the events of each UTC day come to, for the days of the run. Events are those of staging, as
-- delivered; plays are those of songplays, each once. A stretch without an event lies between events of
-- different minutes, since shorter ones matter to nobody: minutes are fewer than events, and sorted faster.
DELETE FROM etl.days WHERE first_ts BETWEEN 1541030400000 AND 1541116799999;

INSERT INTO etl.days (
    day, events, plays, first_ts, last_ts, plays_without_title, plays_without_artist, plays_matched, absent,
    gap_within_ms
)
WITH minutes AS (
    SELECT
        e.ts - MOD(e.ts, 60000) AS minute_ts,
        COUNT(*) AS events,
        MIN(e.ts) AS first_ts,
        MAX(e.ts) AS last_ts
    FROM staging_events AS e
    WHERE e.ts BETWEEN 1541030400000 AND 1541116799999
    GROUP BY e.ts - MOD(e.ts, 60000)
),

spaced AS (
    SELECT
        m.minute_ts - MOD(m.minute_ts, 86400000) AS midnight,
        m.events,
        m.first_ts,
        m.last_ts,
        m.first_ts - LAG(m.last_ts) OVER (
            PARTITION BY m.minute_ts - MOD(m.minute_ts, 86400000) ORDER BY m.minute_ts
        ) AS gap
    FROM minutes AS m
),

of_events AS (
    SELECT
        CAST(DATEADD(ms, s.midnight, '1970-01-01'::TIMESTAMP) AS DATE) AS day,
        CAST(SUM(s.events) AS BIGINT) AS events,
        MIN(s.first_ts) AS first_ts,
        MAX(s.last_ts) AS last_ts,
        MAX(s.gap) AS gap_within_ms
    FROM spaced AS s
    GROUP BY s.midnight
),

of_plays AS (
    SELECT
        CAST(p.start_time AS DATE) AS day,
        COUNT(*) AS plays,
        COUNT(*) - COUNT(p.song) AS without_title,
        COUNT(*) - COUNT(p.artist) AS without_artist,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541116799999, '1970-01-01'::TIMESTAMP)
    GROUP BY CAST(p.start_time AS DATE)
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
LEFT JOIN of_plays AS p ON e.day = p.day;

-- The stretch since the last event of an earlier day counts for the day in which it ends. Every day is looked
-- at, since a few thousand rows are all there are; only those that change are written.
UPDATE etl.days SET longest_gap_ms = g.longest
FROM (
    SELECT
        s.day AS of_day,
        CASE
            WHEN s.gap_before >= COALESCE(s.gap_within_ms, 0) THEN s.gap_before ELSE s.gap_within_ms
        END AS longest
    FROM (
        SELECT d.day, d.gap_within_ms, d.first_ts - LAG(d.last_ts) OVER (ORDER BY d.day) AS gap_before
        FROM etl.days AS d
    ) AS s
) AS g
WHERE day = g.of_day AND COALESCE(longest_gap_ms, -1) <> COALESCE(g.longest, -1);

-- The columns that are NULL in every one of a day's events, for the days of the run's time range.
UPDATE etl.days SET absent = a.names
FROM (
    SELECT
        e.ts - MOD(e.ts, 86400000) AS midnight,
        RTRIM(
            CASE WHEN COUNT(e.artist) = 0 THEN 'artist ' ELSE '' END
            || CASE WHEN COUNT(e.auth) = 0 THEN 'auth ' ELSE '' END
            || CASE WHEN COUNT(e.first_name) = 0 THEN 'first_name ' ELSE '' END
            || CASE WHEN COUNT(e.gender) = 0 THEN 'gender ' ELSE '' END
            || CASE WHEN COUNT(e.last_name) = 0 THEN 'last_name ' ELSE '' END
            || CASE WHEN COUNT(e.length) = 0 THEN 'length ' ELSE '' END
            || CASE WHEN COUNT(e.level) = 0 THEN 'level ' ELSE '' END
            || CASE WHEN COUNT(e.location) = 0 THEN 'location ' ELSE '' END
            || CASE WHEN COUNT(e.method) = 0 THEN 'method ' ELSE '' END
            || CASE WHEN COUNT(e.registration) = 0 THEN 'registration ' ELSE '' END
            || CASE WHEN COUNT(e.song) = 0 THEN 'song ' ELSE '' END
            || CASE WHEN COUNT(e.status) = 0 THEN 'status ' ELSE '' END
            || CASE WHEN COUNT(e.user_agent) = 0 THEN 'user_agent ' ELSE '' END
            || CASE WHEN COUNT(e.user_id) = 0 THEN 'user_id ' ELSE '' END
        ) AS names
    FROM staging_events AS e
    WHERE e.ts BETWEEN 1541030400000 AND 1541116799999
    GROUP BY e.ts - MOD(e.ts, 86400000)
) AS a
WHERE first_ts BETWEEN a.midnight AND a.midnight + 86399999 AND absent <> a.names;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 1)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 1)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 1
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1541030400000 AND 1541030400008
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1541030400000 AND 1541030400008 AND d.staged <> d.plays
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts BETWEEN 1541030400000 AND 1541030400008 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 1
    ) > 0;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 1 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 1 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 1 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 1 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1541030400000 AND 1541116799999
        OR (t.ts_before <= 1541116799999 AND t.first_ts > 1541116799999)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1541030400000 AND 1541116799999
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1541030400000 AND 1541116799999
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

-- As many plays match a song as before.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 plays or more, after 7 days with events or more, fewer match than 3/4 of what
-- the rate of the 28 days before lets expect, by more than 5 standard deviations of chance.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_matched,
        COUNT(*) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS days_before,
        CAST(SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS DOUBLE PRECISION)
            AS plays_before,
        CAST(
            SUM(d.plays_matched) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING)
            AS DOUBLE PRECISION
        ) AS matched_before
    FROM etl.days AS d
),

expected AS (
    SELECT
        d.day,
        d.plays,
        d.plays_matched,
        d.plays_before,
        d.matched_before / d.plays_before AS rate,
        d.plays * d.matched_before / d.plays_before AS matches
    FROM days AS d
    WHERE
        d.first_ts BETWEEN 1541030400000 AND 1541116799999
        AND d.days_before >= 7 AND d.plays >= 50 AND d.plays_before > 0
)

SELECT
    CAST(e.day AS VARCHAR(10)) AS subject,
    CAST(e.plays_matched AS VARCHAR(20)) || ' of ' || CAST(e.plays AS VARCHAR(20))
    || ' plays match a song ('
    || CAST(CAST(100.0 * e.plays_matched / e.plays AS DECIMAL(18, 1)) AS VARCHAR(20))
    || ' %); in the 28 days before, '
    || CAST(CAST(100.0 * e.rate AS DECIMAL(18, 1)) AS VARCHAR(20)) || ' %' AS found
FROM expected AS e
WHERE
    e.plays_matched < 0.75 * e.matches
    AND (e.matches - e.plays_matched) * (e.matches - e.plays_matched)
    > 25 * e.matches * (1 - e.rate) * (1 + e.plays / e.plays_before)
ORDER BY subject;

-- Plays have a title and an artist.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 20 plays or more, at least 10 lack one of them; that is more than 5 %, and
-- 3 times the share in the 28 days with events before (no such day: none lacked any).
WITH before AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_without_title AS titles,
        d.plays_without_artist AS artists,
        SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS plays_before,
        SUM(d.plays_without_title) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS titles_before,
        SUM(d.plays_without_artist) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS artists_before
    FROM etl.days AS d
),

days AS (
    SELECT
        b.day,
        b.plays,
        b.titles,
        b.artists,
        CAST(COALESCE(b.plays_before, 0) AS BIGINT) AS plays_before,
        CAST(COALESCE(b.titles_before, 0) AS BIGINT) AS titles_before,
        CAST(COALESCE(b.artists_before, 0) AS BIGINT) AS artists_before
    FROM before AS b
    WHERE b.first_ts BETWEEN 1541030400000 AND 1541116799999 AND b.plays >= 20
)

SELECT
    CAST(d.day AS VARCHAR(10)) AS subject,
    'of ' || CAST(d.plays AS VARCHAR(20)) || ' plays ' || CAST(d.titles AS VARCHAR(20))
    || ' have no title and ' || CAST(d.artists AS VARCHAR(20)) || ' no artist; in the 28 days before, of '
    || CAST(d.plays_before AS VARCHAR(20)) || ' plays ' || CAST(d.titles_before AS VARCHAR(20)) || ' and '
    || CAST(d.artists_before AS VARCHAR(20)) AS found
FROM days AS d
WHERE
    (
        d.titles >= 10 AND d.titles * 20 > d.plays
        AND d.titles * d.plays_before >= 3 * d.plays * d.titles_before
    )
    OR (
        d.artists >= 10 AND d.artists * 20 > d.plays
        AND d.artists * d.plays_before >= 3 * d.plays * d.artists_before
    )
ORDER BY subject;

-- A field that every day had does not go away.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 events or more, none has the field, and some did on each of the 7 days with
-- events before.
WITH fields AS (
    SELECT 'artist' AS name
    UNION ALL SELECT 'auth' AS name
    UNION ALL SELECT 'first_name' AS name
    UNION ALL SELECT 'gender' AS name
    UNION ALL SELECT 'last_name' AS name
    UNION ALL SELECT 'length' AS name
    UNION ALL SELECT 'level' AS name
    UNION ALL SELECT 'location' AS name
    UNION ALL SELECT 'method' AS name
    UNION ALL SELECT 'registration' AS name
    UNION ALL SELECT 'song' AS name
    UNION ALL SELECT 'status' AS name
    UNION ALL SELECT 'user_agent' AS name
    UNION ALL SELECT 'user_id' AS name
),

days AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        f.name,
        CASE WHEN ' ' || d.absent || ' ' LIKE '% ' || f.name || ' %' THEN 1 ELSE 0 END AS is_absent
    FROM etl.days AS d
    CROSS JOIN fields AS f
),

judged AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        d.name,
        d.is_absent,
        COUNT(*) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        SUM(d.is_absent) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS absent_before
    FROM days AS d
)

SELECT
    CAST(j.day AS VARCHAR(10)) || ' ' || j.name AS subject,
    'none of ' || CAST(j.events AS VARCHAR(20)) || ' events has a value for ' || j.name
    || ', which each of the 7 days before had' AS found
FROM judged AS j
WHERE
    j.first_ts BETWEEN 1541030400000 AND 1541116799999
    AND j.events >= 50 AND j.is_absent = 1 AND j.days_before = 7 AND j.absent_before = 0
ORDER BY subject;

-- What checks of severity warn have named in runs that were published.
SELECT DISTINCT c.check_name, c.subject
FROM etl.checks AS c
INNER JOIN etl.runs AS r ON c.run_id = r.run_id
WHERE c.severity = 'warn' AND c.failing_rows > 0 AND r.status = 'done';

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN 1541030400000 AND 1541030400008
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(1, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 8, 12, 9, 3, 6, 0, 6, 5, '0.1.0', NULL, 0);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(1, 'conservation', 0, NULL, 'error', NULL),
(1, 'no_fan_out', 0, NULL, 'error', NULL),
(1, 'not_null', 0, NULL, 'error', NULL),
(1, 'owned_rows', 0, NULL, 'error', NULL),
(1, 'plays_from_logs', 0, NULL, 'error', NULL),
(1, 'references', 0, NULL, 'error', NULL),
(1, 'unique_keys', 0, NULL, 'error', NULL),
(1, 'cut_file', 1, 'ends inside a record, line 2: what follows is missing', 'warn', 's3://statements/log_data/6.json'),
(1, 'empty_log', 0, NULL, 'warn', NULL),
(1, 'hole_in_time', 0, NULL, 'warn', NULL),
(1, 'match_rate_fell', 0, NULL, 'warn', NULL),
(1, 'plays_without_names', 0, NULL, 'warn', NULL),
(1, 'vanished_field', 0, NULL, 'warn', NULL);

-- The number of rows in each table.
SELECT 'staging_events' AS table_name, COUNT(*) AS table_rows FROM staging_events
UNION ALL
SELECT 'staging_songs' AS table_name, COUNT(*) AS table_rows FROM staging_songs
UNION ALL
SELECT 'songplays' AS table_name, COUNT(*) AS table_rows FROM songplays
UNION ALL
SELECT 'users' AS table_name, COUNT(*) AS table_rows FROM users
UNION ALL
SELECT 'songs' AS table_name, COUNT(*) AS table_rows FROM songs
UNION ALL
SELECT 'artists' AS table_name, COUNT(*) AS table_rows FROM artists
UNION ALL
SELECT 'time' AS table_name, COUNT(*) AS table_rows FROM time;

INSERT INTO run_files (file_id) VALUES
(1386527108295880);

INSERT INTO run_moves (file_id, reason, detail) VALUES
(1386527108295880, 'rejects', 'nothing of it loads: 1 malformed_json. The first is line 1 of s3://statements/log_data/5.json: Expecting value, column 1.');

-- Note on loaded files why their later versions are set aside (run_moves).
UPDATE etl.files SET reason = run_moves.reason, detail = run_moves.detail
FROM run_moves
WHERE files.state = 'loaded' AND files.file_id = run_moves.file_id;

-- Empty the list of files that get another number or name.
DELETE FROM run_moves;

-- Mark the rejected records of later versions of loaded files (run_files) as resolved: yet another version is
-- set aside now. Those of the loaded version stay.
UPDATE etl.rejects SET resolved_by = 2
FROM etl.files AS f
WHERE
    rejects.file_id = f.file_id
    AND f.state = 'loaded'
    AND rejects.run_id > f.run_id
    AND rejects.resolved_by IS NULL
    AND rejects.file_id IN (SELECT file_id FROM run_files);

INSERT INTO etl.rejects (run_id, file_id, uri, line, byte_offset, reason, detail, content, encoding, size, resolved_by, kind) VALUES
(2, 1386527108295880, 's3://statements/log_data/5.json', 1, 0, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events');

-- The days of the run's moments: how many of its events came or went, and how many the day had before.
SELECT m.midnight, m.events, m.ts_from, m.ts_to, COALESCE(d.events, 0) AS events_before
FROM (
    SELECT ts - MOD(ts, 86400000) AS midnight, COUNT(*) AS events, MIN(ts) AS ts_from, MAX(ts) AS ts_to
    FROM run_moments
    GROUP BY ts - MOD(ts, 86400000)
) AS m
LEFT JOIN etl.days AS d ON d.day = CAST(DATEADD(ms, m.midnight, '1970-01-01'::TIMESTAMP) AS DATE)
ORDER BY m.midnight;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 2)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 2)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 2
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1 AND 0
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time BETWEEN DATEADD(ms, 1, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 0, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1 AND 0 AND d.staged <> d.plays
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 0, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts BETWEEN 1 AND 0 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 0, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 0, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time BETWEEN DATEADD(ms, 1, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 0, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 0, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 0, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 0, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 0, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(2, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 0, 0, '0.1.0', NULL, 0);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(2, 'conservation', 0, NULL, 'error', NULL),
(2, 'no_fan_out', 0, NULL, 'error', NULL),
(2, 'not_null', 0, NULL, 'error', NULL),
(2, 'owned_rows', 0, NULL, 'error', NULL),
(2, 'references', 0, NULL, 'error', NULL),
(2, 'unique_keys', 0, NULL, 'error', NULL);

-- Remove the rows of an earlier batch of the same run.
DELETE FROM run_songs;

-- Remove the rows of an earlier batch of the same run.
DELETE FROM run_events;

-- Empty the run's tables after an earlier batch of the same run, except the landed records.
DELETE FROM run_files;

DELETE FROM run_moves;

DELETE FROM run_moments;

DELETE FROM run_changed_songs;

DELETE FROM run_changed_artists;

DELETE FROM run_changed_titles;

DELETE FROM run_changed_users;

DELETE FROM run_lost_users;

DELETE FROM run_rematched;

-- Packed records (events), each with the number of its file. The engine appends MANIFEST GZIP and
-- REGION, and counts the records that COPY skips.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid, sparkify_extra, file_id
)
FROM 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000003-manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000002-jsonpaths_packed_events.json'
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF MANIFEST GZIP REGION 'us-west-2';

-- The moments of the events that this run accepts.
INSERT INTO run_moments SELECT ts FROM run_events;

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(5497181484735774, 3, 'events', 's3://statements/log_data/7.json', 350, 'version', 'loaded', 1, 1, 0, 1, '876f981bb1d77b60922cffd040b92fd9', NULL, NULL, 0);

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN 1541030400007 AND 1541030400007
    AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400007 AND 1541030400007)  -- sparse
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400007 AND 1541030400007
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400007 AND 1541030400007)  -- sparse
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400007 AND 1541030400007
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400007 AND 1541030400007)  -- sparse
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400007 AND 1541030400007
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1541030400007 AND 1541030400007
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400007 AND 1541030400007)  -- sparse
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
    WHERE e.ts BETWEEN 1541030400007 AND 1541030400007
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
        start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 3)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 3)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 3
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1541030400007 AND 1541030400007
                AND ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time IN (  -- sparse
                    SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m  -- sparse
                ) AND  -- sparse
                start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1541030400007 AND 1541030400007 AND d.staged <> d.plays
            AND s.ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts IN (SELECT m.ts FROM run_moments AS m) AND  -- sparse
    s.ts BETWEEN 1541030400007 AND 1541030400007 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
        start_time BETWEEN DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400007, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN 1541030400007 AND 1541030400007
        AND ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(3, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 1, 1, 1, 0, 1, 0, 1, 1, '0.1.0', NULL, 0);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(3, 'conservation', 0, NULL, 'error', NULL),
(3, 'no_fan_out', 0, NULL, 'error', NULL),
(3, 'not_null', 0, NULL, 'error', NULL),
(3, 'owned_rows', 0, NULL, 'error', NULL),
(3, 'references', 0, NULL, 'error', NULL),
(3, 'unique_keys', 0, NULL, 'error', NULL);

-- Packed records (events), each with the number of its file. The engine appends MANIFEST GZIP and
-- REGION, and counts the records that COPY skips.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid, sparkify_extra, file_id
)
FROM 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000005-manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000002-jsonpaths_packed_events.json'
MAXERROR 100000 COMPUPDATE OFF STATUPDATE OFF MANIFEST GZIP REGION 'us-west-2';

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(5461574287785119, 4, 'events', 's3://statements/log_data/9.json', 350, 'version', 'loaded', 1, 1, 0, 1, '78ce1efd7e05e012c8b85e63780c7c46', NULL, NULL, 0);

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN 1540940400000 AND 1540940400000
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1540940400000 AND 1540940400000
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1540940400000 AND 1540940400000
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1540940400000 AND 1540940400000
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1540940400000 AND 1540940400000
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
    WHERE e.ts BETWEEN 1540940400000 AND 1540940400000
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- What the events of each UTC day come to, for the days of the run. Events are those of staging, as
-- delivered; plays are those of songplays, each once. A stretch without an event lies between events of
-- different minutes, since shorter ones matter to nobody: minutes are fewer than events, and sorted faster.
DELETE FROM etl.days WHERE first_ts BETWEEN 1540857600000 AND 1540943999999;

INSERT INTO etl.days (
    day, events, plays, first_ts, last_ts, plays_without_title, plays_without_artist, plays_matched, absent,
    gap_within_ms
)
WITH minutes AS (
    SELECT
        e.ts - MOD(e.ts, 60000) AS minute_ts,
        COUNT(*) AS events,
        MIN(e.ts) AS first_ts,
        MAX(e.ts) AS last_ts
    FROM staging_events AS e
    WHERE e.ts BETWEEN 1540857600000 AND 1540943999999
    GROUP BY e.ts - MOD(e.ts, 60000)
),

spaced AS (
    SELECT
        m.minute_ts - MOD(m.minute_ts, 86400000) AS midnight,
        m.events,
        m.first_ts,
        m.last_ts,
        m.first_ts - LAG(m.last_ts) OVER (
            PARTITION BY m.minute_ts - MOD(m.minute_ts, 86400000) ORDER BY m.minute_ts
        ) AS gap
    FROM minutes AS m
),

of_events AS (
    SELECT
        CAST(DATEADD(ms, s.midnight, '1970-01-01'::TIMESTAMP) AS DATE) AS day,
        CAST(SUM(s.events) AS BIGINT) AS events,
        MIN(s.first_ts) AS first_ts,
        MAX(s.last_ts) AS last_ts,
        MAX(s.gap) AS gap_within_ms
    FROM spaced AS s
    GROUP BY s.midnight
),

of_plays AS (
    SELECT
        CAST(p.start_time AS DATE) AS day,
        COUNT(*) AS plays,
        COUNT(*) - COUNT(p.song) AS without_title,
        COUNT(*) - COUNT(p.artist) AS without_artist,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time BETWEEN DATEADD(ms, 1540857600000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1540943999999, '1970-01-01'::TIMESTAMP)
    GROUP BY CAST(p.start_time AS DATE)
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
LEFT JOIN of_plays AS p ON e.day = p.day;

-- The columns that are NULL in every one of a day's events, for the days of the run's time range.
UPDATE etl.days SET absent = a.names
FROM (
    SELECT
        e.ts - MOD(e.ts, 86400000) AS midnight,
        RTRIM(
            CASE WHEN COUNT(e.artist) = 0 THEN 'artist ' ELSE '' END
            || CASE WHEN COUNT(e.auth) = 0 THEN 'auth ' ELSE '' END
            || CASE WHEN COUNT(e.first_name) = 0 THEN 'first_name ' ELSE '' END
            || CASE WHEN COUNT(e.gender) = 0 THEN 'gender ' ELSE '' END
            || CASE WHEN COUNT(e.last_name) = 0 THEN 'last_name ' ELSE '' END
            || CASE WHEN COUNT(e.length) = 0 THEN 'length ' ELSE '' END
            || CASE WHEN COUNT(e.level) = 0 THEN 'level ' ELSE '' END
            || CASE WHEN COUNT(e.location) = 0 THEN 'location ' ELSE '' END
            || CASE WHEN COUNT(e.method) = 0 THEN 'method ' ELSE '' END
            || CASE WHEN COUNT(e.registration) = 0 THEN 'registration ' ELSE '' END
            || CASE WHEN COUNT(e.song) = 0 THEN 'song ' ELSE '' END
            || CASE WHEN COUNT(e.status) = 0 THEN 'status ' ELSE '' END
            || CASE WHEN COUNT(e.user_agent) = 0 THEN 'user_agent ' ELSE '' END
            || CASE WHEN COUNT(e.user_id) = 0 THEN 'user_id ' ELSE '' END
        ) AS names
    FROM staging_events AS e
    WHERE e.ts BETWEEN 1540857600000 AND 1540943999999
    GROUP BY e.ts - MOD(e.ts, 86400000)
) AS a
WHERE first_ts BETWEEN a.midnight AND a.midnight + 86399999 AND absent <> a.names;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 4)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 4)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 4
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1540940400000 AND 1540940400000
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1540940400000 AND 1540940400000 AND d.staged <> d.plays
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts BETWEEN 1540940400000 AND 1540940400000 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 2
    ) > 0;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 2 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 2 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 2 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 2 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1540857600000 AND 1540943999999
        OR (t.ts_before <= 1540943999999 AND t.first_ts > 1540943999999)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1540857600000 AND 1540943999999
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1540857600000 AND 1540943999999
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 2 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 2 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1541030400000 AND 1541116799999
        OR (t.ts_before <= 1541116799999 AND t.first_ts > 1541116799999)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1541030400000 AND 1541116799999
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1541030400000 AND 1541116799999
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

-- As many plays match a song as before.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 plays or more, after 7 days with events or more, fewer match than 3/4 of what
-- the rate of the 28 days before lets expect, by more than 5 standard deviations of chance.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_matched,
        COUNT(*) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS days_before,
        CAST(SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS DOUBLE PRECISION)
            AS plays_before,
        CAST(
            SUM(d.plays_matched) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING)
            AS DOUBLE PRECISION
        ) AS matched_before
    FROM etl.days AS d
),

expected AS (
    SELECT
        d.day,
        d.plays,
        d.plays_matched,
        d.plays_before,
        d.matched_before / d.plays_before AS rate,
        d.plays * d.matched_before / d.plays_before AS matches
    FROM days AS d
    WHERE
        d.first_ts BETWEEN 1540857600000 AND 1540943999999
        AND d.days_before >= 7 AND d.plays >= 50 AND d.plays_before > 0
)

SELECT
    CAST(e.day AS VARCHAR(10)) AS subject,
    CAST(e.plays_matched AS VARCHAR(20)) || ' of ' || CAST(e.plays AS VARCHAR(20))
    || ' plays match a song ('
    || CAST(CAST(100.0 * e.plays_matched / e.plays AS DECIMAL(18, 1)) AS VARCHAR(20))
    || ' %); in the 28 days before, '
    || CAST(CAST(100.0 * e.rate AS DECIMAL(18, 1)) AS VARCHAR(20)) || ' %' AS found
FROM expected AS e
WHERE
    e.plays_matched < 0.75 * e.matches
    AND (e.matches - e.plays_matched) * (e.matches - e.plays_matched)
    > 25 * e.matches * (1 - e.rate) * (1 + e.plays / e.plays_before)
ORDER BY subject;

-- Plays have a title and an artist.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 20 plays or more, at least 10 lack one of them; that is more than 5 %, and
-- 3 times the share in the 28 days with events before (no such day: none lacked any).
WITH before AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_without_title AS titles,
        d.plays_without_artist AS artists,
        SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS plays_before,
        SUM(d.plays_without_title) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS titles_before,
        SUM(d.plays_without_artist) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS artists_before
    FROM etl.days AS d
),

days AS (
    SELECT
        b.day,
        b.plays,
        b.titles,
        b.artists,
        CAST(COALESCE(b.plays_before, 0) AS BIGINT) AS plays_before,
        CAST(COALESCE(b.titles_before, 0) AS BIGINT) AS titles_before,
        CAST(COALESCE(b.artists_before, 0) AS BIGINT) AS artists_before
    FROM before AS b
    WHERE b.first_ts BETWEEN 1540857600000 AND 1540943999999 AND b.plays >= 20
)

SELECT
    CAST(d.day AS VARCHAR(10)) AS subject,
    'of ' || CAST(d.plays AS VARCHAR(20)) || ' plays ' || CAST(d.titles AS VARCHAR(20))
    || ' have no title and ' || CAST(d.artists AS VARCHAR(20)) || ' no artist; in the 28 days before, of '
    || CAST(d.plays_before AS VARCHAR(20)) || ' plays ' || CAST(d.titles_before AS VARCHAR(20)) || ' and '
    || CAST(d.artists_before AS VARCHAR(20)) AS found
FROM days AS d
WHERE
    (
        d.titles >= 10 AND d.titles * 20 > d.plays
        AND d.titles * d.plays_before >= 3 * d.plays * d.titles_before
    )
    OR (
        d.artists >= 10 AND d.artists * 20 > d.plays
        AND d.artists * d.plays_before >= 3 * d.plays * d.artists_before
    )
ORDER BY subject;

-- A field that every day had does not go away.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 events or more, none has the field, and some did on each of the 7 days with
-- events before.
WITH fields AS (
    SELECT 'artist' AS name
    UNION ALL SELECT 'auth' AS name
    UNION ALL SELECT 'first_name' AS name
    UNION ALL SELECT 'gender' AS name
    UNION ALL SELECT 'last_name' AS name
    UNION ALL SELECT 'length' AS name
    UNION ALL SELECT 'level' AS name
    UNION ALL SELECT 'location' AS name
    UNION ALL SELECT 'method' AS name
    UNION ALL SELECT 'registration' AS name
    UNION ALL SELECT 'song' AS name
    UNION ALL SELECT 'status' AS name
    UNION ALL SELECT 'user_agent' AS name
    UNION ALL SELECT 'user_id' AS name
),

days AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        f.name,
        CASE WHEN ' ' || d.absent || ' ' LIKE '% ' || f.name || ' %' THEN 1 ELSE 0 END AS is_absent
    FROM etl.days AS d
    CROSS JOIN fields AS f
),

judged AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        d.name,
        d.is_absent,
        COUNT(*) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        SUM(d.is_absent) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS absent_before
    FROM days AS d
)

SELECT
    CAST(j.day AS VARCHAR(10)) || ' ' || j.name AS subject,
    'none of ' || CAST(j.events AS VARCHAR(20)) || ' events has a value for ' || j.name
    || ', which each of the 7 days before had' AS found
FROM judged AS j
WHERE
    j.first_ts BETWEEN 1540857600000 AND 1540943999999
    AND j.events >= 50 AND j.is_absent = 1 AND j.days_before = 7 AND j.absent_before = 0
ORDER BY subject;

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN 1540940400000 AND 1540940400000
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(4, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 1, 1, 1, 0, 1, 0, 1, 1, '0.1.0', NULL, 0);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(4, 'conservation', 0, NULL, 'error', NULL),
(4, 'no_fan_out', 0, NULL, 'error', NULL),
(4, 'not_null', 0, NULL, 'error', NULL),
(4, 'owned_rows', 0, NULL, 'error', NULL),
(4, 'plays_from_logs', 0, NULL, 'error', NULL),
(4, 'references', 0, NULL, 'error', NULL),
(4, 'unique_keys', 0, NULL, 'error', NULL),
(4, 'cut_file', 0, NULL, 'warn', NULL),
(4, 'empty_log', 0, NULL, 'warn', NULL),
(4, 'hole_in_time', 0, NULL, 'warn', NULL),
(4, 'match_rate_fell', 0, NULL, 'warn', NULL),
(4, 'plays_without_names', 0, NULL, 'warn', NULL),
(4, 'vanished_field', 0, NULL, 'warn', NULL);

-- For a full refresh: empty the star, and mark every song and artist of staging as changed.
DELETE FROM songplays;

DELETE FROM time;

DELETE FROM users;

DELETE FROM songs;

DELETE FROM artists;

DELETE FROM etl.days;

DELETE FROM etl.played_titles;

INSERT INTO run_changed_songs SELECT DISTINCT song_id FROM staging_songs;

INSERT INTO run_changed_artists SELECT DISTINCT artist_id FROM staging_songs;

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN -62135596800000 AND 253402300799999
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN -62135596800000 AND 253402300799999
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN -62135596800000 AND 253402300799999
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN -62135596800000 AND 253402300799999
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN -62135596800000 AND 253402300799999
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
    WHERE e.ts BETWEEN -62135596800000 AND 253402300799999
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- What the events of each UTC day come to, for the days of the run. Events are those of staging, as
-- delivered; plays are those of songplays, each once. A stretch without an event lies between events of
-- different minutes, since shorter ones matter to nobody: minutes are fewer than events, and sorted faster.
DELETE FROM etl.days WHERE first_ts BETWEEN -62135596800000 AND 253402300799999;

INSERT INTO etl.days (
    day, events, plays, first_ts, last_ts, plays_without_title, plays_without_artist, plays_matched, absent,
    gap_within_ms
)
WITH minutes AS (
    SELECT
        e.ts - MOD(e.ts, 60000) AS minute_ts,
        COUNT(*) AS events,
        MIN(e.ts) AS first_ts,
        MAX(e.ts) AS last_ts
    FROM staging_events AS e
    WHERE e.ts BETWEEN -62135596800000 AND 253402300799999
    GROUP BY e.ts - MOD(e.ts, 60000)
),

spaced AS (
    SELECT
        m.minute_ts - MOD(m.minute_ts, 86400000) AS midnight,
        m.events,
        m.first_ts,
        m.last_ts,
        m.first_ts - LAG(m.last_ts) OVER (
            PARTITION BY m.minute_ts - MOD(m.minute_ts, 86400000) ORDER BY m.minute_ts
        ) AS gap
    FROM minutes AS m
),

of_events AS (
    SELECT
        CAST(DATEADD(ms, s.midnight, '1970-01-01'::TIMESTAMP) AS DATE) AS day,
        CAST(SUM(s.events) AS BIGINT) AS events,
        MIN(s.first_ts) AS first_ts,
        MAX(s.last_ts) AS last_ts,
        MAX(s.gap) AS gap_within_ms
    FROM spaced AS s
    GROUP BY s.midnight
),

of_plays AS (
    SELECT
        CAST(p.start_time AS DATE) AS day,
        COUNT(*) AS plays,
        COUNT(*) - COUNT(p.song) AS without_title,
        COUNT(*) - COUNT(p.artist) AS without_artist,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
    GROUP BY CAST(p.start_time AS DATE)
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
LEFT JOIN of_plays AS p ON e.day = p.day;

-- The columns that are NULL in every one of a day's events, for the days of the run's time range.
UPDATE etl.days SET absent = a.names
FROM (
    SELECT
        e.ts - MOD(e.ts, 86400000) AS midnight,
        RTRIM(
            CASE WHEN COUNT(e.artist) = 0 THEN 'artist ' ELSE '' END
            || CASE WHEN COUNT(e.auth) = 0 THEN 'auth ' ELSE '' END
            || CASE WHEN COUNT(e.first_name) = 0 THEN 'first_name ' ELSE '' END
            || CASE WHEN COUNT(e.gender) = 0 THEN 'gender ' ELSE '' END
            || CASE WHEN COUNT(e.last_name) = 0 THEN 'last_name ' ELSE '' END
            || CASE WHEN COUNT(e.length) = 0 THEN 'length ' ELSE '' END
            || CASE WHEN COUNT(e.level) = 0 THEN 'level ' ELSE '' END
            || CASE WHEN COUNT(e.location) = 0 THEN 'location ' ELSE '' END
            || CASE WHEN COUNT(e.method) = 0 THEN 'method ' ELSE '' END
            || CASE WHEN COUNT(e.registration) = 0 THEN 'registration ' ELSE '' END
            || CASE WHEN COUNT(e.song) = 0 THEN 'song ' ELSE '' END
            || CASE WHEN COUNT(e.status) = 0 THEN 'status ' ELSE '' END
            || CASE WHEN COUNT(e.user_agent) = 0 THEN 'user_agent ' ELSE '' END
            || CASE WHEN COUNT(e.user_id) = 0 THEN 'user_id ' ELSE '' END
        ) AS names
    FROM staging_events AS e
    WHERE e.ts BETWEEN -62135596800000 AND 253402300799999
    GROUP BY e.ts - MOD(e.ts, 86400000)
) AS a
WHERE first_ts BETWEEN a.midnight AND a.midnight + 86399999 AND absent <> a.names;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 0
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN -62135596800000 AND 253402300799999
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN -62135596800000 AND 253402300799999 AND d.staged <> d.plays
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts BETWEEN -62135596800000 AND 253402300799999 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 0
    ) > 0;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 5 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 5 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 5 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 5 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1 AND 0
        OR (t.ts_before <= 0 AND t.first_ts > 0)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1 AND 0
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1 AND 0
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

-- As many plays match a song as before.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 plays or more, after 7 days with events or more, fewer match than 3/4 of what
-- the rate of the 28 days before lets expect, by more than 5 standard deviations of chance.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_matched,
        COUNT(*) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS days_before,
        CAST(SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS DOUBLE PRECISION)
            AS plays_before,
        CAST(
            SUM(d.plays_matched) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING)
            AS DOUBLE PRECISION
        ) AS matched_before
    FROM etl.days AS d
),

expected AS (
    SELECT
        d.day,
        d.plays,
        d.plays_matched,
        d.plays_before,
        d.matched_before / d.plays_before AS rate,
        d.plays * d.matched_before / d.plays_before AS matches
    FROM days AS d
    WHERE
        d.first_ts BETWEEN 1 AND 0
        AND d.days_before >= 7 AND d.plays >= 50 AND d.plays_before > 0
)

SELECT
    CAST(e.day AS VARCHAR(10)) AS subject,
    CAST(e.plays_matched AS VARCHAR(20)) || ' of ' || CAST(e.plays AS VARCHAR(20))
    || ' plays match a song ('
    || CAST(CAST(100.0 * e.plays_matched / e.plays AS DECIMAL(18, 1)) AS VARCHAR(20))
    || ' %); in the 28 days before, '
    || CAST(CAST(100.0 * e.rate AS DECIMAL(18, 1)) AS VARCHAR(20)) || ' %' AS found
FROM expected AS e
WHERE
    e.plays_matched < 0.75 * e.matches
    AND (e.matches - e.plays_matched) * (e.matches - e.plays_matched)
    > 25 * e.matches * (1 - e.rate) * (1 + e.plays / e.plays_before)
ORDER BY subject;

-- Plays have a title and an artist.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 20 plays or more, at least 10 lack one of them; that is more than 5 %, and
-- 3 times the share in the 28 days with events before (no such day: none lacked any).
WITH before AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_without_title AS titles,
        d.plays_without_artist AS artists,
        SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS plays_before,
        SUM(d.plays_without_title) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS titles_before,
        SUM(d.plays_without_artist) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS artists_before
    FROM etl.days AS d
),

days AS (
    SELECT
        b.day,
        b.plays,
        b.titles,
        b.artists,
        CAST(COALESCE(b.plays_before, 0) AS BIGINT) AS plays_before,
        CAST(COALESCE(b.titles_before, 0) AS BIGINT) AS titles_before,
        CAST(COALESCE(b.artists_before, 0) AS BIGINT) AS artists_before
    FROM before AS b
    WHERE b.first_ts BETWEEN 1 AND 0 AND b.plays >= 20
)

SELECT
    CAST(d.day AS VARCHAR(10)) AS subject,
    'of ' || CAST(d.plays AS VARCHAR(20)) || ' plays ' || CAST(d.titles AS VARCHAR(20))
    || ' have no title and ' || CAST(d.artists AS VARCHAR(20)) || ' no artist; in the 28 days before, of '
    || CAST(d.plays_before AS VARCHAR(20)) || ' plays ' || CAST(d.titles_before AS VARCHAR(20)) || ' and '
    || CAST(d.artists_before AS VARCHAR(20)) AS found
FROM days AS d
WHERE
    (
        d.titles >= 10 AND d.titles * 20 > d.plays
        AND d.titles * d.plays_before >= 3 * d.plays * d.titles_before
    )
    OR (
        d.artists >= 10 AND d.artists * 20 > d.plays
        AND d.artists * d.plays_before >= 3 * d.plays * d.artists_before
    )
ORDER BY subject;

-- A field that every day had does not go away.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 events or more, none has the field, and some did on each of the 7 days with
-- events before.
WITH fields AS (
    SELECT 'artist' AS name
    UNION ALL SELECT 'auth' AS name
    UNION ALL SELECT 'first_name' AS name
    UNION ALL SELECT 'gender' AS name
    UNION ALL SELECT 'last_name' AS name
    UNION ALL SELECT 'length' AS name
    UNION ALL SELECT 'level' AS name
    UNION ALL SELECT 'location' AS name
    UNION ALL SELECT 'method' AS name
    UNION ALL SELECT 'registration' AS name
    UNION ALL SELECT 'song' AS name
    UNION ALL SELECT 'status' AS name
    UNION ALL SELECT 'user_agent' AS name
    UNION ALL SELECT 'user_id' AS name
),

days AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        f.name,
        CASE WHEN ' ' || d.absent || ' ' LIKE '% ' || f.name || ' %' THEN 1 ELSE 0 END AS is_absent
    FROM etl.days AS d
    CROSS JOIN fields AS f
),

judged AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        d.name,
        d.is_absent,
        COUNT(*) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        SUM(d.is_absent) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS absent_before
    FROM days AS d
)

SELECT
    CAST(j.day AS VARCHAR(10)) || ' ' || j.name AS subject,
    'none of ' || CAST(j.events AS VARCHAR(20)) || ' events has a value for ' || j.name
    || ', which each of the 7 days before had' AS found
FROM judged AS j
WHERE
    j.first_ts BETWEEN 1 AND 0
    AND j.events >= 50 AND j.is_absent = 1 AND j.days_before = 7 AND j.absent_before = 0
ORDER BY subject;

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, -62135596800000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 253402300799999, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN -62135596800000 AND 253402300799999
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(5, 'full-refresh', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 8, 7, '0.1.0', NULL, 0);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(5, 'conservation', 0, NULL, 'error', NULL),
(5, 'no_fan_out', 0, NULL, 'error', NULL),
(5, 'not_null', 0, NULL, 'error', NULL),
(5, 'owned_rows', 0, NULL, 'error', NULL),
(5, 'plays_from_logs', 0, NULL, 'error', NULL),
(5, 'references', 0, NULL, 'error', NULL),
(5, 'unique_keys', 0, NULL, 'error', NULL),
(5, 'cut_file', 0, NULL, 'warn', NULL),
(5, 'empty_log', 0, NULL, 'warn', NULL),
(5, 'hole_in_time', 0, NULL, 'warn', NULL),
(5, 'match_rate_fell', 0, NULL, 'warn', NULL),
(5, 'plays_without_names', 0, NULL, 'warn', NULL),
(5, 'vanished_field', 0, NULL, 'warn', NULL);

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 0 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 0 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 0 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 0 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN -62135596800000 AND 253402300799999
        OR (t.ts_before <= 253402300799999 AND t.first_ts > 253402300799999)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN -62135596800000 AND 253402300799999
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN -62135596800000 AND 253402300799999
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

-- As many plays match a song as before.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 plays or more, after 7 days with events or more, fewer match than 3/4 of what
-- the rate of the 28 days before lets expect, by more than 5 standard deviations of chance.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_matched,
        COUNT(*) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS days_before,
        CAST(SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS DOUBLE PRECISION)
            AS plays_before,
        CAST(
            SUM(d.plays_matched) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING)
            AS DOUBLE PRECISION
        ) AS matched_before
    FROM etl.days AS d
),

expected AS (
    SELECT
        d.day,
        d.plays,
        d.plays_matched,
        d.plays_before,
        d.matched_before / d.plays_before AS rate,
        d.plays * d.matched_before / d.plays_before AS matches
    FROM days AS d
    WHERE
        d.first_ts BETWEEN -62135596800000 AND 253402300799999
        AND d.days_before >= 7 AND d.plays >= 50 AND d.plays_before > 0
)

SELECT
    CAST(e.day AS VARCHAR(10)) AS subject,
    CAST(e.plays_matched AS VARCHAR(20)) || ' of ' || CAST(e.plays AS VARCHAR(20))
    || ' plays match a song ('
    || CAST(CAST(100.0 * e.plays_matched / e.plays AS DECIMAL(18, 1)) AS VARCHAR(20))
    || ' %); in the 28 days before, '
    || CAST(CAST(100.0 * e.rate AS DECIMAL(18, 1)) AS VARCHAR(20)) || ' %' AS found
FROM expected AS e
WHERE
    e.plays_matched < 0.75 * e.matches
    AND (e.matches - e.plays_matched) * (e.matches - e.plays_matched)
    > 25 * e.matches * (1 - e.rate) * (1 + e.plays / e.plays_before)
ORDER BY subject;

-- Plays have a title and an artist.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 20 plays or more, at least 10 lack one of them; that is more than 5 %, and
-- 3 times the share in the 28 days with events before (no such day: none lacked any).
WITH before AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_without_title AS titles,
        d.plays_without_artist AS artists,
        SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS plays_before,
        SUM(d.plays_without_title) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS titles_before,
        SUM(d.plays_without_artist) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS artists_before
    FROM etl.days AS d
),

days AS (
    SELECT
        b.day,
        b.plays,
        b.titles,
        b.artists,
        CAST(COALESCE(b.plays_before, 0) AS BIGINT) AS plays_before,
        CAST(COALESCE(b.titles_before, 0) AS BIGINT) AS titles_before,
        CAST(COALESCE(b.artists_before, 0) AS BIGINT) AS artists_before
    FROM before AS b
    WHERE b.first_ts BETWEEN -62135596800000 AND 253402300799999 AND b.plays >= 20
)

SELECT
    CAST(d.day AS VARCHAR(10)) AS subject,
    'of ' || CAST(d.plays AS VARCHAR(20)) || ' plays ' || CAST(d.titles AS VARCHAR(20))
    || ' have no title and ' || CAST(d.artists AS VARCHAR(20)) || ' no artist; in the 28 days before, of '
    || CAST(d.plays_before AS VARCHAR(20)) || ' plays ' || CAST(d.titles_before AS VARCHAR(20)) || ' and '
    || CAST(d.artists_before AS VARCHAR(20)) AS found
FROM days AS d
WHERE
    (
        d.titles >= 10 AND d.titles * 20 > d.plays
        AND d.titles * d.plays_before >= 3 * d.plays * d.titles_before
    )
    OR (
        d.artists >= 10 AND d.artists * 20 > d.plays
        AND d.artists * d.plays_before >= 3 * d.plays * d.artists_before
    )
ORDER BY subject;

-- A field that every day had does not go away.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 events or more, none has the field, and some did on each of the 7 days with
-- events before.
WITH fields AS (
    SELECT 'artist' AS name
    UNION ALL SELECT 'auth' AS name
    UNION ALL SELECT 'first_name' AS name
    UNION ALL SELECT 'gender' AS name
    UNION ALL SELECT 'last_name' AS name
    UNION ALL SELECT 'length' AS name
    UNION ALL SELECT 'level' AS name
    UNION ALL SELECT 'location' AS name
    UNION ALL SELECT 'method' AS name
    UNION ALL SELECT 'registration' AS name
    UNION ALL SELECT 'song' AS name
    UNION ALL SELECT 'status' AS name
    UNION ALL SELECT 'user_agent' AS name
    UNION ALL SELECT 'user_id' AS name
),

days AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        f.name,
        CASE WHEN ' ' || d.absent || ' ' LIKE '% ' || f.name || ' %' THEN 1 ELSE 0 END AS is_absent
    FROM etl.days AS d
    CROSS JOIN fields AS f
),

judged AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        d.name,
        d.is_absent,
        COUNT(*) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        SUM(d.is_absent) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS absent_before
    FROM days AS d
)

SELECT
    CAST(j.day AS VARCHAR(10)) || ' ' || j.name AS subject,
    'none of ' || CAST(j.events AS VARCHAR(20)) || ' events has a value for ' || j.name
    || ', which each of the 7 days before had' AS found
FROM judged AS j
WHERE
    j.first_ts BETWEEN -62135596800000 AND 253402300799999
    AND j.events >= 50 AND j.is_absent = 1 AND j.days_before = 7 AND j.absent_before = 0
ORDER BY subject;

-- The latest runs.
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
ORDER BY run_id DESC
LIMIT 20;

-- How many runs the ledger has.
SELECT COUNT(*) AS runs FROM etl.runs;

-- The files of the latest runs.
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
ORDER BY run_id DESC, uri
LIMIT 100;

-- How many versions of files the ledger has.
SELECT COUNT(*) AS files FROM etl.files;

-- The fields that have no column: how often files had them, and which file had one first, in which run.
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
    GROUP BY u.kind, u.field
) AS t
INNER JOIN etl.unknown_fields AS f ON t.kind = f.kind AND t.field = f.field AND t.first_run = f.run_id
LEFT JOIN etl.runs AS r ON t.first_run = r.run_id
ORDER BY t.kind, t.field;

-- How many events the last seven days with events hold.
SELECT
    MIN(r.first_ts) AS ts_from,
    SUM(r.events) AS events
FROM (
    SELECT
        d.first_ts,
        d.events
    FROM etl.days AS d
    ORDER BY d.day DESC
    LIMIT 7
) AS r;

-- What events from a moment on hold that has no column.
SELECT e.extra
FROM staging_events AS e
WHERE e.ts >= 1540940400000 AND e.extra IS NOT NULL;

-- How many song records there are.
SELECT COUNT(*) AS songs
FROM staging_songs;

-- What they hold that has no column.
SELECT s.extra
FROM staging_songs AS s
WHERE s.extra IS NOT NULL;

-- The loaded files of a kind and how many rows each has in staging.
SELECT
    f.file_id,
    f.rows_loaded
FROM etl.files AS f
WHERE f.kind = 'events' AND f.state = 'loaded' AND f.rows_loaded > 0
ORDER BY f.file_id;

SELECT extra, COUNT(*) AS records FROM staging_events
WHERE staging_events.file_id BETWEEN 1 AND 9 AND STRPOS(extra, '"more":') > 0
GROUP BY extra;

ALTER TABLE staging_events ADD COLUMN more VARCHAR(8);

CREATE TEMP TABLE IF NOT EXISTS run_adopted (extra VARCHAR(65535), kept VARCHAR(65535), found VARCHAR(65535));

DELETE FROM run_adopted;

COPY run_adopted (extra, kept, found)
FROM 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000002-manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto'
COMPUPDATE OFF STATUPDATE OFF MANIFEST GZIP REGION 'us-west-2';

UPDATE staging_events SET more = CAST(m.found AS VARCHAR(8)), extra = m.kept
FROM run_adopted AS m
WHERE staging_events.extra = m.extra AND staging_events.file_id BETWEEN 1 AND 9;

SELECT COUNT(more) AS records FROM staging_events;

INSERT INTO etl.fields (kind, field, path, column_name, column_type, column_width, run_id) VALUES
('events', 'more', '["more"]', 'more', 'VARCHAR', 8, 6);

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(6, 'adopt', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 0, 0, '0.1.0', NULL, 0);

-- The events of this run's files before they are accepted.
CREATE TEMP TABLE IF NOT EXISTS run_events (
    artist VARCHAR(1024),
    auth VARCHAR(64),
    first_name VARCHAR(1024),
    gender VARCHAR(16),
    item_in_session INTEGER,
    last_name VARCHAR(1024),
    length DOUBLE PRECISION,
    level VARCHAR(16),
    location VARCHAR(1024),
    method VARCHAR(16),
    page VARCHAR(64),
    registration DOUBLE PRECISION,
    session_id BIGINT,
    song VARCHAR(1024),
    status INTEGER,
    ts BIGINT,
    user_agent VARCHAR(1024),
    user_id VARCHAR(64),
    more VARCHAR(8),
    file_id BIGINT NOT NULL,
    extra VARCHAR(65535),
    needs_rereading BOOLEAN
);

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 7 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 7 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 7 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 7 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1 AND 0
        OR (t.ts_before <= 0 AND t.first_ts > 0)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1 AND 0
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1 AND 0
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(7, 'full-refresh', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 8, 7, '0.1.0', NULL, 0);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(7, 'conservation', 0, NULL, 'error', NULL),
(7, 'no_fan_out', 0, NULL, 'error', NULL),
(7, 'not_null', 0, NULL, 'error', NULL),
(7, 'owned_rows', 0, NULL, 'error', NULL),
(7, 'plays_from_logs', 0, NULL, 'error', NULL),
(7, 'references', 0, NULL, 'error', NULL),
(7, 'unique_keys', 0, NULL, 'error', NULL),
(7, 'cut_file', 0, NULL, 'warn', NULL),
(7, 'empty_log', 0, NULL, 'warn', NULL),
(7, 'hole_in_time', 0, NULL, 'warn', NULL),
(7, 'match_rate_fell', 0, NULL, 'warn', NULL),
(7, 'plays_without_names', 0, NULL, 'warn', NULL),
(7, 'vanished_field', 0, NULL, 'warn', NULL);

CREATE TEMP TABLE IF NOT EXISTS run_put_back (extra VARCHAR(65535), found VARCHAR(65535), kept VARCHAR(65535));

SELECT COALESCE(extra, '') AS extra, more || '|' AS found, COUNT(*) AS records
FROM staging_events
WHERE staging_events.file_id BETWEEN 1 AND 9 AND more IS NOT NULL
GROUP BY COALESCE(extra, ''), more || '|';

DELETE FROM run_put_back;

COPY run_put_back (extra, found, kept)
FROM 's3://staging/here/sparkify-runs/20260101T000000Z-0123abcd/000002-manifest.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto'
COMPUPDATE OFF STATUPDATE OFF MANIFEST GZIP REGION 'us-west-2';

UPDATE staging_events SET extra = m.kept
FROM run_put_back AS m
WHERE COALESCE(staging_events.extra, '') = m.extra AND staging_events.more || '|' = m.found AND staging_events.file_id BETWEEN 1 AND 9;

SELECT COUNT(*) AS records FROM staging_events
WHERE more IS NOT NULL AND STRPOS(COALESCE(extra, ''), '"more":') = 0;

-- A field is adopted no more.
DELETE FROM etl.fields WHERE kind = 'events' AND field = 'more' AND column_name = 'more';

ALTER TABLE staging_events DROP COLUMN more;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(8, 'drop field', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 0, 0, '0.1.0', NULL, 0);

-- The views for analysts.
SELECT viewname AS view_name
FROM pg_views
WHERE schemaname = 'analytics'
ORDER BY viewname;

-- The months in which something was played, in UTC.
SELECT DISTINCT
    year,
    month
FROM time
ORDER BY year, month;

SELECT * FROM songplays WHERE start_time >= TIMESTAMP '2026-01-01 00:00:00' AND start_time < TIMESTAMP '2026-01-01 00:00:00';

SELECT * FROM users;

SELECT * FROM songs;

SELECT * FROM artists;

SELECT * FROM time WHERE start_time >= TIMESTAMP '2026-01-01 00:00:00' AND start_time < TIMESTAMP '2026-01-01 00:00:00';

SELECT * FROM analytics.clocks;

SELECT * FROM analytics.daily_activity;

SELECT * FROM analytics.daily_levels;

SELECT * FROM analytics.events;

SELECT * FROM analytics.funnel;

SELECT * FROM analytics.level_changes;

SELECT * FROM analytics.listener_days;

SELECT * FROM analytics.listening_hours;

SELECT * FROM analytics.listening_hours_local;

SELECT * FROM analytics.listening_time;

SELECT * FROM analytics.local_plays;

SELECT * FROM analytics.match_coverage;

SELECT * FROM analytics.monthly_activity;

SELECT * FROM analytics.places;

SELECT * FROM analytics.retention;

SELECT * FROM analytics.sessions;

SELECT * FROM analytics.top_artists;

SELECT * FROM analytics.top_artists_by_day;

SELECT * FROM analytics.top_artists_by_week;

SELECT * FROM analytics.top_songs;

SELECT * FROM analytics.top_songs_by_day;

SELECT * FROM analytics.top_songs_by_week;

SELECT * FROM analytics.top_unmatched;

SELECT * FROM analytics.user_days;

SELECT * FROM analytics.user_levels;

SELECT * FROM analytics.weekly_activity;

-- The song that a title and artist match, the nearest in length: the rule of star/song_matches.sql.
SELECT s.song_id, s.title, s.artist_id, s.artist_name, s.duration, s.year
FROM songs AS s
WHERE s.title = 'it''s' AND s.artist_name = 'Artist'
ORDER BY ABS(s.duration - CAST(CAST('1.5' AS DOUBLE PRECISION) AS DOUBLE PRECISION)), s.song_id
LIMIT 1;

-- Songs that have pieces of words in common with a title and artist, those with most first. Which of them
-- differ least is not decided here.
-- The letters are compared in lower case and without accents: TRANSLATE is slow, so only where there are any.
SELECT c.song_id, c.title, c.artist_id, c.artist_name, c.duration, c.year
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
                WHEN LEN(s.title) = OCTET_LENGTH(s.title) THEN LOWER(s.title)
                ELSE TRANSLATE(LOWER(s.title), 'àáâãäåçèéêëìíîïðñòóôõöøùúûüýÿāăąćĉċčďđēĕėęěĝğġģĥĩīĭįıĵķĺļľłńņňōŏőŕŗřśŝşšţťũūŭůűųŵŷźżžſơưǎǐǒǔǖǘǚǜǟǡǧǩǫǭǰǵǹǻȁȃȅȇȉȋȍȏȑȓȕȗșțȟȧȩȫȭȯȱȳ̴̵̶̷̸̡̢̧̨̛̖̗̘̙̜̝̞̟̠̣̤̥̦̩̪̫̬̭̮̯̰̱̲̳̹̺̻̼͇͈͉͍͎̀́̂̃̄̅̆̇̈̉̊̋̌̍̎̏̐̑̒̓̔̽̾̿̀́͂̓̈́͆͊͋͌̕̚ͅ͏͓͔͕͖͙͚͐͑͒͗͛ͣͤͥͦͧͨͩͪͫͬͭͮͯ͘͜͟͢͝͞͠͡', 'aaaaaaceeeeiiiidnoooooouuuuyyaaaccccddeeeeegggghiiiiijkllllnnnooorrrssssttuuuuuuwyzzzsouaiouuuuuaagkoojgnaaaeeiioorruusthaeooooy')
            END, ''
        ) AS title_letters,
        COALESCE(
            CASE
                WHEN LEN(s.artist_name) = OCTET_LENGTH(s.artist_name) THEN LOWER(s.artist_name)
                ELSE TRANSLATE(LOWER(s.artist_name), 'àáâãäåçèéêëìíîïðñòóôõöøùúûüýÿāăąćĉċčďđēĕėęěĝğġģĥĩīĭįıĵķĺļľłńņňōŏőŕŗřśŝşšţťũūŭůűųŵŷźżžſơưǎǐǒǔǖǘǚǜǟǡǧǩǫǭǰǵǹǻȁȃȅȇȉȋȍȏȑȓȕȗșțȟȧȩȫȭȯȱȳ̴̵̶̷̸̡̢̧̨̛̖̗̘̙̜̝̞̟̠̣̤̥̦̩̪̫̬̭̮̯̰̱̲̳̹̺̻̼͇͈͉͍͎̀́̂̃̄̅̆̇̈̉̊̋̌̍̎̏̐̑̒̓̔̽̾̿̀́͂̓̈́͆͊͋͌̕̚ͅ͏͓͔͕͖͙͚͐͑͒͗͛ͣͤͥͦͧͨͩͪͫͬͭͮͯ͘͜͟͢͝͞͠͡', 'aaaaaaceeeeiiiidnoooooouuuuyyaaaccccddeeeeegggghiiiiijkllllnnnooorrrssssttuuuuuuwyzzzsouaiouuuuuaagkoojgnaaaeeiioorruusthaeooooy')
            END, ''
        ) AS artist_letters
    FROM songs AS s
) AS c
ORDER BY
    CASE WHEN c.title_letters = 'it''s' THEN 4 ELSE 0 END
    + CASE WHEN c.artist_letters = 'artist' THEN 4 ELSE 0 END
    + CASE WHEN STRPOS(c.title_letters, 'it') > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.title_letters, 's') > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.title_letters, 'it') > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.title_letters, 's') > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, 'art') > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, 'ist') > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, 'art') > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, 'ist') > 0 THEN 1 ELSE 0 END DESC,
    ABS(LEN(c.title_letters) - 4) + ABS(LEN(c.artist_letters) - 6),
    c.song_id
LIMIT 500;

-- A play and the song it matched, if it matched one.
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
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE p.songplay_id = 16792655655288507;

-- The accepted records of a play's identity: one row per delivery, with the number of its file. Of deliveries
-- that differ, the play has the values of one (star/songplays.sql).
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
    e.page = 'NextSong' AND e.ts = 1541030400006 AND e.session_id = 1
    AND e.item_in_session = 0 AND e.user_id = '1';

-- The file of a number, as it is loaded, and the run that loaded it.
SELECT f.uri, f.size, f.version, f.run_id, r.finished_at, f.content
FROM etl.files AS f
LEFT JOIN etl.runs AS r ON f.run_id = r.run_id
WHERE f.file_id = 4015995664136107 AND f.state = 'loaded';

-- What is known of each person at a moment (as_of, in ms since 1970): counts of what they did before it.
-- grain: user_id
-- Nothing at or after the moment counts, and neither do people who were first seen then. level is that of the
-- latest event before it, first_seen and last_seen are UTC. days_… are counted back from the moment.
WITH events AS (
    SELECT e.user_id, e.session_id, e.item_in_session, e.ts, e.page, e.level, e.gender
    FROM analytics.events AS e
    WHERE e.ts < 1541116800000
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
        COUNT(CASE WHEN e.page = 'NextSong' AND e.ts >= 1541116800000 - 604800000 THEN 1 END) AS plays_7d,
        COUNT(CASE WHEN e.page = 'NextSong' AND e.ts >= 1541116800000 - 2419200000 THEN 1 END) AS plays_28d,
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
    CAST(1541116800000 - c.first_ts AS DOUBLE PRECISION) / 86400000 AS days_since_first,
    CAST(1541116800000 - c.last_ts AS DOUBLE PRECISION) / 86400000 AS days_since_last,
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

-- In short
-- What the range comes to. plays: NextSong events, each once. listeners: people with a play; sessions: their
-- visits with a play; songs: titles by artist as the logs name them; matched: plays of a song in the
-- catalogue. people: those with any event, plays or not. People are counted once each, so the people of two
-- ranges do not add up.
WITH listeners AS (
    SELECT
        p.user_id,
        p.level,
        p.location,
        p.user_agent,
        COUNT(*) AS plays
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.user_id, p.level, p.location, p.user_agent
),

songs_played AS (
    SELECT
        p.level,
        p.song,
        p.artist,
        COUNT(*) AS plays,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.level, p.song, p.artist
),

visits AS (
    SELECT
        p.user_id,
        p.session_id,
        p.level,
        COUNT(*) AS plays
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.user_id, p.session_id, p.level
)

SELECT
    t.plays,
    (SELECT COUNT(DISTINCT l.user_id) FROM listeners AS l) AS listeners,
    (
        SELECT COUNT(*)
        FROM (SELECT v.user_id, v.session_id FROM visits AS v GROUP BY v.user_id, v.session_id) AS s
    ) AS sessions,
    (
        SELECT COUNT(*)
        FROM (SELECT p.song, p.artist FROM songs_played AS p GROUP BY p.song, p.artist) AS s
    ) AS songs,
    t.matched,
    (
        SELECT COUNT(DISTINCT u.user_id)
        FROM analytics.user_days AS u
        WHERE u.day >= CAST(TIMESTAMP '2026-01-01 00:00:00' AS DATE) AND u.day < CAST(TIMESTAMP '2100-01-01 00:00:00' AS DATE)
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
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
) AS t;

-- People and plays by day
-- One row per UTC day on which somebody was there; the latest 366 days of the range. people: with any event.
-- listeners: with a play. new_people: with no earlier event; returning_people: with one; lost_people: with
-- none in the 28 days after, empty until those have passed. Earlier and later events count wherever they
-- lie, in the range or not. People do not add up over days.
SELECT
    a.day,
    a.people,
    a.listeners,
    a.plays,
    a.new_people,
    a.returning_people,
    a.lost_people
FROM analytics.daily_activity AS a
WHERE a.day >= CAST(TIMESTAMP '2026-01-01 00:00:00' AS DATE) AND a.day < CAST(TIMESTAMP '2100-01-01 00:00:00' AS DATE)
ORDER BY a.day;

-- Free and paid by day
-- One row per UTC day and level with plays; the latest 366 days of the range. level is the one each play was
-- on. Plays add up over days and levels; listeners do not: somebody who changes level is counted under both.
SELECT
    d.day,
    d.level,
    d.plays,
    d.listeners
FROM analytics.daily_levels AS d
WHERE d.day >= CAST(TIMESTAMP '2026-01-01 00:00:00' AS DATE) AND d.day < CAST(TIMESTAMP '2100-01-01 00:00:00' AS DATE)
ORDER BY d.day, d.level;

-- Free and paid in total
-- One row per level of the plays of the range. level is the one each play was on. Listeners and sessions are
-- counted once on each level: they do not add up, since some are on both.
WITH visits AS (
    SELECT
        p.user_id,
        p.session_id,
        p.level,
        COUNT(*) AS plays
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.user_id, p.session_id, p.level
)

SELECT
    v.level,
    CAST(SUM(v.plays) AS BIGINT) AS plays,
    COUNT(DISTINCT v.user_id) AS listeners,
    COUNT(*) AS sessions,
    CAST(SUM(v.plays) AS DOUBLE PRECISION) / COUNT(DISTINCT v.user_id) AS plays_per_listener
FROM visits AS v
GROUP BY v.level
ORDER BY 2 DESC, 1;

-- When people listen
-- Plays of the range by weekday and hour, in UTC. weekday 0 is Sunday. A weekday that the range holds once
-- more than another has more plays for that alone.
WITH hours_played AS (
    SELECT
        DATE_TRUNC('hour', p.start_time) AS utc_hour,
        p.level,
        COUNT(*) AS plays,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY DATE_TRUNC('hour', p.start_time), p.level
)

SELECT
    CAST(EXTRACT(dow FROM h.utc_hour) AS INTEGER) AS weekday,
    CAST(EXTRACT(hour FROM h.utc_hour) AS INTEGER) AS hour,
    h.level,
    CAST(SUM(h.plays) AS BIGINT) AS plays
FROM hours_played AS h
GROUP BY EXTRACT(dow FROM h.utc_hour), EXTRACT(hour FROM h.utc_hour), h.level
ORDER BY 1, 2, 3;

-- Hours of each day
-- Plays by UTC day, hour and level, for the filter by date; the latest 366 days of the range.
WITH hours_played AS (
    SELECT
        DATE_TRUNC('hour', p.start_time) AS utc_hour,
        p.level,
        COUNT(*) AS plays,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY DATE_TRUNC('hour', p.start_time), p.level
)

SELECT
    CAST(h.utc_hour AS DATE) AS day,
    h.level,
    CAST(EXTRACT(hour FROM h.utc_hour) AS INTEGER) AS hour,
    CAST(SUM(h.plays) AS BIGINT) AS plays
FROM hours_played AS h
WHERE h.utc_hour >= TIMESTAMP '2026-01-01 00:00:00'
GROUP BY h.utc_hour, h.level
ORDER BY 1, 2, 3;

-- When people listen, by their own clocks
-- Plays of the range by weekday and hour of the time zone of the place, across both changes of a year.
-- weekday 0 is Sunday. Without weekday and hour: plays of places that tell no time zone, or of before 2008.
-- The range is of UTC days.
SELECT
    CAST(EXTRACT(dow FROM c.local_hour) AS INTEGER) AS weekday,
    CAST(EXTRACT(hour FROM c.local_hour) AS INTEGER) AS hour,
    p.level,
    CAST(SUM(p.plays) AS BIGINT) AS plays
FROM (
    SELECT DATE_TRUNC('hour', g.start_time) AS utc_hour, g.level, z.time_zone, COUNT(*) AS plays
    FROM songplays AS g
    LEFT JOIN analytics.places AS z ON g.location = z.location
    WHERE g.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND g.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY DATE_TRUNC('hour', g.start_time), g.level, z.time_zone
) AS p
LEFT JOIN analytics.clocks AS c ON p.time_zone = c.time_zone AND p.utc_hour = c.utc_hour
GROUP BY EXTRACT(dow FROM c.local_hour), EXTRACT(hour FROM c.local_hour), p.level
ORDER BY 1, 2, 3;

-- Changes of level by day
-- One row per UTC day on which somebody changed; the latest 366 days of the range. A change is the first
-- event on another level than the one before. free_to_paid and paid_to_free count changes, not people;
-- other_changes: to or from an unknown level, or one of another name.
SELECT
    CAST(c.changed_at AS DATE) AS day,
    COUNT(CASE WHEN c.from_level = 'free' AND c.to_level = 'paid' THEN 1 END) AS free_to_paid,
    COUNT(CASE WHEN c.from_level = 'paid' AND c.to_level = 'free' THEN 1 END) AS paid_to_free,
    COUNT(
        CASE
            WHEN c.from_level = 'free' AND c.to_level = 'paid' THEN NULL
            WHEN c.from_level = 'paid' AND c.to_level = 'free' THEN NULL
            ELSE 1
        END
    ) AS other_changes
FROM analytics.level_changes AS c
WHERE c.changed_at >= TIMESTAMP '2026-01-01 00:00:00' AND c.changed_at < TIMESTAMP '2100-01-01 00:00:00'
GROUP BY CAST(c.changed_at AS DATE)
ORDER BY 1;

-- Top songs
-- The 100 titles that were played most in the range, by title and artist as the logs name them, in the
-- catalogue or not. A row without of_level counts all plays; one with it those on that level, whose 20 most
-- played are listed too.
WITH songs_played AS (
    SELECT
        p.level,
        p.song,
        p.artist,
        COUNT(*) AS plays,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.level, p.song, p.artist
),

counted AS (
    SELECT
        COALESCE(p.level, 'unknown') AS of_level, p.song, p.artist, CAST(SUM(p.plays) AS BIGINT) AS plays
    FROM songs_played AS p
    GROUP BY COALESCE(p.level, 'unknown'), p.song, p.artist
),

ranked AS (
    SELECT
        a.of_level, a.song, a.artist, a.plays,
        ROW_NUMBER() OVER (PARTITION BY a.of_level ORDER BY a.plays DESC, a.song, a.artist) AS place
    FROM (
        SELECT '' AS of_level, c.song, c.artist, CAST(SUM(c.plays) AS BIGINT) AS plays
        FROM counted AS c
        GROUP BY c.song, c.artist
        UNION ALL
        SELECT c.of_level, c.song, c.artist, c.plays
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
WHERE r.place <= 20 OR (r.place <= 100 AND r.of_level = '')
ORDER BY r.of_level, r.place;

-- The ten top songs, week by week
-- Plays by week (UTC, its Monday) of the ten titles that were played most in the range, in the latest 366
-- days of it. A week without plays has no row; the first and the last may be cut by the range.
WITH songs_played AS (
    SELECT
        p.level,
        p.song,
        p.artist,
        COUNT(*) AS plays,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.level, p.song, p.artist
),

most AS (
    SELECT t.song, t.artist, ROW_NUMBER() OVER (ORDER BY t.plays DESC, t.song, t.artist) AS place
    FROM (
        SELECT p.song, p.artist, SUM(p.plays) AS plays
        FROM songs_played AS p
        GROUP BY p.song, p.artist
    ) AS t
)

SELECT
    m.place,
    m.song,
    m.artist,
    CAST(DATE_TRUNC('week', p.start_time) AS DATE) AS week,
    COUNT(*) AS plays
FROM most AS m
INNER JOIN songplays AS p
    ON COALESCE(m.song, '') = COALESCE(p.song, '') AND COALESCE(m.artist, '') = COALESCE(p.artist, '')
WHERE m.place <= 10 AND p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
GROUP BY m.place, m.song, m.artist, DATE_TRUNC('week', p.start_time)
ORDER BY m.place, 4;

-- Top artists
-- The 100 artists that were played most in the range, as the logs name them, in the catalogue or not. A row
-- without of_level counts all plays; one with it those on that level, whose 20 most played are listed too.
WITH songs_played AS (
    SELECT
        p.level,
        p.song,
        p.artist,
        COUNT(*) AS plays,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.level, p.song, p.artist
),

counted AS (
    SELECT COALESCE(p.level, 'unknown') AS of_level, p.artist, CAST(SUM(p.plays) AS BIGINT) AS plays
    FROM songs_played AS p
    GROUP BY COALESCE(p.level, 'unknown'), p.artist
),

ranked AS (
    SELECT
        a.of_level, a.artist, a.plays,
        ROW_NUMBER() OVER (PARTITION BY a.of_level ORDER BY a.plays DESC, a.artist) AS place
    FROM (
        SELECT '' AS of_level, c.artist, CAST(SUM(c.plays) AS BIGINT) AS plays
        FROM counted AS c
        GROUP BY c.artist
        UNION ALL
        SELECT c.of_level, c.artist, c.plays
        FROM counted AS c
    ) AS a
)

SELECT
    NULLIF(r.of_level, '') AS of_level,
    r.place,
    r.artist,
    r.plays
FROM ranked AS r
WHERE r.place <= 20 OR (r.place <= 100 AND r.of_level = '')
ORDER BY r.of_level, r.place;

-- The ten top artists, week by week
-- Plays by week (UTC, its Monday) of the ten artists that were played most in the range, in the latest 366
-- days of it. A week without plays has no row; the first and the last may be cut by the range.
WITH songs_played AS (
    SELECT
        p.level,
        p.song,
        p.artist,
        COUNT(*) AS plays,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.level, p.song, p.artist
),

most AS (
    SELECT t.artist, ROW_NUMBER() OVER (ORDER BY t.plays DESC, t.artist) AS place
    FROM (
        SELECT p.artist, SUM(p.plays) AS plays
        FROM songs_played AS p
        GROUP BY p.artist
    ) AS t
)

SELECT
    m.place,
    m.artist,
    CAST(DATE_TRUNC('week', p.start_time) AS DATE) AS week,
    COUNT(*) AS plays
FROM most AS m
INNER JOIN songplays AS p
    ON COALESCE(m.artist, '') = COALESCE(p.artist, '')
WHERE m.place <= 10 AND p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
GROUP BY m.place, m.artist, DATE_TRUNC('week', p.start_time)
ORDER BY m.place, 3;

-- People by week
-- One row per week from Monday on (UTC) whose Monday lies in the latest 366 days of the range; the first and
-- the last may be counted beyond the range. people: with any event in the week, each once; new_people: whose
-- first event of all lies in it. People do not add up over weeks.
SELECT
    a.week,
    a.people,
    a.listeners,
    a.new_people,
    a.plays
FROM analytics.weekly_activity AS a
WHERE a.week >= CAST(DATE_TRUNC('week', TIMESTAMP '2026-01-01 00:00:00') AS DATE) AND a.week < CAST(TIMESTAMP '2100-01-01 00:00:00' AS DATE)
ORDER BY a.week;

-- People by month
-- One row per month (UTC) that begins or lies in the range, whole months always; the latest 60. people: with
-- any event in the month, each once. mean_daily_people: people a day, in the mean of the days on which
-- somebody was there. stickiness: that divided by people; 1 would mean that everybody was there every day.
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
    WHERE a.month >= CAST(DATE_TRUNC('month', TIMESTAMP '2026-01-01 00:00:00') AS DATE) AND a.month < CAST(TIMESTAMP '2100-01-01 00:00:00' AS DATE)
    ORDER BY a.month DESC
    LIMIT 60
) AS m
ORDER BY m.month;

-- Who comes back
-- People of a cohort who were there so many weeks later; the latest 26 weeks of cohorts in the range, 26
-- weeks on at most. A cohort is everybody whose first event of all (cohort_by first_event), or whose
-- registration (registration), lies in the week from that Monday on. weeks_later 0 is the week itself. The
-- last week of all may still go on.
SELECT
    r.cohort_by,
    r.cohort,
    r.cohort_people,
    r.weeks_later,
    r.people
FROM analytics.retention AS r
WHERE
    r.cohort >= CAST(DATE_TRUNC('week', TIMESTAMP '2026-01-01 00:00:00') AS DATE) AND r.cohort < CAST(TIMESTAMP '2100-01-01 00:00:00' AS DATE)
    AND r.weeks_later <= 26
ORDER BY r.cohort_by, r.cohort, r.weeks_later;

-- From free to paid, and away
-- Events of the range on the pages of upgrade, downgrade and cancellation, each event once. people: those
-- who were on the page, each once. The steps need not follow each other within the range: no rates are
-- computed of them.
SELECT
    CASE f.page
        WHEN 'Upgrade' THEN 1
        WHEN 'Submit Upgrade' THEN 2
        WHEN 'Downgrade' THEN 3
        WHEN 'Submit Downgrade' THEN 4
        WHEN 'Cancel' THEN 5
        ELSE 6
    END AS step,
    f.page,
    COUNT(*) AS events,
    COUNT(DISTINCT f.user_id) AS people
FROM (
    SELECT DISTINCT e.user_id, e.session_id, e.item_in_session, e.ts, e.page
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts >= 946684800000 AND e.ts < 4102444800000
        AND e.page IN (
            'Upgrade', 'Submit Upgrade', 'Downgrade', 'Submit Downgrade',
            'Cancel', 'Cancellation Confirmation'
        )
) AS f
GROUP BY f.page
ORDER BY 1;

-- Gender
-- Plays of the range by the gender of the listener, as of the latest event, and the level of the play.
-- Listeners are counted once on each level: they do not add up.
WITH listeners AS (
    SELECT
        p.user_id,
        p.level,
        p.location,
        p.user_agent,
        COUNT(*) AS plays
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.user_id, p.level, p.location, p.user_agent
)

SELECT
    u.gender,
    g.level,
    CAST(SUM(g.plays) AS BIGINT) AS plays,
    COUNT(*) AS listeners
FROM (
    SELECT l.user_id, l.level, SUM(l.plays) AS plays
    FROM listeners AS l
    GROUP BY l.user_id, l.level
) AS g
INNER JOIN users AS u ON g.user_id = u.user_id
GROUP BY u.gender, g.level
ORDER BY 1, 2;

-- Devices
-- Plays of the range by what the user agent says of the device, and the level of the play. Listeners are
-- counted once on each device and level: they do not add up.
WITH listeners AS (
    SELECT
        p.user_id,
        p.level,
        p.location,
        p.user_agent,
        COUNT(*) AS plays
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.user_id, p.level, p.location, p.user_agent
)

SELECT
    d.device,
    d.level,
    CAST(SUM(d.plays) AS BIGINT) AS plays,
    COUNT(DISTINCT d.user_id) AS listeners
FROM (
    SELECT
        CASE
            WHEN g.user_agent LIKE '%iPhone%' THEN 'iPhone'
            WHEN g.user_agent LIKE '%iPad%' THEN 'iPad'
            WHEN g.user_agent LIKE '%Android%' THEN 'Android'
            WHEN g.user_agent LIKE '%Windows%' THEN 'Windows'
            WHEN g.user_agent LIKE '%Macintosh%' THEN 'Mac'
            WHEN g.user_agent LIKE '%Linux%' THEN 'Linux'
            WHEN g.user_agent IS NOT NULL THEN 'other'
        END AS device,
        g.level,
        g.user_id,
        g.plays
    FROM (
        SELECT l.user_agent, l.level, l.user_id, SUM(l.plays) AS plays
        FROM listeners AS l
        GROUP BY l.user_agent, l.level, l.user_id
    ) AS g
) AS d
GROUP BY d.device, d.level
ORDER BY 1, 2;

-- Where people listen
-- The 100 places with most plays in the range. A place is what the app says of where the listener is: a
-- metro area. listeners are counted once in each place and on each level; some listen in several. A row
-- without of_level counts all plays; one with it those on that level, whose 20 first places are listed too.
WITH listeners AS (
    SELECT
        p.user_id,
        p.level,
        p.location,
        p.user_agent,
        COUNT(*) AS plays
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.user_id, p.level, p.location, p.user_agent
),

counted AS (
    SELECT COALESCE(l.level, 'unknown') AS of_level, l.location, l.user_id, SUM(l.plays) AS plays
    FROM listeners AS l
    GROUP BY COALESCE(l.level, 'unknown'), l.location, l.user_id
),

ranked AS (
    SELECT
        a.of_level, a.location, a.plays, a.listeners,
        ROW_NUMBER() OVER (PARTITION BY a.of_level ORDER BY a.plays DESC, a.location) AS place
    FROM (
        SELECT
            '' AS of_level, c.location,
            CAST(SUM(c.plays) AS BIGINT) AS plays, COUNT(DISTINCT c.user_id) AS listeners
        FROM counted AS c
        GROUP BY c.location
        UNION ALL
        SELECT c.of_level, c.location, CAST(SUM(c.plays) AS BIGINT) AS plays, COUNT(*) AS listeners
        FROM counted AS c
        GROUP BY c.of_level, c.location
    ) AS a
)

SELECT
    NULLIF(r.of_level, '') AS of_level,
    r.place,
    r.location,
    r.plays,
    r.listeners
FROM ranked AS r
WHERE r.place <= 20 OR (r.place <= 100 AND r.of_level = '')
ORDER BY r.of_level, r.place;

-- Plays found in the catalogue by day
-- One row per UTC day with plays; the latest 366 days of the range. matched: plays of a song in the
-- catalogue, by title and artist, of the same length or another. share: matched divided by plays.
WITH hours_played AS (
    SELECT
        DATE_TRUNC('hour', p.start_time) AS utc_hour,
        p.level,
        COUNT(*) AS plays,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY DATE_TRUNC('hour', p.start_time), p.level
)

SELECT
    CAST(h.utc_hour AS DATE) AS day,
    CAST(SUM(h.plays) AS BIGINT) AS plays,
    CAST(SUM(h.matched) AS BIGINT) AS matched,
    CAST(SUM(h.matched) AS DOUBLE PRECISION) / SUM(h.plays) AS share
FROM hours_played AS h
WHERE h.utc_hour >= TIMESTAMP '2026-01-01 00:00:00'
GROUP BY CAST(h.utc_hour AS DATE)
ORDER BY 1;

-- Plays found in the catalogue
-- Plays of the range by how their song was found. exact: title, artist and length; title_artist: the same
-- title and artist, another length; empty: no song of the catalogue has that title and artist, letter by
-- letter.
SELECT p.song_match, COUNT(*) AS plays
FROM songplays AS p
WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
GROUP BY p.song_match
ORDER BY 2 DESC, 1;

-- What the catalogue lacks
-- The 100 most played titles of the range that no song of the catalogue has, as the logs name them.
WITH songs_played AS (
    SELECT
        p.level,
        p.song,
        p.artist,
        COUNT(*) AS plays,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time >= TIMESTAMP '2026-01-01 00:00:00' AND p.start_time < TIMESTAMP '2100-01-01 00:00:00'
    GROUP BY p.level, p.song, p.artist
)

SELECT p.song, p.artist, CAST(SUM(p.plays - p.matched) AS BIGINT) AS plays
FROM songs_played AS p
WHERE p.plays > p.matched
GROUP BY p.song, p.artist
ORDER BY plays DESC, p.song, p.artist
LIMIT 100;

-- How fresh it is
-- The whole warehouse, whatever the range; times are UTC. last_load: the latest run that published.
-- last_event: the latest event of a person or nobody; events and plays as of etl.days. set_aside: log or
-- song files that are kept out; open_rejects: records that were not loaded and that nothing has resolved.
SELECT
    r.last_load,
    d.last_event,
    d.days,
    d.events,
    d.plays,
    f.loaded_files,
    f.set_aside,
    j.open_rejects
FROM (SELECT MAX(u.finished_at) AS last_load FROM etl.runs AS u WHERE u.status = 'done') AS r
CROSS JOIN (
    SELECT
        DATEADD(ms, MAX(e.last_ts), '1970-01-01'::TIMESTAMP) AS last_event,
        COUNT(*) AS days,
        COALESCE(SUM(e.events), 0)::BIGINT AS events,
        COALESCE(SUM(e.plays), 0)::BIGINT AS plays
    FROM etl.days AS e
) AS d
CROSS JOIN (
    SELECT
        COUNT(CASE WHEN l.state = 'loaded' THEN 1 END) AS loaded_files,
        COUNT(CASE WHEN l.state = 'set_aside' THEN 1 END) AS set_aside
    FROM etl.files AS l
) AS f
CROSS JOIN (
    SELECT COUNT(*) AS open_rejects
    FROM etl.rejects AS x
    INNER JOIN etl.runs AS u ON x.run_id = u.run_id
    WHERE u.status = 'done' AND x.resolved_by IS NULL
) AS j;

-- Records that were not loaded
-- Rejected records that nothing has resolved yet, by kind and reason, whatever the range; those of failed
-- runs are not among them. `sparkify rejects show` has each with its file, line and bytes.
SELECT
    r.kind,
    r.reason,
    COUNT(*) AS rejects,
    COUNT(DISTINCT r.uri) AS files,
    MIN(r.uri) AS first_file
FROM etl.rejects AS r
INNER JOIN etl.runs AS u ON r.run_id = u.run_id
WHERE u.status = 'done' AND r.resolved_by IS NULL
GROUP BY r.kind, r.reason
ORDER BY rejects DESC, r.kind, r.reason
LIMIT 100;

-- Files set aside
-- Files that are kept out whole, and why, whatever the range; the 100 latest.
SELECT
    f.uri,
    f.kind,
    f.run_id,
    f.reason,
    f.rows_read,
    f.rows_rejected,
    f.detail
FROM etl.files AS f
WHERE f.state = 'set_aside'
ORDER BY f.run_id DESC, f.uri
LIMIT 100;

-- Checks and warnings
-- Every check of the latest run that made any, whatever the range. ok: no row breaks it. One of severity
-- warn has a row for each day or file it names (subject). `sparkify check` makes them anew.
SELECT
    c.check_name,
    CASE
        WHEN c.failing_rows = 0 THEN 'ok'
        WHEN c.severity = 'warn' THEN 'warn'
        ELSE 'FAIL'
    END AS result,
    c.failing_rows,
    c.subject,
    c.sample,
    c.run_id
FROM etl.checks AS c
WHERE c.run_id IN (SELECT MAX(l.run_id) FROM etl.checks AS l)
ORDER BY c.failing_rows DESC, c.severity, c.check_name, c.subject
LIMIT 100;

-- The last runs
-- The latest 20 runs, whatever the range: records read = loaded + rejected. An undo counts below zero. A run
-- that failed published nothing.
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
ORDER BY r.run_id DESC
LIMIT 20;

-- Rejected records that nothing has resolved yet, and those of the latest run if it failed, by kind and
-- reason. A failed run publishes neither its rows nor its rejected records.
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
INNER JOIN etl.runs AS u ON r.run_id = u.run_id
WHERE
    (u.status = 'done' AND r.resolved_by IS NULL)
    OR (u.status = 'failed' AND r.run_id IN (SELECT MAX(l.run_id) FROM etl.runs AS l))
GROUP BY r.kind, r.reason, u.status = 'done'
ORDER BY published DESC, rejects DESC, r.kind, r.reason;

-- The same rejected records one by one, filtered by kind, reason and the end of the URI; '' filters nothing.
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
INNER JOIN etl.runs AS u ON r.run_id = u.run_id
WHERE
    (
        (u.status = 'done' AND r.resolved_by IS NULL)
        OR (u.status = 'failed' AND r.run_id IN (SELECT MAX(l.run_id) FROM etl.runs AS l))
    )
    AND ('' = '' OR r.kind = '')
    AND ('malformed_json' = '' OR r.reason = 'malformed_json')
    AND ('2.json' = '' OR RIGHT(r.uri, LEN('2.json')) = '2.json')
ORDER BY r.uri, r.byte_offset, r.run_id
LIMIT 20;

-- The files of which records are rejected, or that are set aside.
SELECT uri FROM etl.files
WHERE (state = 'loaded' AND rows_rejected > 0) OR state = 'set_aside' OR reason IS NOT NULL;

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 9
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(7588823715942316, 9, 'events', 's3://statements/log_data/4.json', 8, 'version', 'set_aside', 1, 0, 1, 0, 'fa485730991d21a635b343cc9e3cac5e', 'rejects', 'nothing of it loads: 1 malformed_json. The first is line 1 of s3://statements/log_data/4.json: Expecting value, column 1.', 0);

INSERT INTO run_files (file_id) VALUES
(2647871717814730),
(1386527108295880),
(4015995664136107),
(5172686462209440);

-- Record the songs and artists of the records about to be removed (run_files).
INSERT INTO run_changed_songs
SELECT DISTINCT song_id FROM staging_songs WHERE file_id IN (SELECT file_id FROM run_files);

INSERT INTO run_changed_artists
SELECT DISTINCT artist_id FROM staging_songs WHERE file_id IN (SELECT file_id FROM run_files);

-- The moments of events about to be removed (run_files), and the people whose latest event is among them.
INSERT INTO run_moments
SELECT ts FROM staging_events WHERE file_id IN (SELECT file_id FROM run_files);

INSERT INTO run_lost_users
SELECT DISTINCT u.user_id, u.last_seen_ts
FROM users AS u
INNER JOIN (
    SELECT user_id, ts FROM staging_events WHERE file_id IN (SELECT file_id FROM run_files)
) AS e ON u.user_id = e.user_id AND u.last_seen_ts = e.ts;

INSERT INTO run_changed_users SELECT user_id FROM run_lost_users;

DELETE FROM users WHERE user_id IN (SELECT user_id FROM run_lost_users);

-- Remove the rows of replaced or retracted files (run_files).
DELETE FROM staging_songs USING run_files WHERE staging_songs.file_id = run_files.file_id;

-- Remove the rows of replaced or retracted files (run_files).
DELETE FROM staging_events USING run_files WHERE staging_events.file_id = run_files.file_id;

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(2647871717814730, 9, 'events', 's3://statements/log_data/2.json', 366, 'version', 'loaded', 2, 1, 1, 1, '968542b1f1bba08f16591c00b5fd49c6', NULL, NULL, 0),
(1386527108295880, 9, 'events', 's3://statements/log_data/5.json', 350, 'version', 'loaded', 1, 1, 0, 1, 'c749ee43b0b113775ae5b09cb3f3666a', NULL, NULL, 0),
(4015995664136107, 9, 'events', 's3://statements/log_data/6.json', 356, 'version', 'loaded', 2, 1, 1, 1, '782dadbb7db713f5913c7e8ac1529c89', NULL, NULL, 0),
(5172686462209440, 9, 'events', 's3://statements/log_data/8.json', 703, 'version', 'loaded', 2, 1, 1, 1, 'e412e3de82682f788b764ec21e11e5a7', NULL, NULL, 0);

INSERT INTO etl.rejects (run_id, file_id, uri, line, byte_offset, reason, detail, content, encoding, size, resolved_by, kind) VALUES
(9, 2647871717814730, 's3://statements/log_data/2.json', 2, 358, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events'),
(9, 4015995664136107, 's3://statements/log_data/6.json', 2, 350, 'truncated_file', 'the file ends inside a record (Expecting value, column 7)', '{"ts":', 'utf-8', 6, NULL, 'events'),
(9, 5172686462209440, 's3://statements/log_data/8.json', 2, 350, 'missing_field', 'sessionId is missing', '{"artist": "Artist", "auth": "Logged In", "firstName": "Ada", "gender": "F", "itemInSession": 0, "lastName": "Day", "length": 200.5, "level": "free", "location": "London", "method": "PUT", "page": "NextSong", "registration": 1540919166796.0, "sessionId": null, "song": "Title", "status": 200, "ts": 1541030400000, "userAgent": "Browser", "userId": "8"}', 'utf-8', 352, NULL, 'events'),
(9, 7588823715942316, 's3://statements/log_data/4.json', 1, 0, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events');

-- People whose latest event went and is not found yet, the time of the newest of these events.
SELECT COUNT(*) AS people, MAX(ts) AS newest FROM run_lost_users;

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1540944000008 AND 1541030400008
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
    WHERE e.ts BETWEEN 1540944000008 AND 1541030400008
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

-- People whose latest event went are found: those that users.sql has just computed.
DELETE FROM run_lost_users WHERE user_id IN (SELECT user_id FROM run_users);

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN 1541030400002 AND 1541030400008
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400002 AND 1541030400008
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400002 AND 1541030400008
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400002 AND 1541030400008
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1541030400002 AND 1541030400008
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
    WHERE e.ts BETWEEN 1541030400002 AND 1541030400008
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 9)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 9)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 9
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1541030400002 AND 1541030400008
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1541030400002 AND 1541030400008 AND d.staged <> d.plays
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts BETWEEN 1541030400002 AND 1541030400008 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 9
    ) > 0;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 9 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 9 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 9 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 9 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1541030400000 AND 1541116799999
        OR (t.ts_before <= 1541116799999 AND t.first_ts > 1541116799999)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1541030400000 AND 1541116799999
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1541030400000 AND 1541116799999
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN 1541030400002 AND 1541030400008
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(9, 'replay', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 4, 7, 4, 3, 4, 0, 6, 5, '0.1.0', NULL, 0);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(9, 'conservation', 0, NULL, 'error', NULL),
(9, 'no_fan_out', 0, NULL, 'error', NULL),
(9, 'not_null', 0, NULL, 'error', NULL),
(9, 'owned_rows', 0, NULL, 'error', NULL),
(9, 'plays_from_logs', 0, NULL, 'error', NULL),
(9, 'references', 0, NULL, 'error', NULL),
(9, 'unique_keys', 0, NULL, 'error', NULL),
(9, 'cut_file', 1, 'ends inside a record, line 2: what follows is missing', 'warn', 's3://statements/log_data/6.json'),
(9, 'empty_log', 0, NULL, 'warn', NULL),
(9, 'hole_in_time', 0, NULL, 'warn', NULL),
(9, 'match_rate_fell', 0, NULL, 'warn', NULL),
(9, 'plays_without_names', 0, NULL, 'warn', NULL),
(9, 'vanished_field', 0, NULL, 'warn', NULL);

-- The people who are looked for, by hashes of their ids.
CREATE TEMP TABLE IF NOT EXISTS run_sought (digest VARCHAR(64) NOT NULL);

DELETE FROM run_sought;

INSERT INTO run_sought (digest) VALUES
('by chance');

-- The events of people who are looked for, by person, file, names and place. What was hashed before the ids
-- is given.
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
    SELECT l.user_id, SHA2('by chance' || l.user_id, 256) AS digest
    FROM (SELECT DISTINCT e.user_id FROM staging_events AS e) AS l
) AS u ON s.user_id = u.user_id
WHERE u.digest IN (SELECT r.digest FROM run_sought AS r)
GROUP BY u.digest, s.file_id, s.first_name, s.last_name, s.location
ORDER BY u.digest, s.file_id;

-- The runs that rejected records.
SELECT DISTINCT r.run_id FROM etl.rejects AS r ORDER BY r.run_id;

-- The records that a run rejected, with their bytes.
SELECT r.file_id, r.byte_offset, r.uri, r.encoding, r.content, r.kind
FROM etl.rejects AS r
WHERE r.run_id = 1;

-- The records that a run rejected, with their bytes.
SELECT r.file_id, r.byte_offset, r.uri, r.encoding, r.content, r.kind
FROM etl.rejects AS r
WHERE r.run_id = 2;

-- The records that a run rejected, with their bytes.
SELECT r.file_id, r.byte_offset, r.uri, r.encoding, r.content, r.kind
FROM etl.rejects AS r
WHERE r.run_id = 9;

INSERT INTO etl.erased (run_id, person, field, digest, keeps_plays, hash_key, before_ts) VALUES
(10, 'by chance', 'user_id', 'by chance', TRUE, 'by chance', NULL);

-- A run's own tables of what it erases.
-- People, by the ids they have, and the id under which their plays stay (NULL: nothing stays).
CREATE TEMP TABLE IF NOT EXISTS run_forgotten (user_id VARCHAR(64) NOT NULL, anonymous VARCHAR(64));

-- Their events: what stays of one whose user_id is not NULL, which is nothing but the play. The last four say
-- whose it was, of events in staging; of those of which nothing stays, columns that nobody asks for are NULL.
CREATE TEMP TABLE IF NOT EXISTS run_gone (
    artist VARCHAR(1024),
    auth VARCHAR(64),
    item_in_session INTEGER,
    length DOUBLE PRECISION,
    level VARCHAR(16),
    method VARCHAR(16),
    page VARCHAR(64),
    session_id BIGINT,
    song VARCHAR(1024),
    status INTEGER,
    ts BIGINT,
    user_agent VARCHAR(1024),
    user_id VARCHAR(64),
    file_id BIGINT NOT NULL,
    of_user VARCHAR(64),
    first_name VARCHAR(1024),
    last_name VARCHAR(1024),
    location VARCHAR(1024)
);

-- Of each file, how many records are erased, and how many of these were plays.
CREATE TEMP TABLE IF NOT EXISTS run_erased_files (
    file_id BIGINT NOT NULL,
    rows_erased BIGINT NOT NULL,
    plays_erased BIGINT NOT NULL
);

CREATE TEMP TABLE IF NOT EXISTS run_erased_rejects (
    file_id BIGINT NOT NULL,
    run_id INTEGER NOT NULL,
    byte_offset BIGINT NOT NULL
);

DELETE FROM run_forgotten;

DELETE FROM run_gone;

DELETE FROM run_erased_files;

DELETE FROM run_erased_rejects;

-- The people of staging that are forgotten, and the events of theirs; plays that stayed of those who are
-- forgotten altogether now are among them.
INSERT INTO run_forgotten (user_id, anonymous)
WITH people AS (
    SELECT DISTINCT s.user_id FROM staging_events AS s
)

SELECT u.user_id, CASE WHEN e.keeps_plays THEN 'anonymous-' || SUBSTRING(e.person, 1, 32) END AS anonymous
FROM (
    SELECT l.user_id, SHA2(h.hash_key || l.user_id, 256) AS digest
    FROM people AS l
    CROSS JOIN (SELECT MAX(k.hash_key) AS hash_key FROM etl.erased AS k) AS h
) AS u
INNER JOIN etl.erased AS e ON u.digest = e.digest AND e.field = 'user_id'
UNION ALL
SELECT l.user_id, NULL AS anonymous
FROM people AS l
INNER JOIN etl.erased AS p ON l.user_id = 'anonymous-' || SUBSTRING(p.person, 1, 32)
WHERE p.field = 'user_id' AND NOT p.keeps_plays;

INSERT INTO run_gone (page, song, artist, ts, file_id, of_user, first_name, last_name, location)
SELECT s.page, s.song, s.artist, s.ts, s.file_id, s.user_id AS of_user, s.first_name, s.last_name, s.location
FROM staging_events AS s
INNER JOIN run_forgotten AS f ON s.user_id = f.user_id
WHERE f.anonymous IS NULL;

SELECT f.anonymous FROM run_forgotten AS f WHERE f.anonymous IS NOT NULL LIMIT 1;

-- The events of those whose plays stay; of other pages nothing does.
INSERT INTO run_gone (
    artist, auth, item_in_session, length, level, method, page, session_id, song, status, ts, user_agent,
    user_id, file_id, of_user, first_name, last_name, location
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
INNER JOIN run_forgotten AS f ON s.user_id = f.user_id
WHERE f.anonymous IS NOT NULL;

-- The names and places of the people who are forgotten.
SELECT DISTINCT g.of_user, g.first_name, g.last_name, g.location
FROM run_gone AS g;

INSERT INTO etl.erased (run_id, person, field, digest, keeps_plays, hash_key, before_ts) VALUES
(10, 'by chance', 'first_name', 'by chance', NULL, 'by chance', NULL),
(10, 'by chance', 'last_name', 'by chance', NULL, 'by chance', NULL),
(10, 'by chance', 'location', 'by chance', NULL, 'by chance', NULL);

-- How many records of each file are erased of the people (run_gone).
INSERT INTO run_erased_files (file_id, rows_erased, plays_erased)
SELECT
    g.file_id,
    COUNT(*) - COUNT(g.user_id) AS rows_erased,
    COUNT(CASE WHEN g.page = 'NextSong' AND g.user_id IS NULL THEN 1 END) AS plays_erased
FROM run_gone AS g
GROUP BY g.file_id;

-- How many records of each file are erased, and how many of these were plays.
SELECT e.file_id, SUM(e.rows_erased) AS rows_erased, SUM(e.plays_erased) AS plays_erased
FROM run_erased_files AS e
GROUP BY e.file_id;

-- Note in the ledger how many records of loaded files are erased (run_erased_files).
UPDATE etl.files SET
    rows_loaded = files.rows_loaded - e.gone,
    plays_loaded = files.plays_loaded - e.plays,
    rows_erased = COALESCE(files.rows_erased, 0) + e.gone
FROM (
    SELECT r.file_id AS of_file, SUM(r.rows_erased) AS gone, SUM(r.plays_erased) AS plays
    FROM run_erased_files AS r
    GROUP BY r.file_id
) AS e
WHERE files.file_id = e.of_file AND files.state = 'loaded';

INSERT INTO run_erased_rejects (file_id, run_id, byte_offset) VALUES
(5172686462209440, 1, 350),
(5172686462209440, 9, 350);

-- Take rejected records (run_erased_rejects) out; of the version of a file that had them they are erased now.
UPDATE etl.files SET
    rows_rejected = files.rows_rejected - e.gone,
    rows_erased = COALESCE(files.rows_erased, 0) + e.gone
FROM (
    SELECT r.file_id AS of_file, r.run_id AS of_run, COUNT(*) AS gone
    FROM run_erased_rejects AS r
    GROUP BY r.file_id, r.run_id
) AS e
WHERE files.file_id = e.of_file AND files.run_id = e.of_run;

DELETE FROM etl.rejects
USING run_erased_rejects
WHERE
    rejects.file_id = run_erased_rejects.file_id
    AND rejects.run_id = run_erased_rejects.run_id
    AND rejects.byte_offset = run_erased_rejects.byte_offset;

-- Texts of the ledger that may name somebody: what checks have shown, why runs failed, why files are set
-- aside.
SELECT c.run_id, c.check_name, c.sample, c.subject
FROM etl.checks AS c
WHERE c.sample IS NOT NULL OR c.subject IS NOT NULL;

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'conservation';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'cut_file';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'empty_log';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'hole_in_time';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'match_rate_fell';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'no_fan_out';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'not_null';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'owned_rows';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'plays_from_logs';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'plays_without_names';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'references';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'unique_keys';

-- Have texts of the ledger say nothing any more, since they name somebody who is forgotten.
UPDATE etl.checks SET
    sample = CASE WHEN sample IS NULL THEN NULL ELSE 'erased' END,
    subject = CASE WHEN subject IS NULL OR TRUE THEN subject ELSE 'erased' END
WHERE run_id = 1 AND check_name = 'vanished_field';

SELECT r.run_id, r.error FROM etl.runs AS r WHERE r.error IS NOT NULL;

UPDATE etl.runs SET error = 'erased' WHERE run_id = 1;

SELECT f.file_id, f.run_id, f.detail FROM etl.files AS f WHERE f.detail IS NOT NULL;

UPDATE etl.files SET detail = 'erased' WHERE file_id = 5172686462209440 AND run_id = 1;

UPDATE etl.files SET detail = 'erased' WHERE file_id = 3423743253137239 AND run_id = 1;

UPDATE etl.files SET detail = 'erased' WHERE file_id = 3141584196679770 AND run_id = 1;

UPDATE etl.files SET detail = 'erased' WHERE file_id = 4040650450145751 AND run_id = 1;

UPDATE etl.files SET detail = 'erased' WHERE file_id = 3010460447655594 AND run_id = 1;

UPDATE etl.files SET detail = 'erased' WHERE file_id = 7588823715942316 AND run_id = 1;

UPDATE etl.files SET detail = 'erased' WHERE file_id = 4015995664136107 AND run_id = 1;

UPDATE etl.files SET detail = 'erased' WHERE file_id = 2647871717814730 AND run_id = 1;

UPDATE etl.files SET detail = 'erased' WHERE file_id = 1386527108295880 AND run_id = 1;

-- Take the events of forgotten people (run_gone) out of staging and star, and put back into staging what
-- stays of them. What people had goes by their ids: their plays are theirs alone, so that of a moment at
-- which others played too nothing else is looked at. What they touched is noted, for the days and the
-- checks.
INSERT INTO run_moments SELECT g.ts FROM run_gone AS g;

INSERT INTO run_changed_users SELECT f.user_id FROM run_forgotten AS f;

UPDATE etl.days SET events = events - g.gone
FROM (
    SELECT r.ts - MOD(r.ts, 86400000) AS midnight, COUNT(*) AS gone
    FROM run_gone AS r
    WHERE r.user_id IS NULL
    GROUP BY r.ts - MOD(r.ts, 86400000)
) AS g
WHERE first_ts BETWEEN g.midnight AND g.midnight + 86399999;

UPDATE etl.days SET
    plays = plays - g.gone,
    plays_without_title = plays_without_title - g.without_title,
    plays_without_artist = plays_without_artist - g.without_artist,
    plays_matched = plays_matched - g.matched
FROM (
    SELECT
        CAST(p.start_time AS DATE) AS of_day,
        COUNT(*) AS gone,
        COUNT(*) - COUNT(p.song) AS without_title,
        COUNT(*) - COUNT(p.artist) AS without_artist,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    INNER JOIN run_forgotten AS f ON p.user_id = f.user_id
    WHERE f.anonymous IS NULL
    GROUP BY CAST(p.start_time AS DATE)
) AS g
WHERE day = g.of_day;

DELETE FROM users WHERE user_id IN (SELECT user_id FROM run_forgotten);

DELETE FROM songplays WHERE user_id IN (SELECT user_id FROM run_forgotten);

DELETE FROM staging_events WHERE user_id IN (SELECT user_id FROM run_forgotten);

INSERT INTO staging_events (
    artist, auth, item_in_session, length, level, method, page, session_id, song, status, ts, user_agent,
    user_id, file_id
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
WHERE g.user_id IS NOT NULL;

-- The first run that loaded a file of which something is erased now; a given one if there is no such file.
SELECT COALESCE(MIN(f.run_id), 10) AS run_id
FROM etl.files AS f
WHERE f.state = 'loaded' AND f.file_id IN (SELECT e.file_id FROM run_erased_files AS e);

-- Whether plays stay without their person: a row if so.
SELECT 1 AS any_kept FROM run_gone AS g WHERE g.user_id IS NOT NULL LIMIT 1;

-- What is played by the plays that stay without their person (run_gone), to be matched with songs.
DELETE FROM run_played;

INSERT INTO run_played (song, artist, length)
SELECT DISTINCT RTRIM(g.song, ' ') AS song, RTRIM(g.artist, ' ') AS artist, g.length
FROM run_gone AS g
WHERE g.user_id IS NOT NULL;

-- The plays that stay without their person (run_gone), and who has them now, in the star: as songplays.sql
-- and users.sql compute them from staging. These ids have no other event.
INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH plays AS (
    SELECT
        g.ts, g.user_id, g.session_id, g.item_in_session, g.level, g.user_agent, g.song, g.artist, g.length
    FROM run_gone AS g
    WHERE g.user_id IS NOT NULL
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY g.ts, g.user_id, g.session_id, g.item_in_session
        ORDER BY
            NULLIF(RTRIM(g.level, ' '), ''), NULLIF(RTRIM(g.song, ' '), ''), NULLIF(RTRIM(g.artist, ' '), ''),
            g.length, NULLIF(RTRIM(g.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
SELECT
    g.user_id,
    NULL AS first_name,
    NULL AS last_name,
    NULL AS gender,
    NULLIF(RTRIM(g.level, ' '), '') AS level,
    g.ts AS last_seen_ts,
    g.item_in_session AS last_item_in_session
FROM run_gone AS g
WHERE g.user_id IS NOT NULL
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY g.user_id
    ORDER BY g.ts DESC, g.item_in_session DESC, NULLIF(RTRIM(g.level, ' '), '')
) = 1;

INSERT INTO run_changed_users SELECT DISTINCT g.user_id FROM run_gone AS g WHERE g.user_id IS NOT NULL;

-- The plays that stay without their person (run_gone): how many rows of staging they are, and how many
-- different events; how many plays the star has of them, and how many of these match a song.
SELECT s.staged, s.events, k.plays, k.matched
FROM (
    SELECT SUM(d.deliveries) AS staged, COUNT(*) AS events
    FROM (
        SELECT COUNT(*) AS deliveries
        FROM run_gone AS r
        WHERE r.user_id IS NOT NULL
        GROUP BY r.user_id, r.session_id, r.item_in_session, r.ts
    ) AS d
) AS s
CROSS JOIN (
    SELECT COUNT(*) AS plays, COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.user_id IN (SELECT g.user_id FROM run_gone AS g WHERE g.user_id IS NOT NULL)
) AS k;

-- The start times of plays that went (run_gone) and that no play has any more.
DELETE FROM time
WHERE start_time IN (
    SELECT g.start_time
    FROM (
        SELECT DISTINCT DATEADD(ms, r.ts, '1970-01-01'::TIMESTAMP) AS start_time
        FROM run_gone AS r
        WHERE r.page = 'NextSong' AND r.user_id IS NULL
    ) AS g
    LEFT JOIN songplays AS p ON g.start_time = p.start_time
    WHERE p.start_time IS NULL
);

-- When the titles of the plays that went (run_gone) are played now. A bound that was the moment of one of
-- these plays becomes the edge of its UTC day: it is a hint, and to find the exact one would read every
-- play. Titles that somebody else may not have played at all are looked up (run_played): each of their
-- bounds was a moment of these plays, or is such an edge.
DELETE FROM run_played;

INSERT INTO run_played (song, artist, played_from, played_to)
SELECT t.song, t.artist, t.played_from, t.played_to
FROM etl.played_titles AS t
INNER JOIN (
    SELECT
        RTRIM(g.song, ' ') AS title,
        RTRIM(g.artist, ' ') AS artist_name,
        MIN(g.ts) AS first_ts,
        MAX(g.ts) AS last_ts
    FROM run_gone AS g
    WHERE g.page = 'NextSong' AND g.user_id IS NULL
    GROUP BY RTRIM(g.song, ' '), RTRIM(g.artist, ' ')
) AS d ON t.song = d.title AND t.artist = d.artist_name
WHERE
    (t.played_from = d.first_ts OR MOD(t.played_from, 86400000) = 0)
    AND (t.played_to = d.last_ts OR MOD(t.played_to, 86400000) = 86399999);

UPDATE etl.played_titles SET
    played_from = CASE
        WHEN played_from = d.first_ts THEN played_from - MOD(played_from, 86400000) ELSE played_from
    END,
    played_to = CASE
        WHEN played_to = d.last_ts THEN played_to - MOD(played_to, 86400000) + 86399999 ELSE played_to
    END
FROM (
    SELECT
        RTRIM(g.song, ' ') AS title,
        RTRIM(g.artist, ' ') AS artist_name,
        MIN(g.ts) AS first_ts,
        MAX(g.ts) AS last_ts
    FROM run_gone AS g
    WHERE g.page = 'NextSong' AND g.user_id IS NULL
    GROUP BY RTRIM(g.song, ' '), RTRIM(g.artist, ' ')
) AS d
WHERE song = d.title AND artist = d.artist_name AND (played_from = d.first_ts OR played_to = d.last_ts);

SELECT MIN(p.played_from) AS titles_from, MAX(p.played_to) AS titles_to FROM run_played AS p;

-- The days that have events, after some of theirs went (run_gone), of which the first and the last event
-- and the longest stretch without one are what they were: before and after each event that went there is
-- another one of that day, and these are no farther apart than some others were before. They are looked for
-- within a minute or two, among the stretches of 65,536 ms beside the one of the event: shifted right by 16
-- bits, times are numbers of such stretches.
WITH gone AS (
    SELECT DISTINCT g.ts, g.ts - MOD(g.ts, 86400000) AS midnight FROM run_gone AS g
),

sought AS (
    SELECT g.ts, g.midnight, g.ts >> 16 AS stretch FROM gone AS g
    UNION ALL
    SELECT g.ts, g.midnight, (g.ts >> 16) - 1 AS stretch FROM gone AS g
    UNION ALL
    SELECT g.ts, g.midnight, (g.ts >> 16) + 1 AS stretch FROM gone AS g
),

neighbours AS (
    SELECT
        s.ts,
        s.midnight,
        MAX(CASE WHEN e.ts BETWEEN s.midnight AND s.ts THEN e.ts END) AS before_ts,
        MIN(CASE WHEN e.ts BETWEEN s.ts AND s.midnight + 86399999 THEN e.ts END) AS after_ts
    FROM sought AS s
    INNER JOIN staging_events AS e ON (e.ts >> 16) = s.stretch
    WHERE e.ts BETWEEN 1541030400000 AND 1541116799999
    GROUP BY s.ts, s.midnight
),

settled AS (
    SELECT n.midnight, COUNT(*) AS moments
    FROM neighbours AS n
    INNER JOIN etl.days AS d ON d.first_ts BETWEEN n.midnight AND n.midnight + 86399999
    WHERE n.after_ts - n.before_ts <= d.gap_within_ms
    GROUP BY n.midnight
)

SELECT s.midnight
FROM settled AS s
INNER JOIN (
    SELECT g.midnight, COUNT(*) AS moments
    FROM gone AS g
    GROUP BY g.midnight
) AS a ON s.midnight = a.midnight AND s.moments = a.moments
ORDER BY s.midnight;

-- The days whose absent columns are what they were after some events went: no column is NULL in
-- more of the events of a few minutes than it was in all of the day. A part can only show more of
-- them than the day has, and the day no fewer than before. The minutes are those after each 2^25 ms
-- (9 hours), so that few blocks are read.
SELECT a.midnight
FROM etl.days AS d
INNER JOIN (
    SELECT
        e.ts - MOD(e.ts, 86400000) AS midnight,
        RTRIM(
            CASE WHEN COUNT(e.artist) = 0 THEN 'artist ' ELSE '' END
            || CASE WHEN COUNT(e.auth) = 0 THEN 'auth ' ELSE '' END
            || CASE WHEN COUNT(e.first_name) = 0 THEN 'first_name ' ELSE '' END
            || CASE WHEN COUNT(e.gender) = 0 THEN 'gender ' ELSE '' END
            || CASE WHEN COUNT(e.last_name) = 0 THEN 'last_name ' ELSE '' END
            || CASE WHEN COUNT(e.length) = 0 THEN 'length ' ELSE '' END
            || CASE WHEN COUNT(e.level) = 0 THEN 'level ' ELSE '' END
            || CASE WHEN COUNT(e.location) = 0 THEN 'location ' ELSE '' END
            || CASE WHEN COUNT(e.method) = 0 THEN 'method ' ELSE '' END
            || CASE WHEN COUNT(e.registration) = 0 THEN 'registration ' ELSE '' END
            || CASE WHEN COUNT(e.song) = 0 THEN 'song ' ELSE '' END
            || CASE WHEN COUNT(e.status) = 0 THEN 'status ' ELSE '' END
            || CASE WHEN COUNT(e.user_agent) = 0 THEN 'user_agent ' ELSE '' END
            || CASE WHEN COUNT(e.user_id) = 0 THEN 'user_id ' ELSE '' END
        ) AS names
    FROM staging_events AS e
    WHERE e.ts BETWEEN 1541030400000 AND 1541116799999 AND (e.ts & 33554431) < 300000
    GROUP BY e.ts - MOD(e.ts, 86400000)
) AS a ON d.first_ts BETWEEN a.midnight AND a.midnight + 86399999
WHERE d.absent = a.names
ORDER BY a.midnight;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 9
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 10
    ) > 0;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(10, 'forget', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, -2, 0, 0, 1, 0, '0.1.0', NULL, 2);

-- The files as they are known now whose URIs are like a pattern.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE
    state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
    AND uri LIKE 's3://statements/log_data/1.json%';

-- The file of a URI as it is known now, and those of the same content.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE
    state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
    AND (uri = 's3://statements/log_data/1.json' OR content IN (SELECT c.content FROM etl.files AS c WHERE c.uri = 's3://statements/log_data/1.json'));

-- The rows and plays of the files of a state whose URIs are like a pattern, when they were loaded.
SELECT file_id, rows_loaded, plays_loaded
FROM etl.files
WHERE state = 'loaded' AND uri LIKE 's3://statements/log_data/1.json%';

-- The files that a run loaded, as they are known now.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired') AND run_id = 1;

INSERT INTO run_files (file_id) VALUES
(4040650450145751);

-- Mark the former versions of this run's files (run_files) as no longer current.
UPDATE etl.files SET state = 'retracted'
WHERE
    state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
    AND file_id IN (SELECT file_id FROM run_files);

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 11
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

-- The totals at the time of loading of the files that were just removed (run_files).
SELECT
    COUNT(*) AS files,
    COALESCE(SUM(f.rows_read), 0) AS rows_read,
    COALESCE(SUM(f.rows_loaded), 0) AS rows_loaded,
    COALESCE(SUM(f.rows_rejected), 0) AS rows_rejected,
    COALESCE(SUM(f.plays_loaded), 0) AS plays_loaded,
    COALESCE(SUM(f.rows_erased), 0) AS rows_erased
FROM etl.files AS f
INNER JOIN (
    SELECT file_id, MAX(run_id) AS run_id
    FROM etl.files
    WHERE file_id IN (SELECT file_id FROM run_files)
    GROUP BY file_id
) AS l ON f.file_id = l.file_id AND f.run_id = l.run_id;

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1540944000001 AND 1541030400001
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
    WHERE e.ts BETWEEN 1540944000001 AND 1541030400001
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

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1540339200001 AND 1540944000000
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
    WHERE e.ts BETWEEN 1540339200001 AND 1540944000000
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

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1535500800001 AND 1540339200000
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
    WHERE e.ts BETWEEN 1535500800001 AND 1540339200000
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

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN -62135596800000 AND 1535500800000
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
    WHERE e.ts BETWEEN -62135596800000 AND 1535500800000
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

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400001
    AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400000 AND 1541030400001)  -- sparse
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400001
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400000 AND 1541030400001)  -- sparse
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400001
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400000 AND 1541030400001)  -- sparse
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400001
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1541030400000 AND 1541030400001
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400000 AND 1541030400001)  -- sparse
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
    WHERE e.ts BETWEEN 1541030400000 AND 1541030400001
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
        start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 11)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 11)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 11
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1541030400000 AND 1541030400001
                AND ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time IN (  -- sparse
                    SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m  -- sparse
                ) AND  -- sparse
                start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1541030400000 AND 1541030400001 AND d.staged <> d.plays
            AND s.ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts IN (SELECT m.ts FROM run_moments AS m) AND  -- sparse
    s.ts BETWEEN 1541030400000 AND 1541030400001 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 11
    ) > 0;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
        start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400001, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN 1541030400000 AND 1541030400001
        AND ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(11, 'retract', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', -1, -2, -2, 0, -1, 0, 0, 0, '0.1.0', NULL, 0);

-- The rows and plays of the files of a state whose URIs are like a pattern, when they were loaded.
SELECT file_id, rows_loaded, plays_loaded
FROM etl.files
WHERE state = 'retracted' AND uri LIKE 's3://statements/log_data/1.json%';

-- Mark the former versions of this run's files (run_files) as no longer current.
UPDATE etl.files SET state = 'undone'
WHERE
    state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
    AND file_id IN (SELECT file_id FROM run_files);

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(12, 'retract --back', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 0, 0, '0.1.0', NULL, 0);

-- The people among those who landed that were forgotten, and the events of theirs.
INSERT INTO run_forgotten (user_id, anonymous)
SELECT u.user_id, CASE WHEN e.keeps_plays THEN 'anonymous-' || SUBSTRING(e.person, 1, 32) END AS anonymous
FROM (
    SELECT l.user_id, SHA2(h.hash_key || l.user_id, 256) AS digest
    FROM (SELECT DISTINCT r.user_id FROM run_events AS r WHERE r.user_id <> '') AS l
    CROSS JOIN (SELECT MAX(k.hash_key) AS hash_key FROM etl.erased AS k) AS h
) AS u
INNER JOIN etl.erased AS e ON u.digest = e.digest AND e.field = 'user_id';

INSERT INTO run_gone (
    artist, auth, item_in_session, length, level, method, page, session_id, song, status, ts, user_agent,
    user_id, file_id
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
INNER JOIN run_forgotten AS f ON r.user_id = f.user_id;

DELETE FROM run_events WHERE user_id IN (SELECT user_id FROM run_forgotten);

INSERT INTO run_events (
    artist, auth, item_in_session, length, level, method, page, session_id, song, status, ts, user_agent,
    user_id, file_id, needs_rereading
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
WHERE g.user_id IS NOT NULL;

INSERT INTO run_files (file_id) VALUES
(5172686462209440);

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 13
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(4040650450145751, 13, 'events', 's3://statements/log_data/1.json', 696, 'version', 'loaded', 2, 2, 0, 1, '49ca1714cb1659a9ed7f9c6abe895514', NULL, NULL, 0),
(5172686462209440, 13, 'events', 's3://statements/log_data/8.json', 700, 'version', 'loaded', 2, 2, 0, 2, '4bd07a4b6e11d59638754a0419087d91', NULL, NULL, 0);

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400009
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400009
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400009
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541030400009
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1541030400000 AND 1541030400009
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
    WHERE e.ts BETWEEN 1541030400000 AND 1541030400009
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 13)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 13)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 13
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1541030400000 AND 1541030400009
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1541030400000 AND 1541030400009 AND d.staged <> d.plays
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts BETWEEN 1541030400000 AND 1541030400009 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 13
    ) > 0;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 13 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 13 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 13 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 13 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1541030400000 AND 1541116799999
        OR (t.ts_before <= 1541116799999 AND t.first_ts > 1541116799999)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1541030400000 AND 1541116799999
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1541030400000 AND 1541116799999
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN 1541030400000 AND 1541030400009
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(13, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 2, 4, 4, 0, 3, 0, 8, 7, '0.1.0', NULL, 0);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(13, 'conservation', 0, NULL, 'error', NULL),
(13, 'no_fan_out', 0, NULL, 'error', NULL),
(13, 'not_null', 0, NULL, 'error', NULL),
(13, 'owned_rows', 0, NULL, 'error', NULL),
(13, 'plays_from_logs', 0, NULL, 'error', NULL),
(13, 'references', 0, NULL, 'error', NULL),
(13, 'unique_keys', 0, NULL, 'error', NULL),
(13, 'cut_file', 0, NULL, 'warn', NULL),
(13, 'empty_log', 0, NULL, 'warn', NULL),
(13, 'hole_in_time', 0, NULL, 'warn', NULL),
(13, 'match_rate_fell', 0, NULL, 'warn', NULL),
(13, 'plays_without_names', 0, NULL, 'warn', NULL),
(13, 'vanished_field', 0, NULL, 'warn', NULL);

INSERT INTO run_files (file_id) VALUES
(5227973458580081);

INSERT INTO run_files (file_id) VALUES
(4938570324402774),
(3010948963896498),
(2964440268823804);

INSERT INTO run_moves (file_id, new_file_id) VALUES
(2291922698802095, 3423743253137239),
(5227973458580081, 3141584196679770),
(4938570324402774, 2647871717814730),
(7947679233620209, 3010460447655594),
(6192737500641326, 1386527108295880),
(3010948963896498, 4015995664136107);

-- The landed files of songs (file_id in run_moves) that hold other rows than the staged files that
-- they may be (new_file_id): a row that one of them has more often. GROUP BY takes NULL for equal.
SELECT DISTINCT d.file_id, d.new_file_id
FROM (
    SELECT
        m.file_id,
        m.new_file_id,
        r.num_songs, r.artist_id, r.artist_latitude, r.artist_longitude, r.artist_location,
        r.artist_name, r.song_id, r.title, r.duration, r.year,
        1 AS weight
    FROM run_songs AS r
    INNER JOIN run_moves AS m ON r.file_id = m.file_id
    UNION ALL
    SELECT
        m.file_id,
        m.new_file_id,
        r.num_songs, r.artist_id, r.artist_latitude, r.artist_longitude, r.artist_location,
        r.artist_name, r.song_id, r.title, r.duration, r.year,
        -1 AS weight
    FROM staging_songs AS r
    INNER JOIN run_moves AS m ON r.file_id = m.new_file_id
) AS d
GROUP BY
    d.file_id, d.new_file_id, d.num_songs, d.artist_id, d.artist_latitude, d.artist_longitude,
    d.artist_location, d.artist_name, d.song_id, d.title, d.duration, d.year
HAVING SUM(d.weight) <> 0;

-- The landed files of events (file_id in run_moves) that hold other rows than the staged files that
-- they may be (new_file_id): a row that one of them has more often. GROUP BY takes NULL for equal.
SELECT DISTINCT d.file_id, d.new_file_id
FROM (
    SELECT
        m.file_id,
        m.new_file_id,
        r.artist, r.auth, r.first_name, r.gender, r.item_in_session, r.last_name, r.length, r.level,
        r.location, r.method, r.page, r.registration, r.session_id, r.song, r.status, r.ts,
        r.user_agent, r.user_id,
        1 AS weight
    FROM run_events AS r
    INNER JOIN run_moves AS m ON r.file_id = m.file_id
    UNION ALL
    SELECT
        m.file_id,
        m.new_file_id,
        r.artist, r.auth, r.first_name, r.gender, r.item_in_session, r.last_name, r.length, r.level,
        r.location, r.method, r.page, r.registration, r.session_id, r.song, r.status, r.ts,
        r.user_agent, r.user_id,
        -1 AS weight
    FROM staging_events AS r
    INNER JOIN run_moves AS m ON r.file_id = m.new_file_id
) AS d
GROUP BY
    d.file_id, d.new_file_id, d.artist, d.auth, d.first_name, d.gender, d.item_in_session, d.last_name,
    d.length, d.level, d.location, d.method, d.page, d.registration, d.session_id, d.song, d.status, d.ts,
    d.user_agent, d.user_id
HAVING SUM(d.weight) <> 0;

INSERT INTO run_files (file_id) VALUES
(5227973458580081),
(4938570324402774),
(7947679233620209),
(1953125012575805),
(6192737500641326),
(3010948963896498);

INSERT INTO run_moves (file_id, new_file_id) VALUES
(2291922698802095, 3423743253137239),
(6113426060445023, 4040650450145751),
(2964440268823804, 5172686462209440);

-- Give landed songs the new numbers of their files (run_moves).
UPDATE run_songs SET file_id = run_moves.new_file_id FROM run_moves
WHERE run_songs.file_id = run_moves.file_id;

-- Give landed events the new numbers of their files (run_moves).
UPDATE run_events SET file_id = run_moves.new_file_id FROM run_moves
WHERE run_events.file_id = run_moves.file_id;

INSERT INTO run_files (file_id) VALUES
(3423743253137239),
(4040650450145751),
(5172686462209440);

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 14
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

INSERT INTO run_moves (file_id, run_id, uri, size, version, content) VALUES
(3141584196679770, 1, 's3://statements-moved/song_data/2.json', 213, 'version', 'f3293a0df555f2548359e4a7c2b7accc'),
(2647871717814730, 9, 's3://statements-moved/log_data/2.json', 366, 'version', '968542b1f1bba08f16591c00b5fd49c6'),
(1386527108295880, 9, 's3://statements-moved/log_data/5.json', 350, 'version', 'c749ee43b0b113775ae5b09cb3f3666a'),
(4015995664136107, 9, 's3://statements-moved/log_data/6.json', 356, 'version', '782dadbb7db713f5913c7e8ac1529c89'),
(3010460447655594, 1, 's3://statements-moved/log_data/3.json', 363, 'version', '512046695043b1136c92bcf6b7beeadd');

-- Give files their new names (run_moves). Their rows in staging stay, and so do
-- their states.
UPDATE etl.files SET
    uri = run_moves.uri,
    size = run_moves.size,
    version = run_moves.version,
    content = run_moves.content,
    reason = CASE WHEN files.state = 'set_aside' THEN files.reason END,
    detail = CASE WHEN files.state = 'set_aside' THEN files.detail END
FROM run_moves
WHERE files.file_id = run_moves.file_id AND files.run_id = run_moves.run_id;

-- Give the rejected records of files their new names (run_moves).
UPDATE etl.rejects SET uri = run_moves.uri
FROM run_moves
WHERE rejects.file_id = run_moves.file_id AND rejects.run_id = run_moves.run_id;

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(1953125012575805, 14, 'events', 's3://statements-moved/log_data/4.json', 363, 'version', 'copy', 1, 0, 0, 0, '512046695043b1136c92bcf6b7beeadd', NULL, NULL, 0);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(3423743253137239, 14, 'songs', 's3://statements-moved/song_data/1.json', 211, 'version', 'loaded', 1, 1, 0, 0, '7b1674541979d5b8021374ce592c225b', NULL, NULL, 0),
(4040650450145751, 14, 'events', 's3://statements-moved/log_data/1.json', 697, 'version', 'loaded', 2, 2, 0, 1, '119f3fc3bf2bb09b6879606915a5a585', NULL, NULL, 0),
(5172686462209440, 14, 'events', 's3://statements-moved/log_data/8.json', 703, 'version', 'loaded', 2, 1, 0, 1, 'e412e3de82682f788b764ec21e11e5a7', NULL, NULL, 1);

-- Plays loaded by earlier runs get, change or lose their song when the catalogue does.
-- Which plays: those whose title a song that changed has, or had, wherever they lie between titles_from and
-- titles_to. Then what matches them (song_matches.sql), then the change.
INSERT INTO run_rematched (
    songplay_id, start_time, user_id, level, session_id, location, user_agent, item_in_session, song, artist,
    length, was_matched
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
INNER JOIN (SELECT DISTINCT title, artist_name FROM run_changed_titles) AS t
    ON p.song = t.title AND p.artist = t.artist_name
WHERE p.start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP);

DELETE FROM run_played;

INSERT INTO run_played (song, artist, length)
SELECT DISTINCT song, artist, length FROM run_rematched;

-- Give the plays whose song changed (run_rematched) the song that matches now.
-- They are written anew: to change single values would rewrite whole columns on DuckDB, and Redshift writes
-- whole rows whatever changes.
DELETE FROM songplays
WHERE
    songplay_id IN (SELECT r.songplay_id FROM run_rematched AS r)
    AND start_time IN (SELECT r.start_time FROM run_rematched AS r)
    AND start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
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
    ON
        p.song = m.song AND p.artist = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

-- Redshift takes no outer join in an UPDATE: those that match now are added, those that did are taken off.
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
            ON
                p.song = m.song AND p.artist = m.artist
                AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL))
        UNION ALL
        SELECT
            CAST(p.start_time AS DATE) AS of_day,
            -p.was_matched AS plays
        FROM run_rematched AS p
    ) AS n
    GROUP BY n.of_day
) AS c
WHERE day = c.of_day AND c.gained <> 0;

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1540944000009 AND 1541030400009
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
    WHERE e.ts BETWEEN 1540944000009 AND 1541030400009
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

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 14)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 14)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 14
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 14
    ) > 0;

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 14 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 14 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 14 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 14 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1541030400000 AND 1541116799999
        OR (t.ts_before <= 1541116799999 AND t.first_ts > 1541116799999)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1541030400000 AND 1541116799999
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1541030400000 AND 1541116799999
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(14, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 3, 5, 4, 0, 2, 0, 7, 6, '0.1.0', NULL, 1);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(14, 'conservation', 0, NULL, 'error', NULL),
(14, 'no_fan_out', 0, NULL, 'error', NULL),
(14, 'not_null', 0, NULL, 'error', NULL),
(14, 'owned_rows', 0, NULL, 'error', NULL),
(14, 'plays_from_logs', 0, NULL, 'error', NULL),
(14, 'references', 0, NULL, 'error', NULL),
(14, 'unique_keys', 0, NULL, 'error', NULL),
(14, 'cut_file', 0, NULL, 'warn', NULL),
(14, 'empty_log', 0, NULL, 'warn', NULL),
(14, 'hole_in_time', 0, NULL, 'warn', NULL),
(14, 'match_rate_fell', 0, NULL, 'warn', NULL),
(14, 'plays_without_names', 0, NULL, 'warn', NULL),
(14, 'vanished_field', 0, NULL, 'warn', NULL);

-- What is forgotten of a person altogether is not kept in part any more.
UPDATE etl.erased SET keeps_plays = FALSE WHERE person = 'by chance';

-- The first run that loaded a file of which something is erased now; a given one if there is no such file.
SELECT COALESCE(MIN(f.run_id), 15) AS run_id
FROM etl.files AS f
WHERE f.state = 'loaded' AND f.file_id IN (SELECT e.file_id FROM run_erased_files AS e);

-- Titles that nobody else may have played (run_played): between which moments they are played, if they are.
DELETE FROM etl.played_titles
USING run_played
WHERE played_titles.song = run_played.song AND played_titles.artist = run_played.artist;

INSERT INTO etl.played_titles (song, artist, played_from, played_to)
SELECT
    p.song,
    p.artist,
    DATEDIFF(ms, '1970-01-01'::TIMESTAMP, MIN(p.start_time)) AS played_from,
    DATEDIFF(ms, '1970-01-01'::TIMESTAMP, MAX(p.start_time)) AS played_to
FROM songplays AS p
INNER JOIN run_played AS r ON p.song = r.song AND p.artist = r.artist
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400008, '1970-01-01'::TIMESTAMP)
GROUP BY p.song, p.artist;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 14
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 15
    ) > 0;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(15, 'forget', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, -1, 0, -1, 0, 0, 0, '0.1.0', NULL, 1);

-- The events before a moment.
SELECT
    COUNT(*) AS events,
    COUNT(CASE WHEN s.page = 'NextSong' THEN 1 END) AS plays,
    MIN(s.ts) AS first_ts,
    MAX(s.ts) AS last_ts
FROM staging_events AS s
WHERE s.ts < 1541030400000;

-- The files of which every event in staging is before a moment.
SELECT f.file_id, f.uri
FROM etl.files AS f
INNER JOIN (
    SELECT s.file_id, COUNT(*) AS older
    FROM staging_events AS s
    WHERE s.ts < 1541030400000
    GROUP BY s.file_id
) AS e ON f.file_id = e.file_id
WHERE f.state = 'loaded' AND f.rows_loaded = e.older;

-- Another bound of time takes the place of the one there was.
DELETE FROM etl.erased WHERE person IS NULL;

INSERT INTO etl.erased (run_id, person, field, digest, keeps_plays, hash_key, before_ts) VALUES
(16, NULL, 'ts', NULL, NULL, NULL, 1541030400000);

-- How many records of each file are erased because they are before a moment.
INSERT INTO run_erased_files (file_id, rows_erased, plays_erased)
SELECT s.file_id, COUNT(*) AS rows_erased, COUNT(CASE WHEN s.page = 'NextSong' THEN 1 END) AS plays_erased
FROM staging_events AS s
WHERE s.ts < 1541030400000
GROUP BY s.file_id;

-- The first run that loaded a file of which something is erased now; a given one if there is no such file.
SELECT COALESCE(MIN(f.run_id), 16) AS run_id
FROM etl.files AS f
WHERE f.state = 'loaded' AND f.file_id IN (SELECT e.file_id FROM run_erased_files AS e);

-- Take the events before a moment out of staging, and what the star knows by them alone.
INSERT INTO run_changed_users SELECT u.user_id FROM users AS u WHERE u.last_seen_ts < 1541030400000;

DELETE FROM users WHERE last_seen_ts < 1541030400000;

DELETE FROM staging_events WHERE ts < 1541030400000;

DELETE FROM etl.played_titles WHERE played_to < 1541030400000;

UPDATE etl.played_titles SET played_from = 1541030400000 WHERE played_from < 1541030400000;

INSERT INTO run_files (file_id) VALUES
(5461574287785119);

-- Files (run_files) that held nothing but what is before that moment are known as that, and stay out.
UPDATE etl.files SET state = 'expired'
WHERE
    state = 'loaded' AND rows_loaded = 0 AND rows_rejected = 0
    AND file_id IN (SELECT file_id FROM run_files);

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN 1540940400000 AND 1541030399999
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1540940400000 AND 1541030399999
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1540940400000 AND 1541030399999
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1540940400000 AND 1541030399999
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1540940400000 AND 1541030399999
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
    WHERE e.ts BETWEEN 1540940400000 AND 1541030399999
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- What the events of each UTC day come to, for the days of the run. Events are those of staging, as
-- delivered; plays are those of songplays, each once. A stretch without an event lies between events of
-- different minutes, since shorter ones matter to nobody: minutes are fewer than events, and sorted faster.
DELETE FROM etl.days WHERE first_ts BETWEEN 1540857600000 AND 1541030399999;

INSERT INTO etl.days (
    day, events, plays, first_ts, last_ts, plays_without_title, plays_without_artist, plays_matched, absent,
    gap_within_ms
)
WITH minutes AS (
    SELECT
        e.ts - MOD(e.ts, 60000) AS minute_ts,
        COUNT(*) AS events,
        MIN(e.ts) AS first_ts,
        MAX(e.ts) AS last_ts
    FROM staging_events AS e
    WHERE e.ts BETWEEN 1540857600000 AND 1541030399999
    GROUP BY e.ts - MOD(e.ts, 60000)
),

spaced AS (
    SELECT
        m.minute_ts - MOD(m.minute_ts, 86400000) AS midnight,
        m.events,
        m.first_ts,
        m.last_ts,
        m.first_ts - LAG(m.last_ts) OVER (
            PARTITION BY m.minute_ts - MOD(m.minute_ts, 86400000) ORDER BY m.minute_ts
        ) AS gap
    FROM minutes AS m
),

of_events AS (
    SELECT
        CAST(DATEADD(ms, s.midnight, '1970-01-01'::TIMESTAMP) AS DATE) AS day,
        CAST(SUM(s.events) AS BIGINT) AS events,
        MIN(s.first_ts) AS first_ts,
        MAX(s.last_ts) AS last_ts,
        MAX(s.gap) AS gap_within_ms
    FROM spaced AS s
    GROUP BY s.midnight
),

of_plays AS (
    SELECT
        CAST(p.start_time AS DATE) AS day,
        COUNT(*) AS plays,
        COUNT(*) - COUNT(p.song) AS without_title,
        COUNT(*) - COUNT(p.artist) AS without_artist,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time BETWEEN DATEADD(ms, 1540857600000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
    GROUP BY CAST(p.start_time AS DATE)
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
LEFT JOIN of_plays AS p ON e.day = p.day;

-- The columns that are NULL in every one of a day's events, for the days of the run's time range.
UPDATE etl.days SET absent = a.names
FROM (
    SELECT
        e.ts - MOD(e.ts, 86400000) AS midnight,
        RTRIM(
            CASE WHEN COUNT(e.artist) = 0 THEN 'artist ' ELSE '' END
            || CASE WHEN COUNT(e.auth) = 0 THEN 'auth ' ELSE '' END
            || CASE WHEN COUNT(e.first_name) = 0 THEN 'first_name ' ELSE '' END
            || CASE WHEN COUNT(e.gender) = 0 THEN 'gender ' ELSE '' END
            || CASE WHEN COUNT(e.last_name) = 0 THEN 'last_name ' ELSE '' END
            || CASE WHEN COUNT(e.length) = 0 THEN 'length ' ELSE '' END
            || CASE WHEN COUNT(e.level) = 0 THEN 'level ' ELSE '' END
            || CASE WHEN COUNT(e.location) = 0 THEN 'location ' ELSE '' END
            || CASE WHEN COUNT(e.method) = 0 THEN 'method ' ELSE '' END
            || CASE WHEN COUNT(e.registration) = 0 THEN 'registration ' ELSE '' END
            || CASE WHEN COUNT(e.song) = 0 THEN 'song ' ELSE '' END
            || CASE WHEN COUNT(e.status) = 0 THEN 'status ' ELSE '' END
            || CASE WHEN COUNT(e.user_agent) = 0 THEN 'user_agent ' ELSE '' END
            || CASE WHEN COUNT(e.user_id) = 0 THEN 'user_id ' ELSE '' END
        ) AS names
    FROM staging_events AS e
    WHERE e.ts BETWEEN 1540857600000 AND 1541030399999
    GROUP BY e.ts - MOD(e.ts, 86400000)
) AS a
WHERE first_ts BETWEEN a.midnight AND a.midnight + 86399999 AND absent <> a.names;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 4
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1540940400000 AND 1541030399999
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1540940400000 AND 1541030399999 AND d.staged <> d.plays
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts BETWEEN 1540940400000 AND 1541030399999 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 16
    ) > 0;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1540940400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030399999, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN 1540940400000 AND 1541030399999
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(16, 'retain', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, -1, 0, -1, 0, 0, 0, '0.1.0', NULL, 1);

-- The mode and status of a run, and how many files it loaded; no row if there is no such run.
SELECT mode, status, files_loaded FROM etl.runs WHERE run_id = 1;

-- The present states of the files that a run loaded.
SELECT state, COUNT(*) AS files FROM etl.files WHERE run_id = 1 GROUP BY state;

INSERT INTO run_files (file_id) VALUES
(3141584196679770),
(3010460447655594);

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 17
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

-- Plays loaded by earlier runs get, change or lose their song when the catalogue does.
-- Which plays: those whose title a song that changed has, or had, wherever they lie between titles_from and
-- titles_to. Then what matches them (song_matches.sql), then the change.
INSERT INTO run_rematched (
    songplay_id, start_time, user_id, level, session_id, location, user_agent, item_in_session, song, artist,
    length, was_matched
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
INNER JOIN (SELECT DISTINCT title, artist_name FROM run_changed_titles) AS t
    ON p.song = t.title AND p.artist = t.artist_name
WHERE p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP);

-- Give the plays whose song changed (run_rematched) the song that matches now.
-- They are written anew: to change single values would rewrite whole columns on DuckDB, and Redshift writes
-- whole rows whatever changes.
DELETE FROM songplays
WHERE
    songplay_id IN (SELECT r.songplay_id FROM run_rematched AS r)
    AND start_time IN (SELECT r.start_time FROM run_rematched AS r)
    AND start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400009, '1970-01-01'::TIMESTAMP);

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN 1541030400003 AND 1541030400003
    AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400003 AND 1541030400003)  -- sparse
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400003 AND 1541030400003
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400003 AND 1541030400003)  -- sparse
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400003 AND 1541030400003
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400003 AND 1541030400003)  -- sparse
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400003 AND 1541030400003
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1541030400003 AND 1541030400003
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400003 AND 1541030400003)  -- sparse
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
    WHERE e.ts BETWEEN 1541030400003 AND 1541030400003
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
        start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 17)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 17)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 17
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1541030400003 AND 1541030400003
                AND ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time IN (  -- sparse
                    SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m  -- sparse
                ) AND  -- sparse
                start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1541030400003 AND 1541030400003 AND d.staged <> d.plays
            AND s.ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts IN (SELECT m.ts FROM run_moments AS m) AND  -- sparse
    s.ts BETWEEN 1541030400003 AND 1541030400003 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 17
    ) > 0;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
        start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN 1541030400003 AND 1541030400003
        AND ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(17, 'undo 1', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', -2, -2, -2, 0, -1, 0, 0, 0, '0.1.0', NULL, 0);

INSERT INTO run_files (file_id) VALUES
(4938570324402774),
(3010948963896498);

-- The events before a moment, of those that landed.
INSERT INTO run_erased_files (file_id, rows_erased, plays_erased)
SELECT r.file_id, COUNT(*) AS rows_erased, COUNT(CASE WHEN r.page = 'NextSong' THEN 1 END) AS plays_erased
FROM run_events AS r
WHERE r.ts < 1541030400000
GROUP BY r.file_id;

DELETE FROM run_events WHERE ts < 1541030400000;

INSERT INTO run_files (file_id) VALUES
(4938570324402774),
(6192737500641326),
(3010948963896498);

INSERT INTO run_moves (file_id, new_file_id) VALUES
(6113426060445023, 4040650450145751),
(2964440268823804, 5172686462209440);

INSERT INTO run_files (file_id) VALUES
(5461574287785119),
(4040650450145751),
(5172686462209440);

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 18
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

INSERT INTO run_moves (file_id, run_id, uri, size, version, content) VALUES
(2647871717814730, 9, 's3://statements/log_data/2.json', 366, 'version', '968542b1f1bba08f16591c00b5fd49c6'),
(1386527108295880, 9, 's3://statements/log_data/5.json', 350, 'version', 'c749ee43b0b113775ae5b09cb3f3666a'),
(4015995664136107, 9, 's3://statements/log_data/6.json', 356, 'version', '782dadbb7db713f5913c7e8ac1529c89');

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(2291922698802095, 18, 'songs', 's3://statements/song_data/1.json', 211, 'version', 'loaded', 1, 1, 0, 0, 'b2af3012d1562fff80f6d280b5d339ab', NULL, NULL, 0),
(3141584196679770, 18, 'songs', 's3://statements/song_data/2.json', 213, 'version', 'loaded', 1, 1, 0, 0, 'f3293a0df555f2548359e4a7c2b7accc', NULL, NULL, 0),
(4040650450145751, 18, 'events', 's3://statements/log_data/1.json', 696, 'version', 'loaded', 2, 2, 0, 1, '49ca1714cb1659a9ed7f9c6abe895514', NULL, NULL, 0),
(3010460447655594, 18, 'events', 's3://statements/log_data/3.json', 363, 'version', 'loaded', 1, 1, 0, 1, '512046695043b1136c92bcf6b7beeadd', NULL, NULL, 0),
(5172686462209440, 18, 'events', 's3://statements/log_data/8.json', 700, 'version', 'loaded', 2, 1, 0, 1, '4bd07a4b6e11d59638754a0419087d91', NULL, NULL, 1),
(5461574287785119, 18, 'events', 's3://statements/log_data/9.json', 700, 'version', 'loaded', 2, 1, 0, 1, 'b46613ad5f5e736d9abf2850f7c569b8', NULL, NULL, 1);

INSERT INTO etl.unknown_fields (run_id, kind, field, occurrences, first_uri) VALUES
(18, 'events', 'more', 1, 's3://statements/log_data/3.json');

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541120400000
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541120400000
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541120400000
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400000 AND 1541120400000
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1541030400000 AND 1541120400000
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
    WHERE e.ts BETWEEN 1541030400000 AND 1541120400000
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- What the events of each UTC day come to, for the days of the run. Events are those of staging, as
-- delivered; plays are those of songplays, each once. A stretch without an event lies between events of
-- different minutes, since shorter ones matter to nobody: minutes are fewer than events, and sorted faster.
DELETE FROM etl.days WHERE first_ts BETWEEN 1541030400000 AND 1541203199999;

INSERT INTO etl.days (
    day, events, plays, first_ts, last_ts, plays_without_title, plays_without_artist, plays_matched, absent,
    gap_within_ms
)
WITH minutes AS (
    SELECT
        e.ts - MOD(e.ts, 60000) AS minute_ts,
        COUNT(*) AS events,
        MIN(e.ts) AS first_ts,
        MAX(e.ts) AS last_ts
    FROM staging_events AS e
    WHERE e.ts BETWEEN 1541030400000 AND 1541203199999
    GROUP BY e.ts - MOD(e.ts, 60000)
),

spaced AS (
    SELECT
        m.minute_ts - MOD(m.minute_ts, 86400000) AS midnight,
        m.events,
        m.first_ts,
        m.last_ts,
        m.first_ts - LAG(m.last_ts) OVER (
            PARTITION BY m.minute_ts - MOD(m.minute_ts, 86400000) ORDER BY m.minute_ts
        ) AS gap
    FROM minutes AS m
),

of_events AS (
    SELECT
        CAST(DATEADD(ms, s.midnight, '1970-01-01'::TIMESTAMP) AS DATE) AS day,
        CAST(SUM(s.events) AS BIGINT) AS events,
        MIN(s.first_ts) AS first_ts,
        MAX(s.last_ts) AS last_ts,
        MAX(s.gap) AS gap_within_ms
    FROM spaced AS s
    GROUP BY s.midnight
),

of_plays AS (
    SELECT
        CAST(p.start_time AS DATE) AS day,
        COUNT(*) AS plays,
        COUNT(*) - COUNT(p.song) AS without_title,
        COUNT(*) - COUNT(p.artist) AS without_artist,
        COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541203199999, '1970-01-01'::TIMESTAMP)
    GROUP BY CAST(p.start_time AS DATE)
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
LEFT JOIN of_plays AS p ON e.day = p.day;

-- The columns that are NULL in every one of a day's events, for the days of the run's time range.
UPDATE etl.days SET absent = a.names
FROM (
    SELECT
        e.ts - MOD(e.ts, 86400000) AS midnight,
        RTRIM(
            CASE WHEN COUNT(e.artist) = 0 THEN 'artist ' ELSE '' END
            || CASE WHEN COUNT(e.auth) = 0 THEN 'auth ' ELSE '' END
            || CASE WHEN COUNT(e.first_name) = 0 THEN 'first_name ' ELSE '' END
            || CASE WHEN COUNT(e.gender) = 0 THEN 'gender ' ELSE '' END
            || CASE WHEN COUNT(e.last_name) = 0 THEN 'last_name ' ELSE '' END
            || CASE WHEN COUNT(e.length) = 0 THEN 'length ' ELSE '' END
            || CASE WHEN COUNT(e.level) = 0 THEN 'level ' ELSE '' END
            || CASE WHEN COUNT(e.location) = 0 THEN 'location ' ELSE '' END
            || CASE WHEN COUNT(e.method) = 0 THEN 'method ' ELSE '' END
            || CASE WHEN COUNT(e.registration) = 0 THEN 'registration ' ELSE '' END
            || CASE WHEN COUNT(e.song) = 0 THEN 'song ' ELSE '' END
            || CASE WHEN COUNT(e.status) = 0 THEN 'status ' ELSE '' END
            || CASE WHEN COUNT(e.user_agent) = 0 THEN 'user_agent ' ELSE '' END
            || CASE WHEN COUNT(e.user_id) = 0 THEN 'user_id ' ELSE '' END
        ) AS names
    FROM staging_events AS e
    WHERE e.ts BETWEEN 1541030400000 AND 1541203199999
    GROUP BY e.ts - MOD(e.ts, 86400000)
) AS a
WHERE first_ts BETWEEN a.midnight AND a.midnight + 86399999 AND absent <> a.names;

-- The schemas there are. CREATE SCHEMA IF NOT EXISTS takes the right to make one even where it exists.
SELECT n.nspname AS schema_name FROM pg_namespace AS n;

CREATE SCHEMA marts;

CREATE TABLE marts.daily AS
-- materialized: incremental
-- day: day
SELECT CAST(p.start_time AS DATE) AS day, COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(p.start_time AS DATE);

-- The user's own models, as they stand in the warehouse. Made when there is the first of them.
-- grain: model
-- build_order counts from 0: each stands on those before it. A digest of '' says that it is to be made again.
-- run_id made it; upto_run was the last that brought its rows up to date.
CREATE TABLE IF NOT EXISTS etl.models (
    model VARCHAR(256) NOT NULL,
    materialized VARCHAR(16) NOT NULL,
    digest VARCHAR(32) NOT NULL,
    build_order INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    upto_run INTEGER NOT NULL
);

-- The user's own models are listed anew.
DELETE FROM etl.models;

INSERT INTO etl.models (model, materialized, digest, build_order, run_id, upto_run) VALUES
('marts.daily', 'incremental', '3a011a4800e50b9a', 0, 18, 18);

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 18)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 18)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 18
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1541030400000 AND 1541120400000
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1541030400000 AND 1541120400000 AND d.staged <> d.plays
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts BETWEEN 1541030400000 AND 1541120400000 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 18
    ) > 0;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

SELECT *
FROM (
SELECT *
FROM marts.daily
WHERE day IS NULL
) AS failing
LIMIT 1000;

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 18 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 18 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 18 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 18 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1541030400000 AND 1541203199999
        OR (t.ts_before <= 1541203199999 AND t.first_ts > 1541203199999)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1541030400000 AND 1541203199999
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1541030400000 AND 1541203199999
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

-- As many plays match a song as before.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 plays or more, after 7 days with events or more, fewer match than 3/4 of what
-- the rate of the 28 days before lets expect, by more than 5 standard deviations of chance.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_matched,
        COUNT(*) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS days_before,
        CAST(SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS DOUBLE PRECISION)
            AS plays_before,
        CAST(
            SUM(d.plays_matched) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING)
            AS DOUBLE PRECISION
        ) AS matched_before
    FROM etl.days AS d
),

expected AS (
    SELECT
        d.day,
        d.plays,
        d.plays_matched,
        d.plays_before,
        d.matched_before / d.plays_before AS rate,
        d.plays * d.matched_before / d.plays_before AS matches
    FROM days AS d
    WHERE
        d.first_ts BETWEEN 1541030400000 AND 1541203199999
        AND d.days_before >= 7 AND d.plays >= 50 AND d.plays_before > 0
)

SELECT
    CAST(e.day AS VARCHAR(10)) AS subject,
    CAST(e.plays_matched AS VARCHAR(20)) || ' of ' || CAST(e.plays AS VARCHAR(20))
    || ' plays match a song ('
    || CAST(CAST(100.0 * e.plays_matched / e.plays AS DECIMAL(18, 1)) AS VARCHAR(20))
    || ' %); in the 28 days before, '
    || CAST(CAST(100.0 * e.rate AS DECIMAL(18, 1)) AS VARCHAR(20)) || ' %' AS found
FROM expected AS e
WHERE
    e.plays_matched < 0.75 * e.matches
    AND (e.matches - e.plays_matched) * (e.matches - e.plays_matched)
    > 25 * e.matches * (1 - e.rate) * (1 + e.plays / e.plays_before)
ORDER BY subject;

-- Plays have a title and an artist.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 20 plays or more, at least 10 lack one of them; that is more than 5 %, and
-- 3 times the share in the 28 days with events before (no such day: none lacked any).
WITH before AS (
    SELECT
        d.day,
        d.first_ts,
        d.plays,
        d.plays_without_title AS titles,
        d.plays_without_artist AS artists,
        SUM(d.plays) OVER (ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING) AS plays_before,
        SUM(d.plays_without_title) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS titles_before,
        SUM(d.plays_without_artist) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS artists_before
    FROM etl.days AS d
),

days AS (
    SELECT
        b.day,
        b.plays,
        b.titles,
        b.artists,
        CAST(COALESCE(b.plays_before, 0) AS BIGINT) AS plays_before,
        CAST(COALESCE(b.titles_before, 0) AS BIGINT) AS titles_before,
        CAST(COALESCE(b.artists_before, 0) AS BIGINT) AS artists_before
    FROM before AS b
    WHERE b.first_ts BETWEEN 1541030400000 AND 1541203199999 AND b.plays >= 20
)

SELECT
    CAST(d.day AS VARCHAR(10)) AS subject,
    'of ' || CAST(d.plays AS VARCHAR(20)) || ' plays ' || CAST(d.titles AS VARCHAR(20))
    || ' have no title and ' || CAST(d.artists AS VARCHAR(20)) || ' no artist; in the 28 days before, of '
    || CAST(d.plays_before AS VARCHAR(20)) || ' plays ' || CAST(d.titles_before AS VARCHAR(20)) || ' and '
    || CAST(d.artists_before AS VARCHAR(20)) AS found
FROM days AS d
WHERE
    (
        d.titles >= 10 AND d.titles * 20 > d.plays
        AND d.titles * d.plays_before >= 3 * d.plays * d.titles_before
    )
    OR (
        d.artists >= 10 AND d.artists * 20 > d.plays
        AND d.artists * d.plays_before >= 3 * d.plays * d.artists_before
    )
ORDER BY subject;

-- A field that every day had does not go away.
-- scope: days
-- severity: warn
-- Thresholds: of a day with 50 events or more, none has the field, and some did on each of the 7 days with
-- events before.
WITH fields AS (
    SELECT 'artist' AS name
    UNION ALL SELECT 'auth' AS name
    UNION ALL SELECT 'first_name' AS name
    UNION ALL SELECT 'gender' AS name
    UNION ALL SELECT 'last_name' AS name
    UNION ALL SELECT 'length' AS name
    UNION ALL SELECT 'level' AS name
    UNION ALL SELECT 'location' AS name
    UNION ALL SELECT 'method' AS name
    UNION ALL SELECT 'registration' AS name
    UNION ALL SELECT 'song' AS name
    UNION ALL SELECT 'status' AS name
    UNION ALL SELECT 'user_agent' AS name
    UNION ALL SELECT 'user_id' AS name
),

days AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        f.name,
        CASE WHEN ' ' || d.absent || ' ' LIKE '% ' || f.name || ' %' THEN 1 ELSE 0 END AS is_absent
    FROM etl.days AS d
    CROSS JOIN fields AS f
),

judged AS (
    SELECT
        d.day,
        d.first_ts,
        d.events,
        d.name,
        d.is_absent,
        COUNT(*) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        SUM(d.is_absent) OVER (
            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING
        ) AS absent_before
    FROM days AS d
)

SELECT
    CAST(j.day AS VARCHAR(10)) || ' ' || j.name AS subject,
    'none of ' || CAST(j.events AS VARCHAR(20)) || ' events has a value for ' || j.name
    || ', which each of the 7 days before had' AS found
FROM judged AS j
WHERE
    j.first_ts BETWEEN 1541030400000 AND 1541203199999
    AND j.events >= 50 AND j.is_absent = 1 AND j.days_before = 7 AND j.absent_before = 0
ORDER BY subject;

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1541030400000, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541120400000, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN 1541030400000 AND 1541120400000
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(18, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 6, 9, 7, 0, 4, 0, 8, 8, '0.1.0', NULL, 2);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(18, 'conservation', 0, NULL, 'error', NULL),
(18, 'no_fan_out', 0, NULL, 'error', NULL),
(18, 'not_null', 0, NULL, 'error', NULL),
(18, 'owned_rows', 0, NULL, 'error', NULL),
(18, 'plays_from_logs', 0, NULL, 'error', NULL),
(18, 'references', 0, NULL, 'error', NULL),
(18, 'unique_keys', 0, NULL, 'error', NULL),
(18, 'marts.daily:not_null(day)', 0, NULL, 'error', NULL),
(18, 'cut_file', 0, NULL, 'warn', NULL),
(18, 'empty_log', 0, NULL, 'warn', NULL),
(18, 'hole_in_time', 0, NULL, 'warn', NULL),
(18, 'match_rate_fell', 0, NULL, 'warn', NULL),
(18, 'plays_without_names', 0, NULL, 'warn', NULL),
(18, 'vanished_field', 0, NULL, 'warn', NULL);

-- The files that a run loaded, as they are known now.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired') AND run_id = 18;

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 19
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

-- The user's own models as they stand in the warehouse, each after those it stands on. upto_run is 0 where a
-- run since has not brought them up to date: it did not know of them.
SELECT
    m.model,
    m.materialized,
    m.digest,
    m.build_order,
    m.run_id,
    CASE WHEN m.upto_run >= r.latest_run THEN m.upto_run ELSE 0 END AS upto_run
FROM etl.models AS m
CROSS JOIN (SELECT COALESCE(MAX(run_id), 0) AS latest_run FROM etl.runs WHERE status = 'done') AS r
ORDER BY m.build_order, m.model;

-- The days of the plays of earlier runs that were written anew because their song may be another one.
SELECT DISTINCT CAST(r.start_time AS DATE) AS day
FROM run_rematched AS r
ORDER BY day;

DELETE FROM marts.daily
WHERE ((day >= '2018-11-01'::DATE AND day < '2018-11-01'::DATE + 1));

INSERT INTO marts.daily
SELECT m.*
FROM (
-- materialized: incremental
-- day: day
SELECT CAST(p.start_time AS DATE) AS day, COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(p.start_time AS DATE)
) AS m
WHERE ((m.day >= '2018-11-01'::DATE AND m.day < '2018-11-01'::DATE + 1));

INSERT INTO etl.models (model, materialized, digest, build_order, run_id, upto_run) VALUES
('marts.daily', 'incremental', '3a011a4800e50b9a', 0, 18, 19);

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 19)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 19)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 19
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 19
    ) > 0;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(19, 'retract', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', -1, -2, -2, 0, -1, 0, 0, 0, '0.1.0', NULL, 0);

-- The columns of a table, with their types.
SELECT column_name, data_type
FROM information_schema.columns
WHERE table_schema = 'marts' AND table_name = 'daily'
ORDER BY ordinal_position;

SELECT 'stored' AS found_in, d.* FROM ((SELECT "day", "plays" FROM marts.daily) EXCEPT (SELECT "day", "plays" FROM (
-- materialized: incremental
-- day: day
SELECT CAST(p.start_time AS DATE) AS day, COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(p.start_time AS DATE)
) AS computed)) AS d
UNION ALL
SELECT 'computed' AS found_in, d.* FROM ((SELECT "day", "plays" FROM (
-- materialized: incremental
-- day: day
SELECT CAST(p.start_time AS DATE) AS day, COUNT(*) AS plays
FROM songplays AS p
GROUP BY CAST(p.start_time AS DATE)
) AS computed) EXCEPT (SELECT "day", "plays" FROM marts.daily)) AS d
LIMIT 1000;

DROP TABLE IF EXISTS marts.daily;

-- A reset drops the list of the user's own models, too.
DROP TABLE IF EXISTS etl.models;

DROP VIEW IF EXISTS analytics.listening_hours_local;

DROP VIEW IF EXISTS analytics.local_plays;

DROP VIEW IF EXISTS analytics.user_levels;

DROP VIEW IF EXISTS analytics.sessions;

DROP VIEW IF EXISTS analytics.listening_time;

DROP VIEW IF EXISTS analytics.weekly_activity;

DROP VIEW IF EXISTS analytics.retention;

DROP VIEW IF EXISTS analytics.monthly_activity;

DROP VIEW IF EXISTS analytics.daily_activity;

DROP VIEW IF EXISTS analytics.daily_levels;

DROP VIEW IF EXISTS analytics.top_unmatched;

DROP VIEW IF EXISTS analytics.top_songs_by_week;

DROP VIEW IF EXISTS analytics.top_songs_by_day;

DROP VIEW IF EXISTS analytics.top_songs;

DROP VIEW IF EXISTS analytics.top_artists_by_week;

DROP VIEW IF EXISTS analytics.top_artists_by_day;

DROP VIEW IF EXISTS analytics.top_artists;

DROP VIEW IF EXISTS analytics.match_coverage;

DROP VIEW IF EXISTS analytics.places;

DROP VIEW IF EXISTS analytics.listening_hours;

DROP VIEW IF EXISTS analytics.level_changes;

DROP VIEW IF EXISTS analytics.funnel;

DROP VIEW IF EXISTS analytics.events;

DROP VIEW IF EXISTS analytics.user_days;

DROP VIEW IF EXISTS analytics.listener_days;

DROP VIEW IF EXISTS analytics.clocks;

DROP TABLE IF EXISTS staging_events;

DROP TABLE IF EXISTS staging_songs;

DROP TABLE IF EXISTS songplays;

DROP TABLE IF EXISTS users;

DROP TABLE IF EXISTS songs;

DROP TABLE IF EXISTS artists;

DROP TABLE IF EXISTS time;

DROP TABLE IF EXISTS etl.checks;

DROP TABLE IF EXISTS etl.days;

DROP TABLE IF EXISTS etl.erased;

DROP TABLE IF EXISTS etl.fields;

DROP TABLE IF EXISTS etl.files;

DROP TABLE IF EXISTS etl.meta;

DROP TABLE IF EXISTS etl.played_titles;

DROP TABLE IF EXISTS etl.rejects;

DROP TABLE IF EXISTS etl.runs;

DROP TABLE IF EXISTS etl.unknown_fields;

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(7588823715942316, 1, 'events', '/lake/log_data/4.json', 8, 'version', 'set_aside', 1, 0, 1, 0, 'fa485730991d21a635b343cc9e3cac5e', 'rejects', 'nothing of it loads: 1 malformed_json. The first is line 1 of /lake/log_data/4.json: Expecting value, column 1.', 0);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(3423743253137239, 1, 'songs', '/lake/song_data/1.json', 211, 'version', 'loaded', 1, 1, 0, 0, 'b2af3012d1562fff80f6d280b5d339ab', NULL, NULL, 0),
(3141584196679770, 1, 'songs', '/lake/song_data/2.json', 213, 'version', 'loaded', 1, 1, 0, 0, 'f3293a0df555f2548359e4a7c2b7accc', NULL, NULL, 0),
(4040650450145751, 1, 'events', '/lake/log_data/1.json', 696, 'version', 'loaded', 2, 2, 0, 1, '49ca1714cb1659a9ed7f9c6abe895514', NULL, NULL, 0),
(2647871717814730, 1, 'events', '/lake/log_data/2.json', 366, 'version', 'loaded', 2, 1, 1, 1, '968542b1f1bba08f16591c00b5fd49c6', NULL, NULL, 0),
(3010460447655594, 1, 'events', '/lake/log_data/3.json', 363, 'version', 'loaded', 1, 1, 0, 1, '512046695043b1136c92bcf6b7beeadd', NULL, NULL, 0),
(1386527108295880, 1, 'events', '/lake/log_data/5.json', 350, 'version', 'loaded', 1, 1, 0, 1, 'c749ee43b0b113775ae5b09cb3f3666a', NULL, NULL, 0),
(4015995664136107, 1, 'events', '/lake/log_data/6.json', 356, 'version', 'loaded', 2, 1, 1, 1, '782dadbb7db713f5913c7e8ac1529c89', NULL, NULL, 0),
(5172686462209440, 1, 'events', '/lake/log_data/8.json', 703, 'version', 'loaded', 2, 1, 1, 1, 'e412e3de82682f788b764ec21e11e5a7', NULL, NULL, 0);

INSERT INTO etl.rejects (run_id, file_id, uri, line, byte_offset, reason, detail, content, encoding, size, resolved_by, kind) VALUES
(1, 2647871717814730, '/lake/log_data/2.json', 2, 358, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events'),
(1, 4015995664136107, '/lake/log_data/6.json', 2, 350, 'truncated_file', 'the file ends inside a record (Expecting value, column 7)', '{"ts":', 'utf-8', 6, NULL, 'events'),
(1, 5172686462209440, '/lake/log_data/8.json', 2, 350, 'missing_field', 'sessionId is missing', '{"artist": "Artist", "auth": "Logged In", "firstName": "Ada", "gender": "F", "itemInSession": 0, "lastName": "Day", "length": 200.5, "level": "free", "location": "London", "method": "PUT", "page": "NextSong", "registration": 1540919166796.0, "sessionId": null, "song": "Title", "status": 200, "ts": 1541030400000, "userAgent": "Browser", "userId": "8"}', 'utf-8', 352, NULL, 'events'),
(1, 7588823715942316, '/lake/log_data/4.json', 1, 0, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events');

INSERT INTO etl.unknown_fields (run_id, kind, field, occurrences, first_uri) VALUES
(1, 'events', 'more', 1, '/lake/log_data/3.json');

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(1, 'conservation', 0, NULL, 'error', NULL),
(1, 'no_fan_out', 0, NULL, 'error', NULL),
(1, 'not_null', 0, NULL, 'error', NULL),
(1, 'owned_rows', 0, NULL, 'error', NULL),
(1, 'plays_from_logs', 0, NULL, 'error', NULL),
(1, 'references', 0, NULL, 'error', NULL),
(1, 'unique_keys', 0, NULL, 'error', NULL),
(1, 'cut_file', 1, 'ends inside a record, line 2: what follows is missing', 'warn', '/lake/log_data/6.json'),
(1, 'empty_log', 0, NULL, 'warn', NULL),
(1, 'hole_in_time', 0, NULL, 'warn', NULL),
(1, 'match_rate_fell', 0, NULL, 'warn', NULL),
(1, 'plays_without_names', 0, NULL, 'warn', NULL),
(1, 'vanished_field', 0, NULL, 'warn', NULL);

INSERT INTO run_moves (file_id, reason, detail) VALUES
(1386527108295880, 'rejects', 'nothing of it loads: 1 malformed_json. The first is line 1 of /lake/log_data/5.json: Expecting value, column 1.');

INSERT INTO etl.rejects (run_id, file_id, uri, line, byte_offset, reason, detail, content, encoding, size, resolved_by, kind) VALUES
(2, 1386527108295880, '/lake/log_data/5.json', 1, 0, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events');

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(5497181484735774, 3, 'events', '/lake/log_data/7.json', 350, 'version', 'loaded', 1, 1, 0, 1, '876f981bb1d77b60922cffd040b92fd9', NULL, NULL, 0);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(5461574287785119, 4, 'events', '/lake/log_data/9.json', 350, 'version', 'loaded', 1, 1, 0, 1, '78ce1efd7e05e012c8b85e63780c7c46', NULL, NULL, 0);

INSERT INTO run_moves (file_id, run_id, uri, size, version, content) VALUES
(1386527108295880, 1, '/lake/log_data/5.json', 350, 'version', 'c749ee43b0b113775ae5b09cb3f3666a');

-- Mark the rejected records of later versions of files (run_moves) as resolved: the loaded version is back.
UPDATE etl.rejects SET resolved_by = 5
FROM run_moves
WHERE
    rejects.file_id = run_moves.file_id
    AND rejects.run_id > run_moves.run_id
    AND rejects.resolved_by IS NULL;

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 5)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 5)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 5
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 5
    ) > 0;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(5, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 0, 0, '0.1.0', NULL, 0);

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 6 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 6 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 6 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 6 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1 AND 0
        OR (t.ts_before <= 0 AND t.first_ts > 0)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1 AND 0
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1 AND 0
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(6, 'full-refresh', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 8, 7, '0.1.0', NULL, 0);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(6, 'conservation', 0, NULL, 'error', NULL),
(6, 'no_fan_out', 0, NULL, 'error', NULL),
(6, 'not_null', 0, NULL, 'error', NULL),
(6, 'owned_rows', 0, NULL, 'error', NULL),
(6, 'plays_from_logs', 0, NULL, 'error', NULL),
(6, 'references', 0, NULL, 'error', NULL),
(6, 'unique_keys', 0, NULL, 'error', NULL),
(6, 'cut_file', 0, NULL, 'warn', NULL),
(6, 'empty_log', 0, NULL, 'warn', NULL),
(6, 'hole_in_time', 0, NULL, 'warn', NULL),
(6, 'match_rate_fell', 0, NULL, 'warn', NULL),
(6, 'plays_without_names', 0, NULL, 'warn', NULL),
(6, 'vanished_field', 0, NULL, 'warn', NULL);

INSERT INTO etl.fields (kind, field, path, column_name, column_type, column_width, run_id) VALUES
('events', 'more', '["more"]', 'more', 'VARCHAR', 8, 7);

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(7, 'adopt', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 0, 0, '0.1.0', NULL, 0);

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 8 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 8 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 8 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 8 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1 AND 0
        OR (t.ts_before <= 0 AND t.first_ts > 0)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1 AND 0
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1 AND 0
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(8, 'full-refresh', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 8, 7, '0.1.0', NULL, 0);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(8, 'conservation', 0, NULL, 'error', NULL),
(8, 'no_fan_out', 0, NULL, 'error', NULL),
(8, 'not_null', 0, NULL, 'error', NULL),
(8, 'owned_rows', 0, NULL, 'error', NULL),
(8, 'plays_from_logs', 0, NULL, 'error', NULL),
(8, 'references', 0, NULL, 'error', NULL),
(8, 'unique_keys', 0, NULL, 'error', NULL),
(8, 'cut_file', 0, NULL, 'warn', NULL),
(8, 'empty_log', 0, NULL, 'warn', NULL),
(8, 'hole_in_time', 0, NULL, 'warn', NULL),
(8, 'match_rate_fell', 0, NULL, 'warn', NULL),
(8, 'plays_without_names', 0, NULL, 'warn', NULL),
(8, 'vanished_field', 0, NULL, 'warn', NULL);

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(9, 'drop field', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 0, 0, '0.1.0', NULL, 0);

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 10
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(7588823715942316, 10, 'events', '/lake/log_data/4.json', 8, 'version', 'set_aside', 1, 0, 1, 0, 'fa485730991d21a635b343cc9e3cac5e', 'rejects', 'nothing of it loads: 1 malformed_json. The first is line 1 of /lake/log_data/4.json: Expecting value, column 1.', 0);

INSERT INTO run_files (file_id) VALUES
(2647871717814730),
(4015995664136107),
(5172686462209440);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(2647871717814730, 10, 'events', '/lake/log_data/2.json', 366, 'version', 'loaded', 2, 1, 1, 1, '968542b1f1bba08f16591c00b5fd49c6', NULL, NULL, 0),
(4015995664136107, 10, 'events', '/lake/log_data/6.json', 356, 'version', 'loaded', 2, 1, 1, 1, '782dadbb7db713f5913c7e8ac1529c89', NULL, NULL, 0),
(5172686462209440, 10, 'events', '/lake/log_data/8.json', 703, 'version', 'loaded', 2, 1, 1, 1, 'e412e3de82682f788b764ec21e11e5a7', NULL, NULL, 0);

INSERT INTO etl.rejects (run_id, file_id, uri, line, byte_offset, reason, detail, content, encoding, size, resolved_by, kind) VALUES
(10, 2647871717814730, '/lake/log_data/2.json', 2, 358, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events'),
(10, 4015995664136107, '/lake/log_data/6.json', 2, 350, 'truncated_file', 'the file ends inside a record (Expecting value, column 7)', '{"ts":', 'utf-8', 6, NULL, 'events'),
(10, 5172686462209440, '/lake/log_data/8.json', 2, 350, 'missing_field', 'sessionId is missing', '{"artist": "Artist", "auth": "Logged In", "firstName": "Ada", "gender": "F", "itemInSession": 0, "lastName": "Day", "length": 200.5, "level": "free", "location": "London", "method": "PUT", "page": "NextSong", "registration": 1540919166796.0, "sessionId": null, "song": "Title", "status": 200, "ts": 1541030400000, "userAgent": "Browser", "userId": "8"}', 'utf-8', 352, NULL, 'events'),
(10, 7588823715942316, '/lake/log_data/4.json', 1, 0, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events');

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 10)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 10)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 10
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 10 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 10 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 10 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 10 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1541030400000 AND 1541116799999
        OR (t.ts_before <= 1541116799999 AND t.first_ts > 1541116799999)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1541030400000 AND 1541116799999
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1541030400000 AND 1541116799999
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(10, 'replay', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 3, 6, 3, 3, 3, 0, 6, 5, '0.1.0', NULL, 0);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(10, 'conservation', 0, NULL, 'error', NULL),
(10, 'no_fan_out', 0, NULL, 'error', NULL),
(10, 'not_null', 0, NULL, 'error', NULL),
(10, 'owned_rows', 0, NULL, 'error', NULL),
(10, 'plays_from_logs', 0, NULL, 'error', NULL),
(10, 'references', 0, NULL, 'error', NULL),
(10, 'unique_keys', 0, NULL, 'error', NULL),
(10, 'cut_file', 1, 'ends inside a record, line 2: what follows is missing', 'warn', '/lake/log_data/6.json'),
(10, 'empty_log', 0, NULL, 'warn', NULL),
(10, 'hole_in_time', 0, NULL, 'warn', NULL),
(10, 'match_rate_fell', 0, NULL, 'warn', NULL),
(10, 'plays_without_names', 0, NULL, 'warn', NULL),
(10, 'vanished_field', 0, NULL, 'warn', NULL);

-- The records that a run rejected, with their bytes.
SELECT r.file_id, r.byte_offset, r.uri, r.encoding, r.content, r.kind
FROM etl.rejects AS r
WHERE r.run_id = 10;

INSERT INTO etl.erased (run_id, person, field, digest, keeps_plays, hash_key, before_ts) VALUES
(11, 'by chance', 'user_id', 'by chance', TRUE, 'by chance', NULL);

INSERT INTO etl.erased (run_id, person, field, digest, keeps_plays, hash_key, before_ts) VALUES
(11, 'by chance', 'first_name', 'by chance', NULL, 'by chance', NULL),
(11, 'by chance', 'last_name', 'by chance', NULL, 'by chance', NULL),
(11, 'by chance', 'location', 'by chance', NULL, 'by chance', NULL);

INSERT INTO run_erased_rejects (file_id, run_id, byte_offset) VALUES
(5172686462209440, 1, 350),
(5172686462209440, 10, 350);

-- The first run that loaded a file of which something is erased now; a given one if there is no such file.
SELECT COALESCE(MIN(f.run_id), 11) AS run_id
FROM etl.files AS f
WHERE f.state = 'loaded' AND f.file_id IN (SELECT e.file_id FROM run_erased_files AS e);

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 10
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(11, 'forget', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, -2, 0, 0, 1, 0, '0.1.0', NULL, 2);

-- The files as they are known now whose URIs are like a pattern.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE
    state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
    AND uri LIKE '/lake/log_data/1.json%';

-- The file of a URI as it is known now, and those of the same content.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE
    state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired')
    AND (uri = '/lake/log_data/1.json' OR content IN (SELECT c.content FROM etl.files AS c WHERE c.uri = '/lake/log_data/1.json'));

-- The rows and plays of the files of a state whose URIs are like a pattern, when they were loaded.
SELECT file_id, rows_loaded, plays_loaded
FROM etl.files
WHERE state = 'loaded' AND uri LIKE '/lake/log_data/1.json%';

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 12
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 12)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 12)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 12
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 12
    ) > 0;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(12, 'retract', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', -1, -2, -2, 0, -1, 0, 0, 0, '0.1.0', NULL, 0);

-- The rows and plays of the files of a state whose URIs are like a pattern, when they were loaded.
SELECT file_id, rows_loaded, plays_loaded
FROM etl.files
WHERE state = 'retracted' AND uri LIKE '/lake/log_data/1.json%';

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(13, 'retract --back', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 0, 0, '0.1.0', NULL, 0);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(4040650450145751, 14, 'events', '/lake/log_data/1.json', 696, 'version', 'loaded', 2, 2, 0, 1, '49ca1714cb1659a9ed7f9c6abe895514', NULL, NULL, 0),
(5172686462209440, 14, 'events', '/lake/log_data/8.json', 700, 'version', 'loaded', 2, 2, 0, 2, '4bd07a4b6e11d59638754a0419087d91', NULL, NULL, 0);

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(14, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 2, 4, 4, 0, 3, 0, 8, 7, '0.1.0', NULL, 0);

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 15
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

INSERT INTO run_moves (file_id, run_id, uri, size, version, content) VALUES
(3141584196679770, 1, '/lake-moved/song_data/2.json', 213, 'version', 'f3293a0df555f2548359e4a7c2b7accc'),
(2647871717814730, 10, '/lake-moved/log_data/2.json', 366, 'version', '968542b1f1bba08f16591c00b5fd49c6'),
(4015995664136107, 10, '/lake-moved/log_data/6.json', 356, 'version', '782dadbb7db713f5913c7e8ac1529c89'),
(3010460447655594, 1, '/lake-moved/log_data/3.json', 363, 'version', '512046695043b1136c92bcf6b7beeadd'),
(1386527108295880, 1, '/lake-moved/log_data/5.json', 350, 'version', 'c749ee43b0b113775ae5b09cb3f3666a');

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(1953125012575805, 15, 'events', '/lake-moved/log_data/4.json', 363, 'version', 'copy', 1, 0, 0, 0, '512046695043b1136c92bcf6b7beeadd', NULL, NULL, 0);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(3423743253137239, 15, 'songs', '/lake-moved/song_data/1.json', 211, 'version', 'loaded', 1, 1, 0, 0, '7b1674541979d5b8021374ce592c225b', NULL, NULL, 0),
(4040650450145751, 15, 'events', '/lake-moved/log_data/1.json', 697, 'version', 'loaded', 2, 2, 0, 1, '119f3fc3bf2bb09b6879606915a5a585', NULL, NULL, 0),
(5172686462209440, 15, 'events', '/lake-moved/log_data/8.json', 703, 'version', 'loaded', 2, 1, 0, 1, 'e412e3de82682f788b764ec21e11e5a7', NULL, NULL, 1);

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 15)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 15)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 15
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 15 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 15 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 15 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 15 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1541030400000 AND 1541116799999
        OR (t.ts_before <= 1541116799999 AND t.first_ts > 1541116799999)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1541030400000 AND 1541116799999
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1541030400000 AND 1541116799999
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(15, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 3, 5, 4, 0, 2, 0, 7, 6, '0.1.0', NULL, 1);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(15, 'conservation', 0, NULL, 'error', NULL),
(15, 'no_fan_out', 0, NULL, 'error', NULL),
(15, 'not_null', 0, NULL, 'error', NULL),
(15, 'owned_rows', 0, NULL, 'error', NULL),
(15, 'plays_from_logs', 0, NULL, 'error', NULL),
(15, 'references', 0, NULL, 'error', NULL),
(15, 'unique_keys', 0, NULL, 'error', NULL),
(15, 'cut_file', 0, NULL, 'warn', NULL),
(15, 'empty_log', 0, NULL, 'warn', NULL),
(15, 'hole_in_time', 0, NULL, 'warn', NULL),
(15, 'match_rate_fell', 0, NULL, 'warn', NULL),
(15, 'plays_without_names', 0, NULL, 'warn', NULL),
(15, 'vanished_field', 0, NULL, 'warn', NULL);

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 15
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(16, 'forget', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, -1, 0, -1, 0, 0, 0, '0.1.0', NULL, 1);

INSERT INTO etl.erased (run_id, person, field, digest, keeps_plays, hash_key, before_ts) VALUES
(17, NULL, 'ts', NULL, NULL, NULL, 1541030400000);

-- The first run that loaded a file of which something is erased now; a given one if there is no such file.
SELECT COALESCE(MIN(f.run_id), 17) AS run_id
FROM etl.files AS f
WHERE f.state = 'loaded' AND f.file_id IN (SELECT e.file_id FROM run_erased_files AS e);

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(17, 'retain', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, -1, 0, -1, 0, 0, 0, '0.1.0', NULL, 1);

INSERT INTO run_files (file_id) VALUES
(3141584196679770),
(3010460447655594),
(1386527108295880);

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN 1541030400003 AND 1541030400005
    AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400003 AND 1541030400005)  -- sparse
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400003 AND 1541030400005
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400003 AND 1541030400005)  -- sparse
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400003 AND 1541030400005
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400003 AND 1541030400005)  -- sparse
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400003 AND 1541030400005
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1541030400003 AND 1541030400005
        AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN 1541030400003 AND 1541030400005)  -- sparse
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
    WHERE e.ts BETWEEN 1541030400003 AND 1541030400005
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
        start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1541030400003 AND 1541030400005
                AND ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time IN (  -- sparse
                    SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m  -- sparse
                ) AND  -- sparse
                start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1541030400003 AND 1541030400005 AND d.staged <> d.plays
            AND s.ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts IN (SELECT m.ts FROM run_moments AS m) AND  -- sparse
    s.ts BETWEEN 1541030400003 AND 1541030400005 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    p.start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
    start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time IN (SELECT DATEADD(ms, m.ts, '1970-01-01'::TIMESTAMP) FROM run_moments AS m) AND  -- sparse
        start_time BETWEEN DATEADD(ms, 1541030400003, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400005, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN 1541030400003 AND 1541030400005
        AND ts IN (SELECT m.ts FROM run_moments AS m)  -- sparse
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(18, 'undo 1', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', -3, -3, -3, 0, -2, 0, 0, 0, '0.1.0', NULL, 0);

INSERT INTO run_moves (file_id, run_id, uri, size, version, content) VALUES
(2647871717814730, 10, '/lake/log_data/2.json', 366, 'version', '968542b1f1bba08f16591c00b5fd49c6'),
(4015995664136107, 10, '/lake/log_data/6.json', 356, 'version', '782dadbb7db713f5913c7e8ac1529c89');

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(2291922698802095, 19, 'songs', '/lake/song_data/1.json', 211, 'version', 'loaded', 1, 1, 0, 0, 'b2af3012d1562fff80f6d280b5d339ab', NULL, NULL, 0),
(3141584196679770, 19, 'songs', '/lake/song_data/2.json', 213, 'version', 'loaded', 1, 1, 0, 0, 'f3293a0df555f2548359e4a7c2b7accc', NULL, NULL, 0),
(4040650450145751, 19, 'events', '/lake/log_data/1.json', 696, 'version', 'loaded', 2, 2, 0, 1, '49ca1714cb1659a9ed7f9c6abe895514', NULL, NULL, 0),
(3010460447655594, 19, 'events', '/lake/log_data/3.json', 363, 'version', 'loaded', 1, 1, 0, 1, '512046695043b1136c92bcf6b7beeadd', NULL, NULL, 0),
(1386527108295880, 19, 'events', '/lake/log_data/5.json', 350, 'version', 'loaded', 1, 1, 0, 1, 'c749ee43b0b113775ae5b09cb3f3666a', NULL, NULL, 0),
(5172686462209440, 19, 'events', '/lake/log_data/8.json', 700, 'version', 'loaded', 2, 1, 0, 1, '4bd07a4b6e11d59638754a0419087d91', NULL, NULL, 1),
(5461574287785119, 19, 'events', '/lake/log_data/9.json', 700, 'version', 'loaded', 2, 1, 0, 1, 'b46613ad5f5e736d9abf2850f7c569b8', NULL, NULL, 1);

INSERT INTO etl.unknown_fields (run_id, kind, field, occurrences, first_uri) VALUES
(19, 'events', 'more', 1, '/lake/log_data/3.json');

INSERT INTO etl.models (model, materialized, digest, build_order, run_id, upto_run) VALUES
('marts.daily', 'incremental', '3a011a4800e50b9a', 0, 19, 19);

-- The last record of a file is whole.
-- scope: run
-- severity: warn
-- Threshold: none. A last line that merely lacks its line break is whole.
SELECT
    f.uri AS subject,
    'ends inside a record, line ' || CAST(MAX(r.line) AS VARCHAR(20)) || ': what follows is missing' AS found
FROM etl.files AS f
INNER JOIN etl.rejects AS r ON f.file_id = r.file_id AND f.run_id = r.run_id
WHERE f.state = 'loaded' AND f.run_id >= 19 AND r.reason = 'truncated_file'
GROUP BY f.uri
ORDER BY f.uri;

-- A log holds events, where nearly all logs do.
-- scope: run
-- severity: warn
-- Thresholds: fewer than one in ten of the 30 latest logs are empty, this one included.
WITH latest AS (
    SELECT f.rows_read
    FROM etl.files AS f
    WHERE f.kind = 'events' AND f.state = 'loaded'
    ORDER BY f.run_id DESC, f.uri DESC
    LIMIT 30
),

counted AS (
    SELECT COUNT(*) AS files, COUNT(CASE WHEN l.rows_read = 0 THEN 1 END) AS empty_files
    FROM latest AS l
)

SELECT
    f.uri AS subject,
    'holds no record; of the ' || CAST(c.files AS VARCHAR(20)) || ' latest logs '
    || CAST(c.empty_files AS VARCHAR(20)) || CASE WHEN c.empty_files = 1 THEN ' is' ELSE ' are' END
    || ' empty' AS found
FROM etl.files AS f
CROSS JOIN counted AS c
WHERE
    f.kind = 'events' AND f.state = 'loaded' AND f.run_id >= 19 AND f.rows_read = 0
    AND c.empty_files * 10 < c.files
ORDER BY f.uri;

-- No stretch without an event is far longer than usual.
-- scope: days
-- severity: warn
-- Thresholds: longer than 3 hours and than any that ends in the 28 days with events before, at least 7; and
-- either twice as long and 3 hours longer, or in hours that are never silent: a day's last event is 4 hours
-- earlier than any of those days', or its first one 6 hours later. Holes among the 28 do not count as usual,
-- until one like them occurs a third time.
-- Looked at: stretches that end in a day of the run, or in the first day after; the one from the newest event
-- to the end of its day, once that day is over; and the one since the newest event when a load brings nothing
-- but empty logs, which are rare (empty_log), so that the next load, which ends it, meets no new cause.
-- A stretch between two days is named by its beginning, so that it stays the same hole until it ends.
WITH days AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        MOD(d.first_ts, 86400000) AS start_ms,
        MOD(d.last_ts, 86400000) AS end_ms,
        d.longest_gap_ms,
        d.gap_within_ms,
        COUNT(*) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS days_before,
        MAX(d.longest_gap_ms) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS longest_ms,
        MAX(MOD(d.first_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS latest_start_ms,
        MIN(MOD(d.last_ts, 86400000)) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS earliest_end_ms
    FROM etl.days AS d
),

suspects AS (
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
            WHEN d.longest_gap_ms > 10800000 AND d.longest_gap_ms > 2 * d.longest_ms THEN 1
            WHEN d.longest_gap_ms > 10800000 AND d.start_ms > d.latest_start_ms + 21600000 THEN 1
            WHEN LAG(d.end_ms) OVER (ORDER BY d.day) < LAG(d.earliest_end_ms) OVER (ORDER BY d.day) - 14400000
                THEN 1
            ELSE 0
        END AS is_hole,
        CASE WHEN d.start_ms > d.latest_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN d.end_ms < d.earliest_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early
    FROM days AS d
),

usual AS (
    SELECT
        d.day,
        d.first_ts,
        d.last_ts,
        d.start_ms,
        d.end_ms,
        d.gap_within_ms,
        d.days_before,
        MAX(CASE WHEN d.days_before < 7 OR d.is_hole = 0 THEN d.longest_gap_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_ms,
        MAX(CASE WHEN d.days_before < 7 OR d.starts_late = 0 THEN d.start_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_start_ms,
        MIN(CASE WHEN d.days_before < 7 OR d.ends_early = 0 THEN d.end_ms END) OVER (
            ORDER BY d.day ROWS BETWEEN 28 PRECEDING AND 1 PRECEDING
        ) AS usual_end_ms
    FROM suspects AS d
),

judged AS (
    SELECT
        u.first_ts,
        u.last_ts,
        u.gap_within_ms,
        u.usual_ms,
        u.days_before,
        LAG(u.last_ts) OVER (ORDER BY u.day) AS ts_before,
        LEAD(u.first_ts) OVER (ORDER BY u.day) AS ts_after,
        CASE WHEN u.start_ms > u.usual_start_ms + 21600000 THEN 1 ELSE 0 END AS starts_late,
        CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END AS ends_early,
        LAG(CASE WHEN u.days_before >= 7 AND u.end_ms < u.usual_end_ms - 14400000 THEN 1 ELSE 0 END)
            OVER (ORDER BY u.day) AS ended_early
    FROM usual AS u
),

touched AS (
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
    WHERE j.days_before >= 7
),

logs AS (
    SELECT
        COUNT(*) AS files,
        COUNT(CASE WHEN f.rows_read = 0 THEN 1 END) AS empty_files,
        COUNT(CASE WHEN f.run_id >= 19 THEN 1 END) AS of_load,
        COUNT(CASE WHEN f.run_id >= 19 AND f.rows_read = 0 THEN 1 END) AS empty_of_load
    FROM (
        SELECT run_id, rows_read
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded'
        ORDER BY run_id DESC, uri DESC
        LIMIT 30
    ) AS f
),

stretches AS (
    SELECT
        t.ts_before AS ts_from,
        t.first_ts AS ts_to,
        'between' AS kind,
        t.usual_ms,
        t.unusual_start AS unusual_hours
    FROM touched AS t
    WHERE
        t.first_ts BETWEEN 1541030400000 AND 1541203199999
        OR (t.ts_before <= 1541203199999 AND t.first_ts > 1541203199999)
    UNION ALL
    SELECT
        t.first_ts - MOD(t.first_ts, 86400000) AS ts_from,
        t.first_ts - MOD(t.first_ts, 86400000) + t.gap_within_ms AS ts_to,
        'within' AS kind,
        t.usual_ms,
        0 AS unusual_hours
    FROM touched AS t
    WHERE t.first_ts BETWEEN 1541030400000 AND 1541203199999
    UNION ALL
    SELECT
        t.last_ts AS ts_from,
        t.last_ts - MOD(t.last_ts, 86400000) + 86400000 AS ts_to,
        'newest' AS kind,
        t.usual_ms,
        t.unusual_end AS unusual_hours
    FROM touched AS t
    WHERE
        t.ts_after IS NULL AND t.first_ts BETWEEN 1541030400000 AND 1541203199999
        AND DATEADD(ms, t.last_ts - MOD(t.last_ts, 86400000) + 86400000, '1970-01-01'::TIMESTAMP) <= TIMESTAMP '2026-01-01 00:00:00'
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
        AND (SELECT l.empty_of_load FROM logs AS l WHERE l.empty_files * 10 < l.files) > 0
        AND (SELECT l.of_load - l.empty_of_load FROM logs AS l) = 0
),

holes AS (
    SELECT
        s.kind,
        LEFT(CAST(DATEADD(ms, s.ts_from, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS since,
        LEFT(CAST(DATEADD(ms, s.ts_to, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 16) AS until,
        LEFT(CAST(DATEADD(ms, s.ts_from + 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_from,
        LEFT(CAST(DATEADD(ms, s.ts_to - 86400000, '1970-01-01'::TIMESTAMP) AS VARCHAR(32)), 10) AS day_to,
        CAST(CAST((s.ts_to - s.ts_from) / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS hours,
        CAST(CAST(s.usual_ms / 3600000.0 AS DECIMAL(18, 1)) AS VARCHAR(20)) AS usual_hours
    FROM stretches AS s
    WHERE
        s.ts_to - s.ts_from > 10800000 AND s.ts_to - s.ts_from > s.usual_ms
        AND (
            s.unusual_hours = 1
            OR (s.ts_to - s.ts_from > 2 * s.usual_ms AND s.ts_to - s.ts_from > s.usual_ms + 10800000)
        )
)

SELECT
    CASE WHEN h.kind = 'within' THEN LEFT(h.since, 10) ELSE h.since END AS subject,
    CASE
        WHEN h.kind = 'within' THEN 'no event for ' || h.hours || ' hours'
        WHEN h.kind = 'empty' THEN 'no event since, the logs loaded are empty'
        WHEN h.kind = 'newest' THEN 'no event for ' || h.hours || ' hours, to the end of the day'
        ELSE 'no event for ' || h.hours || ' hours, until ' || h.until
    END
    || CASE
        WHEN h.kind <> 'between' OR h.day_from > h.day_to THEN ''
        WHEN h.day_from = h.day_to THEN ', none on ' || h.day_from
        ELSE ', none from ' || h.day_from || ' to ' || h.day_to
    END
    || '; in the 28 days before, ' || h.usual_hours || ' hours at most' AS found
FROM holes AS h
ORDER BY subject;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(19, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 7, 10, 8, 0, 5, 0, 8, 8, '0.1.0', NULL, 2);

INSERT INTO etl.checks (run_id, check_name, failing_rows, sample, severity, subject) VALUES
(19, 'conservation', 0, NULL, 'error', NULL),
(19, 'no_fan_out', 0, NULL, 'error', NULL),
(19, 'not_null', 0, NULL, 'error', NULL),
(19, 'owned_rows', 0, NULL, 'error', NULL),
(19, 'plays_from_logs', 0, NULL, 'error', NULL),
(19, 'references', 0, NULL, 'error', NULL),
(19, 'unique_keys', 0, NULL, 'error', NULL),
(19, 'marts.daily:not_null(day)', 0, NULL, 'error', NULL),
(19, 'cut_file', 0, NULL, 'warn', NULL),
(19, 'empty_log', 0, NULL, 'warn', NULL),
(19, 'hole_in_time', 0, NULL, 'warn', NULL),
(19, 'match_rate_fell', 0, NULL, 'warn', NULL),
(19, 'plays_without_names', 0, NULL, 'warn', NULL),
(19, 'vanished_field', 0, NULL, 'warn', NULL);

-- The files that a run loaded, as they are known now.
SELECT file_id, kind, uri, size, version, state, run_id, rows_read, rows_rejected, content, reason
FROM etl.files
WHERE state IN ('loaded', 'retracted', 'set_aside', 'copy', 'expired') AND run_id = 19;

-- Mark the rejected records of files that are loaded anew, or taken out (run_files), as resolved.
UPDATE etl.rejects SET resolved_by = 20
WHERE resolved_by IS NULL AND file_id IN (SELECT file_id FROM run_files);

INSERT INTO etl.models (model, materialized, digest, build_order, run_id, upto_run) VALUES
('marts.daily', 'incremental', '3a011a4800e50b9a', 0, 19, 20);

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 20)  -- few
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= 20)  -- few
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 20
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

-- Logs that hold events give plays: a filter that lets nothing through must not look like success.
-- scope: warehouse
-- when: last batch
-- What was erased may have been all the plays there were.
-- Runs when logs are loaded, and covers all of them; a log without accepted records counts too.
SELECT COUNT(*) AS events
FROM staging_events
HAVING
    COUNT(*) > 0
    AND (  -- erased
        SELECT COALESCE(SUM(rows_erased), 0) FROM etl.files WHERE state IN ('loaded', 'expired')  -- erased
    ) = 0  -- erased
    AND (SELECT COUNT(*) FROM songplays) = 0
    AND (
        SELECT COUNT(*)
        FROM etl.files
        WHERE kind = 'events' AND state = 'loaded' AND run_id >= 20
    ) > 0;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(20, 'retract', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', -1, -2, -2, 0, -1, 0, 0, 0, '0.1.0', NULL, 0);

INSERT INTO run_song_copy (num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year, sparkify_extra, file_id) VALUES
('1', 'AR1', '51.5', '-0.1', 'London', 'Artist', 'SO1', 'Title', '200.5', '1999', NULL, 3423743253137239),
('1', 'AR1', '51.5', '-0.1', 'London', 'Artist', 'SO2', 'Title', '200.5', '1999.0', NULL, 3141584196679770);

INSERT INTO run_song_copy (num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year, sparkify_extra, file_id) VALUES
('1', 'AR1', '51.5', '-0.1', 'London', 'Artist', 'SO2', 'Title', '200.5', '1999', NULL, 3141584196679770);

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM 's3://statements/log_data/1.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto ignorecase'
COMPUPDATE OFF STATUPDATE OFF REGION 'us-west-2';

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = 4040650450145751 WHERE file_id IS NULL;

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM 's3://statements/log_data/3.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto ignorecase'
COMPUPDATE OFF STATUPDATE OFF REGION 'us-west-2';

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = 3010460447655594 WHERE file_id IS NULL;

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM 's3://statements/log_data/5.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto ignorecase'
COMPUPDATE OFF STATUPDATE OFF REGION 'us-west-2';

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = 1386527108295880 WHERE file_id IS NULL;

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM 's3://statements/log_data/8.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto ignorecase'
COMPUPDATE OFF STATUPDATE OFF REGION 'us-west-2';

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = 5172686462209440 WHERE file_id IS NULL;

INSERT INTO run_files (file_id) VALUES
(2647871717814730),
(3010460447655594),
(7588823715942316),
(4015995664136107);

INSERT INTO run_event_copy (artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page, registration, sessionid, song, status, ts, useragent, userid, sparkify_extra, file_id) VALUES
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400002', 'Browser', 'it''s \\ 3', NULL, 2647871717814730),
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400003', 'Browser', '1', '{"more":"x"}', 3010460447655594),
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400006', 'Browser', '1', NULL, 4015995664136107);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(3423743253137239, 1, 'songs', 's3://statements/song_data/1.json', 211, 'version', 'loaded', 1, 1, 0, 0, 'b2af3012d1562fff80f6d280b5d339ab', NULL, NULL, 0),
(3141584196679770, 1, 'songs', 's3://statements/song_data/2.json', 213, 'version', 'loaded', 1, 1, 0, 0, 'f3293a0df555f2548359e4a7c2b7accc', NULL, NULL, 0),
(4040650450145751, 1, 'events', 's3://statements/log_data/1.json', 696, 'version', 'loaded', 2, 2, 0, 1, '49ca1714cb1659a9ed7f9c6abe895514', NULL, NULL, 0),
(2647871717814730, 1, 'events', 's3://statements/log_data/2.json', 366, 'version', 'loaded', 2, 1, 1, 1, '968542b1f1bba08f16591c00b5fd49c6', NULL, NULL, 0),
(3010460447655594, 1, 'events', 's3://statements/log_data/3.json', 363, 'version', 'loaded', 1, 1, 0, 1, '512046695043b1136c92bcf6b7beeadd', NULL, NULL, 0),
(1386527108295880, 1, 'events', 's3://statements/log_data/5.json', 350, 'version', 'loaded', 1, 1, 0, 1, 'c749ee43b0b113775ae5b09cb3f3666a', NULL, NULL, 0),
(4015995664136107, 1, 'events', 's3://statements/log_data/6.json', 356, 'version', 'loaded', 2, 1, 1, 1, '782dadbb7db713f5913c7e8ac1529c89', NULL, NULL, 0),
(5172686462209440, 1, 'events', 's3://statements/log_data/8.json', 700, 'version', 'loaded', 2, 2, 0, 2, '4bd07a4b6e11d59638754a0419087d91', NULL, NULL, 0);

INSERT INTO etl.rejects (run_id, file_id, uri, line, byte_offset, reason, detail, content, encoding, size, resolved_by, kind) VALUES
(1, 2647871717814730, 's3://statements/log_data/2.json', 2, 358, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events'),
(1, 4015995664136107, 's3://statements/log_data/6.json', 2, 350, 'truncated_file', 'the file ends inside a record (Expecting value, column 7)', '{"ts":', 'utf-8', 6, NULL, 'events'),
(1, 7588823715942316, 's3://statements/log_data/4.json', 1, 0, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events');

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(1, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 8, 12, 10, 2, 7, 0, 7, 6, '0.1.0', NULL, 0);

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM 's3://statements/log_data/7.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto ignorecase'
COMPUPDATE OFF STATUPDATE OFF REGION 'us-west-2';

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = 5497181484735774 WHERE file_id IS NULL;

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM 's3://statements/log_data/9.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto ignorecase'
COMPUPDATE OFF STATUPDATE OFF REGION 'us-west-2';

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = 5461574287785119 WHERE file_id IS NULL;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(5, 'full-refresh', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 9, 8, '0.1.0', NULL, 0);

INSERT INTO run_adopted (extra, kept, found) VALUES
('{"more":"x"}', NULL, 'x');

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(7, 'full-refresh', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 9, 8, '0.1.0', NULL, 0);

INSERT INTO run_put_back (extra, found, kept) VALUES
('', 'x|', '{"more":"x"}');

INSERT INTO run_files (file_id) VALUES
(2647871717814730),
(7588823715942316),
(4015995664136107);

INSERT INTO run_event_copy (artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page, registration, sessionid, song, status, ts, useragent, userid, sparkify_extra, file_id) VALUES
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400002', 'Browser', 'it''s \\ 3', NULL, 2647871717814730),
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400006', 'Browser', '1', NULL, 4015995664136107);

INSERT INTO run_files (file_id) VALUES
(2647871717814730),
(1386527108295880),
(4015995664136107);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(2647871717814730, 9, 'events', 's3://statements/log_data/2.json', 366, 'version', 'loaded', 2, 1, 1, 1, '968542b1f1bba08f16591c00b5fd49c6', NULL, NULL, 0),
(1386527108295880, 9, 'events', 's3://statements/log_data/5.json', 350, 'version', 'loaded', 1, 1, 0, 1, 'c749ee43b0b113775ae5b09cb3f3666a', NULL, NULL, 0),
(4015995664136107, 9, 'events', 's3://statements/log_data/6.json', 356, 'version', 'loaded', 2, 1, 1, 1, '782dadbb7db713f5913c7e8ac1529c89', NULL, NULL, 0);

INSERT INTO etl.rejects (run_id, file_id, uri, line, byte_offset, reason, detail, content, encoding, size, resolved_by, kind) VALUES
(9, 2647871717814730, 's3://statements/log_data/2.json', 2, 358, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events'),
(9, 4015995664136107, 's3://statements/log_data/6.json', 2, 350, 'truncated_file', 'the file ends inside a record (Expecting value, column 7)', '{"ts":', 'utf-8', 6, NULL, 'events'),
(9, 7588823715942316, 's3://statements/log_data/4.json', 1, 0, 'malformed_json', 'Expecting value, column 1', 'no JSON', 'utf-8', 7, NULL, 'events');

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1540944000002 AND 1541030400002
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
    WHERE e.ts BETWEEN 1540944000002 AND 1541030400002
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

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN 1541030400002 AND 1541030400006
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- Plays of a piece of the run's scope: every NextSong event once, matched with a song or not.
-- An event is identified by user, session, item and time; delivered twice it is one play. Among deliveries
-- that differ, the first by content wins (known values before unknown ones), so that the order in which files
-- arrive does not matter. Trailing blanks are removed: Redshift ignores them in every comparison, so they
-- cannot decide an order, and a text of blanks alone means unknown.
-- Only the few times at which a session has more than one event are sorted.
-- songplay_id is the first 60 bits of an MD5 of that identity: the same on every engine and in every rebuild.
DELETE FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP);

INSERT INTO songplays (
    songplay_id, start_time, user_id, level, song_id, artist_id, session_id, location, user_agent,
    item_in_session, song_match, song, artist, length
)
WITH repeated AS (
    SELECT e.ts, e.session_id
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400002 AND 1541030400006
    GROUP BY e.ts, e.session_id
    HAVING COUNT(*) > 1
),

plays AS (
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    LEFT JOIN repeated AS r ON e.ts = r.ts
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400002 AND 1541030400006
        AND r.ts IS NULL
    UNION ALL
    SELECT
        e.ts, e.user_id, e.session_id, e.item_in_session, e.level, e.location, e.user_agent, e.song, e.artist,
        e.length
    FROM staging_events AS e
    WHERE
        e.page = 'NextSong' AND e.ts BETWEEN 1541030400002 AND 1541030400006
        AND e.ts IN (SELECT r.ts FROM repeated AS r)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY e.ts, e.user_id, e.session_id, e.item_in_session
        ORDER BY
            NULLIF(RTRIM(e.level, ' '), ''), NULLIF(RTRIM(e.song, ' '), ''), NULLIF(RTRIM(e.artist, ' '), ''),
            e.length, NULLIF(RTRIM(e.location, ' '), ''), NULLIF(RTRIM(e.user_agent, ' '), '')
    ) = 1
)

SELECT
    STRTOL(
        SUBSTRING(
            MD5(
                p.user_id || '|' || CAST(p.session_id AS VARCHAR(20)) || '|'
                || CAST(p.item_in_session AS VARCHAR(20)) || '|' || CAST(p.ts AS VARCHAR(20))
            ), 1, 15
        ), 16
    ) AS songplay_id,
    DATEADD(ms, p.ts, '1970-01-01'::TIMESTAMP) AS start_time,
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
    ON
        RTRIM(p.song, ' ') = m.song AND RTRIM(p.artist, ' ') = m.artist
        AND (p.length = m.length OR (p.length IS NULL AND m.length IS NULL));

INSERT INTO run_users (user_id, first_name, last_name, gender, level, last_seen_ts, last_item_in_session)
WITH latest AS (
    SELECT e.user_id, MAX(e.ts) AS ts
    FROM staging_events AS e
    WHERE
        e.user_id <> '' AND e.ts BETWEEN 1541030400002 AND 1541030400006
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
    WHERE e.ts BETWEEN 1541030400002 AND 1541030400006
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

-- The start times of the plays of a piece of the run's scope. week is ISO; weekday 0 is Sunday.
-- Written in their order, so that few blocks are read where a later run touches few moments.
DELETE FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP);

INSERT INTO time (start_time, hour, day, week, month, year, weekday)
SELECT
    p.start_time,
    EXTRACT(hour FROM p.start_time) AS hour,
    EXTRACT(day FROM p.start_time) AS day,
    EXTRACT(week FROM p.start_time) AS week,
    EXTRACT(month FROM p.start_time) AS month,
    EXTRACT(year FROM p.start_time) AS year,
    EXTRACT(dow FROM p.start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP)
) AS p
ORDER BY p.start_time;

-- NextSong rows in staging = songplays + duplicates: no play is lost, and no join multiplies one.
-- scope: moments
-- Counted from staging by the identity of an event, independently of how songplays was filled. With as many
-- plays as rows there is nothing to count: songplay_id is made of the identity and is unique
-- (unique_keys), so no two of the rows are the same event.
WITH counts AS (
    SELECT
        (
            SELECT COUNT(*)
            FROM staging_events
            WHERE
                page = 'NextSong' AND ts BETWEEN 1541030400002 AND 1541030400006
        ) AS staged,
        (
            SELECT COUNT(*)
            FROM songplays
            WHERE
                start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
                AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP)
        ) AS plays
)

SELECT e.events, c.plays
FROM counts AS c
CROSS JOIN (
    SELECT COUNT(*) AS events
    FROM (
        SELECT DISTINCT s.user_id, s.session_id, s.item_in_session, s.ts
        FROM staging_events AS s
        CROSS JOIN counts AS d
        WHERE
            s.page = 'NextSong' AND s.ts BETWEEN 1541030400002 AND 1541030400006 AND d.staged <> d.plays
    ) AS i
) AS e
WHERE c.staged <> c.plays AND e.events <> c.plays;

-- Required columns are never NULL.
-- scope: moments
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP)
    AND (
        songplay_id IS NULL OR user_id IS NULL OR user_id = ''
        OR session_id IS NULL OR item_in_session IS NULL
    )
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value
FROM users
WHERE user_id IS NULL OR user_id = ''
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value
FROM songs
WHERE song_id IS NULL OR artist_id IS NULL
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value
FROM artists
WHERE artist_id IS NULL;

-- Every row of staging belongs to a loaded file: a failed run has left no rows.
-- scope: moments
SELECT 'staging_songs' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_songs AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    f.file_id IS NULL
GROUP BY s.file_id
UNION ALL
SELECT 'staging_events' AS in_table, s.file_id, COUNT(*) AS staged
FROM staging_events AS s
LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'
WHERE
    s.ts BETWEEN 1541030400002 AND 1541030400006 AND f.file_id IS NULL
GROUP BY s.file_id;

-- Every foreign key of the star refers to an existing row.
-- scope: moments
-- Outer joins, since clusters were seen to refuse NOT EXISTS below UNION ALL.
-- A run looks at the plays that it touched, and at who refers to a person, song or artist that it took out.
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value
FROM songplays AS p
LEFT JOIN users AS u ON p.user_id = u.user_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP)
    AND u.user_id IS NULL
UNION ALL
SELECT 'songplays.start_time' AS reference, CAST(p.start_time AS VARCHAR(64)) AS key_value
FROM songplays AS p
LEFT JOIN time AS t
    ON
        p.start_time = t.start_time
        AND t.start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP)
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP)
    AND t.start_time IS NULL
UNION ALL
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value
FROM songplays AS p
LEFT JOIN songs AS s ON p.song_id = s.song_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP)
    AND p.song_id IS NOT NULL AND s.song_id IS NULL
UNION ALL
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value
FROM songplays AS p
LEFT JOIN artists AS a ON p.artist_id = a.artist_id
WHERE
    p.start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP)
    AND p.artist_id IS NOT NULL AND a.artist_id IS NULL
UNION ALL
SELECT 'songplays.user_id' AS reference, p.user_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.user_id  -- touched
    FROM run_changed_users AS c  -- touched
    LEFT JOIN users AS u ON c.user_id = u.user_id  -- touched
    WHERE u.user_id IS NULL  -- touched
) AS g ON p.user_id = g.user_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.song_id' AS reference, p.song_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.song_id  -- touched
    FROM run_changed_songs AS c  -- touched
    LEFT JOIN songs AS s ON c.song_id = s.song_id  -- touched
    WHERE s.song_id IS NULL  -- touched
) AS g ON p.song_id = g.song_id  -- touched
UNION ALL  -- touched
SELECT 'songplays.artist_id' AS reference, p.artist_id AS key_value  -- touched
FROM songplays AS p  -- touched
INNER JOIN (  -- touched
    SELECT DISTINCT c.artist_id  -- touched
    FROM run_changed_artists AS c  -- touched
    LEFT JOIN artists AS a ON c.artist_id = a.artist_id  -- touched
    WHERE a.artist_id IS NULL  -- touched
) AS g ON p.artist_id = g.artist_id  -- touched
UNION ALL  -- touched
SELECT 'songs.artist_id' AS reference, s.artist_id AS key_value
FROM songs AS s
LEFT JOIN artists AS a ON s.artist_id = a.artist_id
WHERE a.artist_id IS NULL;

-- Every primary key is unique.
-- scope: moments
-- Redshift does not enforce keys, but its planner trusts them: a duplicate key gives wrong results.
-- A run looks at the keys that it touched.
SELECT 'songplays' AS in_table, CAST(songplay_id AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM songplays
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP)
GROUP BY songplay_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'users' AS in_table, user_id AS key_value, COUNT(*) AS times
FROM users
WHERE user_id IN (SELECT c.user_id FROM run_changed_users AS c)  -- touched
GROUP BY user_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'songs' AS in_table, song_id AS key_value, COUNT(*) AS times
FROM songs
WHERE song_id IN (SELECT c.song_id FROM run_changed_songs AS c)  -- touched
GROUP BY song_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'artists' AS in_table, artist_id AS key_value, COUNT(*) AS times
FROM artists
WHERE artist_id IN (SELECT c.artist_id FROM run_changed_artists AS c)  -- touched
GROUP BY artist_id
HAVING COUNT(*) > 1
UNION ALL
SELECT 'time' AS in_table, CAST(start_time AS VARCHAR(64)) AS key_value, COUNT(*) AS times
FROM time
WHERE
    start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
    AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP)
GROUP BY start_time
HAVING COUNT(*) > 1;

-- Totals of the plays of a piece of the run's scope, and the number of NextSong rows they come from.
SELECT p.songplays, p.matched, e.staged
FROM (
    SELECT COUNT(*) AS songplays, COUNT(song_id) AS matched
    FROM songplays
    WHERE
        start_time BETWEEN DATEADD(ms, 1541030400002, '1970-01-01'::TIMESTAMP)
        AND DATEADD(ms, 1541030400006, '1970-01-01'::TIMESTAMP)
) AS p
CROSS JOIN (
    SELECT COUNT(*) AS staged
    FROM staging_events
    WHERE
        page = 'NextSong' AND ts BETWEEN 1541030400002 AND 1541030400006
) AS e;

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(9, 'replay', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 3, 5, 3, 2, 3, 0, 4, 4, '0.1.0', NULL, 0);

-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.
-- scope: run
SELECT
    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged
    , f.rows_erased  -- erased
FROM etl.files AS f
LEFT JOIN (
    SELECT file_id, COUNT(*) AS staged
    FROM staging_songs
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*) AS staged
    FROM staging_events
    GROUP BY file_id
) AS s ON f.file_id = s.file_id
WHERE
    f.state = 'loaded' AND f.run_id >= 1
    AND (
        f.rows_read <> f.rows_loaded + f.rows_rejected
        + COALESCE(f.rows_erased, 0)  -- erased
        OR f.rows_loaded <> COALESCE(s.staged, 0)
    );

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(10, 'forget', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 0, 0, 0, 0, 0, 0, 1, 0, '0.1.0', NULL, 0);

INSERT INTO etl.files (file_id, run_id, kind, uri, size, version, state, rows_read, rows_loaded, rows_rejected, plays_loaded, content, reason, detail, rows_erased) VALUES
(4040650450145751, 13, 'events', 's3://statements/log_data/1.json', 696, 'version', 'loaded', 2, 2, 0, 1, '49ca1714cb1659a9ed7f9c6abe895514', NULL, NULL, 0);

INSERT INTO etl.runs (run_id, mode, status, started_at, finished_at, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded, duplicates, songplays, plays_matched, version, error, rows_erased) VALUES
(13, 'incremental', 'done', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 00:00:00', 1, 2, 2, 0, 1, 0, 1, 1, '0.1.0', NULL, 0);

INSERT INTO run_song_copy (num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year, sparkify_extra, file_id) VALUES
('1', 'AR1', '51.5', '-0.1', 'London', 'Artist', 'SO1', 'Title', '200.5', '2001', NULL, 2291922698802095),
('1', 'AR1', '51.5', '-0.1', 'London', 'Artist', 'SO2', 'Title', '200.5', '1999.0', NULL, 5227973458580081);

INSERT INTO run_song_copy (num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year, sparkify_extra, file_id) VALUES
('1', 'AR1', '51.5', '-0.1', 'London', 'Artist', 'SO2', 'Title', '200.5', '1999', NULL, 5227973458580081);

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM 's3://statements-moved/log_data/1.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto ignorecase'
COMPUPDATE OFF STATUPDATE OFF REGION 'us-west-2';

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = 6113426060445023 WHERE file_id IS NULL;

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM 's3://statements-moved/log_data/3.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto ignorecase'
COMPUPDATE OFF STATUPDATE OFF REGION 'us-west-2';

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = 7947679233620209 WHERE file_id IS NULL;

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM 's3://statements-moved/log_data/4.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto ignorecase'
COMPUPDATE OFF STATUPDATE OFF REGION 'us-west-2';

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = 1953125012575805 WHERE file_id IS NULL;

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM 's3://statements-moved/log_data/5.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto ignorecase'
COMPUPDATE OFF STATUPDATE OFF REGION 'us-west-2';

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = 6192737500641326 WHERE file_id IS NULL;

-- One file of events. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file
-- with an error is skipped as a whole, and read again record by record.
COPY run_event_copy (
    artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page,
    registration, sessionid, song, status, ts, useragent, userid
)
FROM 's3://statements-moved/log_data/8.json'
IAM_ROLE 'arn:aws:iam::123456789012:role/dwhRole'
FORMAT AS JSON 'auto ignorecase'
COMPUPDATE OFF STATUPDATE OFF REGION 'us-west-2';

-- Set the file number of the rows copied last.
UPDATE run_event_copy SET file_id = 2964440268823804 WHERE file_id IS NULL;

INSERT INTO run_files (file_id) VALUES
(4938570324402774),
(7947679233620209),
(1953125012575805),
(3010948963896498),
(2964440268823804);

INSERT INTO run_event_copy (artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page, registration, sessionid, song, status, ts, useragent, userid, sparkify_extra, file_id) VALUES
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400002', 'Browser', 'it''s \\ 3', NULL, 4938570324402774),
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400003', 'Browser', '1', '{"more":"x"}', 7947679233620209),
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400003', 'Browser', '1', '{"more":"x"}', 1953125012575805),
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400006', 'Browser', '1', NULL, 3010948963896498),
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Alone', '200', '1541030400008', 'Browser', '8', NULL, 2964440268823804);

INSERT INTO run_moves (file_id, run_id, uri, size, version, content) VALUES
(3141584196679770, 1, 's3://statements-moved/song_data/2.json', 213, 'version', 'f3293a0df555f2548359e4a7c2b7accc'),
(3010460447655594, 1, 's3://statements-moved/log_data/3.json', 363, 'version', '512046695043b1136c92bcf6b7beeadd'),
(2647871717814730, 9, 's3://statements-moved/log_data/2.json', 366, 'version', '968542b1f1bba08f16591c00b5fd49c6'),
(1386527108295880, 9, 's3://statements-moved/log_data/5.json', 350, 'version', 'c749ee43b0b113775ae5b09cb3f3666a'),
(4015995664136107, 9, 's3://statements-moved/log_data/6.json', 356, 'version', '782dadbb7db713f5913c7e8ac1529c89');

INSERT INTO run_song_copy (num_songs, artist_id, artist_latitude, artist_longitude, artist_location, artist_name, song_id, title, duration, year, sparkify_extra, file_id) VALUES
('1', 'AR1', '51.5', '-0.1', 'London', 'Artist', 'SO1', 'Title', '200.5', '1999', NULL, 2291922698802095),
('1', 'AR1', '51.5', '-0.1', 'London', 'Artist', 'SO2', 'Title', '200.5', '1999.0', NULL, 3141584196679770);

INSERT INTO run_files (file_id) VALUES
(4938570324402774),
(3010460447655594),
(3010948963896498);

INSERT INTO run_event_copy (artist, auth, firstname, gender, iteminsession, lastname, length, level, location, method, page, registration, sessionid, song, status, ts, useragent, userid, sparkify_extra, file_id) VALUES
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400002', 'Browser', 'it''s \\ 3', NULL, 4938570324402774),
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400003', 'Browser', '1', '{"more":"x"}', 3010460447655594),
('Artist', 'Logged In', 'Ada', 'F', '0', 'Day', '200.5', 'free', 'London', 'PUT', 'NextSong', '1540919166796.0', '1', 'Title', '200', '1541030400006', 'Browser', '1', NULL, 3010948963896498);

