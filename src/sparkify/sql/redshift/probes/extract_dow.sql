-- Which day of the week is a Friday, as a number?
-- expected: 5
-- otherwise: the column weekday of the table time is shifted
SELECT CAST(EXTRACT(DOW FROM CAST(t.value AS TIMESTAMP)) AS VARCHAR(32)) AS answer
FROM proof_texts AS t
WHERE t.name = 'friday';
