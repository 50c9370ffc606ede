"""COPY from a real S3 server: which files, which values, which errors."""

# ruff: noqa: DTZ001 - TIMESTAMP has no zone

from __future__ import annotations

import datetime as dt
import gzip
import itertools
import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redshift_connector.error import ProgrammingError

from tests.conftest import S3Server
from tools.redshift_double.fixtures import ROLE, DoubleCluster
from tools.redshift_double.jsonstream import Record, decode, read_records

AUTH = f"IAM_ROLE '{ROLE}'"
COLUMNS = (
    "i INT, n NUMERIC(6,2), f FLOAT, b BOOLEAN, ts TIMESTAMP, v VARCHAR(6), w VARCHAR(40) DEFAULT 'none'"
)


_numbers = itertools.count(1)


class Bucket:
    """A bucket of its own for one test."""

    def __init__(self, server: S3Server, name: str) -> None:
        self.name = name
        self._root = server.root

    def put(self, key: str, data: bytes | str | list[Any]) -> str:
        """Write an object; a list becomes JSON lines. Returns its URL."""
        if isinstance(data, list):
            data = "".join(json.dumps(record) + "\n" for record in data)
        path = self._root / self.name / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return self.url(key)

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def manifest(self, *entries: tuple[str, bool | None]) -> str:
        """A manifest of (url, mandatory)."""
        listed = [{"url": url} | ({} if must is None else {"mandatory": must}) for url, must in entries]
        return self.put("manifests/m.json", json.dumps({"entries": listed}))


@pytest.fixture
def bucket(s3: S3Server, redshift: DoubleCluster) -> Bucket:
    return Bucket(s3, f"copy-{next(_numbers)}")


@pytest.fixture
def t(connection, ask) -> None:
    ask(f"CREATE TABLE t ({COLUMNS})")
    connection.commit()


pytestmark = pytest.mark.usefixtures("t")
Ask = Callable[..., Any]


def test_auto_matches_lower_case_keys_and_ignores_the_rest(ask: Ask, bucket: Bucket):
    bucket.put("d/a.json", [{"i": 1, "V": "no", "v": "yes", "other": 5}, {"v": None, "w": ""}])
    ask(f"COPY t (i, v, w) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'")
    assert ask("SELECT i, v, w FROM t ORDER BY i") == [(1, "yes", None), (None, None, "")]


def test_a_column_outside_the_list_takes_its_default_and_one_inside_is_null(ask: Ask, bucket: Bucket):
    bucket.put("d/a.json", [{"i": 1}])
    ask(f"COPY t (i) FROM '{bucket.url('d/')}' {AUTH} FORMAT AS JSON 'auto'")
    ask(f"COPY t FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'")
    assert ask("SELECT w FROM t ORDER BY w") == [("none",), (None,)]


def test_auto_ignorecase_matches_any_case(ask: Ask, bucket: Bucket):
    bucket.put("d/a.json", [{"I": 1, "V": "Up"}])
    ask(f"COPY t FROM '{bucket.url('d/')}' {AUTH} JSON 'auto ignorecase'")
    assert ask("SELECT i, v FROM t") == [(1, "Up")]


def test_jsonpaths_go_by_the_order_of_columns(ask: Ask, bucket: Bucket):
    paths = bucket.put(
        "paths/p.json", json.dumps({"jsonpaths": ["$['user']['name']", "$['ids'][1]", "$['absent']"]})
    )
    bucket.put("d/a.json", [{"user": {"name": "ann"}, "ids": [7, 8]}, {"ids": []}])
    ask(f"COPY t (v, i, w) FROM '{bucket.url('d/')}' {AUTH} JSON '{paths}'")
    assert ask("SELECT v, i, w FROM t ORDER BY v") == [("ann", 8, None), (None, None, None)]


def test_jsonpaths_in_dot_notation(ask: Ask, bucket: Bucket):
    paths = bucket.put("paths/p.json", json.dumps({"jsonpaths": ["$.user.name"]}))
    bucket.put("d/a.json", [{"user": {"name": "ann"}}])
    ask(f"COPY t (v) FROM '{bucket.url('d/')}' {AUTH} JSON '{paths}'")
    assert ask("SELECT v FROM t") == [("ann",)]


