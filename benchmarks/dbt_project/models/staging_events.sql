{{ config(materialized="incremental", incremental_strategy="append") }}

SELECT
    artist, auth, firstName AS first_name, gender, itemInSession AS item_in_session, lastName AS last_name, length,
    level, location, method, page, registration, sessionId AS session_id, song, status, ts,
    userAgent AS user_agent, userId AS user_id, hash(filename) AS file_id
FROM read_json('{{ var("logs") }}', format = 'newline_delimited', filename = true, columns = {
    artist: 'VARCHAR', auth: 'VARCHAR', firstName: 'VARCHAR', gender: 'VARCHAR', itemInSession: 'INTEGER',
    lastName: 'VARCHAR', length: 'DOUBLE', level: 'VARCHAR', location: 'VARCHAR', method: 'VARCHAR',
    page: 'VARCHAR', registration: 'DOUBLE', sessionId: 'BIGINT', song: 'VARCHAR', status: 'INTEGER', ts: 'BIGINT',
    userAgent: 'VARCHAR', userId: 'VARCHAR'
})
{% if is_incremental() %}
WHERE ts > (SELECT max(ts) FROM {{ this }})
{% endif %}
