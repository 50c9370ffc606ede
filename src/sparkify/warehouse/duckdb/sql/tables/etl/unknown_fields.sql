-- of c9cfecb07e4a6d29
CREATE TABLE IF NOT EXISTS etl.unknown_fields (run_id INT NOT NULL, kind TEXT(16) NOT NULL, field TEXT(1024) NOT NULL, occurrences BIGINT NOT NULL, first_uri TEXT(4096) NOT NULL);
