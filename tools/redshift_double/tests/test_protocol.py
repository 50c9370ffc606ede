"""The wire: what the real redshift_connector sees of the stand-in."""

# ruff: noqa: DTZ001 - TIMESTAMP has no zone

from __future__ import annotations

import datetime as dt
import gc
import socket
import struct
import time
import warnings
from decimal import Decimal
from typing import Any

import pytest
import redshift_connector
from redshift_connector.error import Error, ProgrammingError

from tools.redshift_double import Options, RedshiftDouble
from tools.redshift_double.fixtures import DoubleCluster

# The driver makes its TLS context in a way Python has deprecated.
SSL_WARNS = pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")


def test_binds_and_results_keep_their_types(ask):
    when = dt.datetime(2018, 11, 1, 21, 1, 46, 796000)
    ask(
        "CREATE TABLE t (s SMALLINT, i BIGINT, f FLOAT, n NUMERIC(9,4), b BOOL, d DATE, ts TIMESTAMP, v TEXT)"
    )
    row = (7, 2**60, 1.5, Decimal("10.2500"), True, when.date(), when, "Björk's \\ näme")
    ask("INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", *row)
    ask("INSERT INTO t (s) VALUES (%s)", None)
    assert ask("SELECT * FROM t WHERE i = %s", 2**60) == [row]
    assert ask("SELECT * FROM t WHERE v IS NULL") == [(None,) * 8]


def test_the_unnamed_statement_lasts_until_the_next(redshift: DoubleCluster):
    """Without prepared statements of its own the driver uses no other; a write is locked for in between."""
    with redshift.connect(max_prepared_statements=0) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t (i INT)")
        for number in (1, 2):
            cursor.execute("INSERT INTO t VALUES (%s)", [number])
        connection.commit()
        with pytest.raises(ProgrammingError, match="nowhere"):
            cursor.execute("SELECT * FROM nowhere")
        connection.rollback()
        cursor.execute("INSERT INTO t VALUES (3)")
        cursor.execute("SELECT SUM(i) FROM t")
        assert cursor.fetchone() == [6]


