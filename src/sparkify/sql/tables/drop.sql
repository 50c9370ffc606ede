-- Everything we made, the ledger included.
DROP TABLE IF EXISTS songplays;

DROP TABLE IF EXISTS users;

DROP TABLE IF EXISTS songs;

DROP TABLE IF EXISTS artists;

DROP TABLE IF EXISTS time;

DROP TABLE IF EXISTS staging_events;

DROP TABLE IF EXISTS staging_songs;

DROP TABLE IF EXISTS etl.runs;

DROP TABLE IF EXISTS etl.files;

DROP TABLE IF EXISTS etl.rejects;

DROP TABLE IF EXISTS etl.checks;

DROP TABLE IF EXISTS etl.unknown_fields;
