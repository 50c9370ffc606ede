-- The schema of the views for analysts.
CREATE SCHEMA IF NOT EXISTS analytics;