def cannot_connect(words: str, arguments: dict[str, Any]) -> None:
    """Connecting fails, with these words. The driver leaves its socket to the garbage collector then."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(Error, match=words):
            redshift_connector.connect(**arguments)
        gc.collect()


def test_a_wrong_password_is_refused(redshift: DoubleCluster):
    cannot_connect("password authentication failed", redshift.arguments(password="wrong"))


def test_temporary_credentials_log_in_under_their_user_name(redshift: DoubleCluster):
    redshift.server.passwords["IAM:etl_user"] = "temporary"
    with redshift.connect(user="IAM:etl_user", password="temporary") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ["etl_user"]


def test_a_missing_database_is_named(redshift: DoubleCluster):
    cannot_connect("nowhere.* does not exist", redshift.arguments(database="nowhere"))


def test_the_client_is_told_of_version_8_0_2(connection):
    assert str(connection._server_version) == "8.0.2"


@SSL_WARNS
def test_without_tls_ssl_is_refused_by_the_driver(redshift: DoubleCluster):
    cannot_connect("Server refuses SSL", redshift.arguments(ssl=True))


@SSL_WARNS
def test_with_tls_the_driver_verifies_certificate_and_host_name(monkeypatch: pytest.MonkeyPatch):
    with RedshiftDouble(Options(tls=True)) as server:
        arguments = server.connection_arguments()
        assert arguments["ssl"] is True
        cannot_connect("communication error", arguments)
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        for mode in ("verify-ca", "verify-full"):
            with redshift_connector.connect(**{**arguments, "sslmode": mode}) as connection:
                cursor = connection.cursor()
                cursor.execute("SELECT 1")
                assert cursor.fetchone() == [1]


def test_an_error_fails_the_transaction_until_rollback(connection, ask, refused):
    ask("CREATE TABLE t (i INT)")
    with pytest.raises(ProgrammingError):
        ask("SELECT nothing FROM t")
    with pytest.raises(ProgrammingError) as caught:
        ask("SELECT 1")
    assert caught.value.args[0]["C"] == "25P02"
    connection.rollback()
    assert refused("SELECT * FROM t")[0] == "42P01"  # its creation was rolled back


@pytest.mark.parametrize("sql", ["SAVEPOINT s", "COPY t FROM 's3://nowhere/' IAM_ROLE default JSON 'auto'"])
def test_an_error_of_the_stand_in_fails_the_transaction_as_well(connection, ask, sql):
    with pytest.raises(ProgrammingError):
        ask(sql)
    with pytest.raises(ProgrammingError, match="current transaction is aborted"):
        ask("SELECT 1")


def test_truncate_commits_everything_pending(redshift: DoubleCluster, connection, ask):
    ask("CREATE TABLE t (i INT)")
    ask("CREATE TABLE other (i INT)")
    ask("INSERT INTO other VALUES (1)")
    ask("TRUNCATE t")
    assert connection.in_transaction is False
    connection.rollback()
    assert ask("SELECT i FROM other") == [(1,)]


def test_vacuum_append_and_a_new_type_stand_alone(connection, ask, refused):
    append = "ALTER TABLE a APPEND FROM b"
    ask("CREATE TABLE a (i INT)")
    ask("CREATE TABLE b (i VARCHAR(3))")
    ask("ALTER TABLE b ADD COLUMN j TEXT ENCODE ZSTD")
    connection.commit()
    widen = "ALTER TABLE b ALTER COLUMN j TYPE VARCHAR(300)"
    for sql in ("VACUUM", append, widen):
        assert refused(sql)[0] == "25001"
    connection.autocommit = True
    ask("VACUUM")
    ask(widen)
    ask("DROP TABLE b")
    ask("CREATE TABLE b AS SELECT 1 AS i")
    ask(append)
    assert ask("SELECT (SELECT COUNT(*) FROM a), (SELECT COUNT(*) FROM b)") == [(1, 0)]


def test_one_statement_per_execute(refused):
    assert refused("SELECT 1; SELECT 2")[0] == "42601"


def test_the_same_statement_runs_again_after_ddl_closed_it(ask):
    ask("CREATE TABLE t (i INT)")
    assert ask("SELECT COUNT(*) FROM t") == [(0,)]
    ask("ALTER TABLE t ADD COLUMN j INT")
    ask("INSERT INTO t VALUES (1, 2)")
    assert ask("SELECT COUNT(*) FROM t") == [(1,)]
    ask("DROP TABLE t")
    ask("CREATE TABLE t (i INT)")
    assert ask("SELECT COUNT(*) FROM t") == [(0,)]


@pytest.mark.parametrize(
    "sql", ["CREATE TABLE t (i INT DEFAULT %s)", "COPY t FROM %s IAM_ROLE default JSON 'auto'"]
)
def test_binds_do_not_work_in_copy_and_ddl(refused, sql):
    assert refused(sql, 1)[0] == "42601"


def test_row_counts_come_back(connection):
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE t (i INT)")
    for sql, count in [
        ("INSERT INTO t VALUES (1), (2), (3)", 3),
        ("UPDATE t SET i = 9 WHERE i > 1", 2),
        ("DELETE FROM t WHERE i = 9", 2),
    ]:
        cursor.execute(sql)
        assert cursor.rowcount == count


def test_a_huge_statement_is_refused(refused):
    code, message = refused("SELECT '" + "x" * (16 * 1024 * 1024) + "'")
    assert code == "54000"
    assert "Maximum Allowed: 16777216 bytes" in message


def test_the_log_holds_text_binds_and_outcome_in_order(redshift: DoubleCluster, connection, ask, refused):
    ask("SELECT %s", "a canary")
    refused("SELECT unknown_function()")
    begin, select, failed, rollback = redshift.statements
    assert [begin.sql, select.sql, rollback.sql] == ["begin transaction", "SELECT $1", "rollback"]
    assert select.parameters == (b"a canary",)
    assert (select.status, failed.status, failed.code) == ("ok", "error", "42883")


def test_two_stand_ins_share_nothing(redshift: DoubleCluster):
    with RedshiftDouble(Options(database="alone")) as other:
        with redshift_connector.connect(**other.connection_arguments()) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT current_database()")
            assert cursor.fetchone() == ["alone"]
        assert other.port != redshift.server.port
        assert [entry.database for entry in other.statements] == ["alone", "alone"]
    assert not other.postgres.folder.exists()


def test_a_simple_query_is_refused_in_order(redshift: DoubleCluster):
    """The driver never sends one; a client that does is told so instead of hanging."""
    with redshift.connect() as connection:
        body = b"SELECT 1\0"
        connection._usock.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body + b"S\0\0\0\4")
        with pytest.raises(ProgrammingError, match="extended protocol only"):
            connection.handle_messages(connection._cursor)


def test_a_client_that_vanishes_leaves_no_lock(redshift: DoubleCluster, ask, connection):
    ask("CREATE TABLE t (i INT)")
    connection.commit()
    gone = redshift.connect()
    gone.cursor().execute("LOCK t")
    gone._usock.shutdown(socket.SHUT_RDWR)
    ask("SET statement_timeout TO 10000")
    assert ask("SELECT COUNT(*) FROM t") == [(0,)]
    gone.close()


def test_a_user_of_getcredentials_is_nobody_until_somebody_grants(redshift: DoubleCluster, connection, ask):
    """Serverless: the name is the caller's, also where a user of the database has the same one."""
    redshift.server.identities["IAM:awsuser"] = "temporary"
    try:
        with redshift.connect(user="IAM:awsuser", password="temporary") as other:
            other.autocommit = True
            cursor = other.cursor()
            cursor.execute("SELECT CURRENT_USER")
            assert cursor.fetchone() == ["IAM:awsuser"]
            with pytest.raises(Error) as caught:
                cursor.execute("CREATE SCHEMA s")
            assert caught.value.args[0]["M"].startswith("permission denied for database")
            cursor.execute("CREATE TABLE mine (i INT)")  # PUBLIC may, in public
    finally:
        redshift.server.identities.clear()


