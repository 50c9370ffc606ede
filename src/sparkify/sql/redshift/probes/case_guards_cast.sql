-- Does CASE keep a text from a cast that its condition excludes?
-- expected: 203
-- otherwise: a file with one wrong number fails the statement that converts all of them
SELECT
    CAST(
        SUM(CASE WHEN t.value ~ '^-?[0-9]{1,9}$' THEN CAST(t.value AS INTEGER) END) AS VARCHAR(32)
    ) AS answer
FROM proof_texts AS t;
