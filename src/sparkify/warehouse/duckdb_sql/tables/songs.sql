-- of 43efbfcc97e6e1eb
CREATE TABLE IF NOT EXISTS songs (song_id TEXT(64) NOT NULL, title TEXT(1024), artist_id TEXT(64) NOT NULL, year INT, duration DOUBLE, artist_name TEXT(1024));
