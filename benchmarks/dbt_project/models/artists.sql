WITH names AS (
    SELECT artist_id, artist_name AS name
    FROM {{ ref("staging_songs") }}
    GROUP BY artist_id, artist_name
    QUALIFY row_number() OVER (PARTITION BY artist_id ORDER BY count(*) DESC, length(name), name) = 1
),

places AS (
    SELECT
        artist_id, NULLIF(artist_location, '') AS location, artist_latitude AS latitude,
        artist_longitude AS longitude
    FROM {{ ref("staging_songs") }}
    QUALIFY row_number() OVER (
        PARTITION BY artist_id ORDER BY location IS NULL, latitude IS NULL, location, latitude, longitude
    ) = 1
)

SELECT * FROM names INNER JOIN places USING (artist_id)
