-- The moments of the events that this run accepts.
INSERT INTO run_moments SELECT ts FROM run_events;
