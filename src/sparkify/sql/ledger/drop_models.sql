-- A reset drops the list of the user's own models, too.
DROP TABLE IF EXISTS etl.models;
