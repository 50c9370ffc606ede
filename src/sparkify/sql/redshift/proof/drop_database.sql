-- Remove it, with all there is in it.
DROP DATABASE :database;
