-- Our statements in DuckDB's dialect, for reading and for running: made by `make generate`.

-- checks/no_fan_out.sql:1 956c7b8fcc64c334
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

-- checks/not_null.sql:1 f203e4a417df476f
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

-- checks/plays_from_logs.sql:1 0326945d46b0f22b
SELECT
  COUNT(*) AS events
FROM staging_events
HAVING
  COUNT(*) > 0
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

-- checks/references.sql:1 af8202a55b00a458
SELECT
  'songplays.user_id' AS reference,
  p.user_id AS key_value
FROM songplays AS p
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND NOT EXISTS(
    SELECT
      1
    FROM users AS u
    WHERE
      u.user_id = p.user_id
  )
UNION ALL
SELECT
  'songplays.start_time' AS reference,
  CAST(p.start_time AS TEXT(64)) AS key_value
FROM songplays AS p
WHERE
  p.start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND
  AND NOT EXISTS(
    SELECT
      1
    FROM time AS t
    WHERE
      t.start_time = p.start_time
  )
UNION ALL
SELECT
  'songplays.song_id' AS reference,
  p.song_id AS key_value
FROM songplays AS p
WHERE
  NOT p.song_id IS NULL
  AND NOT EXISTS(
    SELECT
      1
    FROM songs AS s
    WHERE
      s.song_id = p.song_id
  )
UNION ALL
SELECT
  'songplays.artist_id' AS reference,
  p.artist_id AS key_value
FROM songplays AS p
WHERE
  NOT p.artist_id IS NULL
  AND NOT EXISTS(
    SELECT
      1
    FROM artists AS a
    WHERE
      a.artist_id = p.artist_id
  )
UNION ALL
SELECT
  'songs.artist_id' AS reference,
  s.artist_id AS key_value
FROM songs AS s
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM artists AS a
    WHERE
      a.artist_id = s.artist_id
  );

-- checks/unique_keys.sql:1 7cb142b7d81af856
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

-- ledger/current_files.sql:1 32a73097727e1b6c
SELECT
  file_id,
  kind,
  uri,
  size,
  version,
  state,
  run_id,
  rows_rejected
FROM etl.files
WHERE
  state IN ('loaded', 'retracted');

-- ledger/files_with_rejects.sql:1 375faff9e06ba222
SELECT
  uri,
  rows_rejected
FROM etl.files
WHERE
  state = 'loaded' AND rows_rejected > 0;

-- ledger/find_run.sql:1 ef15da665adcdc2d
SELECT
  mode,
  status
FROM etl.runs
WHERE
  run_id = $run_id;

-- ledger/latest_run.sql:1 1e8d7c5b83eb06b1
SELECT
  COALESCE(MAX(run_id), 0) AS run_id
FROM etl.runs;

-- ledger/list_files.sql:1 32964d575d5ee040
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

-- ledger/list_runs.sql:1 fc45b44d530d1033
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

-- ledger/read_meta.sql:1 bee3f8fb4c3f6566
SELECT
  schema_version,
  rules_version,
  models_digest,
  made_by,
  upgraded_by
FROM etl.meta;

-- ledger/rejects_by_reason.sql:1 42c3b910ed738295
SELECT
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
  r.reason,
  NOT f.file_id IS NULL
ORDER BY
  published DESC NULLS FIRST,
  rejects DESC NULLS FIRST,
  r.reason;

-- ledger/rejects_in_full.sql:1 d703ee14f6612304
SELECT
  r.run_id,
  NOT f.file_id IS NULL AS published,
  r.uri,
  r.line,
  r.byte_offset,
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
    $reason = '' OR r.reason = $reason
  )
  AND (
    $uri = '' OR RIGHT(r.uri, LENGTH($uri)) = $uri
  )
ORDER BY
  r.uri,
  r.line,
  r.run_id
LIMIT $most;

-- ledger/removed_range.sql:1 576c79e349478619
SELECT
  MIN(ts) AS ts_from,
  MAX(ts) AS ts_to
