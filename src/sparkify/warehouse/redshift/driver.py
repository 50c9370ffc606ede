"""AWS's driver, and every undocumented feature of it that we use.

The only module that imports ``redshift_connector`` and uses its private attributes. The driver has no public
way to set the time limit of an answer apart from that of connecting, to drop its cached statements, to end a
connection that another thread reads from, and to return rows before the last one has arrived.
``tests/warehouse/test_redshift_driver.py`` tests each with the installed version; ``pyproject.toml`` excludes
newer versions until that test has passed with them.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redshift_connector
from redshift_connector.error import Error
from redshift_connector.version import __version__

from sparkify.errors import EngineError

# Exceptions of the driver; on a broken connection it reads too few bytes, or from a file that is None.
DRIVER_ERRORS = (Error, OSError, struct.error, AttributeError, TypeError, IndexError)

VERSION = str(__version__)

# TCP keepalive, in seconds and probes: a lost peer is noticed within two minutes.
_KEEPALIVE_AFTER = 30
_KEEPALIVE_EVERY = 10
_KEEPALIVE_TIMES = 9

# PostgreSQL's request to cancel a statement, and seconds to wait until it was taken.
_CANCEL = 80877102
_CANCEL_SECONDS = 2.0


def connect(*, host: str, port: int, database: str, user: str, password: str, timeout: int) -> Any:
    """Return an open connection over TLS, each statement a transaction of its own.

    Args:
        host: The host; the certificate must have this name.
        port: The port.
        database: The database.
        user: The user.
        password: The user's password.
        timeout: Time limit of each answer, in seconds.

    Raises:
        DRIVER_ERRORS: The connection failed.
    """
    connection = redshift_connector.connect(
        host=host,
        port=port,
        database=database,
        user=user,
        password=password,
        timeout=timeout,
        # Set explicitly: with its default mode the driver only warns about a wrong host name.
        ssl=True,
        sslmode="verify-full",
        tcp_keepalive=True,
        tcp_keepalive_idle=_KEEPALIVE_AFTER,
        tcp_keepalive_interval=_KEEPALIVE_EVERY,
        tcp_keepalive_count=_KEEPALIVE_TIMES,
        # Our statements differ by their literals, so that a cache would never hit. See forget_statements.
        max_prepared_statements=0,
        application_name="sparkify",
    )
    # Our transactions begin with an explicit BEGIN.
    connection.autocommit = True
    return connection


def wait_for_answers(connection: Any, seconds: float) -> None:
    """Set the time limit of an answer; the limit of connecting is shorter."""
    _private(connection, "_usock").settimeout(seconds)  # the driver has one setting for both


def forget_statements(connection: Any) -> None:
    """Drop the driver's cache of statement texts, megabytes each, which lives as long as the connection."""
    _private(connection, "_caches").clear()  # its own limit leaves one of its two caches out


def hang_up(connection: Any) -> None:
    """Shut down a connection that another thread may be reading from; that thread has to close it."""
    with suppress(OSError):
        _private(connection, "_usock").shutdown(socket.SHUT_RDWR)


def cancel(connection: Any, host: str, port: int) -> None:
    """Ask the server to end the statement of a connection, which would go on, with its locks, without us.

    As PostgreSQL's clients and AWS's JDBC driver do: with the key of the session, over a connection of its
    own, without TLS. The server hangs up when it has passed it on; it says nothing of what came of it.
    """
    key = _private(connection, "_backend_key_data")
    if not key:
        return
    with suppress(OSError), socket.create_connection((host, port), timeout=_CANCEL_SECONDS) as asking:
        asking.sendall(struct.pack("!ii", 16, _CANCEL) + key)
        asking.recv(1)


def let_go(connection: Any) -> None:
    """Close a connection in any state; the driver leaves it half open if the farewell message fails."""
    file = getattr(connection, "_sock", None)
    with suppress(Exception):
        connection.close()
    with suppress(OSError, ValueError):
        if file is not None:
            file.close()
    _private(connection, "_usock").close()


def pass_rows_to(cursor: Any, take: Callable[[tuple[Any, ...]], None]) -> None:
    """Make a cursor pass each row to ``take`` as it arrives, instead of keeping it."""
    _private(cursor, "_cached_rows")
    cursor._cached_rows = _Rows(take)  # noqa: SLF001 - the driver has no other way


class _Rows:
    """Replaces the cursor's ``deque``: passes on every appended row."""

    def __init__(self, take: Callable[[tuple[Any, ...]], None]) -> None:
        self._take = take
        self._count = 0

    def append(self, row: list[Any]) -> None:
        self._count += 1
        self._take(tuple(row))

    def clear(self) -> None:
        self._count = 0

    def popleft(self) -> tuple[Any, ...]:
        """Raise as an empty deque does."""
        raise IndexError

    def __len__(self) -> int:
        return self._count


def _private(owner: Any, name: str) -> Any:
    """Return a private attribute of an object of the driver.

    Raises:
        EngineError: This version of the driver has no such attribute.
    """
    try:
        return getattr(owner, name)
    except AttributeError as exc:
        raise EngineError(
            f"redshift-connector {VERSION} is not a version sparkify knows: its {type(owner).__name__} has "
            f"no {name}.",
            "Install the version that goes with sparkify: pip install --upgrade '.[aws]'",
        ) from exc