def test_a_jsonpaths_file_with_another_key_silently_means_auto(ask: Ask, bucket: Bucket):
    paths = bucket.put("paths/p.json", json.dumps({"paths": ["$['x']"]}))
    bucket.put("d/a.json", [{"x": "wrong", "v": "auto"}])
    ask(f"COPY t (v) FROM '{bucket.url('d/')}' {AUTH} JSON '{paths}'")
    assert ask("SELECT v FROM t") == [("auto",)]


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (
            {"jsonpaths": ["$['a']"]},
            "Number of jsonpaths and the number of columns should match. JSONPath size: 1",
        ),
        ({"jsonpaths": ["$['a'].b", "$['c']"]}, "Invalid JSONPath format"),
        ({"jsonpaths": ["a", "b"]}, "Invalid JSONPath format"),
    ],
)
def test_a_wrong_jsonpaths_file_fails_the_load_whatever_maxerror(refused, bucket: Bucket, paths, words):
    url = bucket.put("paths/p.json", json.dumps(paths))
    bucket.put("d/a.json", [{"a": 1}])
    code, message = refused(f"COPY t (i, v) FROM '{bucket.url('d/')}' {AUTH} JSON '{url}' MAXERROR 100")
    assert code == "XX000"
    assert words in message


def test_objects_may_span_lines_and_share_one(ask: Ask, bucket: Bucket):
    bucket.put("d/a.json", '{\n "i":\n 1}{"i":2} {"i": 3}\n\n\n{"i": 4}')
    ask(f"COPY t (i) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'")
    assert ask("SELECT i FROM t ORDER BY i") == [(1,), (2,), (3,), (4,)]


def test_a_prefix_also_takes_its_longer_neighbours(ask: Ask, refused, bucket: Bucket):
    bucket.put("log/a.json", [{"i": 1}])
    bucket.put("log_old/a.json", [{"i": 2}])
    ask(f"COPY t (i) FROM '{bucket.url('log')}' {AUTH} JSON 'auto'")
    assert ask("SELECT COUNT(*) FROM t") == [(2,)]
    wanted = ("XX000", "The specified S3 prefix 'nothing' does not exist")
    assert refused(f"COPY t (i) FROM '{bucket.url('nothing')}' {AUTH} JSON 'auto'") == wanted


def test_a_manifest_loads_what_it_lists_and_twice_what_it_lists_twice(ask: Ask, bucket: Bucket):
    one, two = bucket.put("d/1.json", [{"i": 1}]), bucket.put("d/2.json", [{"i": 2}])
    bucket.put("d/3.json", [{"i": 3}])
    manifest = bucket.manifest((one, True), (two, None), (two, False), (bucket.url("d/gone"), None))
    ask(f"COPY t (i) FROM '{manifest}' {AUTH} MANIFEST JSON 'auto'")
    assert ask("SELECT i FROM t ORDER BY i") == [(1,), (2,), (2,)]


def test_copy_tells_how_many_rows_it_loaded(connection, ask: Ask, bucket: Bucket):
    bucket.put("d/a.json", [{"i": 1}, {"i": "x"}, {"i": 3}])
    ask(f"COPY t (i) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto' MAXERROR 2")
    lost, loaded = (notice[b"M"].decode() for notice in connection.notices)
    assert lost.startswith("Load into table 't' completed, 1 record(s) could not be loaded.")
    assert loaded == "Load into table 't' completed, 2 record(s) loaded successfully."


def test_a_mandatory_file_that_is_missing_fails_the_load(ask: Ask, refused, bucket: Bucket):
    one = bucket.put("d/1.json", [{"i": 1}])
    manifest = bucket.manifest((one, True), (bucket.url("d/gone"), True))
    assert refused(f"COPY t (i) FROM '{manifest}' {AUTH} MANIFEST JSON 'auto'")[0] == "XX000"
    assert ask("SELECT COUNT(*) FROM t") == [(0,)]


