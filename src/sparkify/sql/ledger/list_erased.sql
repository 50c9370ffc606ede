-- Who and what was erased.
SELECT person, field, digest, keeps_plays, hash_key, before_ts FROM etl.erased;
