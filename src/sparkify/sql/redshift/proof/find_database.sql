-- One row if it is there already.
SELECT datname FROM pg_database WHERE datname = 'sparkify_proof';
