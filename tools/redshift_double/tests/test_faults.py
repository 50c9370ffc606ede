"""Faults to order: each does what it says, to the statement it is meant for, and no more."""

from __future__ import annotations

import struct
import time

import pytest
from redshift_connector.error import Error

from tools.redshift_double import Fault
from tools.redshift_double.fixtures import ROLE, DoubleCluster

ERRORS = Error
# The driver (2.2.0) has no error of its own for an answer that ends in the middle.
CUT = (ERRORS, OSError, struct.error)


@pytest.fixture
def t(connection, ask, redshift: DoubleCluster):
    ask("CREATE TABLE t (i INT)")
    connection.commit()
    redshift.statements.clear()


def rows(redshift: DoubleCluster) -> int:
    with redshift.connect() as other:
        cursor = other.cursor()
        cursor.execute("SELECT COUNT(*) FROM t")
        return int(cursor.fetchall()[0][0])


def insert_two(connection) -> None:
    """Four statements: begin, insert, insert, commit."""
    cursor = connection.cursor()
    cursor.execute("INSERT INTO t VALUES (1)")
    cursor.execute("INSERT INTO t VALUES (2)")
    connection.commit()


@pytest.mark.usefixtures("t")
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_serialization_failure_at_any_statement_leaves_nothing(redshift: DoubleCluster, connection, at):
    redshift.server.faults.arm(Fault("serialization", at=at))
    with pytest.raises(ERRORS) as caught:
        insert_two(connection)
    fields = caught.value.args[0]
    assert (fields["C"], fields["M"]) == ("XX000", "1023")
    assert fields["D"].startswith("Serializable isolation violation on table")
    connection.rollback()
    assert rows(redshift) == 0
    insert_two(connection)
    assert rows(redshift) == 2


@pytest.mark.usefixtures("t")
@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_dropped_connection_leaves_all_or_nothing(redshift: DoubleCluster, at, kind):
    with redshift.connect() as connection:
        redshift.server.faults.arm(Fault(kind, at=at))
        with pytest.raises(CUT):
            insert_two(connection)
    redshift.server.faults.clear()
    committed = kind == "drop_after" and at == 4
    assert rows(redshift) == (2 if committed else 0)
    assert [entry.status for entry in redshift.statements][at - 1] == "dropped"


@pytest.mark.usefixtures("t")
def test_a_fault_can_wait_for_a_pattern_and_strike_twice(redshift: DoubleCluster, connection, ask):
    redshift.server.faults.arm(
        Fault("refuse", match=r"insert\s+into t", code="53100", message="Disk Full", times=2)
    )
    for _ in range(2):
        with pytest.raises(ERRORS, match="Disk Full"):
            ask("INSERT INTO t VALUES (1)")
        connection.rollback()
    ask("INSERT INTO t VALUES (1)")


@pytest.mark.usefixtures("t")
def test_statements_are_counted_from_arming_on(redshift: DoubleCluster, connection):
    redshift.server.faults.arm()
    insert_two(connection)
    assert redshift.server.faults.count == 4
    assert redshift.statements.texts == [
        "begin transaction",
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t VALUES (2)",
        "commit",
    ]


@pytest.mark.usefixtures("t")
def test_a_slow_copy_ends_at_statement_timeout(redshift: DoubleCluster, connection, ask, s3):
    (s3.root / "slow").mkdir(exist_ok=True)
    (s3.root / "slow" / "a.json").write_text('{"i": 1}')
    copy = f"COPY t FROM 's3://slow/a' IAM_ROLE '{ROLE}' JSON 'auto'"
    ask("SET statement_timeout TO 200")
    connection.commit()
    redshift.server.faults.arm(Fault("slow", match="copy", seconds=30))
    with pytest.raises(ERRORS) as caught:
        ask(copy)
    assert caught.value.args[0]["C"] == "57014"
    connection.rollback()
    redshift.server.faults.arm(Fault("slow", match="copy", seconds=0.01))
    ask(copy)
    assert ask("SELECT i FROM t") == [(1,)]


@pytest.mark.usefixtures("t")
def test_a_hanging_server_is_left_at_the_clients_own_timeout(redshift: DoubleCluster):
    redshift.server.faults.arm(Fault("hang", match="insert"))
    started = time.monotonic()
    with redshift.connect(timeout=1) as connection, pytest.raises(CUT):
        insert_two(connection)
    assert time.monotonic() - started < 10
    assert rows(redshift) == 0


@pytest.mark.usefixtures("t")
@pytest.mark.parametrize(
    ("isolation", "words"),
    [
        ("snapshot", ("could not complete because of conflict with concurrent transaction", None)),
        ("serializable", ("1023", "Serializable isolation violation on table")),
    ],
)
def test_two_writers_of_the_same_rows_conflict_in_the_words_of_the_isolation(
    redshift: DoubleCluster, connection, ask, isolation, words
):
    """No fault: PostgreSQL's REPEATABLE READ is SNAPSHOT isolation, Redshift's default."""
    redshift.server.configure(isolation=isolation)
    ask("INSERT INTO t VALUES (1)")
    connection.commit()
    with redshift.connect() as other:
        cursor = other.cursor()
        cursor.execute("SELECT COUNT(*) FROM t")  # takes the snapshot
        ask("UPDATE t SET i = 2")
        connection.commit()
        with pytest.raises(ERRORS) as caught:
            cursor.execute("UPDATE t SET i = 3")
        fields = caught.value.args[0]
        assert (fields["C"], fields["M"]) == ("XX000", words[0])
        assert str(fields.get("D"))[:41] == str(words[1])
        other.rollback()


@pytest.mark.usefixtures("t")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("snapshot_conflict", "could not complete because of conflict with concurrent transaction"),
        ("relation_gone", "1018"),
    ],
)
def test_conflicts_to_order(redshift: DoubleCluster, connection, kind, words):
    redshift.server.faults.arm(Fault(kind, at=2))
    with pytest.raises(ERRORS) as caught:
        insert_two(connection)
    assert (caught.value.args[0]["C"], caught.value.args[0]["M"]) == ("XX000", words)
    connection.rollback()
    assert rows(redshift) == 0


@pytest.mark.usefixtures("t")
def test_a_snapshot_does_not_see_later_commits(redshift: DoubleCluster, connection, ask):
    with redshift.connect() as other:
        cursor = other.cursor()
        cursor.execute("SELECT COUNT(*) FROM t")
        insert_two(connection)
        cursor.execute("SELECT COUNT(*) FROM t")
        assert cursor.fetchone() == [0]


@pytest.mark.usefixtures("t")
def test_one_writer_per_table_and_readers_pass(redshift: DoubleCluster, connection, ask):
    ask("INSERT INTO t VALUES (1)")
    with redshift.connect() as other:
        cursor = other.cursor()
        cursor.execute("SET statement_timeout TO 300")
        cursor.execute("SELECT COUNT(*) FROM t")
        assert cursor.fetchone() == [0]
        with pytest.raises(ERRORS) as caught:
            cursor.execute("INSERT INTO t VALUES (2)")
        assert caught.value.args[0]["C"] == "57014"
        other.rollback()
