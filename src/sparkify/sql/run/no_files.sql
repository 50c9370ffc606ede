-- Empty the list of chosen files.
DELETE FROM run_files;
