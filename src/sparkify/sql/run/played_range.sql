-- Between which moments titles of the songs that changed are played; NULL: never.
SELECT MIN(p.played_from) AS titles_from, MAX(p.played_to) AS titles_to
FROM etl.played_titles AS p
INNER JOIN run_changed_titles AS t ON p.song = t.title AND p.artist = t.artist_name;
