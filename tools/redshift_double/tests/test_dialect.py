"""SQL as Redshift takes it: what it means, and what is refused."""

# ruff: noqa: DTZ001 - TIMESTAMP has no zone

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.redshift_double import Options
from tools.redshift_double.errors import RedshiftError
from tools.redshift_double.rewrite import rewrite
from tools.redshift_double.tokens import join, tokenize


@pytest.fixture
def table(connection, ask):
    ask("CREATE TABLE t (i INT, v VARCHAR(10), ts TIMESTAMP)")
    ask("CREATE TABLE s (i INT, v VARCHAR(10))")
    connection.commit()


SYNTAX, UNSUPPORTED, NO_FUNCTION, NO_TYPE = "42601", "0A000", "42883", "42704"


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("sql", "code", "words"),
    [
        ("INSERT INTO t (i) VALUES (1) ON CONFLICT DO NOTHING", SYNTAX, "on"),
        ("INSERT INTO t (i) VALUES (1) RETURNING i", SYNTAX, "returning"),
        ("SELECT * FROM t, LATERAL (SELECT 1) x", SYNTAX, "lateral"),
        ("CREATE SEQUENCE s", UNSUPPORTED, "CREATE SEQUENCE"),
        ("CREATE TABLE u (id SERIAL)", UNSUPPORTED, 'Column "u.id" has unsupported type "serial".'),
        ("CREATE TABLE u (id UUID)", UNSUPPORTED, 'Column "u.id" has unsupported type "uuid".'),
        ("CREATE TABLE u (j JSONB)", UNSUPPORTED, 'Column "u.j" has unsupported type "jsonb".'),
        ("CREATE TABLE u (a INT[])", UNSUPPORTED, "not supported"),
        ("SELECT '{}'::jsonb", NO_TYPE, 'type "jsonb" does not exist'),
        ("SELECT CAST('a' AS uuid)", NO_TYPE, 'type "uuid" does not exist'),
        ("CREATE INDEX i ON t (i)", UNSUPPORTED, "not supported on Redshift tables"),
        ("CREATE UNIQUE INDEX i ON t (i)", UNSUPPORTED, "not supported on Redshift tables"),
        ("DROP INDEX i", UNSUPPORTED, "not supported"),
        ("CREATE TRIGGER x", UNSUPPORTED, "CREATE TRIGGER"),
        ("SELECT DISTINCT ON (i) i FROM t", UNSUPPORTED, "DISTINCT ON"),
        ("SELECT COUNT(*) FILTER (WHERE i > 1) FROM t", SYNTAX, "("),
        ("SELECT * FROM (VALUES (1), (2)) AS x", SYNTAX, "values"),
        ("VALUES (1)", SYNTAX, "VALUES"),
        ("SELECT ARRAY[1, 2]", UNSUPPORTED, "not supported on Redshift tables"),
        ("SELECT '{}' -> 'a'", NO_FUNCTION, "operator does not exist"),
        ("SAVEPOINT a", UNSUPPORTED, "SAVEPOINT"),
        ("ROLLBACK TO SAVEPOINT a", UNSUPPORTED, "ROLLBACK"),
        ("SELECT STRING_AGG(v, ',') FROM t", NO_FUNCTION, "string_agg"),
        ("SELECT * FROM generate_series(1, 3), t", UNSUPPORTED, "not supported on Redshift tables"),
        ("SELECT NOW() FROM t", UNSUPPORTED, "not supported on Redshift tables"),
        ("SELECT CURRENT_TIMESTAMP FROM t", UNSUPPORTED, "not supported on Redshift tables"),
        ("SELECT AGE(ts) FROM t", UNSUPPORTED, "not supported on Redshift tables"),
        ("SELECT SUBSTR(v, 1, 2) FROM t", UNSUPPORTED, "not supported on Redshift tables"),
        (
            "INSERT INTO t (v) SELECT tablename FROM pg_tables",
            UNSUPPORTED,
            "not supported on Redshift tables",
        ),
        *(
            (sql, "42846", "cannot cast type boolean to character varying")
            for sql in (
                "SELECT CAST(i > 1 AS VARCHAR(20)) FROM t",  # of a table without rows
                "SELECT (i IS NULL)::TEXT FROM t",
                "SELECT CAST(TRUE AS CHAR(5))",
                "SELECT COALESCE(CAST(i > 1 AS VARCHAR(20)), '-') || v FROM t",
            )
        ),
        ("SELECT gen_random_uuid()", NO_FUNCTION, "does not exist"),
        ("SELECT CONCAT('a', 'b', 'c')", NO_FUNCTION, "two arguments"),
        ("SELECT SUM(i) OVER (ORDER BY ts) FROM t", UNSUPPORTED, "require a frame clause"),
        ("SELECT LAST_VALUE(i) OVER (ORDER BY ts) FROM t", UNSUPPORTED, "require a frame clause"),
        ("SELECT SUM(i) OVER (ORDER BY ts RANGE UNBOUNDED PRECEDING) FROM t", SYNTAX, "range"),
        ("SELECT RANK() OVER (ORDER BY i NULLS LAST) FROM t", SYNTAX, "nulls"),
        ("SELECT LAG(i) IGNORE NULLS OVER (ORDER BY i) FROM t", SYNTAX, "ignore"),
        ("SELECT SUM(i) OVER w FROM t WINDOW w AS (PARTITION BY i)", SYNTAX, "w"),
        ("SELECT i FROM t EXCEPT ALL SELECT i FROM s", UNSUPPORTED, "EXCEPT ALL"),
        ("SELECT i IS DISTINCT FROM 1 FROM t", UNSUPPORTED, "DISTINCT FROM"),
        ("SELECT * FROM t FOR UPDATE", UNSUPPORTED, "FOR UPDATE"),
        ("SELECT * FROM t FETCH FIRST 1 ROWS ONLY", SYNTAX, "fetch"),
        ("WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x", SYNTAX, "materialized"),
        ("WITH x AS (DELETE FROM t) SELECT 1", SYNTAX, "delete"),
        ("WITH x AS (SELECT 1 AS i) INSERT INTO t (i) SELECT i FROM x", SYNTAX, "INSERT"),
        ("INSERT INTO t AS x (i) VALUES (1)", SYNTAX, "AS"),
        ("UPDATE t SET (i, v) = (1, 'a')", SYNTAX, "("),
        ("DELETE FROM t x WHERE x.i = 1", SYNTAX, "x"),
        ("DELETE FROM t USING (SELECT 1 AS i) x WHERE t.i = x.i", SYNTAX, "("),
        ("LOCK TABLE t IN SHARE MODE", SYNTAX, "in"),
        ("CREATE TABLE tag (i INT)", SYNTAX, "tag"),
        ("CREATE TABLE u (snapshot INT)", SYNTAX, "snapshot"),
        ("SELECT i AS open FROM t", SYNTAX, "open"),
        ("CREATE TABLE u (i INT CHECK (i > 0))", SYNTAX, "CHECK"),
        ("CREATE TABLE u (i INT, CHECK (i > 0))", UNSUPPORTED, "CHECK"),
        ("CREATE TABLE u (i INT GENERATED ALWAYS AS IDENTITY)", SYNTAX, "GENERATED"),
        ("CREATE TABLE u (v VARCHAR(65536))", "22023", "65535"),
        ("CREATE TABLE u (v VARCHAR(9) ENCODE AZ64)", UNSUPPORTED, "invalid encoding"),
        ("CREATE TABLE u (i INT ENCODE TEXT255)", UNSUPPORTED, "invalid encoding"),
        ("CREATE TABLE u (i INT) SORTKEY (j)", "42703", '"j"'),
        ("CREATE TABLE u (i INT) DISTSTYLE KEY", SYNTAX, "DISTKEY"),
        ("CREATE TABLE u (i INT) DISTSTYLE EVEN DISTKEY (i)", SYNTAX, "DISTKEY"),
        ("CREATE TABLE u (i INT) WITH (fillfactor = 70)", SYNTAX, "WITH"),
        ("CREATE TABLE u (i INT) ENCODE ZSTD", SYNTAX, "ENCODE"),
        ("CREATE TABLE u (ts TIMESTAMP(3))", UNSUPPORTED, "precision"),
        ("EXPLODE t", SYNTAX, "EXPLODE"),
        ("SELECT FNV_HASH('a')", UNSUPPORTED, "stand-in does not know"),
        ("SELECT * FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY i) = 1", SYNTAX, "qualify"),
        ("SELECT i FROM t AS x GROUP BY i QUALIFY ROW_NUMBER() OVER (ORDER BY i) = 1", SYNTAX, "qualify"),
    ],
)
def test_what_redshift_refuses_is_refused(refused, sql, code, words):
    got, message = refused(sql)
    assert got == code
    assert words.lower() in message.lower()


