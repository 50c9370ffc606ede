-- The first statement of a session of the Data API: it logs in, and names us as AWS's driver does.
SET application_name TO 'sparkify';
