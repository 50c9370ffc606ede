-- Does $ of a regular expression match before a line break at the end of a text?
-- expected: no
-- otherwise: a number with a line break behind it is taken for one that COPY may convert
SELECT CASE WHEN t.value || CHR(10) ~ '^-?[0-9]{1,9}$' THEN 'yes' ELSE 'no' END AS answer
FROM proof_texts AS t
WHERE t.name = 'digits';
