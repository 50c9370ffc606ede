-- Every run takes this lock first, before its snapshot: one run publishes at a time, and sees the result of
-- the one before. Only this table is locked: LOCK makes readers wait too, and the star has readers.
LOCK etl.runs;
