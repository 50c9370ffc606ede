-- of 596560c38819f17e
CREATE TABLE IF NOT EXISTS songs (song_id TEXT(64) NOT NULL, title TEXT(1024), artist_id TEXT(64) NOT NULL, year INT, duration DOUBLE, artist_name TEXT(1024));