FROM staging_events
WHERE
  file_id IN (
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

-- ledger/star_totals.sql:1 576f0e9065de4e4c
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

-- ledger/supersede.sql:1 e0cb611e7158571d
UPDATE etl.files SET state = $state
WHERE
  state IN ('loaded', 'retracted')
  AND file_id IN (
    SELECT
      file_id
    FROM run_files
  );

-- ledger/taken_out.sql:1 8573e20a61a05203
SELECT
  COUNT(*) AS files,
  COALESCE(SUM(f.rows_read), 0) AS rows_read,
  COALESCE(SUM(f.rows_loaded), 0) AS rows_loaded,
  COALESCE(SUM(f.rows_rejected), 0) AS rows_rejected,
  COALESCE(SUM(f.plays_loaded), 0) AS plays_loaded
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

-- questions/5_matches.sql:1 a9136aafcb32345a
SELECT
  COALESCE(p.song_match, 'not in the catalogue') AS song_match,
  COUNT(*) AS plays
FROM songplays AS p
GROUP BY
  p.song_match
ORDER BY
  plays DESC NULLS FIRST;

-- run/clear.sql:1 953c780020c72a35
DELETE FROM run_files;

-- run/clear.sql:4 a6c50e3e4fec521f
DELETE FROM run_changed_songs;

-- run/clear.sql:6 34abbe8d9a005594
DELETE FROM run_changed_artists;

-- run/clear.sql:8 54fd10894a93e822
DELETE FROM run_changed_titles;

-- run/clear.sql:10 5180ea5bb2bee7da
DELETE FROM run_song_matches;

-- run/no_files.sql:1 904d9e8362c0d0c7
DELETE FROM run_files;

-- run/run_scope.sql:1 ed2b92b4e32c0afe
CREATE TEMPORARY TABLE IF NOT EXISTS run_files (
  file_id BIGINT NOT NULL
);

-- run/run_scope.sql:3 32dfb2cd299d0dfc
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_songs (
  song_id TEXT(64) NOT NULL
);

-- run/run_scope.sql:4 9acceddb17a4dd5a
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_artists (
  artist_id TEXT(64) NOT NULL
);

-- run/run_scope.sql:5 74f0722414d4e812
CREATE TEMPORARY TABLE IF NOT EXISTS run_changed_titles (
  title TEXT(1024),
  artist_name TEXT(1024)
);

-- run/run_scope.sql:6 8409ed4ed9a25681
CREATE TEMPORARY TABLE IF NOT EXISTS run_song_matches (
  song TEXT(1024),
  artist TEXT(1024),
  length DOUBLE,
  song_id TEXT(64),
  artist_id TEXT(64),
  song_match TEXT(16)
);

-- run/run_scope.sql:14 171de56939af6e04
CREATE TEMPORARY TABLE IF NOT EXISTS run_users (
  user_id TEXT(64) NOT NULL,
  first_name TEXT(1024),
  last_name TEXT(1024),
  gender TEXT(16),
  level TEXT(16),
  last_seen_ts BIGINT NOT NULL,
  last_item_in_session INT NOT NULL
);

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

-- star/rematch.sql:1 a2765de46f880898
UPDATE songplays SET song_id = r.song_id, artist_id = r.artist_id, song_match = r.song_match
FROM (
  SELECT
    p.songplay_id,
    m.song_id,
    m.artist_id,
    m.song_match
  FROM songplays AS p
  INNER JOIN (
    SELECT DISTINCT
      title,
      artist_name
    FROM run_changed_titles
  ) AS t
    ON p.song = t.title AND p.artist = t.artist_name
  LEFT JOIN run_song_matches AS m
    ON p.song = m.song
    AND p.artist = m.artist
    AND (
      p.length = m.length OR (
        p.length IS NULL AND m.length IS NULL
      )
    )
) AS r
WHERE
  songplays.songplay_id = r.songplay_id;

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

-- star/reset.sql:12 a6c50e3e4fec521f
DELETE FROM run_changed_songs;

-- star/reset.sql:14 34abbe8d9a005594
DELETE FROM run_changed_artists;

-- star/reset.sql:16 2bf6084257a9e07c
INSERT INTO run_changed_songs
SELECT DISTINCT
  song_id
FROM staging_songs;

-- star/reset.sql:18 199bb1d69c65cf39
INSERT INTO run_changed_artists
SELECT DISTINCT
  artist_id
FROM staging_songs;

-- star/song_matches.sql:1 0c20edd2b6b9efa8
INSERT INTO run_song_matches (
  song,
  artist,
  length,
  song_id,
  artist_id,
  song_match
)
WITH played AS (
  SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length
  FROM staging_events AS e
  WHERE
    e.page = 'NextSong' AND e.ts BETWEEN $ts_from AND $ts_to
  UNION
  SELECT
    p.song,
    p.artist,
    p.length
  FROM songplays AS p
  INNER JOIN run_changed_titles AS t
    ON p.song = t.title AND p.artist = t.artist_name
)
SELECT
  p.song,
  p.artist,
  p.length,
  s.song_id,
  s.artist_id,
  CASE WHEN ABS(s.duration - p.length) <= 0.001 THEN 'exact' ELSE 'title_artist' END AS song_match
FROM played AS p
INNER JOIN songs AS s
  ON p.song = s.title AND p.artist = s.artist_name
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY p.song, p.artist, p.length
    ORDER BY ABS(s.duration - p.length), s.song_id
  ) = 1;

