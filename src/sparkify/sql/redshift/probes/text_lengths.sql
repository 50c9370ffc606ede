-- How many characters and bytes is a text with an umlaut and two blanks?
-- expected: 5 6
-- otherwise: values that are too long are not found before they are written
SELECT
    CAST(LEN(t.value || '  ') AS VARCHAR(32)) || ' ' || CAST(OCTET_LENGTH(t.value || '  ') AS VARCHAR(32))
    AS answer
FROM proof_texts AS t
WHERE t.name = 'umlaut';