@pytest.mark.parametrize("text", ["no json", "[]", '{"files": []}', '{"entries": [{"mandatory": true}]}'])
def test_a_broken_manifest_fails_the_load(refused, bucket: Bucket, text):
    url = bucket.put("m", text)
    assert refused(f"COPY t FROM '{url}' {AUTH} MANIFEST JSON 'auto'") == (
        "XX000",
        "Problem parsing manifest file",
    )
    assert "NoSuchKey" in refused(f"COPY t FROM '{url}x' {AUTH} MANIFEST JSON 'auto'")[1]


def test_gzip_and_zstd_apply_to_data_only(ask: Ask, bucket: Bucket):
    data = b'{"v": "packed"}\n'
    paths = bucket.put("p.json", json.dumps({"jsonpaths": ["$['v']"]}))
    packed = bucket.put("z/a.gz", gzip.compress(data[:5]) + gzip.compress(data[5:]))
    ask(f"COPY t (v) FROM '{bucket.manifest((packed, True))}' {AUTH} MANIFEST GZIP JSON '{paths}'")
    bucket.put("zst/a", zstandard.compress(data) + zstandard.compress(data))
    ask(f"COPY t (v) FROM '{bucket.url('zst/')}' {AUTH} ZSTD JSON 'auto'")
    assert ask("SELECT v FROM t") == [("packed",)] * 3


def test_a_truncated_gzip_is_an_error_of_its_own(refused, bucket: Bucket):
    bucket.put("z/a.gz", gzip.compress(b'{"v": "packed"}\n' * 50)[:-20])
    assert (
        "decompress" in refused(f"COPY t (v) FROM '{bucket.url('z/')}' {AUTH} GZIP JSON 'auto' MAXERROR 9")[1]
    )


@pytest.mark.parametrize(
    ("options", "value", "expected"),
    [
        ("TIMEFORMAT 'epochmillisecs'", 1541105830796, dt.datetime(2018, 11, 1, 20, 57, 10, 796000)),
        ("TIMEFORMAT AS 'epochsecs'", 1541105830, dt.datetime(2018, 11, 1, 20, 57, 10)),
        ("TIMEFORMAT 'auto'", "2018-11-01T20:57:10.5", dt.datetime(2018, 11, 1, 20, 57, 10, 500000)),
        ("", "2018-11-01 20:57:10", dt.datetime(2018, 11, 1, 20, 57, 10)),
        ("", "", None),
        ("TIMEFORMAT 'auto'", 1541105830796, 1206),
        ("", 1541105830796, 1206),
        ("TIMEFORMAT 'epochmillisecs'", "2018-11-01", 1206),
        ("", "2018-02-30 00:00:00", 1206),
    ],
)
def test_timeformat(connection, ask: Ask, bucket: Bucket, options, value, expected):
    bucket.put("d/a.json", [{"ts": value}])
    sql = f"COPY t (ts) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto' {options}"
    if expected == 1206:
        assert [error[2] for error in errors_of(connection, ask, sql)] == [1206]
    else:
        ask(sql)
        assert ask("SELECT ts FROM t") == [(expected,)]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"i": "12", "n": "1.239", "f": "1e3", "b": "t"}, (12, Decimal("1.23"), 1000.0, True)),
        ({"i": "", "n": "", "f": "", "b": ""}, (None, None, None, None)),
        ({"i": 3, "n": -1.239, "f": 2, "b": True}, (3, Decimal("-1.23"), 2.0, True)),
    ],
)
def test_values_become_the_type_of_their_column(ask: Ask, bucket: Bucket, record, expected):
    bucket.put("d/a.json", [record])
    ask(f"COPY t FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'")
    assert ask("SELECT i, n, f, b FROM t") == [expected]


def test_strings_keep_numbers_booleans_and_nested_values_as_text(ask: Ask, bucket: Bucket):
    bucket.put(
        "d/a.json",
        '{"w": 1.50}\n{"w": true}\n{"w": {"a": [1, "x"]}}\n{"w": ""}\n{"w": "tab\\tnew\\nline\\\\"}',
    )
    ask(f"COPY t (w) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'")
    got = [row[0] for row in ask("SELECT w FROM t")]
    assert got == ["1.50", "true", '{"a": [1, "x"]}', "", "tab\tnew\nline\\"]


