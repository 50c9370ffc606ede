-- Redshift's own views. The logs behind them are files that the stand-in appends to, because on Redshift too they
-- are outside any transaction: a rolled-back COPY leaves its errors, and a snapshot does not hide new rows.

CREATE FUNCTION pg_catalog.redshift_log(name text) RETURNS SETOF jsonb STABLE STRICT SECURITY DEFINER LANGUAGE sql AS $$
  SELECT line::jsonb
  FROM string_to_table(
    pg_read_file('redshift_log/' || current_database() || '/' || name || '.jsonl', true), chr(10)
  ) AS line
  WHERE line <> ''
$$;
CREATE FUNCTION pg_catalog.redshift_sees(user_id integer) RETURNS boolean STABLE STRICT LANGUAGE sql AS $$
  SELECT rolsuper OR oid::integer = user_id FROM pg_roles WHERE rolname = current_user
$$;

-- CHAR(n) as the system tables fill it: padded, and without CHAR's usual objection to multibyte characters.
CREATE FUNCTION pg_catalog.redshift_padded(text, integer) RETURNS bpchar IMMUTABLE LANGUAGE sql
AS 'SELECT pg_catalog.bpchar($1::bpchar, $2 + 4, true)';

CREATE VIEW pg_catalog.sys_load_history AS
SELECT r.user_id, r.query_id, r.transaction_id, r.session_id, redshift_padded(r.database_name, 128) AS database_name, redshift_padded(r.status, 10) AS status,
  redshift_padded(r.table_name, 128) AS table_name, r.start_time, r.end_time, r.duration, r.data_source, redshift_padded(r.file_format, 16) AS file_format,
  r.loaded_rows, r.loaded_bytes, r.source_file_count, r.source_file_bytes, r.file_count_scanned,
  r.file_bytes_scanned, r.error_count, r.copy_job_id
FROM redshift_log('load_history') AS l, jsonb_to_record(l) AS r (
  user_id integer, query_id bigint, transaction_id bigint, session_id integer, database_name text, status text,
  table_name text, start_time timestamp, end_time timestamp, duration bigint, data_source text, file_format text,
  loaded_rows bigint, loaded_bytes bigint, source_file_count integer, source_file_bytes bigint,
  file_count_scanned integer, file_bytes_scanned bigint, error_count bigint, copy_job_id bigint
)
WHERE redshift_sees(r.user_id);

CREATE VIEW pg_catalog.sys_load_detail AS
SELECT r.user_id, r.query_id, r.transaction_id, r.session_id, redshift_padded(r.database_name, 128) AS database_name, redshift_padded(r.file_name, 256) AS file_name,
  r.bytes_scanned, r.lines_scanned, r.splits_scanned, r.record_time, r.start_offset, r.is_partial
FROM redshift_log('load_detail') AS l, jsonb_to_record(l) AS r (
  user_id integer, query_id bigint, transaction_id bigint, session_id integer, database_name text, file_name text,
  bytes_scanned bigint, lines_scanned bigint, splits_scanned integer, record_time timestamp, start_offset bigint,
  is_partial integer
)
WHERE redshift_sees(r.user_id);

CREATE VIEW pg_catalog.sys_load_error_detail AS
SELECT r.user_id, r.query_id, r.transaction_id, r.session_id, redshift_padded(r.database_name, 128) AS database_name, r.table_id, r.start_time,
  redshift_padded(r.file_name, 256) AS file_name, r.line_number, redshift_padded(r.column_name, 128) AS column_name, redshift_padded(r.column_type, 16) AS column_type,
  redshift_padded(r.column_length, 10) AS column_length, r.position, r.error_code, redshift_padded(r.error_message, 512) AS error_message
FROM redshift_log('load_error') AS l, jsonb_to_record(l) AS r (
  user_id integer, query_id bigint, transaction_id bigint, session_id integer, database_name text, table_id integer,
  start_time timestamp, file_name text, line_number bigint, column_name text, column_type text, column_length text,
  position integer, error_code integer, error_message text
)
WHERE redshift_sees(r.user_id);

