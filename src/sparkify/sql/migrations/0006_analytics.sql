-- The views for analysts have a schema of their own. The next command that writes makes them.
CREATE SCHEMA IF NOT EXISTS analytics;