# Of each pattern of the Developer Guide (r_correlated_subqueries): what is refused, and what is near and not.
SAME = "EXISTS (SELECT 1 FROM s WHERE s.i = t.i)"
CORRELATED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "a reference that skips a block": (
        (
            (
                "SELECT t.i FROM t WHERE NOT EXISTS"
                " (SELECT 1 FROM s WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.i = t.i))"
            ),
            f"DELETE FROM t WHERE i IN (SELECT u.i FROM u WHERE {SAME})",
            f"SELECT i FROM t WHERE i IN (SELECT x.i FROM (SELECT u.i FROM u WHERE {SAME}) AS x)",
            f"CREATE TABLE n AS SELECT i FROM t WHERE i IN (SELECT u.i FROM u WHERE {SAME})",
            f"INSERT INTO u SELECT i FROM t WHERE i IN (SELECT u.i FROM u WHERE {SAME})",
        ),
        (
            f"SELECT i FROM t WHERE {SAME} AND NOT {SAME}",
            (
                "SELECT t.i FROM t WHERE EXISTS"
                " (SELECT 1 FROM s WHERE s.i = t.i AND EXISTS (SELECT 1 FROM u WHERE u.i = s.i))"
            ),
            f"WITH t AS (SELECT i FROM u) SELECT i FROM t WHERE {SAME}",
        ),
    ),
    "a reference in an ON": (
        ("SELECT * FROM u LEFT JOIN t ON u.i = t.i AND t.i = (SELECT MAX(s.i) FROM s WHERE s.v = t.v)",),
        (
            "SELECT * FROM u LEFT JOIN t ON u.i = t.i AND t.i = (SELECT MAX(s.i) FROM s)",
            "SELECT * FROM u LEFT JOIN t ON u.i = t.i WHERE t.i = (SELECT MAX(s.i) FROM s WHERE s.v = t.v)",
        ),
    ),
    "NOT IN, of a system table": (
        ("SELECT 1 FROM pg_class c WHERE 1 NOT IN (SELECT 1 FROM pg_roles r WHERE r.oid = c.relowner)",),
        (
            "SELECT 1 FROM pg_class c WHERE 1 IN (SELECT 1 FROM pg_roles r WHERE r.oid = c.relowner)",
            "SELECT 1 FROM pg_class c WHERE c.relowner NOT IN (SELECT r.oid FROM pg_roles r)",
        ),
    ),
    "a window": (
        ("SELECT i FROM t WHERE i NOT IN (SELECT SUM(s.i) OVER () FROM s WHERE s.v = t.v)",),
        (
            "SELECT i FROM t WHERE i NOT IN (SELECT SUM(s.i) OVER () FROM s)",
            f"SELECT COUNT(*) OVER () FROM t WHERE {SAME}",
        ),
    ),
    "GROUP BY the result": (
        (
            "SELECT t.i, (SELECT COUNT(s.i) FROM s WHERE s.i = t.i) AS n FROM t GROUP BY n, t.i",
            "SELECT t.i, (SELECT COUNT(s.i) FROM s WHERE s.i = t.i) FROM t GROUP BY t.i, 2",
            "SELECT COUNT(*) FROM t GROUP BY (SELECT COUNT(s.i) FROM s WHERE s.i = t.i)",
        ),
        (
            "SELECT t.i, (SELECT COUNT(s.i) FROM s) AS n FROM t GROUP BY n, t.i",
            (
                "SELECT t.i, (SELECT COUNT(s.i) FROM s WHERE s.i = t.i) AS n, LISTAGG(v, ',') WITHIN GROUP"
                " (ORDER BY v) FROM t GROUP BY t.i"
            ),
        ),
    ),
    "IN a grouped aggregate": (
        ("SELECT i FROM t WHERE i IN (SELECT SUM(s.i) FROM s WHERE s.i > t.i GROUP BY s.v)",),
        (
            "SELECT i FROM t WHERE i IN (SELECT MAX(s.i) FROM s WHERE s.i > t.i GROUP BY s.v)",
            "SELECT i FROM t WHERE i IN (SELECT SUM(s.i) FROM s GROUP BY s.v)",
            "SELECT i FROM t WHERE i = (SELECT SUM(s.i) FROM s WHERE s.i = t.i)",
        ),
    ),
    "NOT EXISTS below UNION": (
        (
            f"SELECT i FROM t WHERE NOT {SAME} UNION ALL SELECT i FROM u",
            f"(SELECT i FROM u) UNION ALL (SELECT i FROM t WHERE NOT {SAME})",
            f"SELECT x.i FROM (SELECT i FROM u UNION ALL SELECT i FROM t WHERE NOT {SAME}) AS x",
            f"WITH x AS (SELECT i FROM t WHERE NOT {SAME} UNION SELECT i FROM u) SELECT i FROM x",
        ),
        (
            f"SELECT i FROM t WHERE {SAME} UNION ALL SELECT i FROM u",
            (
                "SELECT x.i FROM (SELECT i FROM t UNION ALL SELECT i FROM u) AS x"
                " WHERE NOT EXISTS (SELECT 1 FROM s WHERE s.i = x.i)"
            ),
            "SELECT t.i FROM t LEFT JOIN s ON s.i = t.i WHERE s.i IS NULL UNION ALL SELECT i FROM u",
        ),
    ),
}
OUTER_JOINS = (
    "UPDATE t SET v = u.v FROM s LEFT JOIN u ON u.i = s.i WHERE s.i = t.i",
    "UPDATE t SET v = x.v FROM (SELECT s.i, u.v FROM s FULL OUTER JOIN u ON u.i = s.i) AS x WHERE x.i = t.i",
)
INNER_JOINS = (
    "UPDATE t SET v = u.v FROM s JOIN u ON u.i = s.i WHERE s.i = t.i",
    "UPDATE t SET v = LEFT(s.v, 1) FROM s WHERE s.i = t.i",
    "UPDATE t SET v = 'x' WHERE i IN (SELECT s.i FROM s LEFT JOIN u ON u.i = s.i)",
)


