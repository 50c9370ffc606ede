"""One session on Redshift: opened when it is needed, and opened again after it was lost.

Owns the driver's connection, the transactions and the count of statements. Every statement is sent alone, as
text. Temporary tables live as long as the session; a new session has a new :attr:`RedshiftSession.number`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sparkify.errors import Command, EngineError, Hint, TransientEngineError
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
from sparkify.warehouse.redshift.literals import fill
from sparkify.warehouse.redshift.login import log_in, reach
from sparkify.warehouse.redshift.redshift_errors import explain, is_lost
from sparkify.warehouse.redshift.refused import is_refused_password
from sparkify.warehouse.redshift.stream import RowStream
from sparkify.warehouse.statements import read_statements, statement

# Returns user and password; called at every connect, because temporary passwords expire.
Credentials = Callable[[], tuple[str, str]]
Rows = list[tuple[Any, ...]]

# Seconds until the server cancels a statement, and seconds more until we stop waiting for its answer.
STATEMENT_TIMEOUT = 3600
_GRACE = 60
# What the history of a cluster calls our statements, until a run has a number.
LABEL = "sparkify"


class RedshiftSession:
    """A session that is opened by its first statement.

    Args:
        cluster: Host, port and database.
        credentials: Returns user and password.
        statement_timeout: Time limit of one statement on the server, in seconds.
        grace: Seconds to wait for the answer beyond that limit.
    """

    def __init__(
        self,
        cluster: ClusterSettings,
        credentials: Credentials,
        *,
        statement_timeout: float = STATEMENT_TIMEOUT,
        grace: float = _GRACE,
    ) -> None:
        self.host = cluster.host
        self.number = 0
        self.sent = 0
        self.cluster = cluster
        self.label = LABEL
        self._credentials = credentials
        self._statement_timeout = statement_timeout
        self._grace = grace
        self._connection: Any = None
        self._user = ""
        self._stream: RowStream | None = None
        self._inside = False

    def reach(self) -> None:
        """Raise unless a server listens at the cluster's port.

        Raises:
            EngineError: Nothing listens there.
        """
        reach(self.cluster)

    def open(self) -> str:
        """Log in, unless the session is open; return the user.

        Raises:
            SparkifyError: There are no credentials, or the database refuses the login.
        """
        self._open()
        return self._user

    def send(self, sql: str, what: str) -> tuple[list[tuple[str, int]], Rows]:
        """Execute one statement; return its columns (name and type number) and rows.

        Raises:
            TransientEngineError: The statement failed, but may succeed if the whole run is repeated.
            EngineError: Redshift refused the statement.
        """
        cursor = self._cursor()
        with self._answering(what):
            cursor.execute(sql)
            if cursor.description is None:
                return [], []
            return _columns(cursor), [tuple(row) for row in cursor.fetchall()]

    def stream(self, sql: str, what: str) -> tuple[list[tuple[str, int]], Iterator[tuple[Any, ...]]]:
        """Execute one query as :meth:`send` does; its rows are read as they are needed.

        Sending another statement before all rows are read ends the session.
        """
        cursor = self._cursor()

        def produce(take: Callable[[tuple[Any, ...]], None]) -> None:
            pass_rows_to(cursor, take)
            with self._answering(what):
                cursor.execute(sql)
                if cursor.description is not None:
                    for row in cursor.fetchall():  # for a driver that keeps its rows elsewhere
                        take(tuple(row))

        self._stream = RowStream(produce, self._hang_up)
        return _columns(cursor), iter(self._stream)

    def _cursor(self) -> Any:
        if self._stream is not None:
            self._stream.stop()
            self._stream = None
        cursor = self._open().cursor()
        self.sent += 1
        return cursor

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
            cancel(self._connection, self.cluster.host, self.cluster.db_port)

    def relabel(self, label: str) -> None:
        """Have the history of the cluster call the statements from now on by this name."""
        self.label = label
        if self._connection is not None:
            self.send(fill(statement("redshift/query_group.sql").text, {"label": label}), "SET")

    @contextmanager
    def transaction(self, begin: str, *, keep: bool) -> Iterator[None]:
        """Begin with a statement of sql/redshift; commit at the end if ``keep`` is true, else roll back."""
        self.send(statement(begin).text, "BEGIN")
        self._inside = True
        try:
            yield
            if keep:
                self._commit()
            else:
                self._roll_back()
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._inside = False

    def _commit(self) -> None:
        try:
            self.send(statement("redshift/commit.sql").text, "COMMIT")
        except TransientEngineError as exc:
            if self._connection is None:
                exc.hint = Hint(
                    "See {} whether it was done, or run again: that does no harm.", Command("runs")
                )
            raise

    def _roll_back(self) -> None:
        if self._connection is not None:
            try:
                self.send(statement("redshift/rollback.sql").text, "ROLLBACK")
            except EngineError:
                self.drop()  # the server then rolls back

    def _open(self) -> Any:
        if self._connection is None:
            if self._inside:
                # A new session would execute only the rest of the transaction.
                raise TransientEngineError(
                    f"the connection to {self.host} was lost within a transaction.",
                    "Run again: nothing was changed.",
                )
            self._connection = self._log_in()
            self.number += 1
            wait_for_answers(self._connection, self._statement_timeout + self._grace)
            for sql in settings(self._statement_timeout, self.label):
                self.send(sql, "SET")
        forget_statements(self._connection)
        return self._connection

    def _log_in(self) -> Any:
        """Return a new connection.

        A refused password is final: Redshift locks a user after a few of them. Another try is made only where
        AWS has another password by now, because it rotates them.
        """
        self._user, password = self._credentials()
        try:
            return log_in(self.cluster, self._user, password)
        except TransientEngineError:
            raise
        except EngineError as exc:
            if is_refused_password(exc.__cause__):
                user, newer = self._credentials()
                if (user, newer) == (self._user, password):
                    raise
                self._user = user
                return log_in(self.cluster, user, newer)
            if self.number:  # an earlier login succeeded, so another try may too
                raise TransientEngineError(exc.message, exc.hint) from exc
            raise

    def drop(self) -> None:
        """Close the connection in any state."""
        connection, self._connection = self._connection, None
        if connection is not None:
            let_go(connection)

    def close(self) -> None:
        """Close the connection, and stop reading an unfinished answer."""
        if self._stream is not None:
            self._stream.stop()
        self.drop()


def settings(statement_timeout: float, label: str) -> Iterator[str]:
    """Yield what a session begins with; the time limit of a statement is in seconds."""
    values = {"milliseconds": int(statement_timeout * 1000), "label": label}
    for path in ("redshift/settings.sql", "redshift/query_group.sql"):
        for step in read_statements(path):
            yield fill(step.text, step.pick(values))


def _columns(cursor: Any) -> list[tuple[str, int]]:
    return [(_name(column[0]), column[1]) for column in cursor.description or []]


def _name(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
