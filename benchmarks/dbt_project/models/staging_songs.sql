SELECT * EXCLUDE (filename), hash(filename) AS file_id
FROM read_json('{{ var("songs") }}', filename = true, columns = {
    num_songs: 'INTEGER', artist_id: 'VARCHAR', artist_latitude: 'DOUBLE', artist_longitude: 'DOUBLE',
    artist_location: 'VARCHAR', artist_name: 'VARCHAR', song_id: 'VARCHAR', title: 'VARCHAR', duration: 'DOUBLE',
    year: 'INTEGER'
})
