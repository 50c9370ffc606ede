-- Publish.
COMMIT;
