-- of 74d6193425a4eece
DROP TABLE IF EXISTS songplays;
-- of 6b78a3a945fd6230
DROP TABLE IF EXISTS users;
-- of ec8d2b504b5f81c1
DROP TABLE IF EXISTS songs;
-- of a9eb0ca1aded3d7a
DROP TABLE IF EXISTS artists;
-- of 9e762d58a02ddf41
DROP TABLE IF EXISTS time;
-- of a5875a545713e7ac
DROP TABLE IF EXISTS staging_events;
-- of b6e1441e665206f9
DROP TABLE IF EXISTS staging_songs;
-- of 45f1ffdab5107ae0
DROP TABLE IF EXISTS etl.runs;
-- of ff4691b895b3093e
DROP TABLE IF EXISTS etl.files;
-- of f2d5d9c5d5173b21
DROP TABLE IF EXISTS etl.rejects;
-- of c0887c24f3db75b8
DROP TABLE IF EXISTS etl.checks;
-- of b05a870fecd0bc61
DROP TABLE IF EXISTS etl.unknown_fields;
