-- How many plays are of a song in the catalogue. One row per way of matching.
-- grain: song_match
-- exact: title, artist and length (to 0.001 s); title_artist: another length; NULL: no song has that title
-- and artist, letter by letter.
CREATE VIEW analytics.match_coverage AS
SELECT p.song_match, COUNT(*) AS plays
FROM songplays AS p
GROUP BY p.song_match;
