-- Every run takes this lock first, before its snapshot: one publishes at a time, and knows what the last
-- one did. Only this table: LOCK makes readers wait too, and the star has readers.
LOCK etl.runs;
