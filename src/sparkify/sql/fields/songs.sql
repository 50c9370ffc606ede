-- How many song records there are.
SELECT COUNT(*) AS songs
FROM staging_songs;

-- What they hold that has no column.
SELECT s.extra
FROM staging_songs AS s
WHERE s.extra IS NOT NULL;