def test_five_wrong_passwords_lock_a_user(redshift: DoubleCluster):
    """Not even the right one helps then; one in between counts from the beginning."""
    server = redshift.server
    server.passwords["bob"] = "Right1"

    def refused(password: str) -> None:
        cannot_connect("password authentication failed", redshift.arguments(user="bob", password=password))

    for _ in range(4):
        refused("wrong")
    redshift.connect(user="bob", password="Right1").close()
    assert server.failed_logins["bob"] == 0
    for _ in range(5):
        refused("wrong")
    refused("Right1")
    del server.passwords["bob"], server.failed_logins["bob"]


def test_a_database_can_be_made_and_dropped_outside_a_transaction(redshift: DoubleCluster):
    with redshift.connect() as connection:
        cursor = connection.cursor()
        with pytest.raises(ProgrammingError, match="cannot run inside a transaction block"):
            cursor.execute("CREATE DATABASE aside")
        connection.rollback()
        connection.autocommit = True
        cursor.execute("CREATE DATABASE aside")
        with pytest.raises(ProgrammingError, match="already exists"):
            cursor.execute("CREATE DATABASE aside")
        with redshift.connect(database="aside") as other:
            inside = other.cursor()
            inside.execute("SELECT CASE WHEN 'a' = 'a  ' THEN 1 ELSE 0 END")
            assert list(inside.fetchall()) == [[1]]
            with pytest.raises(ProgrammingError, match="being accessed by other users"):
                cursor.execute("DROP DATABASE aside")
        for _ in range(50):
            try:
                cursor.execute("DROP DATABASE aside")
            except ProgrammingError:
                time.sleep(0.05)  # the other session is just ending
            else:
                break
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'aside'")
        assert list(cursor.fetchall()) == []


def test_a_statement_waits_for_two_answers(redshift: DoubleCluster):
    """The driver has it parsed, then executed: 0.1 s from here make it 0.2 s."""
    with redshift.connect() as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        redshift.server.configure(latency=0.1)
        begun = time.monotonic()
        cursor.execute("SELECT 1")
        assert time.monotonic() - begun >= 0.2
