-- Why COPY skipped packed records, on clusters without SYS views.
SELECT
    RTRIM(filename) AS file_name,
    line_number,
    RTRIM(colname) AS column_name,
    RTRIM(err_reason) AS reason,
    RTRIM(raw_field_value) AS raw_value
FROM stl_load_errors
WHERE filename LIKE :folder || '%'
ORDER BY starttime DESC, line_number
LIMIT 5;