def test_correlated_subqueries_of_the_documented_patterns_are_refused(ask, refused, table, connection):
    ask("CREATE TABLE u (i INT, v VARCHAR(10))")
    connection.commit()
    for pattern, (bad, near) in CORRELATED.items():
        for sql in bad:
            code, words = refused(sql)
            assert (code, words[:40]) == ("XX000", "This type of correlated subquery pattern"), pattern
        for sql in near:
            ask(sql)
    for sql in OUTER_JOINS:
        assert refused(sql) == (UNSUPPORTED, "Target table must be part of an equijoin predicate")
    for sql in INNER_JOINS:
        ask(sql)


MERGE = "MERGE INTO t USING s ON t.i = s.i"
INSERTS = "WHEN NOT MATCHED THEN INSERT (i, v) VALUES (s.i, s.v)"


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    "sql",
    [
        f"MERGE INTO t AS a USING s ON a.i = s.i WHEN MATCHED THEN DELETE {INSERTS}",
        f"MERGE INTO t a USING s ON a.i = s.i WHEN MATCHED THEN DELETE {INSERTS}",
        f"{MERGE} WHEN MATCHED AND t.i > 1 THEN DELETE {INSERTS}",
        f"{MERGE} WHEN MATCHED THEN UPDATE SET t.v = s.v {INSERTS}",
        f"{MERGE} WHEN MATCHED THEN DO NOTHING {INSERTS}",
        f"{MERGE} WHEN MATCHED THEN DELETE",
        f"{MERGE} {INSERTS}",
        f"{MERGE} WHEN MATCHED THEN DELETE {INSERTS} RETURNING t.i",
        f"WITH s AS (SELECT 1 AS i) {MERGE} WHEN MATCHED THEN DELETE {INSERTS}",
        f"MERGE INTO t USING t ON t.i = t.i WHEN MATCHED THEN DELETE {INSERTS}",
    ],
)
def test_merge_breaks_on_what_redshift_forbids(refused, sql):
    assert refused(sql)[0] in (SYNTAX, UNSUPPORTED)