-- star/songplays.sql:1 e8be31583c699b87
DELETE FROM songplays
WHERE
  start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND;

-- star/songplays.sql:12 518720351be8fd41
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
  WHERE
    e.page = 'NextSong'
    AND e.ts BETWEEN $ts_from AND $ts_to
    AND NOT e.ts IN (
      SELECT
        r.ts
      FROM repeated AS r
    )
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

-- star/time.sql:1 bf18213bb28ba7fb
DELETE FROM time
WHERE
  start_time BETWEEN CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_from) MILLISECOND AND CAST('1970-01-01' AS TIMESTAMP) + INTERVAL ($ts_to) MILLISECOND;

-- star/time.sql:6 684e9d372b8480a6
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
) AS p;

-- star/users.sql:1 9a38defe1ebc095c
DELETE FROM run_users;

-- star/users.sql:7 03915bbac51c48c7
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
    e.user_id <> '' AND e.ts BETWEEN $users_from AND $users_to
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

-- star/users.sql:39 a772ab7d070e469c
DELETE FROM users
WHERE
  user_id IN (
    SELECT
      user_id
    FROM run_users
  );

-- star/users.sql:41 ce1539bdd2445ffb
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

-- tables/artists.sql:1 43bdf83902289ce7
CREATE TABLE IF NOT EXISTS artists (
  artist_id TEXT(64) NOT NULL,
  name TEXT(1024),
  location TEXT(1024),
  latitude DOUBLE,
  longitude DOUBLE
);

-- tables/etl/checks.sql:1 09d257e7814333d0
CREATE TABLE IF NOT EXISTS etl.checks (
  run_id INT NOT NULL,
  check_name TEXT(64) NOT NULL,
  failing_rows BIGINT NOT NULL,
  sample TEXT(4096)
);

-- tables/etl/files.sql:1 4997a45c5d377961
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
  plays_loaded BIGINT NOT NULL
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

-- tables/etl/rejects.sql:1 601cd3ff2ebb2a37
CREATE TABLE IF NOT EXISTS etl.rejects (
  run_id INT NOT NULL,
  file_id BIGINT NOT NULL,
  uri TEXT(4096) NOT NULL,
  line BIGINT NOT NULL,
  byte_offset BIGINT NOT NULL,
  reason TEXT(32) NOT NULL,
  detail TEXT(1024) NOT NULL,
  content TEXT(65535) NOT NULL,
  encoding TEXT(16) NOT NULL
);

-- tables/etl/runs.sql:1 167c1cbee208834e
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
  error TEXT(4096)
);

