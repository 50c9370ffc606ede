-- What is minus seven divided by two, as integers?
-- expected: -3
-- otherwise: counts of days and pieces of a scope are off by one
SELECT CAST(CAST('-' || t.value AS INTEGER) / 2 AS VARCHAR(32)) AS answer
FROM proof_texts AS t
WHERE t.name = 'seven';
