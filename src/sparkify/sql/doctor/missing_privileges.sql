-- What a run needs and the user may not do, in words. The right to create is asked for where tables are
-- missing (to_create is 1). A table's rights can be asked for in an open schema only.
SELECT 'CREATE on schema ' || nspname AS missing
FROM pg_namespace
WHERE
    :to_create = 1
    AND nspname IN ('public', 'etl')
    AND NOT HAS_SCHEMA_PRIVILEGE(nspname, 'create')
UNION
SELECT 'CREATE on the database (for the schemas etl and analytics)' AS missing
WHERE :to_create = 1 AND NOT HAS_DATABASE_PRIVILEGE(CURRENT_DATABASE(), 'create')
UNION
SELECT 'TEMP on the database' AS missing
WHERE NOT HAS_DATABASE_PRIVILEGE(CURRENT_DATABASE(), 'temp')
UNION
SELECT
    CASE
        WHEN NOT HAS_SCHEMA_PRIVILEGE(schemaname, 'usage') THEN 'USAGE on schema ' || schemaname
        WHEN
            HAS_TABLE_PRIVILEGE(schemaname || '.' || tablename, 'select')
            AND HAS_TABLE_PRIVILEGE(schemaname || '.' || tablename, 'insert')
            AND HAS_TABLE_PRIVILEGE(schemaname || '.' || tablename, 'delete')
            AND (
                schemaname || '.' || tablename NOT IN (
                    'etl.files', 'etl.rejects', 'etl.days', 'etl.meta', 'etl.played_titles'
                )
                OR HAS_TABLE_PRIVILEGE(schemaname || '.' || tablename, 'update')
            )
            THEN ''
        WHEN
            schemaname || '.' || tablename IN (
                'etl.files', 'etl.rejects', 'etl.days', 'etl.meta', 'etl.played_titles'
            )
            THEN 'SELECT, INSERT, UPDATE and DELETE on ' || schemaname || '.' || tablename
        ELSE 'SELECT, INSERT and DELETE on ' || schemaname || '.' || tablename
    END AS missing
FROM pg_tables
WHERE
    schemaname = 'etl'
    OR (
        schemaname = 'public'
        AND tablename IN (
            'staging_events', 'staging_songs', 'songplays', 'users', 'songs', 'artists', 'time'
        )
    )
ORDER BY missing;
