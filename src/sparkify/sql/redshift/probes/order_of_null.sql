-- Does NULL come last in an ascending order?
-- expected: yes
-- otherwise: of deliveries that differ, one that lacks a value wins
SELECT CASE WHEN r.place = 2 THEN 'yes' ELSE 'no' END AS answer
FROM (
    SELECT
        t.value,
        ROW_NUMBER() OVER (ORDER BY t.value) AS place
    FROM proof_texts AS t
    WHERE t.name IN ('seven', 'nothing')
) AS r
WHERE r.value IS NULL;
