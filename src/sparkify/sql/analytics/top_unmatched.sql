-- What people play and the catalogue lacks: the list to work off. One row per title and artist.
-- grain: song, artist
-- The most played come first. `sparkify why --song … --artist …` tells what comes near.
CREATE VIEW analytics.top_unmatched AS
SELECT p.song, p.artist, COUNT(*) AS plays
FROM songplays AS p
WHERE p.song_id IS NULL
GROUP BY p.song, p.artist
ORDER BY plays DESC, p.song, p.artist;
