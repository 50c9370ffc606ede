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
