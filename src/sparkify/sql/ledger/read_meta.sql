-- By which tables, rules and models the warehouse was made.
SELECT schema_version, rules_version, models_digest, made_by, upgraded_by FROM etl.meta;
