-- The transaction for reading, and for a user's own queries.
BEGIN READ ONLY;