@pytest.mark.usefixtures("table")
def test_merge_updates_and_inserts(ask):
    ask("INSERT INTO t (i, v) VALUES (1, 'old'), (2, 'kept')")
    ask("INSERT INTO s VALUES (1, 'new'), (3, 'added')")
    ask(f"{MERGE} WHEN MATCHED THEN UPDATE SET v = s.v {INSERTS}")
    assert ask("SELECT i, v FROM t ORDER BY i") == [(1, "new"), (2, "kept"), (3, "added")]


@pytest.mark.usefixtures("table")
def test_merge_fails_when_the_source_matches_twice(ask, refused):
    ask("INSERT INTO t (i) VALUES (1)")
    ask("INSERT INTO s VALUES (1, 'a'), (1, 'b')")
    code, message = refused(f"{MERGE} WHEN MATCHED THEN UPDATE SET v = s.v {INSERTS}")
    assert (code, message) == ("XX000", "Found multiple matches to update the same tuple.")


@pytest.mark.parametrize(
    "ddl",
    [
        "CREATE TABLE x (i INT ENCODE AZ64 DISTKEY SORTKEY, v VARCHAR(MAX) ENCODE ZSTD NOT NULL DEFAULT 'a')",
        "CREATE TABLE x (i INT, j INT) DISTSTYLE KEY DISTKEY (i) COMPOUND SORTKEY (j, i)",
        "CREATE TABLE x (i INT) BACKUP NO DISTSTYLE ALL INTERLEAVED SORTKEY (i)",
        "CREATE TABLE x (i INT) DISTSTYLE AUTO SORTKEY AUTO ENCODE AUTO",
        "CREATE TABLE IF NOT EXISTS x (i INT PRIMARY KEY REFERENCES other (i), j INT UNIQUE, UNIQUE (i, j))",
        "CREATE TABLE x (i BIGINT IDENTITY(0, 1), j BIGINT GENERATED BY DEFAULT AS IDENTITY(1, 1))",
        "CREATE TABLE x (i INT, CONSTRAINT k PRIMARY KEY (i), FOREIGN KEY (i) REFERENCES other (i))",
        "CREATE TABLE x (LIKE other INCLUDING DEFAULTS)",
        "CREATE TEMP TABLE x DISTKEY (i) SORTKEY (i) AS SELECT i FROM other",
        "CREATE TABLE x (a, b) AS SELECT i, i FROM other",
        "CREATE TABLE x (time TIMESTAMP, level TEXT, location VARCHAR, users INT, status INT, session INT)",
    ],
)
def test_redshift_ddl_is_accepted(ask, ddl):
    ask("CREATE TABLE other (i INT)")
    ask(ddl)
    assert ask("SELECT COUNT(*) FROM x") == [(0,)]


def test_keys_are_not_enforced_but_not_null_is(ask, refused, connection):
    ask("CREATE TABLE parent (i INT PRIMARY KEY)")
    ask("CREATE TABLE x (i INT PRIMARY KEY, j INT UNIQUE, k INT REFERENCES parent (i), n INT NOT NULL)")
    ask("INSERT INTO x VALUES (1, 1, 77, 0), (1, 1, 78, 0)")
    assert ask("SELECT COUNT(*) FROM x") == [(2,)]
    connection.commit()
    for sql in ("INSERT INTO x (i) VALUES (1)", "INSERT INTO x (n) VALUES (1)"):
        code, message = refused(sql)
        assert code == "XX000"
        assert message.startswith("Cannot insert a NULL value into column")


