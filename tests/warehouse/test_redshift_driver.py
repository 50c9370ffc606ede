"""What we rely on in AWS's driver beyond its documentation, tried against the version that is installed.

A failure here says which attribute a new release changed, and what of ours depends on it: then
``warehouse/redshift/driver.py`` is the only module to change. Move the bound in pyproject.toml when all pass.
"""

from __future__ import annotations

import inspect
import socket
import tomllib
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from threading import Timer
from typing import Any

import pytest
import redshift_connector

from sparkify.errors import EngineError
from sparkify.settings import ClusterSettings, load_settings
from sparkify.warehouse.redshift import driver
from sparkify.warehouse.redshift.login import log_in
from tests.conftest import ROOT
from tools.redshift_double import Options, RedshiftDouble

RELEASE = f"redshift-connector {driver.VERSION}"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterSettings]:
    with RedshiftDouble(Options(tls=True)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(server.certificate))
        flags: dict[str, str | None] = {
            "CLUSTER.HOST": "localhost",
            "CLUSTER.DB_NAME": server.options.database,
            "CLUSTER.DB_PORT": str(server.port),
        }
        yield load_settings(None, {}, flags).cluster


@pytest.fixture
def connection(cluster: ClusterSettings) -> Iterator[Any]:
    opened = log_in(cluster, Options().user, Options().password)
    yield opened
    with suppress(Exception):
        driver.let_go(opened)


def ask(connection: Any, sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]


def refuses(connection: Any, sql: str) -> bool:
    try:
        ask(connection, sql)
    except driver.DRIVER_ERRORS:
        return True
    return False


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3])


def test_the_installed_driver_is_one_that_pyproject_allows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (bound,) = [
        each for each in project["optional-dependencies"]["aws"] if each.startswith("redshift-connector")
    ]
    least, _, below = bound.removeprefix("redshift-connector>=").partition(",<")
    assert below, "pyproject.toml has no upper bound: any release may change what driver.py relies on"
    assert numbers(least) <= numbers(driver.VERSION) < numbers(below), (
        f"{RELEASE} is outside {bound}: run these tests with it, then move the bound"
    )


def test_connect_takes_what_we_name():
    known = inspect.signature(redshift_connector.connect).parameters
    for name in (
        "host", "port", "database", "user", "password", "timeout", "ssl", "sslmode", "tcp_keepalive",
        "tcp_keepalive_idle", "tcp_keepalive_interval", "tcp_keepalive_count", "max_prepared_statements",
        "application_name",
    ):  # fmt: skip
        assert name in known, f"{RELEASE}: connect() takes no {name} any more, which driver.connect gives"


def test_the_socket_is_where_we_look_for_it(connection: Any):
    found = getattr(connection, "_usock", None)
    assert isinstance(found, socket.socket), (
        f"{RELEASE}: Connection._usock is {type(found).__name__}, not a socket; driver.wait_for_answers, "
        "hang_up and let_go use it"
    )
    assert hasattr(getattr(connection, "_sock", None), "close"), (
        f"{RELEASE}: Connection._sock is no file any more; driver.let_go closes it"
    )


def test_the_limit_of_answers_is_the_sockets(connection: Any):
    driver.wait_for_answers(connection, 0.3)
    assert refuses(connection, "SELECT pg_sleep(3)"), (
        f"{RELEASE}: an answer may take longer than the socket's limit; see driver.wait_for_answers"
    )


def test_a_statement_is_cancelled_from_outside(connection: Any, cluster: ClusterSettings):
    def cancel() -> None:
        driver.cancel(connection, cluster.host, cluster.db_port)

    timer = Timer(1.0, cancel)
    timer.start()
    try:
        assert refuses(connection, "SELECT pg_sleep(60)"), (
            f"{RELEASE}: driver.cancel needs the session's key in Connection._backend_key_data"
        )
    finally:
        timer.cancel()
    assert ask(connection, "SELECT 1") == [(1,)], f"{RELEASE}: the connection was ended, not the statement"


def test_all_cached_statements_are_in_one_place(connection: Any):
    ask(connection, "SELECT 4711 AS n")
    caches = getattr(connection, "_caches", None)
    assert isinstance(caches, dict), f"{RELEASE}: Connection._caches is {type(caches).__name__}, not a dict"
    assert "4711" in repr(caches), (
        f"{RELEASE}: the texts of statements are not in Connection._caches; where are they? driver."
        "forget_statements drops them there"
    )
    driver.forget_statements(connection)
    assert ask(connection, "SELECT 1") == [(1,)], f"{RELEASE}: does not stand its caches being cleared"


def test_rows_are_handed_to_the_cursors_deque_one_by_one(connection: Any):
    """The driver may append, clear, count and pop; with anything more the row passed on is not seen."""
    rows = getattr(connection.cursor(), "_cached_rows", None)
    assert isinstance(rows, deque), (
        f"{RELEASE}: Cursor._cached_rows is {type(rows).__name__}; driver.pass_rows_to takes its place"
    )
    taken: list[tuple[Any, ...]] = []
    cursor = connection.cursor()
    driver.pass_rows_to(cursor, taken.append)
    cursor.execute(" UNION ALL ".join(f"SELECT {n} AS n, 'x' AS x" for n in (1, 2, 3)))
    assert taken == [(1, "x"), (2, "x"), (3, "x")], (
        f"{RELEASE}: rows do not come through Cursor._cached_rows.append; `query` would hold them all"
    )
    assert list(cursor.fetchall()) == [], f"{RELEASE}: keeps rows beside Cursor._cached_rows, too"
    assert [column[0] for column in cursor.description] in (["n", "x"], [b"n", b"x"])
    assert ask(connection, "SELECT 1") == [(1,)]


def test_a_connection_that_is_hung_up_says_so_and_can_be_let_go(connection: Any):
    driver.hang_up(connection)
    assert refuses(connection, "SELECT 1"), (
        f"{RELEASE}: answers although its socket was shut down; see driver.hang_up"
    )
    driver.let_go(connection)
    assert connection._usock.fileno() == -1, f"{RELEASE}: the socket stays open after driver.let_go"


def test_what_the_server_refuses_comes_as_its_fields(connection: Any):
    with pytest.raises(redshift_connector.error.Error) as caught:
        ask(connection, "SELECT nothing")
    fields = caught.value.args[0]
    assert isinstance(fields, dict), (
        f"{RELEASE}: the server's errors are no dict of fields any more; causes.py reads them"
    )
    assert fields["C"] == "42703"


@pytest.mark.parametrize("use", [driver.wait_for_answers, driver.pass_rows_to])
def test_a_driver_without_them_is_named_and_not_taken_for_a_broken_connection(use: Any):
    with pytest.raises(EngineError, match=driver.VERSION) as caught:
        use(object(), 1)
    assert "pip install" in caught.value.hint
