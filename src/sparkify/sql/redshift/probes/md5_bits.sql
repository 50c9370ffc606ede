-- What are the first 60 bits of an MD5 of a text beyond ASCII?
-- expected: 1131611831968190211
-- otherwise: plays have other numbers than on DuckDB
SELECT CAST(STRTOL(SUBSTRING(MD5(t.value), 1, 15), 16) AS VARCHAR(32)) AS answer
FROM proof_texts AS t
WHERE t.name = 'umlaut';
