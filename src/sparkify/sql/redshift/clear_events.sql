-- Empty what was copied.
DELETE FROM run_event_copy;