def test_identity_is_unique_with_gaps_and_not_to_be_set(ask, refused, connection):
    ask("CREATE TABLE x (id BIGINT IDENTITY(1, 1), v INT)")
    for v in range(3):
        ask("INSERT INTO x (v) VALUES (%s)", v)
    ids = [row[0] for row in ask("SELECT id FROM x")]
    assert len(set(ids)) == 3
    assert max(ids) > 3
    connection.commit()
    assert refused("INSERT INTO x (id, v) VALUES (7, 7)")[0] == "XX000"


def test_the_catalogue_knows_distribution_sort_and_encoding(ask):
    ask("CREATE TABLE x (i INT ENCODE AZ64 DISTKEY, ts TIMESTAMP SORTKEY, v VARCHAR(7) ENCODE ZSTD)")
    assert ask("SELECT diststyle, sortkey1 FROM svv_table_info WHERE \"table\" = 'x'") == [("KEY(i)", "ts")]
    got = ask("SELECT \"column\", type, encoding, distkey, sortkey FROM pg_table_def WHERE tablename = 'x'")
    assert got == [
        ("i", "integer", "az64", True, 0),
        ("ts", "timestamp without time zone", "none", False, 1),
        ("v", "character varying(7)", "zstd", False, 0),
    ]


# VARCHAR


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("value", ["a" * 11, "é" * 6, "日本語x語", "a" * 9 + "é"])
def test_varchar_counts_bytes(refused, value):
    assert len(value.encode()) > 10
    wanted = ("22001", "value too long for type character varying(10)")
    assert refused("INSERT INTO t (v) VALUES (%s)", value) == wanted
    assert refused(f"INSERT INTO t (v) SELECT '{value}'") == wanted


@pytest.mark.usefixtures("table")
def test_varchar_takes_what_fits_and_drops_only_blanks_beyond(ask):
    for value, kept in [("é" * 5, "é" * 5), ("a" * 10 + "   ", "a" * 10), ("a  ", "a  ")]:
        ask("DELETE FROM t")
        ask("INSERT INTO t (v) VALUES (%s)", value)
        assert ask("SELECT v, LEN(v), OCTET_LENGTH(v) FROM t") == [(kept, len(kept), len(kept.encode()))]


def test_a_cast_clips_at_a_whole_character(ask):
    assert ask("SELECT CAST('aéé' AS VARCHAR(4)), 'ééé'::varchar(4)") == [("aé", "éé")]


@pytest.mark.parametrize("spelling", ["TEXT", "VARCHAR", "CHARACTER VARYING", "NVARCHAR"])
def test_a_string_type_without_a_length_holds_256_bytes(ask, refused, connection, spelling):
    ask(f"CREATE TABLE x (v {spelling})")
    ask("INSERT INTO x VALUES (%s)", "a" * 256)
    connection.commit()
    assert (
        refused("INSERT INTO x VALUES (%s)", "a" * 257)[1] == "value too long for type character varying(256)"
    )
    assert ask("SELECT LEN(CAST(REPEAT('a', 300) AS VARCHAR))") == [(256,)]


def test_a_column_added_later_follows_the_same_rules(ask, refused, connection):
    ask("CREATE TABLE x (i INT)")
    ask("ALTER TABLE x ADD COLUMN v TEXT ENCODE LZO DEFAULT 'a'")
    ask("ALTER TABLE x ADD PRIMARY KEY (i)")
    ask("ALTER TABLE x ALTER SORTKEY (i)")
    connection.commit()
    assert refused("INSERT INTO x (v) VALUES (%s)", "a" * 257)[0] == "22001"
    assert refused("ALTER TABLE x ADD COLUMN u UUID")[1] == 'Column "x.u" has unsupported type "uuid".'


def test_char_holds_ascii_only(ask, refused, connection):
    ask("CREATE TABLE x (c CHAR(3))")
    ask("INSERT INTO x VALUES ('ab')")
    connection.commit()
    assert ask("SELECT c, LEN(c) FROM x") == [("ab ", 2)]
    assert refused("INSERT INTO x VALUES ('é')")[0] == "22021"


@pytest.mark.usefixtures("table")
def test_comparison_ignores_trailing_blanks_everywhere_but_in_like(ask):
    ask("INSERT INTO t (i, v) VALUES (1, 'a'), (2, 'a '), (3, 'a   '), (4, ' a'), (5, 'b')")
    ask("INSERT INTO s VALUES (1, 'a  ')")
    count = "SELECT COUNT(*) FROM t WHERE "
    for condition, rows in [
        ("v = 'a'", 3), ("v <> 'a '", 2), ("v IN ('a', 'x')", 3), ("v IN (SELECT v FROM s)", 3),
        ("v BETWEEN 'a' AND 'a'", 3), ("v > 'a'", 1), ("v LIKE 'a'", 1), ("v LIKE 'a %'", 2),
        ("CASE v WHEN 'a' THEN TRUE ELSE FALSE END", 3), ("NVL(NULLIF(v, 'a '), 'gone') = 'gone'", 3),
    ]:  # fmt: skip
        assert ask(count + condition) == [(rows,)], condition
    assert ask("SELECT COUNT(DISTINCT v) FROM t") == [(3,)]
    assert ask("SELECT COUNT(*) FROM (SELECT DISTINCT v FROM t) d") == [(3,)]
    assert sorted(ask("SELECT COUNT(*) FROM t GROUP BY v")) == [(1,), (1,), (3,)]
    assert ask("SELECT COUNT(*) FROM t JOIN s ON t.v = s.v") == [(3,)]
    assert ask("SELECT MAX(n) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY v ORDER BY i) AS n FROM t) d") == [
        (3,)
    ]
    assert ask("SELECT v FROM t EXCEPT SELECT v FROM s") in ([(" a",), ("b",)], [("b",), (" a",)])


