-- of 1c8e3afb29cb9359
CREATE TEMPORARY TABLE IF NOT EXISTS run_songs (num_songs INT, artist_id TEXT(64), artist_latitude DOUBLE, artist_longitude DOUBLE, artist_location TEXT(1024), artist_name TEXT(1024), song_id TEXT(64), title TEXT(1024), duration DOUBLE, year INT, file_id BIGINT NOT NULL, suspect BOOLEAN);
