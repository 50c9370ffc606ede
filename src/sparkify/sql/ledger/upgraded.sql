-- Set the version of the warehouse.
UPDATE etl.meta SET
    schema_version = :schema_version,
    rules_version = :rules_version,
    models_digest = :models_digest,
    upgraded_by = :upgraded_by,
    upgraded_at = :upgraded_at;
