-- Does DATEADD take a BIGINT of today's milliseconds, and keep every one?
-- expected: 1541121934796
-- otherwise: times of plays are wrong, or no run gets through
SELECT
    CAST(
        DATEDIFF(
            ms, '1970-01-01'::TIMESTAMP,
            DATEADD(ms, CAST('15411219347' || t.value AS BIGINT), '1970-01-01'::TIMESTAMP)
        ) AS VARCHAR(32)
    ) AS answer
FROM proof_texts AS t
WHERE t.name = 'digits';
