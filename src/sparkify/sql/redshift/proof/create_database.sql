-- The database in which `sparkify prove` works, beside the user's own. It takes CREATEDB.
CREATE DATABASE :database;
