SELECT song_id, title, artist_id, NULLIF(year, 0) AS year, duration, artist_name
FROM {{ ref("staging_songs") }}
