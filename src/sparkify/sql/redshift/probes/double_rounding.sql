-- Is a text the nearest DOUBLE? The first bits behind the point, as a whole number.
-- expected: 1150511898662207488
-- otherwise: lengths and coordinates differ from those of DuckDB in the last bit
SELECT
    CAST(
        CAST((CAST(t.value AS DOUBLE PRECISION) - 209) * 1152921504606846976 AS BIGINT) AS VARCHAR(32)
    ) AS answer
FROM proof_texts AS t
WHERE t.name = 'length';
