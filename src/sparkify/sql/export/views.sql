-- The views for analysts.
SELECT viewname AS view_name
FROM pg_views
WHERE schemaname = 'analytics'
ORDER BY viewname;