def test_order_is_by_code_point(ask):
    ask("CREATE TABLE x (v VARCHAR(5))")
    ask("INSERT INTO x VALUES ('b'), ('B'), ('a'), ('é'), ('Z'), ('_')")
    assert [row[0] for row in ask("SELECT v FROM x ORDER BY v")] == ["B", "Z", "_", "a", "b", "é"]


def test_a_backslash_escapes_in_a_literal(ask):
    assert ask(r"SELECT 'a\\b', 'it\'s', 'it''s'") == [("a\\b", "it's", "it's")]


# numbers and dates


def test_integers_divide_and_average_as_integers(ask):
    ask("CREATE TABLE x (s SMALLINT, i INT, b BIGINT, n NUMERIC(5,2), f FLOAT)")
    ask("INSERT INTO x VALUES (1, 1, 1, 1, 1), (2, 2, 2, 2, 2), (-8, -8, -8, -8, -8)")
    row = ask("SELECT AVG(s), AVG(i), AVG(b), AVG(f), 7 / 2, -7 / 2, AVG(NULLIF(i, i)) FROM x")[0]
    assert row == (-1, -1, -1, pytest.approx(-5 / 3), 3, -3, None)
    assert ask("SELECT AVG(i) OVER (PARTITION BY s) FROM x ORDER BY 1") == [(-8,), (1,), (2,)]


def test_a_bare_numeric_has_no_decimals(ask):
    assert [str(v) for v in ask("SELECT 2.6::NUMERIC, 2.65::DECIMAL(5,1)")[0]] == ["3", "2.7"]


def test_extract_is_an_integer_and_date_part_a_double(connection, ask):
    when = dt.datetime(2018, 11, 4, 23, 59, 58, 796000)
    ask("CREATE TABLE x (ts TIMESTAMP, d DATE)")
    ask("INSERT INTO x VALUES (%s, %s)", when, when.date())
    parts = ["hour", "day", "week", "month", "year", "dow", "weekday", "doy", "quarter", "epoch", "second"]
    got = ask("SELECT " + ", ".join(f"EXTRACT({part} FROM ts)" for part in parts) + " FROM x")[0]
    assert got == (23, 4, 44, 11, 2018, 0, 0, 308, 4, 1541375998, 58)
    assert all(type(value) is int for value in got)
    assert ask("SELECT EXTRACT(WEEK FROM d), DATE_PART(week, ts), DATE_PART('dow', ts) FROM x") == [
        (44, 44.0, 0.0)
    ]
    assert type(ask("SELECT DATE_PART(week, ts) FROM x")[0][0]) is float


def test_dateadd_keeps_milliseconds_and_interval_arithmetic_loses_them(ask):
    ask("CREATE TABLE x (ms BIGINT)")
    ask("INSERT INTO x VALUES (1541105830796)")
    row = ask(
        "SELECT DATEADD(ms, ms, '1970-01-01'::timestamp),"
        " TIMESTAMP 'epoch' + ms / 1000 * INTERVAL '1 second' FROM x"
    )[0]
    assert row == (dt.datetime(2018, 11, 1, 20, 57, 10, 796000), dt.datetime(2018, 11, 1, 20, 57, 10))


