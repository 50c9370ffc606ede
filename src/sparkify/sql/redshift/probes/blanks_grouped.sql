-- Does GROUP BY put a text and the same with blanks behind it together?
-- expected: 1
-- otherwise: counts by a text differ from those of DuckDB, where blanks are removed beforehand
SELECT CAST(COUNT(*) AS VARCHAR(32)) AS answer
FROM (
    SELECT v.word FROM (
        SELECT t.value AS word FROM proof_texts AS t WHERE t.name = 'word'
        UNION ALL
        SELECT t.value || ' ' AS word FROM proof_texts AS t WHERE t.name = 'word'
    ) AS v
    GROUP BY v.word
) AS g;
