-- The (title, artist, length) of the run's plays, and between which moments they are played.
-- Trailing blanks never matter: Redshift ignores them in every comparison, so the rule says so.
DELETE FROM run_played;

INSERT INTO run_played (song, artist, length, played_from, played_to)
SELECT
    RTRIM(e.song, ' ') AS song,
    RTRIM(e.artist, ' ') AS artist,
    e.length,
    MIN(e.ts) AS played_from,
    MAX(e.ts) AS played_to
FROM staging_events AS e
WHERE
    e.page = 'NextSong' AND e.ts BETWEEN :ts_from AND :ts_to
    AND e.ts IN (SELECT m.ts FROM run_moments AS m WHERE m.ts BETWEEN :ts_from AND :ts_to)  -- sparse
GROUP BY RTRIM(e.song, ' '), RTRIM(e.artist, ' '), e.length;

-- A song that arrives later is looked up here, so that no play is read for titles that nobody played.
UPDATE etl.played_titles SET
    played_from = LEAST(played_from, r.first_ts),
    played_to = GREATEST(played_to, r.last_ts)
FROM (
    SELECT song AS title, artist AS artist_name, MIN(played_from) AS first_ts, MAX(played_to) AS last_ts
    FROM run_played
    WHERE song <> '' AND artist <> ''
    GROUP BY song, artist
) AS r
WHERE song = r.title AND artist = r.artist_name AND (r.first_ts < played_from OR r.last_ts > played_to);

INSERT INTO etl.played_titles (song, artist, played_from, played_to)
SELECT r.song, r.artist, MIN(r.played_from) AS played_from, MAX(r.played_to) AS played_to
FROM run_played AS r
LEFT JOIN etl.played_titles AS t ON r.song = t.song AND r.artist = t.artist
WHERE r.song <> '' AND r.artist <> '' AND t.song IS NULL
GROUP BY r.song, r.artist;
