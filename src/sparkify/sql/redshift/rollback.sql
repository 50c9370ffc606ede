-- Leave everything as it was.
ROLLBACK;
