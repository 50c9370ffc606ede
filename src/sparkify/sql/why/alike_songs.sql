-- Songs that have pieces of words in common with a title and artist, those with most first. Which of them
-- differ least is not decided here.
-- The letters are compared in lower case and without accents: TRANSLATE is slow, so only where there are any.
SELECT c.song_id, c.title, c.artist_id, c.artist_name, c.duration, c.year
FROM (
    SELECT
        s.song_id,
        s.title,
        s.artist_id,
        s.artist_name,
        s.duration,
        s.year,
        COALESCE(
            CASE
                WHEN LEN(s.title) = OCTET_LENGTH(s.title) THEN LOWER(s.title)
                ELSE TRANSLATE(LOWER(s.title), :accented, :plain)
            END, ''
        ) AS title_letters,
        COALESCE(
            CASE
                WHEN LEN(s.artist_name) = OCTET_LENGTH(s.artist_name) THEN LOWER(s.artist_name)
                ELSE TRANSLATE(LOWER(s.artist_name), :accented, :plain)
            END, ''
        ) AS artist_letters
    FROM songs AS s
) AS c
ORDER BY
    CASE WHEN c.title_letters = :title THEN 4 ELSE 0 END
    + CASE WHEN c.artist_letters = :artist THEN 4 ELSE 0 END
    + CASE WHEN STRPOS(c.title_letters, :title_a) > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.title_letters, :title_b) > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.title_letters, :title_c) > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.title_letters, :title_d) > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, :artist_a) > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, :artist_b) > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, :artist_c) > 0 THEN 1 ELSE 0 END
    + CASE WHEN STRPOS(c.artist_letters, :artist_d) > 0 THEN 1 ELSE 0 END DESC,
    ABS(LEN(c.title_letters) - :title_length) + ABS(LEN(c.artist_letters) - :artist_length),
    c.song_id
LIMIT :most;
