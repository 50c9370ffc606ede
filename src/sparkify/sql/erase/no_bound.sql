-- Another bound of time takes the place of the one there was.
DELETE FROM etl.erased WHERE person IS NULL;
