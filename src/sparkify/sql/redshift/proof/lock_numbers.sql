-- Lock the table as a run locks etl.runs.
LOCK proof_shared;
