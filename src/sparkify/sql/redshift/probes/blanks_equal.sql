-- Is a text equal to itself with blanks behind it?
-- expected: yes
-- otherwise: keys that differ in blanks alone are two rows here and one in the planner's eyes, or the
-- other way round
SELECT CASE WHEN t.value = t.value || '  ' THEN 'yes' ELSE 'no' END AS answer
FROM proof_texts AS t
WHERE t.name = 'word';
