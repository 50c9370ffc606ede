-- Empty the list of files that get another number or name.
DELETE FROM run_moves;