-- tables/etl/unknown_fields.sql:1 0153b8a50d3f7406
CREATE TABLE IF NOT EXISTS etl.unknown_fields (
  run_id INT NOT NULL,
  kind TEXT(16) NOT NULL,
  field TEXT(1024) NOT NULL,
  occurrences BIGINT NOT NULL,
  first_uri TEXT(4096) NOT NULL
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

-- touch/events_removed.sql:1 652d652abb525a3f
DELETE FROM users
WHERE
  user_id IN (
    SELECT
      user_id
    FROM staging_events
    WHERE
      file_id IN (
        SELECT
          file_id
        FROM run_files
      )
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

-- derived/songs.sql:1 55fb39cddc737be6
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
  file_id BIGINT NOT NULL
);

-- derived/songs.sql:18 b5dd500a7d9a51f0
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
  needs_rereading BOOLEAN
);

-- derived/songs.sql:34 00efaacf54ab7384
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
  file_id
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
  file_id
FROM run_songs;

-- derived/songs.sql:44 f98105dbc28e73ab
SELECT
  file_id,
  COUNT(*) AS landed,
  0 AS plays,
  CAST(NULL AS BIGINT) AS ts_from,
  CAST(NULL AS BIGINT) AS ts_to,
  COUNT(CASE WHEN needs_rereading THEN 1 END) AS needs_rereading,
  10 * COUNT(*) - COUNT(num_songs) - COUNT(artist_id) - COUNT(artist_latitude) - COUNT(artist_longitude) - COUNT(artist_location) - COUNT(artist_name) - COUNT(song_id) - COUNT(title) - COUNT(duration) - COUNT(year) AS null_values,
  COUNT(artist_id) + COUNT(artist_location) + COUNT(artist_name) + COUNT(song_id) + COUNT(title) AS text_values
FROM run_songs
GROUP BY
  file_id;

-- derived/events.sql:1 0369d15c37f5e36d
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
  file_id BIGINT NOT NULL
);

-- derived/events.sql:26 02a00e5d3d83842a
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
  needs_rereading BOOLEAN
);

-- derived/events.sql:50 05ce3e3f67a79f56
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
  file_id
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
  file_id
FROM run_events;

-- derived/events.sql:60 42be1f7d667d0090
SELECT
  file_id,
  COUNT(*) AS landed,
  COUNT(CASE WHEN page = 'NextSong' THEN 1 END) AS plays,
  MIN(ts) AS ts_from,
  MAX(ts) AS ts_to,
  COUNT(CASE WHEN needs_rereading THEN 1 END) AS needs_rereading,
  18 * COUNT(*) - COUNT(artist) - COUNT(auth) - COUNT(first_name) - COUNT(gender) - COUNT(item_in_session) - COUNT(last_name) - COUNT(length) - COUNT(level) - COUNT(location) - COUNT(method) - COUNT(page) - COUNT(registration) - COUNT(session_id) - COUNT(song) - COUNT(status) - COUNT(ts) - COUNT(user_agent) - COUNT(user_id) AS null_values,
  COUNT(artist) + COUNT(auth) + COUNT(first_name) + COUNT(gender) + COUNT(last_name) + COUNT(level) + COUNT(location) + COUNT(method) + COUNT(page) + COUNT(song) + COUNT(user_agent) + COUNT(user_id) AS text_values
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

-- derived/all_kinds.sql:19 08b24697a0a627ea
SELECT
  f.uri,
  f.rows_read,
  f.rows_loaded,
  f.rows_rejected,
  COALESCE(s.staged, 0) AS staged
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
    f.rows_read <> f.rows_loaded + f.rows_rejected
    OR f.rows_loaded <> COALESCE(s.staged, 0)
  );

-- derived/all_kinds.sql:38 9d0a147ccb6a3d79
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

-- derived/tables.sql:32 ff4691b895b3093e
DROP TABLE IF EXISTS etl.files;

-- derived/tables.sql:34 05f6463a11215eac
DROP TABLE IF EXISTS etl.meta;

-- derived/tables.sql:36 f2d5d9c5d5173b21
DROP TABLE IF EXISTS etl.rejects;

-- derived/tables.sql:38 45f1ffdab5107ae0
DROP TABLE IF EXISTS etl.runs;

-- derived/tables.sql:40 b05a870fecd0bc61
DROP TABLE IF EXISTS etl.unknown_fields;
