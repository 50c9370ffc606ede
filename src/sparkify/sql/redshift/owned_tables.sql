-- The tables of the warehouse whose statistics this user may renew: those it owns; all, for a superuser.
SELECT t.schemaname || '.' || t.tablename AS table_name
FROM pg_tables AS t
WHERE
    t.schemaname IN ('public', 'etl')
    AND (
        t.tableowner = CURRENT_USER
        OR EXISTS (SELECT 1 FROM pg_user AS u WHERE u.usename = CURRENT_USER AND u.usesuper)
    );