@given(st.integers(-(10**14), 4 * 10**14))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_dateadd_of_milliseconds_is_exact(ask, ms):
    whole = ms // 1000
    try:
        expected = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=ms)
    except OverflowError:
        return
    assert ask("SELECT DATEADD(ms, %s, '1970-01-01'::timestamp)", ms) == [(expected,)]
    assert ask("SELECT DATEADD(second, %s, '1970-01-01'::timestamp)", whole) == [
        (expected.replace(microsecond=0),)
    ]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("DATEADD(month, 1, '2018-01-31'::date)", dt.datetime(2018, 2, 28)),
        ("DATEADD('day', -1, '2018-03-01'::timestamp)", dt.datetime(2018, 2, 28)),
        ("DATEDIFF(day, '2018-01-01 23:59'::timestamp, '2018-01-02'::timestamp)", 1),
        ("DATEDIFF(year, '2017-12-31'::date, '2018-01-01'::date)", 1),
        ("DATEDIFF(ms, '2018-01-01'::timestamp, '2018-01-01 00:00:01.25'::timestamp)", 1250),
        ("DATEDIFF(week, '2018-11-04'::date, '2018-11-05'::date)", 1),
        ("DATE_TRUNC('week', '2018-11-04'::timestamp)", dt.datetime(2018, 10, 29)),
        ("TRUNC('2018-11-04 12:00'::timestamp)", dt.date(2018, 11, 4)),
        (
            "CONVERT_TIMEZONE('UTC', 'America/New_York', '2018-11-01 12:00'::timestamp)",
            dt.datetime(2018, 11, 1, 8),
        ),
        ("LAST_DAY('2018-02-03'::timestamp)", dt.date(2018, 2, 28)),
        ("TO_CHAR('2018-11-04'::date, 'Day') || '|'", "Sunday   |"),
        ("TO_CHAR('2018-11-04'::date, 'YYYY-MM-DD')", "2018-11-04"),
        ("NVL(NULL, 2)", 2),
        ("NVL2(NULL, 1, 2)", 2),
        ("DECODE(2, 1, 'one', 2, 'two', 'many')", "two"),
        ("DECODE(NULL::int, NULL, 'none', 'some')", "none"),
        ("DECODE(3, 1, 'one')", None),
        ("CONCAT('a', NULL)", None),
        ("LEN('aé ')", 3),
        ("OCTET_LENGTH('aé ')", 4),
        ("CHARINDEX('b', 'abc')", 2),
        ("REGEXP_REPLACE('a1b2', '[0-9]', '')", "ab"),
        ("MD5('a')", hashlib.md5(b"a").hexdigest()),
        ("SHA2('a', 256)", hashlib.sha256(b"a").hexdigest()),
        ("STRTOL('7fffffffffffffff', 16)", 2**63 - 1),
        ("STRTOL('-12', 10)", -12),
        ("JSON_EXTRACT_PATH_TEXT('{\"a\": {\"b\": 3}}', 'a', 'b')", "3"),
        ("GREATEST(1, NULL, 3)", 3),
        ("ROUND(2.345::float, 1)", 2.3),
    ],
)
def test_functions_give_what_redshift_documents(ask, call, expected):
    assert ask(f"SELECT {call}") == [(expected,)]


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_strtol_of_15_hex_digits_of_md5_is_exact(ask, text):
    expected = int(hashlib.md5(text.encode()).hexdigest()[:15], 16)
    assert ask("SELECT STRTOL(SUBSTRING(MD5(%s), 1, 15), 16)", text) == [(expected,)]


def test_strtol_overflows_beyond_63_bits(refused):
    assert refused("SELECT STRTOL('8000000000000000', 16)")[0] == "22003"


def test_getdate_and_sysdate_are_utc_without_a_zone(ask):
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    for value in ask("SELECT GETDATE(), SYSDATE")[0]:
        assert abs(value - now) < dt.timedelta(seconds=30)


def test_leader_functions_work_without_tables(ask):
    assert ask("SELECT SUBSTR('abc', 1, 2)") == [("ab",)]
    assert ask("SELECT CURRENT_TIMESTAMP")[0][0].tzinfo is not None


def test_listagg_joins_in_order(ask):
    ask("CREATE TABLE x (g INT, v VARCHAR(5))")
    ask("INSERT INTO x VALUES (1, 'b'), (1, 'a'), (1, 'a'), (2, NULL)")
    got = ask(
        "SELECT g, LISTAGG(v, ', ') WITHIN GROUP (ORDER BY v),"
        " LISTAGG(DISTINCT v, '|') WITHIN GROUP (ORDER BY v),"
        " LEN(LISTAGG(v)) FROM x GROUP BY g ORDER BY g"
    )
    assert got == [(1, "a, a, b", "a|b", 3), (2, None, None, None)]


def test_listagg_has_a_limit(ask, refused):
    assert (
        refused("SELECT LISTAGG(REPEAT('a', 60000), ',') FROM (SELECT 1 UNION ALL SELECT 2) x")[0] == "54000"
    )


# QUALIFY


@pytest.fixture
def plays(ask):
    ask("CREATE TABLE plays (id INT, who VARCHAR(5), n INT)")
    ask("INSERT INTO plays VALUES (1, 'a', 10), (2, 'a', 30), (3, 'b', 20), (4, 'b', 20), (5, 'c', NULL)")


FIRST = "QUALIFY ROW_NUMBER() OVER (PARTITION BY a.who ORDER BY a.id DESC, b.id) = 1"
LATEST = "QUALIFY ROW_NUMBER() OVER (PARTITION BY who ORDER BY n DESC, id) = 1"


