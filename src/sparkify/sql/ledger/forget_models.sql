-- The user's own models are listed anew.
DELETE FROM etl.models;
