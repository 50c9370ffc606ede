-- What turns a PostgreSQL database into one that answers as Amazon Redshift does.
-- Run once, in the template database, by a superuser with allow_system_table_mods on.

-- Comparison ignores trailing blanks, everywhere: =, <, GROUP BY, DISTINCT, joins, windows, IN. LIKE does not.
-- PostgreSQL's CHAR compares so already; here its functions take the places of TEXT's (VARCHAR uses TEXT's).
UPDATE pg_operator SET oprcode = ('bpchar' || names.function)::regproc
FROM (VALUES ('=', 'eq'), ('<>', 'ne'), ('<', 'lt'), ('>', 'gt'), ('<=', 'le'), ('>=', 'ge')) AS names (operator, function)
WHERE oprname = names.operator AND oprleft = 'text'::regtype AND oprright = 'text'::regtype;

UPDATE pg_amproc SET amproc = names.function::regproc
FROM
  (VALUES ('btree', 1, 'bpcharcmp'), ('btree', 2, 'bpchar_sortsupport'),
          ('hash', 1, 'hashbpchar'), ('hash', 2, 'hashbpcharextended')) AS names (method, number, function),
  pg_opfamily f, pg_am a
WHERE f.oid = amprocfamily AND a.oid = f.opfmethod AND f.opfname = 'text_ops' AND a.amname = names.method
  AND amprocnum = names.number AND amproclefttype = 'text'::regtype AND amprocrighttype = 'text'::regtype;

-- VARCHAR(n) counts bytes. Assignment refuses what is too long unless the rest is blank; a cast clips.
CREATE FUNCTION pg_catalog.redshift_clip(value varchar, bytes integer, explicit boolean) RETURNS varchar
IMMUTABLE STRICT LANGUAGE plpgsql AS $$
DECLARE
  clipped varchar := value;
BEGIN
  IF NOT explicit AND octet_length(rtrim(value, ' ')) > bytes THEN
    RAISE EXCEPTION 'value too long for type character varying(%)', bytes USING ERRCODE = '22001';
  END IF;
  clipped := left(value, bytes);
  WHILE octet_length(clipped) > bytes LOOP
    clipped := left(clipped, -1);
  END LOOP;
  RETURN clipped;
END $$;

CREATE FUNCTION pg_catalog.redshift_varchar(varchar, integer, boolean) RETURNS varchar
IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT CASE WHEN octet_length($1) <= $2 - 4 THEN $1 ELSE pg_catalog.redshift_clip($1, $2 - 4, $3) END
$$;
UPDATE pg_cast SET castfunc = 'pg_catalog.redshift_varchar'::regproc
WHERE castsource = 'varchar'::regtype AND casttarget = 'varchar'::regtype;

-- CHAR holds single-byte characters only.
CREATE FUNCTION pg_catalog.redshift_char(bpchar, integer, boolean) RETURNS bpchar
IMMUTABLE STRICT LANGUAGE plpgsql AS $$
BEGIN
  IF octet_length($1::text) <> char_length($1::text) THEN
    RAISE EXCEPTION 'CHAR string contains invalid ASCII character' USING ERRCODE = '22021';
  END IF;
  RETURN pg_catalog.bpchar($1, $2, $3);
END $$;
UPDATE pg_cast SET castfunc = 'pg_catalog.redshift_char'::regproc
WHERE castsource = 'bpchar'::regtype AND casttarget = 'bpchar'::regtype;

-- No BOOLEAN is cast to a text. The planner inlines the function, so the statement fails without any row, too.
CREATE FUNCTION pg_catalog.redshift_refuse_cast(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'cannot cast type boolean to %', $1 USING ERRCODE = '42846'; END $$;
CREATE FUNCTION pg_catalog.redshift_boolean(boolean) RETURNS text IMMUTABLE LANGUAGE sql
AS $$ SELECT pg_catalog.redshift_refuse_cast('character varying') $$;
UPDATE pg_cast SET castfunc = 'pg_catalog.redshift_boolean'::regproc
WHERE castsource = 'boolean'::regtype AND casttarget IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype);

-- AVG of integers is a BIGINT, truncated toward zero.
ALTER AGGREGATE pg_catalog.avg(smallint) RENAME TO pg_avg;
ALTER AGGREGATE pg_catalog.avg(integer) RENAME TO pg_avg;
ALTER AGGREGATE pg_catalog.avg(bigint) RENAME TO pg_avg;
CREATE FUNCTION pg_catalog.redshift_avg_step(numeric[], bigint) RETURNS numeric[]
IMMUTABLE STRICT LANGUAGE sql AS 'SELECT ARRAY[$1[1] + 1, $1[2] + $2]';
CREATE FUNCTION pg_catalog.redshift_avg_end(numeric[]) RETURNS bigint
IMMUTABLE STRICT LANGUAGE sql AS 'SELECT trunc($1[2] / nullif($1[1], 0))::bigint';
CREATE AGGREGATE pg_catalog.avg(bigint) (
  sfunc = redshift_avg_step, stype = numeric[], initcond = '{0,0}', finalfunc = redshift_avg_end
);
CREATE FUNCTION pg_catalog.redshift_avg_small_end(bigint[]) RETURNS bigint
IMMUTABLE STRICT LANGUAGE sql AS 'SELECT $1[2] / nullif($1[1], 0)';
CREATE AGGREGATE pg_catalog.avg(integer) (
  sfunc = int4_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = redshift_avg_small_end
);
CREATE AGGREGATE pg_catalog.avg(smallint) (
  sfunc = int2_avg_accum, stype = bigint[], initcond = '{0,0}', finalfunc = redshift_avg_small_end
);

CREATE FUNCTION pg_catalog.redshift_refuse(text) RETURNS text IMMUTABLE STRICT LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', $1 USING ERRCODE = '22023'; END $$;

-- The names Redshift knows for parts of a date.
CREATE FUNCTION pg_catalog.redshift_part(text) RETURNS text IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT CASE
    WHEN lower($1) IN ('millennium', 'millennia', 'mil', 'mils') THEN 'millennium'
    WHEN lower($1) IN ('century', 'centuries', 'c', 'cent', 'cents') THEN 'century'
    WHEN lower($1) IN ('decade', 'decades', 'dec', 'decs') THEN 'decade'
    WHEN lower($1) IN ('epoch') THEN 'epoch'
    WHEN lower($1) IN ('year', 'years', 'y', 'yr', 'yrs') THEN 'year'
    WHEN lower($1) IN ('quarter', 'quarters', 'qtr', 'qtrs') THEN 'quarter'
    WHEN lower($1) IN ('month', 'months', 'mon', 'mons') THEN 'month'
    WHEN lower($1) IN ('week', 'weeks', 'w') THEN 'week'
    WHEN lower($1) IN ('dayofweek', 'dow', 'dw', 'weekday') THEN 'dow'
    WHEN lower($1) IN ('dayofyear', 'doy', 'dy', 'yearday') THEN 'doy'
    WHEN lower($1) IN ('day', 'days', 'd') THEN 'day'
    WHEN lower($1) IN ('hour', 'hours', 'h', 'hr', 'hrs') THEN 'hour'
    WHEN lower($1) IN ('minute', 'minutes', 'm', 'min', 'mins') THEN 'minute'
    WHEN lower($1) IN ('second', 'seconds', 's', 'sec', 'secs') THEN 'second'
    WHEN lower($1) IN ('millisecond', 'milliseconds', 'ms', 'msec', 'msecs', 'msecond', 'mseconds', 'millisec',
                       'millisecs', 'millisecon') THEN 'milliseconds'
    WHEN lower($1) IN ('microsecond', 'microseconds', 'us', 'usec', 'usecs', 'usecond', 'useconds', 'microsec',
                       'microsecs', 'microsecond') THEN 'microseconds'
    ELSE lower($1)
  END
$$;

-- EXTRACT is an INTEGER (a DOUBLE of a TIMESTAMPTZ), DATE_PART a DOUBLE.
ALTER FUNCTION pg_catalog.extract(text, date) RENAME TO pg_extract;
ALTER FUNCTION pg_catalog.extract(text, time) RENAME TO pg_extract;
ALTER FUNCTION pg_catalog.extract(text, timetz) RENAME TO pg_extract;
ALTER FUNCTION pg_catalog.extract(text, timestamp) RENAME TO pg_extract;
ALTER FUNCTION pg_catalog.extract(text, timestamptz) RENAME TO pg_extract;
ALTER FUNCTION pg_catalog.extract(text, interval) RENAME TO pg_extract;
CREATE FUNCTION pg_catalog.extract(text, date) RETURNS integer IMMUTABLE STRICT LANGUAGE sql
AS 'SELECT trunc(pg_extract(redshift_part($1), $2::timestamp))::integer';
CREATE FUNCTION pg_catalog.extract(text, time) RETURNS integer IMMUTABLE STRICT LANGUAGE sql
AS 'SELECT trunc(pg_extract(redshift_part($1), $2))::integer';
CREATE FUNCTION pg_catalog.extract(text, timestamp) RETURNS integer IMMUTABLE LANGUAGE sql
AS 'SELECT trunc(pg_extract(redshift_part($1), $2))::integer';
CREATE FUNCTION pg_catalog.extract(text, timestamptz) RETURNS double precision STABLE STRICT LANGUAGE sql
AS 'SELECT pg_extract(redshift_part($1), $2)::double precision';
CREATE FUNCTION pg_catalog.extract(text, interval) RETURNS integer IMMUTABLE STRICT LANGUAGE sql
AS 'SELECT trunc(pg_extract(redshift_part($1), $2))::integer';

ALTER FUNCTION pg_catalog.date_part(text, date) RENAME TO pg_date_part;
ALTER FUNCTION pg_catalog.date_part(text, timestamp) RENAME TO pg_date_part;
CREATE FUNCTION pg_catalog.date_part(text, date) RETURNS double precision IMMUTABLE STRICT LANGUAGE sql
AS 'SELECT pg_date_part(redshift_part($1), $2::timestamp)';
CREATE FUNCTION pg_catalog.date_part(text, timestamp) RETURNS double precision IMMUTABLE STRICT LANGUAGE sql
AS 'SELECT pg_date_part(redshift_part($1), $2)';

ALTER FUNCTION pg_catalog.date_trunc(text, timestamp) RENAME TO pg_date_trunc;
CREATE FUNCTION pg_catalog.date_trunc(text, timestamp) RETURNS timestamp IMMUTABLE STRICT LANGUAGE sql
AS 'SELECT pg_date_trunc(redshift_part($1), $2)';
CREATE FUNCTION pg_catalog.date_trunc(text, date) RETURNS timestamp IMMUTABLE STRICT LANGUAGE sql
AS 'SELECT pg_date_trunc(redshift_part($1), $2::timestamp)';

-- DATEADD takes an integer and keeps what lies below the part; DATEDIFF counts the boundaries crossed.
-- These and EXTRACT of a time are not STRICT: PostgreSQL inlines a function only where that shows by itself, and a
-- call of one that is not inlined takes 70 us.
CREATE FUNCTION pg_catalog.dateadd(text, bigint, timestamp) RETURNS timestamp IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE redshift_part($1)
    WHEN 'microseconds' THEN $3 + $2 / 1000000 * interval '1 second' + $2 % 1000000 * interval '1 microsecond'
    WHEN 'milliseconds' THEN $3 + $2 / 1000 * interval '1 second' + $2 % 1000 * interval '1 millisecond'
    WHEN 'second' THEN $3 + $2 * interval '1 second'
    WHEN 'minute' THEN $3 + $2 * interval '1 minute'
    WHEN 'hour' THEN $3 + $2 * interval '1 hour'
    WHEN 'day' THEN $3 + $2 * interval '1 day'
    WHEN 'doy' THEN $3 + $2 * interval '1 day'
    WHEN 'dow' THEN $3 + $2 * interval '1 day'
    WHEN 'week' THEN $3 + $2 * interval '7 day'
    WHEN 'month' THEN $3 + $2 * interval '1 month'
    WHEN 'quarter' THEN $3 + $2 * interval '3 month'
    WHEN 'year' THEN $3 + $2 * interval '1 year'
    WHEN 'decade' THEN $3 + $2 * interval '10 year'
    WHEN 'century' THEN $3 + $2 * interval '100 year'
    -- A text becomes a number, not a time: that would depend on a setting, and prevent inlining as well.
    ELSE $3 + redshift_refuse('invalid datepart "' || $1 || '"')::bigint * interval '1 day'
  END
$$;
CREATE FUNCTION pg_catalog.redshift_boundary(text, timestamp) RETURNS bigint IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE redshift_part($1)
    WHEN 'microseconds' THEN (pg_extract('epoch', $2) * 1000000)::bigint
    WHEN 'milliseconds' THEN floor(pg_extract('epoch', $2) * 1000)::bigint
    WHEN 'second' THEN floor(pg_extract('epoch', $2))::bigint
    WHEN 'minute' THEN floor(pg_extract('epoch', $2) / 60)::bigint
    WHEN 'hour' THEN floor(pg_extract('epoch', $2) / 3600)::bigint
    WHEN 'day' THEN ($2::date - date '1970-01-01')::bigint
    WHEN 'week' THEN ((pg_date_trunc('week', $2)::date - date '1970-01-05') / 7)::bigint
    WHEN 'month' THEN (pg_extract('year', $2) * 12 + pg_extract('month', $2))::bigint
    WHEN 'quarter' THEN (pg_extract('year', $2) * 4 + pg_extract('quarter', $2))::bigint
    WHEN 'year' THEN pg_extract('year', $2)::bigint
    ELSE redshift_refuse('invalid datepart "' || $1 || '"')::bigint
  END
$$;
CREATE FUNCTION pg_catalog.datediff(text, timestamp, timestamp) RETURNS bigint IMMUTABLE LANGUAGE sql
AS 'SELECT redshift_boundary($1, $3) - redshift_boundary($1, $2)';

CREATE FUNCTION pg_catalog.getdate() RETURNS timestamp STABLE LANGUAGE sql
AS $$SELECT pg_date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC')$$;
CREATE FUNCTION pg_catalog.sysdate() RETURNS timestamp STABLE LANGUAGE sql
AS $$SELECT transaction_timestamp() AT TIME ZONE 'UTC'$$;
CREATE FUNCTION pg_catalog.trunc(timestamp) RETURNS date IMMUTABLE STRICT LANGUAGE sql AS 'SELECT $1::date';
CREATE FUNCTION pg_catalog.convert_timezone(text, text, timestamp) RETURNS timestamp IMMUTABLE STRICT LANGUAGE sql
AS 'SELECT $3 AT TIME ZONE $1 AT TIME ZONE $2';
CREATE FUNCTION pg_catalog.convert_timezone(text, timestamp) RETURNS timestamp IMMUTABLE STRICT LANGUAGE sql
AS $$SELECT $2 AT TIME ZONE 'UTC' AT TIME ZONE $1$$;
CREATE FUNCTION pg_catalog.last_day(timestamp) RETURNS date IMMUTABLE STRICT LANGUAGE sql
AS $$SELECT (pg_date_trunc('month', $1) + interval '1 month' - interval '1 day')::date$$;
CREATE FUNCTION pg_catalog.add_months(timestamp, integer) RETURNS timestamp IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT CASE WHEN $1::date = last_day($1)
    THEN last_day(pg_date_trunc('month', $1) + $2 * interval '1 month') + $1::time
    ELSE $1 + $2 * interval '1 month' END
$$;

CREATE FUNCTION pg_catalog.len(text) RETURNS integer IMMUTABLE STRICT LANGUAGE sql AS 'SELECT char_length($1)';
CREATE FUNCTION pg_catalog.charindex(text, text) RETURNS integer IMMUTABLE STRICT LANGUAGE sql AS 'SELECT strpos($2, $1)';
CREATE FUNCTION pg_catalog.sha2(text, integer) RETURNS text IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT CASE $2
    WHEN 0 THEN encode(sha256(convert_to($1, 'UTF8')), 'hex')
    WHEN 224 THEN encode(sha224(convert_to($1, 'UTF8')), 'hex')
    WHEN 256 THEN encode(sha256(convert_to($1, 'UTF8')), 'hex')
    WHEN 384 THEN encode(sha384(convert_to($1, 'UTF8')), 'hex')
    WHEN 512 THEN encode(sha512(convert_to($1, 'UTF8')), 'hex')
  END
$$;

-- STRTOL reads a signed 64-bit number: 15 hex digits always fit.
CREATE FUNCTION pg_catalog.redshift_strtol(text, integer) RETURNS bigint IMMUTABLE STRICT LANGUAGE plpgsql AS $$
DECLARE
  digits text := CASE WHEN $2 = 16 THEN replace(lower(btrim($1)), '0x', '') ELSE lower(btrim($1)) END;
  negative boolean := digits LIKE '-%';
  total numeric := 0;
  place integer;
BEGIN
  digits := ltrim(digits, '+-');
  IF digits = '' THEN
    RAISE EXCEPTION 'The input % is not valid to be converted to base %', $1, $2 USING ERRCODE = '22023';
  END IF;
  FOR i IN 1 .. char_length(digits) LOOP
    place := strpos('0123456789abcdefghijklmnopqrstuvwxyz', substr(digits, i, 1)) - 1;
    IF place < 0 OR place >= $2 THEN
      RAISE EXCEPTION 'The input % is not valid to be converted to base %', $1, $2 USING ERRCODE = '22023';
    END IF;
    total := total * $2 + place;
  END LOOP;
  RETURN (CASE WHEN negative THEN -total ELSE total END)::bigint;
END $$;
CREATE FUNCTION pg_catalog.strtol(text, integer) RETURNS bigint IMMUTABLE STRICT LANGUAGE sql AS $$
  SELECT CASE WHEN $2 = 16 AND char_length($1) BETWEEN 1 AND 15 AND $1 ~ '^[0-9a-fA-F]+$'
    THEN ('x' || lpad($1, 16, '0'))::bit(64)::bigint ELSE redshift_strtol($1, $2) END
$$;

-- TO_TIMESTAMP reads text only.
ALTER FUNCTION pg_catalog.to_timestamp(double precision) RENAME TO pg_to_timestamp;

-- CONCAT takes two arguments and is NULL when either is; REGEXP_REPLACE replaces every match.
ALTER FUNCTION pg_catalog.concat(VARIADIC "any") RENAME TO pg_concat;
CREATE FUNCTION pg_catalog.concat(text, text) RETURNS text IMMUTABLE STRICT LANGUAGE sql AS 'SELECT $1 || $2';
ALTER FUNCTION pg_catalog.regexp_replace(text, text, text) RENAME TO pg_regexp_replace;
CREATE FUNCTION pg_catalog.regexp_replace(text, text, text) RETURNS text IMMUTABLE STRICT LANGUAGE sql
AS $$SELECT regexp_replace($1, $2, $3, 'g')$$;
CREATE FUNCTION pg_catalog.regexp_replace(text, text) RETURNS text IMMUTABLE STRICT LANGUAGE sql
AS $$SELECT regexp_replace($1, $2, '', 'g')$$;
CREATE FUNCTION pg_catalog.round(double precision, integer) RETURNS double precision IMMUTABLE STRICT LANGUAGE sql
AS 'SELECT round($1::numeric, $2)::double precision';
CREATE FUNCTION pg_catalog.trunc(double precision, integer) RETURNS double precision IMMUTABLE STRICT LANGUAGE sql
AS 'SELECT trunc($1::numeric, $2)::double precision';
CREATE FUNCTION pg_catalog.json_extract_path_text(text, VARIADIC text[]) RETURNS text IMMUTABLE STRICT LANGUAGE sql
AS 'SELECT coalesce(json_extract_path_text($1::json, VARIADIC $2), '''')';
CREATE FUNCTION pg_catalog.is_valid_json(text) RETURNS boolean IMMUTABLE STRICT LANGUAGE sql AS 'SELECT $1 IS JSON OBJECT';

-- LISTAGG ends at 65535 bytes with an error.
CREATE AGGREGATE pg_catalog.listagg(text, text) (
  sfunc = string_agg_transfn, stype = internal, finalfunc = string_agg_finalfn
);
CREATE FUNCTION pg_catalog.redshift_listagg(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  IF octet_length($1) > 65535 THEN
    RAISE EXCEPTION 'Result size exceeds LISTAGG limit' USING ERRCODE = '54000';
  END IF;
  RETURN $1;
END $$;

-- Set by the stand-in inside the transaction that copies, so a rollback takes it back.
CREATE FUNCTION pg_catalog.pg_last_copy_id() RETURNS integer STABLE LANGUAGE sql
AS $$SELECT coalesce(nullif(current_setting('redshift.last_copy_id', true), ''), '-1')::integer$$;
CREATE FUNCTION pg_catalog.pg_last_query_id() RETURNS integer STABLE LANGUAGE sql
AS $$SELECT coalesce(nullif(current_setting('redshift.last_query_id', true), ''), '-1')::integer$$;