def test_emptyasnull_blanksasnull_truncatecolumns_acceptinvchars(ask: Ask, bucket: Bucket):
    bucket.put(
        "d/a.json", b'{"v": "", "w": "  "}\n{"v": "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", "w": "a\xffb"}\n'
    )
    ask(
        f"COPY t (v, w) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'"
        " EMPTYASNULL BLANKSASNULL TRUNCATECOLUMNS ACCEPTINVCHARS AS '^' COMPUPDATE OFF STATUPDATE OFF"
    )
    assert ask("SELECT v, w FROM t ORDER BY v") == [("ééé", "a^b"), (None, None)]


# errors


def errors_of(connection, ask: Ask, sql: str, *, fails: bool = True) -> list[tuple[Any, ...]]:
    """Run a COPY; its errors as (line, column, code, message)."""
    if fails:
        with pytest.raises(ProgrammingError, match="Load into table 't' failed"):
            ask(sql)
        connection.rollback()
    else:
        ask(sql)
    found: list[tuple[Any, ...]] = ask(
        "SELECT line_number, TRIM(column_name), error_code, TRIM(error_message) FROM sys_load_error_detail"
        " ORDER BY query_id, line_number"
    )
    return found


@pytest.mark.parametrize(
    ("record", "column", "code", "words"),
    [
        ('{"i": "x1"}', "i", 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"),
        ('{"i": 1.5}', "i", 1207, "Invalid digit, Value '.', Pos 1, Type: Integer"),
        ('{"i": 99999999999}', "i", 1204, "Overflow"),
        ('{"n": 12345}', "n", 1204, "Overflow for NUMERIC(6,2)"),
        ('{"n": "abc"}', "n", 1207, "Invalid digit"),
        ('{"f": "abc"}', "f", 1208, "Invalid float"),
        ('{"b": "maybe"}', "b", 1210, "boolean"),
        ('{"v": "1234567"}', "v", 1204, "String length exceeds DDL length"),
        ('{"v": "éééé"}', "v", 1204, "String length exceeds DDL length"),
        ('{"v": "\\u0000"}', "v", 1220, "Invalid null byte - field longer than 1 byte"),
        ('{"v": "\\u0000abc"}', "v", 1220, "Invalid null byte - field longer than 1 byte"),
        ('{"v": "\\ud800"}', "v", 1220, "UTF8"),
        ('[{"i": 1}]', "", 1216, "Invalid JSONPath format: Member is not an object."),
        ("17", "", 1216, "Invalid JSONPath format: Member is not an object."),
        ('{"i": 1', "", 1216, "Invalid JSON"),
        ('{"v": "unclosed', "", 1216, "Invalid JSON"),
        ('{"i": NaN}', "", 1216, "Invalid value."),
        ("{'i': 1}", "", 1216, "Invalid JSON"),
    ],
)
def test_a_bad_value_is_counted_with_its_line_column_and_code(
    connection, ask: Ask, bucket, record, column, code, words
):
    bucket.put("d/a.json", f'{{"i": 1}}\n{record}\n')
    sql = f"COPY t FROM '{bucket.url('d/')}' {AUTH} JSON 'auto' MAXERROR 2"
    [(line, name, got, message)] = errors_of(connection, ask, sql, fails=False)
    assert (line, name, got) == (2, column, code)
    assert words in message
    assert ask("SELECT i FROM t") == [(1,)]


def test_a_text_is_cut_at_a_nul_without_a_word(ask: Ask, bucket: Bucket):
    """The one change of data that COPY makes silently."""
    bucket.put("d/a.json", [{"v": "ab\0cdefghijk"}, {"v": "\u20ac\0"}])
    ask(f"COPY t (v) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'")
    assert sorted(ask("SELECT v FROM t")) == [("ab",), ("\u20ac",)]


def test_invalid_utf8_is_1220(connection, ask: Ask, bucket: Bucket):
    bucket.put("d/a.json", b'{"v": "a\xff"}\n')
    sql = f"COPY t FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'"
    [(line, name, code, message)] = errors_of(connection, ask, sql)
    assert (line, name, code) == (1, "v", 1220)
    assert "ff" in message


def test_a_missing_value_for_a_not_null_column_is_1213(connection, ask: Ask, bucket: Bucket):
    ask("CREATE TABLE n (i INT NOT NULL, v VARCHAR(5))")
    connection.commit()
    bucket.put("d/a.json", [{"v": "a"}, {"i": 1}])
    ask(f"COPY n FROM '{bucket.url('d/')}' {AUTH} JSON 'auto' MAXERROR 5")
    got = ask("SELECT TRIM(column_name), error_code, TRIM(error_message) FROM sys_load_error_detail")
    assert got == [("i", 1213, "Missing data for not-null field")]
    assert ask("SELECT i FROM n") == [(1,)]


def test_the_line_of_an_error_is_the_last_line_of_its_object(connection, ask: Ask, bucket: Bucket):
    bucket.put("d/a.json", '{"i": 1}\n\n{\n "i": "x",\n "v": "y"\n}\n{"i": "z"}\n')
    sql = f"COPY t FROM '{bucket.url('d/')}' {AUTH} JSON 'auto' MAXERROR 9"
    assert [error[0] for error in errors_of(connection, ask, sql, fails=False)] == [6, 7]


@pytest.mark.parametrize(("max_errors", "fails"), [("", True), ("MAXERROR 0", True), ("MAXERROR 1", True),
                          ("MAXERROR 3", True), ("MAXERROR AS 4", False)])  # fmt: skip
def test_a_load_fails_when_its_errors_reach_maxerror(connection, ask: Ask, bucket: Bucket, max_errors, fails):
    bucket.put("d/a.json", [{"i": 1}, {"i": "a"}, {"i": "b"}, {"i": 2}, {"i": "c"}])
    sql = f"COPY t (i) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto' {max_errors}"
    found = errors_of(connection, ask, sql, fails=fails)
    assert len(found) == (3 if "3" in max_errors or "4" in max_errors else 1)
    assert ask("SELECT COUNT(*) FROM t") == [(0 if fails else 2,)]


def test_maxerror_ends_at_100000(refused, bucket: Bucket):
    assert refused(f"COPY t FROM '{bucket.url('d')}' {AUTH} JSON 'auto' MAXERROR 100001")[0] == "22023"


def test_an_object_above_4_mb_is_an_error(connection, ask: Ask, bucket: Bucket):
    big = json.dumps({"i": 1, "x": "a" * (4 * 1024 * 1024)})
    bucket.put("d/a.json", big + '\n{"i": 2}')
    sql = f"COPY t (i) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto' MAXERROR 9"
    assert [error[2] for error in errors_of(connection, ask, sql, fails=False)] == [1216]
    assert ask("SELECT i FROM t") == [(2,)]


def test_noload_only_validates(connection, ask: Ask, bucket: Bucket):
    bucket.put("d/a.json", [{"i": 1}, {"i": "x"}])
    sql = f"COPY t (i) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto' NOLOAD MAXERROR 9"
    assert len(errors_of(connection, ask, sql, fails=False)) == 1
    assert ask("SELECT COUNT(*), pg_last_copy_id() FROM t") == [(0, -1)]


BROKEN = '{"i": 1}\n{"i": \n{"i": 3}\n{"i": 4}\n{"i": 5}\n'


@pytest.mark.parametrize(("resync", "loaded"), [("stream", [1, 5]), ("line", [1, 3, 4, 5])])
def test_where_reading_goes_on_after_an_object_broken_between_its_tokens(
    redshift: DoubleCluster, ask: Ask, bucket: Bucket, resync, loaded
):
    """Redshift's own way is not published, so both are to be had."""
    redshift.server.configure(resync=resync)
    bucket.put("d/a.json", BROKEN)
    ask(f"COPY t (i) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto' MAXERROR 9")
    assert [row[0] for row in ask("SELECT i FROM t ORDER BY i")] == loaded


# transactions, authorisation, combinations


def test_a_copy_is_undone_by_rollback_and_its_errors_are_not(connection, ask: Ask, bucket: Bucket):
    bucket.put("d/a.json", [{"i": 1}, {"i": "x"}])
    ask(f"COPY t (i) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto' MAXERROR 9")
    connection.rollback()
    assert ask("SELECT COUNT(*) FROM t") == [(0,)]
    assert ask("SELECT COUNT(*) FROM sys_load_error_detail") == [(1,)]


def test_copies_into_one_table_wait_for_each_other(
    redshift: DoubleCluster, connection, ask: Ask, bucket: Bucket
):
    bucket.put("d/a.json", [{"i": 1}])
    sql = f"COPY t (i) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'"
    ask(sql)
    with redshift.connect() as other:
        cursor = other.cursor()
        cursor.execute("SET statement_timeout TO 300")
        other.commit()
        with pytest.raises(ProgrammingError) as caught:
            cursor.execute(sql)
        assert caught.value.args[0]["C"] == "57014"
        other.rollback()
        connection.commit()
        cursor.execute(sql)
        cursor.execute("SELECT COUNT(*) FROM t")
        assert cursor.fetchone() == [2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("JSON 'auto'", "authorization"),
        (f"{AUTH} JSON 'auto' CSV", "CSV is not supported with JSON"),
        (f"{AUTH} JSON 'auto' DELIMITER ','", "DELIMITER is not supported with JSON"),
        (f"{AUTH} JSON 'auto' NULL AS 'x'", "NULL is not supported with JSON"),
        (f"{AUTH} CSV", "copies JSON only"),
        (f"{AUTH} JSON 'auto' MAXERROR many", "syntax error"),
        (f"{AUTH} JSON 'auto' GZIP GZIP", "redundant"),
        (f"{AUTH} JSON 'auto' NONSENSE", "syntax error"),
        (f"{AUTH} JSON 'automatic'", "Invalid JSON format"),
        ("IAM_ROLE 'dwhRole' JSON 'auto'", "Invalid IAM role ARN"),
        ("ACCESS_KEY_ID 'k' SECRET_ACCESS_KEY 's' JSON 'auto'", "no access keys"),
        ("CREDENTIALS 'aws_access_key_id=k;aws_secret_access_key=s' JSON 'auto'", "no access keys"),
    ],
)
def test_copy_statements_that_cannot_work(refused, options, words):
    assert words in refused(f"COPY t FROM 's3://b/k' {options}")[1]


