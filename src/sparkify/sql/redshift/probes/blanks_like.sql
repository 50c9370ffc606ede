-- Does LIKE see blanks at the end of a text?
-- expected: yes
-- otherwise: users and pages that end in a blank are not found, and not read again
SELECT CASE WHEN t.value || ' ' LIKE '% ' THEN 'yes' ELSE 'no' END AS answer
FROM proof_texts AS t
WHERE t.name = 'word';
