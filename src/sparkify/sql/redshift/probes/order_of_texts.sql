-- In which order are Zz, aa and an a with an accent?
-- expected: Zz aa ää
-- otherwise: of deliveries that differ, another one wins than on DuckDB
SELECT LISTAGG(t.value, ' ') WITHIN GROUP (ORDER BY t.value) AS answer
FROM proof_texts AS t
WHERE t.name LIKE 'order%';