def test_the_role_must_be_attached_to_the_cluster(redshift: DoubleCluster, ask: Ask, refused, bucket: Bucket):
    redshift.server.configure(iam_roles=frozenset({ROLE}))
    bucket.put("d/a.json", [{"i": 1}])
    ask(f"COPY t (i) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'")
    ask(f"COPY t (i) FROM '{bucket.url('d/')}' IAM_ROLE default JSON 'auto'")
    ask(f"COPY t (i) FROM '{bucket.url('d/')}' CREDENTIALS 'aws_iam_role={ROLE}' JSON 'auto'")
    message = refused(f"COPY t (i) FROM '{bucket.url('d/')}' IAM_ROLE '{ROLE}2' JSON 'auto'")[1]
    assert "not authorized to assume IAM Role" in message


def test_a_bucket_elsewhere_needs_its_region(redshift: DoubleCluster, ask: Ask, refused, bucket: Bucket):
    redshift.server.configure(bucket_regions={bucket.name: "eu-west-1"})
    bucket.put("d/a.json", [{"i": 1}])
    sql = f"COPY t (i) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'"
    assert "PermanentRedirect" in refused(sql)[1]
    ask(f"{sql} REGION 'eu-west-1'")
    assert ask("SELECT COUNT(*) FROM t") == [(1,)]


