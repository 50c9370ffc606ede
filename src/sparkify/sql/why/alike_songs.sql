-- Songs that have pieces of words in common with a title and artist, those with most first. What a title is
-- worth is shared by its pieces, and so for artists. Which songs differ least is not decided here.
-- The letters are compared in lower case and without accents.
SELECT c.song_id, c.title, c.artist_id, c.artist_name, c.duration, c.year
FROM (
    SELECT
        s.song_id,
        s.title,
        s.artist_id,
        s.artist_name,
        s.duration,
        s.year,
        COALESCE(TRANSLATE(LOWER(s.title), :accented, :plain), '') AS title_letters,
        COALESCE(TRANSLATE(LOWER(s.artist_name), :accented, :plain), '') AS artist_letters
    FROM songs AS s
) AS c
ORDER BY
    CASE WHEN STRPOS(c.title_letters, :title_a) > 0 THEN :title_worth ELSE 0 END
    + CASE WHEN STRPOS(c.title_letters, :title_b) > 0 THEN :title_worth ELSE 0 END
    + CASE WHEN STRPOS(c.title_letters, :title_c) > 0 THEN :title_worth ELSE 0 END
    + CASE WHEN STRPOS(c.title_letters, :title_d) > 0 THEN :title_worth ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, :artist_a) > 0 THEN :artist_worth ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, :artist_b) > 0 THEN :artist_worth ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, :artist_c) > 0 THEN :artist_worth ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, :artist_d) > 0 THEN :artist_worth ELSE 0 END DESC,
    ABS(LEN(c.title_letters) - :title_length) + ABS(LEN(c.artist_letters) - :artist_length),
    c.song_id
LIMIT :most;
