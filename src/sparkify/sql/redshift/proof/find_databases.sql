-- The databases of proofs: under way, or killed before they removed them.
SELECT datname FROM pg_database WHERE datname LIKE 'sparkify_proof%' ORDER BY datname;