CREATE VIEW pg_catalog.stl_load_errors AS
SELECT r.user_id AS userid, 0 AS slice, r.table_id AS tbl, r.start_time AS starttime, r.session_id AS session,
  r.query_id::integer AS query, redshift_padded(r.file_name, 256) AS filename, r.line_number, redshift_padded(r.column_name, 127) AS colname,
  redshift_padded(r.column_type, 10) AS type, redshift_padded(r.column_length, 10) AS col_length, r.position,
  redshift_padded(r.raw_line, 1024) AS raw_line, redshift_padded(r.raw_field_value, 1024) AS raw_field_value, r.error_code AS err_code,
  redshift_padded(r.error_message, 100) AS err_reason, 0 AS is_partial, 0::bigint AS start_offset
FROM redshift_log('load_error') AS l, jsonb_to_record(l) AS r (
  user_id integer, query_id bigint, session_id integer, table_id integer, start_time timestamp, file_name text,
  line_number bigint, column_name text, column_type text, column_length text, position integer, raw_line text,
  raw_field_value text, error_code integer, error_message text
)
WHERE redshift_sees(r.user_id);

CREATE VIEW pg_catalog.stl_load_commits AS
SELECT user_id AS userid, query_id::integer AS query, 0 AS slice, redshift_padded('', 1) AS name, redshift_padded(file_name, 256) AS filename,
  lines_scanned, record_time AS curtime, 1 AS status
FROM pg_catalog.sys_load_detail;

CREATE VIEW pg_catalog.stv_slices AS
SELECT (n / 2)::integer AS node, n::integer AS slice, (n % 2)::integer AS localslice, 'D'::char(1) AS type
FROM generate_series(0, coalesce(nullif(current_setting('redshift.slices', true), ''), '4')::integer - 1) AS n;

-- What Redshift keeps of a table and PostgreSQL has no place for.
CREATE TABLE public.redshift_attributes (
  table_oid oid, diststyle text, distkey text, sortkeys text[], encodings jsonb
);
ALTER TABLE public.redshift_attributes SET SCHEMA pg_catalog;

CREATE VIEW pg_catalog.svv_table_info AS
SELECT current_database()::text AS database, n.nspname::text AS "schema", c.oid::integer AS table_id, c.relname::text AS "table",
  CASE WHEN a.encodings IS NULL OR a.encodings = '{}' THEN 'Y, AUTO(ENCODE)' ELSE 'Y' END AS encoded,
  coalesce(a.diststyle, 'AUTO(ALL)') AS diststyle, coalesce(a.sortkeys[1], 'AUTO(SORTKEY)') AS sortkey1,
  coalesce(cardinality(a.sortkeys), 0) AS sortkey_num, greatest(c.reltuples, 0)::numeric(38, 0) AS tbl_rows
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.redshift_attributes a ON a.table_oid = c.oid
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_t%';

CREATE VIEW pg_catalog.pg_table_def AS
SELECT n.nspname AS schemaname, c.relname AS tablename, t.attname AS "column", format_type(t.atttypid, t.atttypmod) AS type,
  coalesce(a.encodings ->> t.attname::text, 'none') AS encoding, coalesce(a.distkey = t.attname::text, false) AS distkey,
  coalesce(array_position(a.sortkeys, t.attname::text), 0) AS sortkey, t.attnotnull AS "notnull"
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute t ON t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped
LEFT JOIN pg_catalog.redshift_attributes a ON a.table_oid = c.oid
WHERE c.relkind = 'r' AND n.nspname = ANY (current_schemas(false));

CREATE VIEW pg_catalog.svv_tables AS
SELECT table_catalog::text, table_schema::text, table_name::text, table_type::text, NULL::text AS remarks
FROM information_schema.tables;
CREATE VIEW pg_catalog.svv_columns AS
SELECT table_catalog::text, table_schema::text, table_name::text, column_name::text, ordinal_position::integer,
  column_default::text, is_nullable::text, data_type::text, character_maximum_length::integer, numeric_precision::integer,
  numeric_scale::integer
FROM information_schema.columns;

GRANT ALL ON pg_catalog.redshift_attributes TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA pg_catalog TO PUBLIC;
