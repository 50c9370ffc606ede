"""Statements by AWS's driver, over a connection to the cluster's port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sparkify.errors import EngineError, TransientEngineError
from sparkify.settings import ClusterSettings
from sparkify.warehouse.redshift.driver import (
    DRIVER_ERRORS,
    cancel,
    forget_statements,
    hang_up,
    let_go,
    pass_rows_to,
    wait_for_answers,
)
from sparkify.warehouse.redshift.login import log_in, reach
from sparkify.warehouse.redshift.redshift_errors import explain, is_lost
from sparkify.warehouse.redshift.refused import is_refused_password
from sparkify.warehouse.redshift.stream import RowStream
from sparkify.warehouse.redshift.transport import INSERT_BYTES, Columns, Credentials, Row

# Seconds until an answer is given up: longer than the server lets a statement take.
ANSWER_SECONDS = 3660


class DriverTransport:
    """A connection of AWS's driver.

    Args:
        cluster: Host, port and database.
        credentials: Returns user and password.
        answer_seconds: Seconds to wait for an answer; then the connection counts as lost.
    """

    insert_bytes = INSERT_BYTES["driver"]
    way = "port"

    def __init__(
        self, cluster: ClusterSettings, credentials: Credentials, *, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self.host = cluster.host
        self._cluster = cluster
        self._credentials = credentials
        self._answer_seconds = answer_seconds
        self._connection: Any = None
        self._stream: RowStream | None = None

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def reach(self) -> str:
        reach(self._cluster)
        return f"{self._cluster.host}:{self._cluster.db_port} is reachable"

    def connect(self) -> str:
        """Open a connection; return the user.

        A refused password is final: Redshift locks a user after a few of them. Another try is made only where
        AWS has another password by now, because it rotates them.
        """
        user, password = self._credentials()
        try:
            self._connection = log_in(self._cluster, user, password)
        except TransientEngineError:
            raise
        except EngineError as exc:
            if not is_refused_password(exc.__cause__):
                raise
            newer = self._credentials()
            if newer == (user, password):
                raise
            user = newer[0]
            self._connection = log_in(self._cluster, *newer)
        wait_for_answers(self._connection, self._answer_seconds)
        return user

    def verify(self) -> None:
        """Do nothing: whoever may log in may cancel a statement of the session."""

    def settle(self) -> None:
        if self._stream is not None:
            self._stream.stop()
            self._stream = None

    def execute(self, sql: str, what: str, *, locks: bool) -> tuple[Columns, list[Row]]:
        cursor = self._cursor()
        with self._answering(what):
            cursor.execute(sql)
            if cursor.description is None:
                return [], []
            return _columns(cursor), [tuple(row) for row in cursor.fetchall()]

    def stream(self, sql: str, what: str) -> tuple[Columns, Iterator[Row]]:
        """Execute one query; sending another statement before all rows are read ends the session."""
        cursor = self._cursor()

        def produce(take: Callable[[Row], None]) -> None:
            pass_rows_to(cursor, take)
            with self._answering(what):
                cursor.execute(sql)
                if cursor.description is not None:
                    for row in cursor.fetchall():  # for a driver that keeps its rows elsewhere
                        take(tuple(row))

        self._stream = RowStream(produce, self._hang_up)
        return _columns(cursor), iter(self._stream)

    def _cursor(self) -> Any:
        forget_statements(self._connection)
        return self._connection.cursor()

    @contextmanager
    def _answering(self, what: str) -> Iterator[None]:
        """Translate the driver's errors, and drop the connection if it is unusable afterwards."""
        try:
            yield
        except DRIVER_ERRORS as exc:
            if is_lost(exc):
                self.drop()
            raise explain(exc, what, self.host) from exc
        except BaseException:  # interrupted while reading an answer
            self._cancel()
            self.drop()
            raise

    def _hang_up(self) -> None:
        """Shut the connection down, so that a thread waiting for an answer stops."""
        connection = self._connection
        if connection is not None:
            self._cancel()
            hang_up(connection)

    def _cancel(self) -> None:
        """Have the server end the statement whose answer nobody waits for any more."""
        if self._connection is not None:
            cancel(self._connection, self._cluster.host, self._cluster.db_port)

    def drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            let_go(connection)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.stop()
        self.drop()


def _columns(cursor: Any) -> Columns:
    return [(_name(column[0]), column[1]) for column in cursor.description or []]


def _name(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
