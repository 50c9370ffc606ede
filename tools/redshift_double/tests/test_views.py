"""The system views a loader asks: what was loaded, what was not, under which query."""

from __future__ import annotations

import pytest
from redshift_connector.error import ProgrammingError

from tests.conftest import S3Server
from tools.redshift_double.fixtures import ROLE, DoubleCluster


@pytest.fixture
def copy(connection, ask, s3: S3Server, redshift: DoubleCluster) -> str:
    ask("CREATE TABLE t (i INT NOT NULL, v VARCHAR(5))")
    connection.commit()
    folder = s3.root / "views" / "d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.json").write_text('{"i": 1}\n{"i": 2}\n')
    (folder / "b.json").write_text('{"i": 3}\n{"i": "x", "v": "é"}\n{"v": "toolong", "i": 4}\n')
    return f"COPY t FROM 's3://{folder.parent.name}/d/' IAM_ROLE '{ROLE}' JSON 'auto' MAXERROR 5"


def test_pg_last_copy_id_follows_the_transaction(connection, ask, copy):
    assert ask("SELECT pg_last_copy_id()") == [(-1,)]
    ask(copy)
    [(first,)] = ask("SELECT pg_last_copy_id()")
    assert first > 0
    connection.commit()
    ask(copy)
    assert ask("SELECT pg_last_copy_id()")[0][0] > first
    connection.rollback()
    assert ask("SELECT pg_last_copy_id()") == [(first,)]


def test_pg_last_query_id_is_the_query_before(ask, copy):
    ask(copy)
    [(copied,)] = ask("SELECT pg_last_copy_id()")
    [(before,)] = ask("SELECT pg_last_query_id()")
    assert before == copied + 1  # the question for pg_last_copy_id came between


def test_load_detail_has_a_row_per_file_in_the_same_transaction(ask, copy):
    ask(copy)
    found = ask(
        "SELECT TRIM(file_name), lines_scanned, bytes_scanned FROM sys_load_detail"
        " WHERE query_id = pg_last_copy_id() ORDER BY file_name"
    )
    assert [(name[-6:], lines) for name, lines, _ in found] == [("a.json", 2), ("b.json", 3)]
    assert found[0][2] == 18


def test_load_history_counts_rows_and_errors(connection, ask, copy):
    ask(copy)
    with pytest.raises(ProgrammingError):
        ask(copy.replace("MAXERROR 5", ""))
    connection.rollback()
    assert ask(
        "SELECT TRIM(status), TRIM(table_name), loaded_rows, error_count, source_file_count"
        " FROM sys_load_history"
        " ORDER BY query_id"
    ) == [("completed", "t", 3, 2, 2), ("aborted", "t", 0, 1, 2)]


def test_sys_and_stl_tell_the_same_errors(ask, copy):
    ask(copy)
    new = ask(
        "SELECT query_id, TRIM(file_name), line_number, TRIM(column_name), TRIM(column_type),"
        " TRIM(column_length), position, error_code, TRIM(error_message) FROM sys_load_error_detail"
        " ORDER BY line_number"
    )
    old = ask(
        "SELECT query::BIGINT, TRIM(filename), line_number, TRIM(colname), TRIM(type),"
        " TRIM(col_length), position, err_code, TRIM(err_reason) FROM stl_load_errors ORDER BY line_number"
    )
    assert new == old
    assert [row[2:6] for row in new] == [(2, "i", "int4", "0"), (3, "v", "varchar", "5")]
    raw = ask("SELECT TRIM(raw_line), TRIM(raw_field_value) FROM stl_load_errors ORDER BY line_number")
    assert raw == [('{"i": "x", "v": "é"}', "x"), ('{"v": "toolong", "i": 4}', "toolong")]


def test_char_columns_of_system_tables_are_padded(ask, copy):
    ask(copy)
    assert {len(row[0]) for row in ask("SELECT colname FROM stl_load_errors")} == {127}


@pytest.mark.parametrize(
    ("views", "missing", "present"),
    [
        ("provisioned", "sys_load_error_detail", "stl_load_errors"),
        ("serverless", "stl_load_errors", "sys_load_error_detail"),
    ],
)
def test_a_cluster_may_lack_one_kind_of_views(redshift: DoubleCluster, ask, refused, views, missing, present):
    redshift.server.configure(views=views)
    assert ask(f"SELECT COUNT(*) FROM {present}") == [(0,)]
    assert refused(f"SELECT COUNT(*) FROM {missing}") == ("42P01", f'relation "{missing}" does not exist')
    assert refused(f"SELECT COUNT(*) FROM pg_catalog.{missing}")[0] == "42P01"


def test_users_see_their_own_errors_and_the_administrator_all(redshift: DoubleCluster, connection, ask, copy):
    redshift.server.passwords["reader"] = "secret"
    ask(copy)
    connection.commit()
    with redshift.connect(user="reader", password="secret") as other:
        cursor = other.cursor()
        cursor.execute("SELECT COUNT(*) FROM sys_load_error_detail")
        assert cursor.fetchone() == [0]
    assert ask("SELECT COUNT(*) FROM sys_load_error_detail") == [(2,)]


def test_stv_slices_counts_the_slices(redshift: DoubleCluster):
    redshift.server.configure(slices=6)
    with redshift.connect() as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT COUNT(*) FROM stv_slices")
        assert cursor.fetchone() == [6]
