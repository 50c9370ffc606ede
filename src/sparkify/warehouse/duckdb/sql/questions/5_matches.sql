-- of a9136aafcb32345a
SELECT COALESCE(p.song_match, 'not in the catalogue') AS song_match, COUNT(*) AS plays FROM songplays AS p GROUP BY p.song_match ORDER BY plays DESC NULLS FIRST;
