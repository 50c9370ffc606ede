-- The plays that stay without their person (run_gone): how many rows of staging they are, and how many
-- different events; how many plays the star has of them, and how many of these match a song.
SELECT s.staged, s.events, k.plays, k.matched
FROM (
    SELECT SUM(d.deliveries) AS staged, COUNT(*) AS events
    FROM (
        SELECT COUNT(*) AS deliveries
        FROM run_gone AS r
        WHERE r.user_id IS NOT NULL
        GROUP BY r.user_id, r.session_id, r.item_in_session, r.ts
    ) AS d
) AS s
CROSS JOIN (
    SELECT COUNT(*) AS plays, COUNT(p.song_id) AS matched
    FROM songplays AS p
    WHERE p.user_id IN (SELECT g.user_id FROM run_gone AS g WHERE g.user_id IS NOT NULL)
) AS k;
