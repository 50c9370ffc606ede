-- The tables of the warehouse for which the user lacks a privilege to read or write; a run also updates two.
SELECT schemaname || '.' || tablename AS table_name
FROM pg_tables
WHERE
    (
        schemaname = 'etl'
        OR (
            schemaname = 'public'
            AND tablename IN (
                'staging_events', 'staging_songs', 'songplays', 'users', 'songs', 'artists', 'time'
            )
        )
    )
    AND NOT (
        HAS_TABLE_PRIVILEGE(schemaname || '.' || tablename, 'select')
        AND HAS_TABLE_PRIVILEGE(schemaname || '.' || tablename, 'insert')
        AND HAS_TABLE_PRIVILEGE(schemaname || '.' || tablename, 'delete')
        AND (
            schemaname || '.' || tablename NOT IN ('etl.files', 'public.songplays')
            OR HAS_TABLE_PRIVILEGE(schemaname || '.' || tablename, 'update')
        )
    )
ORDER BY table_name;
