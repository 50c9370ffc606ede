-- For looking, and for a person's own queries.
BEGIN READ ONLY;