@pytest.mark.usefixtures("plays")
@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"SELECT id FROM plays AS p {LATEST} ORDER BY id", [(2,), (3,), (5,)]),
        (f"SELECT * FROM plays p WHERE n IS NOT NULL {LATEST} ORDER BY id", [(2, "a", 30), (3, "b", 20)]),
        (f"SELECT p.*, n + 1 AS m FROM plays p {LATEST} ORDER BY m LIMIT 1", [(3, "b", 20, 21)]),
        ("SELECT id, RANK() OVER (ORDER BY n) AS r FROM plays p WHERE n > 0 QUALIFY r = 2 ORDER BY id",
         [(3, 2), (4, 2)]),
        (f"SELECT COUNT(*) FROM (SELECT id FROM plays AS p {LATEST}) x", [(3,)]),
        (f"WITH x AS (SELECT id FROM plays AS p {LATEST}) SELECT COUNT(*) FROM x, plays p WHERE p.id = x.id",
         [(3,)]),
        (f"SELECT id FROM plays p WHERE id = 4 UNION ALL SELECT id FROM plays p {LATEST} ORDER BY id",
         [(2,), (3,), (4,), (5,)]),
        ("SELECT DISTINCT who FROM plays p QUALIFY COUNT(*) OVER (PARTITION BY who) = 2 ORDER BY who",
         [("a",), ("b",)]),
        (f"SELECT a.id, b.id FROM plays a JOIN plays AS b ON a.who = b.who {FIRST} ORDER BY a.id",
         [(2, 1), (4, 3), (5, 5)]),
    ],
)  # fmt: skip
def test_qualify_filters_windows(ask, sql, expected):
    assert ask(sql) == expected


@pytest.mark.usefixtures("plays")
def test_qualify_feeds_an_insert(ask):
    ask("CREATE TABLE best (who VARCHAR(5), id INT)")
    ask(f"INSERT INTO best (who, id) SELECT p.who, p.id FROM plays AS p {LATEST}")
    assert ask("SELECT who, id FROM best ORDER BY who") == [("a", 2), ("b", 3), ("c", 5)]


@pytest.mark.usefixtures("plays")
def test_qualify_names_its_columns_as_the_select_list_does(connection):
    cursor = connection.cursor()
    cursor.execute(
        f"SELECT p.id, who AS listener, n + 1 m, COUNT(*) OVER (PARTITION BY who) FROM plays p {LATEST}"
    )
    names = [column[0] for column in cursor.description]
    assert names == ["id", "listener", "m", "count"]


# the rest


@pytest.mark.usefixtures("table")
def test_delete_using_and_update_from(ask):
    ask("INSERT INTO t (i, v) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    ask("INSERT INTO s VALUES (1, 'x'), (2, 'y')")
    ask("UPDATE t SET v = s.v FROM s WHERE t.i = s.i")
    ask("DELETE FROM t USING s WHERE t.i = s.i AND s.v = 'x'")
    ask("DELETE t WHERE i = 3")
    assert ask("SELECT i, v FROM t") == [(2, "y")]


def test_temporary_tables_by_both_spellings(ask, redshift):
    ask("CREATE TABLE #a AS SELECT 1 AS i")
    ask("CREATE TEMPORARY TABLE b (i INT)")
    ask("INSERT INTO b SELECT i FROM #a")
    assert ask("SELECT i FROM b WHERE EXISTS (SELECT 1 FROM #a WHERE #a.i = b.i)") == [(1,)]


@pytest.mark.usefixtures("table")
def test_identifiers_fold_even_when_quoted(ask):
    ask('CREATE TABLE "Mixed" ("Col" INT)')
    ask('INSERT INTO MIXED ("COL") VALUES (1)')
    assert ask('SELECT "cOl" FROM mixed') == [(1,)]


@pytest.mark.parametrize(
    ("setting", "shown"),
    [("SET query_group TO 'etl'", "etl"), ("SET enable_result_cache_for_session TO off", "off")],
)
def test_redshift_settings_are_kept(ask, setting, shown):
    ask(setting)
    assert ask(f"SHOW {setting.split()[1]}") == [(shown,)]


def test_late_binding_views_and_top_and_minus(ask):
    ask("CREATE TABLE x (i INT)")
    ask("INSERT INTO x VALUES (3), (1), (2)")
    ask("CREATE VIEW w AS SELECT i FROM public.x WITH NO SCHEMA BINDING")
    assert ask("SELECT TOP 2 i FROM w ORDER BY i") == [(1,), (2,)]
    assert ask("SELECT i FROM x MINUS SELECT i FROM x WHERE i > 1") == [(1,)]
    assert ask("SELECT APPROXIMATE COUNT(DISTINCT i), MEDIAN(i) FROM x") == [(3, 2.0)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a.b, 'it''s; -- no comment' /* c */ FROM t AS a -- end\nWHERE a.b <> 15e3 AND a.\"c\" ~ '^x'",
        "INSERT INTO t (a, b)\nSELECT a, COUNT(*)\n  FROM u\n GROUP BY a\n",
        "WITH x (a, b) AS (SELECT 1, 2) SELECT a FROM x",
        "SELECT LEFT(v, 2), EXTRACT(week FROM ts) FROM t WHERE i IN (1, 2) AND v IN (SELECT s.v FROM s)",
    ],
)
def test_text_no_rule_touches_reaches_postgresql_as_written(sql):
    assert join(tokenize(sql)) == sql.rstrip()
    assert rewrite(sql, Options()).sql == sql.rstrip()


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_rewriting(text):
    """Whatever comes, the answer is a plan or a Redshift error."""
    with contextlib.suppress(RedshiftError):
        rewrite(text, Options())
