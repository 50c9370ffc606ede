"""One connection to the database on Redshift: who gets in, and what he may do there."""

from __future__ import annotations

import socket
from contextlib import closing, suppress
from typing import Any

from sparkify.errors import ConfigError
from sparkify.settings import ClusterSettings
from sparkify.warehouse.statements import statement

# Seconds, and probes, until a peer that is gone is noticed: within two minutes.
_KEEPALIVE_AFTER = 30
_KEEPALIVE_EVERY = 10
_KEEPALIVE_TIMES = 9


def log_in(cluster: ClusterSettings, user: str, password: str, timeout: int = 10) -> Any:
    """Return an open connection of AWS's driver; ``timeout`` in seconds, for each answer.

    Raises:
        ConfigError: The driver is not installed.
        EngineError: Nothing answers there, its certificate is not trusted, or the database refuses.
    """
    try:
        import redshift_connector
    except ImportError as exc:
        raise ConfigError("AWS's Redshift driver is not installed.", "pip install '.[aws]'") from exc
    from sparkify.warehouse.redshift.redshift_errors import DRIVER_ERRORS
    from sparkify.warehouse.redshift.refused import not_let_in

    try:
        connection = redshift_connector.connect(
            host=cluster.host,
            port=cluster.db_port,
            database=cluster.db_name,
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
    except (*DRIVER_ERRORS, KeyError, UnicodeError) as exc:
        raise not_let_in(exc, cluster, user, timeout) from exc
    # Each statement is a transaction of its own, and ours begin with a BEGIN of ours.
    connection.autocommit = True
    return connection


def wait_for_answers(connection: Any, seconds: float) -> None:
    """Set how long an answer may take to come; connecting has a shorter limit."""
    connection._usock.settimeout(seconds)  # noqa: SLF001 - the driver has one limit for both


def forget_statements(connection: Any) -> None:
    """Let go of the statements' texts, megabytes each, which the driver keeps as long as the connection."""
    connection._caches.clear()  # noqa: SLF001 - its own limit leaves one of its two caches out


def hang_up(connection: Any) -> None:
    """End a connection while another thread may be reading from it; that one has to let go of it."""
    with suppress(OSError):
        connection._usock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001 - see wait_for_answers


def let_go(connection: Any) -> None:
    """Close a connection, whatever state it is in; the driver leaves it half open where goodbye fails."""
    file = connection._sock  # noqa: SLF001 - see wait_for_answers
    with suppress(Exception):
        connection.close()
    with suppress(OSError, ValueError):
        if file is not None:
            file.close()
    connection._usock.close()  # noqa: SLF001


def missing_privileges(connection: Any) -> list[str]:
    """Return what the ETL needs and the user does not have."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement("doctor/may_create.sql").text)
        in_schema, in_database = cursor.fetchone()
        cursor.execute(statement("doctor/closed_tables.sql").text)
        tables = [row[0] for row in cursor.fetchall()]
    missing = [] if in_schema else ["CREATE on schema public"]
    missing += [] if in_database else ["CREATE on the database (for the schemas etl and analytics)"]
    return missing + [f"SELECT, INSERT and DELETE on {table}" for table in tables]
