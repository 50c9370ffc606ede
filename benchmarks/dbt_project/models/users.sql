{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="user_id") }}

SELECT
    user_id,
    unnest(arg_max({
        first_name: first_name, last_name: last_name, gender: gender, level: level, last_seen_ts: ts,
        last_item_in_session: item_in_session
    }, (ts, item_in_session)))
FROM {{ ref("staging_events") }}
WHERE user_id <> ''
{% if is_incremental() %}
    AND ts > (SELECT max(last_seen_ts) FROM {{ this }})
{% endif %}
GROUP BY user_id
