-- Does a regular expression count repetitions, {1,2}?
-- expected: no
-- otherwise: numbers too long for their type are converted, and the statement fails
SELECT CASE WHEN t.value ~ '^-?[0-9]{1,2}$' THEN 'yes' ELSE 'no' END AS answer
FROM proof_texts AS t
WHERE t.name = 'hundred';
