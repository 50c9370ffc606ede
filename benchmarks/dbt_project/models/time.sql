{{ config(materialized="incremental", incremental_strategy="append") }}

SELECT
    start_time, hour(start_time) AS hour, day(start_time) AS day, week(start_time) AS week,
    month(start_time) AS month, year(start_time) AS year, dayofweek(start_time) AS weekday
FROM (
    SELECT DISTINCT start_time
    FROM {{ ref("songplays") }}
    {% if is_incremental() %}
    WHERE start_time > (SELECT max(start_time) FROM {{ this }})
    {% endif %}
)
