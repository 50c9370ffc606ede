-- Why COPY skipped packed records. Names in system views are padded.
SELECT
    RTRIM(file_name) AS file_name,
    line_number,
    RTRIM(column_name) AS column_name,
    RTRIM(error_message) AS reason,
    '' AS raw_value
FROM sys_load_error_detail
WHERE file_name LIKE :folder || '%'
ORDER BY start_time DESC, line_number
LIMIT 5;
