-- No file is chosen any more.
DELETE FROM run_files;
