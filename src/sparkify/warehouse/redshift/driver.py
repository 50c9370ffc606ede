"""AWS's driver, and everything we ask of it that its documentation does not promise.

The only module that imports ``redshift_connector`` and the only one that touches its private attributes. The
driver has no public way to tell the time limit of an answer from that of connecting, to drop the statements
it caches, to end a connection another thread reads from, and to give rows before the last one has come.
``tests/warehouse/test_redshift_driver.py`` tries each against the installed version; ``pyproject.toml`` keeps
newer ones out until it was run with them.
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

# What the driver raises; of a cut connection it reads too little, or from a file that is None.
DRIVER_ERRORS = (Error, OSError, struct.error, AttributeError, TypeError, IndexError)

VERSION = str(__version__)

# Seconds, and probes, until a peer that is gone is noticed: within two minutes.
_KEEPALIVE_AFTER = 30
_KEEPALIVE_EVERY = 10
_KEEPALIVE_TIMES = 9


def connect(*, host: str, port: int, database: str, user: str, password: str, timeout: int) -> Any:
    """Return an open connection over TLS, each statement a transaction of its own.

    Args:
        host: Where the database is; its certificate must be of this name.
        port: The port there.
        database: The database.
        user: Who logs in.
        password: The password.
        timeout: Seconds each answer may take.

    Raises:
        DRIVER_ERRORS: It did not come about.
    """
    connection = redshift_connector.connect(
        host=host,
        port=port,
        database=database,
        user=user,
        password=password,
        timeout=timeout,
        # Named, since the driver only warns of a wrong host name where it chose the mode itself.
        ssl=True,
        sslmode="verify-full",
        tcp_keepalive=True,
        tcp_keepalive_idle=_KEEPALIVE_AFTER,
        tcp_keepalive_interval=_KEEPALIVE_EVERY,
        tcp_keepalive_count=_KEEPALIVE_TIMES,
        # Ours differ by their literals: none would be found again. See forget_statements.
        max_prepared_statements=0,
        application_name="sparkify",
    )
    # Ours begin with a BEGIN of ours.
    connection.autocommit = True
    return connection


def wait_for_answers(connection: Any, seconds: float) -> None:
    """Set how long an answer may take to come; connecting has a shorter limit."""
    _private(connection, "_usock").settimeout(seconds)  # the driver has one limit for both


def forget_statements(connection: Any) -> None:
    """Drop the statements' texts, megabytes each, which the driver keeps as long as the connection."""
    _private(connection, "_caches").clear()  # its own limit leaves one of its two caches out


def hang_up(connection: Any) -> None:
    """End a connection that another thread may be reading from; that thread has to close it."""
    with suppress(OSError):
        _private(connection, "_usock").shutdown(socket.SHUT_RDWR)


def let_go(connection: Any) -> None:
    """Close a connection, whatever state it is in; the driver leaves it half open where goodbye fails."""
    file = getattr(connection, "_sock", None)
    with suppress(Exception):
        connection.close()
    with suppress(OSError, ValueError):
        if file is not None:
            file.close()
    _private(connection, "_usock").close()


def pass_rows_to(cursor: Any, take: Callable[[tuple[Any, ...]], None]) -> None:
    """Have a cursor give each row to ``take`` as it comes, in place of keeping it."""
    _private(cursor, "_cached_rows")
    cursor._cached_rows = _Rows(take)  # noqa: SLF001 - the driver has no other way


class _Rows:
    """Takes the place of the cursor's ``deque``: what is appended is passed on."""

    def __init__(self, take: Callable[[tuple[Any, ...]], None]) -> None:
        self._take = take
        self._count = 0

    def append(self, row: list[Any]) -> None:
        self._count += 1
        self._take(tuple(row))

    def clear(self) -> None:
        self._count = 0

    def popleft(self) -> tuple[Any, ...]:
        """Have none left, as an empty deque."""
        raise IndexError

    def __len__(self) -> int:
        return self._count


def _private(owner: Any, name: str) -> Any:
    """Return a private attribute of the driver's.

    Raises:
        EngineError: This version of the driver has none of that name.
    """
    try:
        return getattr(owner, name)
    except AttributeError as exc:
        raise EngineError(
            f"redshift-connector {VERSION} is not a version sparkify knows: its {type(owner).__name__} has "
            f"no {name}.",
            "Install the version that goes with sparkify: pip install --upgrade '.[aws]'",
        ) from exc
