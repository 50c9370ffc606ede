-- Which week is Friday, the first of January 2021, in?
-- expected: 53
-- otherwise: the column week of the table time is no ISO week
SELECT CAST(EXTRACT(WEEK FROM CAST(t.value AS TIMESTAMP)) AS VARCHAR(32)) AS answer
FROM proof_texts AS t
WHERE t.name = 'friday';
