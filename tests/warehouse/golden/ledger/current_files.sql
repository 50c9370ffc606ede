SELECT file_id, kind, uri, size, version FROM etl.files WHERE state = 'loaded';