def test_what_is_wrong_with_the_target_is_said(refused):
    tail = f"FROM 's3://b/k' {AUTH} JSON 'auto'"
    assert refused(f"COPY nowhere {tail}") == ("XX000", "Cannot COPY into nonexistent table nowhere")
    assert refused(f"COPY t (nothing) {tail}")[0] == "42703"


def test_identity_columns_number_themselves(ask: Ask, bucket: Bucket):
    ask("CREATE TABLE x (id BIGINT IDENTITY(1, 1), i INT)")
    bucket.put("d/a.json", [{"i": 1, "id": 99}, {"i": 2}])
    ask(f"COPY x FROM '{bucket.url('d/')}' {AUTH} JSON 'auto'")
    assert ask("SELECT COUNT(DISTINCT id), SUM(i) FROM x WHERE id <> 99") == [(2, 3)]


# the reader against an oracle, and the real data

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
RECORDS = st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), max_size=6)


@given(
    RECORDS,
    st.lists(st.sampled_from(["\n", " ", "\n\n", ""]), min_size=6, max_size=6),
    st.sampled_from([None, 1]),
)
@settings(max_examples=150, deadline=None)
def test_the_reader_finds_every_object_and_the_line_it_ends_on(records, gaps, indent):
    text, lines, expected = "", 1, []
    for record, gap in zip(records, gaps, strict=False):
        written = json.dumps(record, indent=indent, ensure_ascii=False)
        text += written + gap
        expected.append((lines + written.count("\n"), record))
        lines += written.count("\n") + gap.count("\n")
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return
    found = list(read_records(decode(data), "stream"))
    assert [(r.line, {k: _python(v) for k, v in r.values.items()}) for r in found] == expected
    assert not any(r.error for r in found)


