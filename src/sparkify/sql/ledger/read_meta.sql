-- The versions of the tables, rules and models that the warehouse was made with.
SELECT schema_version, rules_version, models_digest, made_by, upgraded_by FROM etl.meta;
