-- Changes of level by day
-- One row per UTC day on which somebody changed; the latest 366 days of the range. A change is the first
-- event on another level than the one before. free_to_paid and paid_to_free count changes, not people;
-- other_changes: to or from an unknown level, or one of another name.
SELECT
    CAST(c.changed_at AS DATE) AS day,
    COUNT(CASE WHEN c.from_level = 'free' AND c.to_level = 'paid' THEN 1 END) AS free_to_paid,
    COUNT(CASE WHEN c.from_level = 'paid' AND c.to_level = 'free' THEN 1 END) AS paid_to_free,
    COUNT(
        CASE
            WHEN c.from_level = 'free' AND c.to_level = 'paid' THEN NULL
            WHEN c.from_level = 'paid' AND c.to_level = 'free' THEN NULL
            ELSE 1
        END
    ) AS other_changes
FROM analytics.level_changes AS c
WHERE c.changed_at >= :days_since AND c.changed_at < :until
GROUP BY CAST(c.changed_at AS DATE)
ORDER BY 1;