def _python(value: object) -> object:
    from tools.redshift_double.jsonstream import Nested, Number

    return json.loads(value) if isinstance(value, Number | Nested) else value


@given(st.text(alphabet='{}[]":,\\ \n1a', max_size=30), st.sampled_from(["stream", "line"]))
@settings(max_examples=300, deadline=None)
def test_no_text_stops_the_reader(text, resync):
    records = list(read_records(text, resync))
    assert all(isinstance(record, Record) and 1 <= record.line <= text.count("\n") + 1 for record in records)


def test_the_real_data_loads_whole(ask: Ask, connection, s3: S3Server, bucket: Bucket, real_data: Path):
    shutil.copytree(real_data, s3.root / bucket.name)
    ask("CREATE TABLE events (artist VARCHAR(1024), ts TIMESTAMP, userid VARCHAR(10), page TEXT)")
    ask("CREATE TABLE songs (num_songs INT, song_id VARCHAR(32), title VARCHAR, duration NUMERIC(12,5))")
    ask(
        f"COPY events FROM '{bucket.url('log_data')}' {AUTH} JSON 'auto ignorecase'"
        " TIMEFORMAT 'epochmillisecs'"
    )
    ask(f"COPY songs FROM '{bucket.url('song_data')}' {AUTH} JSON 'auto'")
    assert ask("SELECT COUNT(*), SUM(DECODE(page, 'NextSong', 1, 0)), MIN(ts) FROM events") == [
        (8056, 6820, dt.datetime(2018, 11, 1, 20, 57, 10, 796000))
    ]
    records = [json.loads(path.read_text()) for path in sorted(real_data.glob("song_data/**/*.json"))]
    assert ask("SELECT COUNT(*), COUNT(DISTINCT song_id) FROM songs") == [(len(records),) * 2] == [(71, 71)]
    assert ask("SELECT SUM(duration) FROM songs") == [(sum(Decimal(str(r["duration"])) for r in records),)]


@given(st.lists(st.text(max_size=12), max_size=5))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_copy_loads_is_what_fits_in_bytes(connection, ask: Ask, bucket: Bucket, texts):
    """Against plain Python: a text is loaded up to a NUL when that fits 6 bytes, or not at all."""
    kept = [text.partition("\0")[0] for text in texts if not text.startswith("\0")]
    fits = [text for text in kept if len(text.encode()) <= 6]
    bucket.put("d/a.json", [{"v": text} for text in texts] + [{"v": "end"}])
    ask(f"COPY t (v) FROM '{bucket.url('d/')}' {AUTH} JSON 'auto' MAXERROR 100")
    found = sorted(row[0] for row in ask("SELECT v FROM t"))
    connection.rollback()
    assert found == sorted([*fits, "end"])
