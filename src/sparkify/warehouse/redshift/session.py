"""One session on Redshift: opened when it is needed, and opened again after it was lost.

Owns the transactions and the count of statements. Every statement is sent alone, as text, by a
:class:`~sparkify.warehouse.redshift.transport.Transport`. Temporary tables live as long as the session; a new
session has a new :attr:`RedshiftSession.number`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sparkify.errors import Command, EngineError, Hint, TransientEngineError
from sparkify.warehouse.engine import Rows
from sparkify.warehouse.redshift.literals import fill
from sparkify.warehouse.redshift.refused import is_refused_password
from sparkify.warehouse.redshift.transport import Columns, Row, Transport
from sparkify.warehouse.statements import read_statements, statement

# Seconds until the server cancels a statement.
STATEMENT_TIMEOUT = 3600
# What the history of a cluster calls our statements, until a run has a number.
LABEL = "sparkify"


class RedshiftSession:
    """A session that is opened by its first statement.

    Args:
        transport: Sends the statements.
        statement_timeout: Time limit of one statement on the server, in seconds.
    """

    def __init__(self, transport: Transport, *, statement_timeout: float = STATEMENT_TIMEOUT) -> None:
        self.host = transport.host
        self.number = 0
        self.sent = 0
        self.label = LABEL
        self._transport = transport
        self._statement_timeout = statement_timeout
        self._user = ""
        self._inside = False
        self._locks = False

    @property
    def insert_bytes(self) -> int:
        """The largest INSERT of literals that is worth sending, in bytes."""
        return self._transport.insert_bytes

    @property
    def way(self) -> str:
        """What the way to the cluster is called."""
        return self._transport.way

    def reach(self) -> str:
        """Go the way to the cluster without logging in; return what was found.

        Raises:
            EngineError: It leads nowhere.
        """
        return self._transport.reach()

    def open(self) -> str:
        """Log in, unless the session is open; return the user.

        Raises:
            SparkifyError: There are no credentials, or the database refuses the login.
        """
        self._open()
        return self._user

    def verify(self) -> None:
        """Raise where an interrupted statement could not be cancelled; the session must be open.

        Raises:
            EngineError: It could not.
        """
        self._transport.verify()

    def send(self, sql: str, what: str) -> tuple[Columns, Rows]:
        """Execute one statement; return its columns (name and type number) and rows.

        Raises:
            TransientEngineError: The statement failed, but may succeed if the whole run is repeated.
            EngineError: Redshift refused the statement.
        """
        self._ready()
        return self._transport.execute(sql, what, locks=self._locks)

    def stream(self, sql: str, what: str) -> tuple[Columns, Iterator[Row]]:
        """Execute one query as :meth:`send` does; its rows are read as they are needed.

        Sending another statement before all rows are read may end the session.
        """
        self._ready()
        return self._transport.stream(sql, what)

    def _ready(self) -> None:
        self._transport.settle()
        self._open()
        self.sent += 1

    def relabel(self, label: str) -> None:
        """Have the history of the cluster call the statements from now on by this name."""
        self.label = label
        if self._transport.is_open:
            self.send(fill(statement("redshift/query_group.sql").text, {"label": label}), "SET")

    @contextmanager
    def transaction(self, begin: str, *, keep: bool) -> Iterator[None]:
        """Begin with a statement of sql/redshift; commit at the end if ``keep`` is true, else roll back."""
        self._locks = keep
        try:
            self.send(statement(begin).text, "BEGIN")
            self._inside = True
            yield
            self._locks = False
            if keep:
                self._commit()
            else:
                self._roll_back()
        except BaseException:
            self._locks = False
            if self._inside:
                self._roll_back()
            raise
        finally:
            self._inside = False
            self._locks = False

    def _commit(self) -> None:
        try:
            self.send(statement("redshift/commit.sql").text, "COMMIT")
        except TransientEngineError as exc:
            if not self._transport.is_open:
                exc.hint = Hint(
                    "See {} whether it was done, or run again: that does no harm.", Command("runs")
                )
            raise

    def _roll_back(self) -> None:
        if self._transport.is_open:
            try:
                self.send(statement("redshift/rollback.sql").text, "ROLLBACK")
            except EngineError:
                self.drop()  # the server then rolls back

    def _open(self) -> None:
        if self._transport.is_open:
            return
        if self._inside:
            # A new session would execute only the rest of the transaction.
            raise TransientEngineError(
                f"the connection to {self.host} was lost within a transaction.",
                "Run again: nothing was changed.",
            )
        try:
            self._user = self._transport.connect()
        except TransientEngineError:
            raise
        except EngineError as exc:
            if self.number and not is_refused_password(exc.__cause__):
                # An earlier login succeeded, so another try may too.
                raise TransientEngineError(exc.message, exc.hint) from exc
            raise
        self.number += 1
        for sql in settings(self._statement_timeout, self.label):
            self.send(sql, "SET")

    def drop(self) -> None:
        """End the session in any state."""
        self._transport.drop()

    def close(self) -> None:
        """End the session, and stop reading an unfinished answer."""
        self._transport.close()


def settings(statement_timeout: float, label: str) -> Iterator[str]:
    """Yield what a session begins with; the time limit of a statement is in seconds."""
    values = {"milliseconds": int(statement_timeout * 1000), "label": label}
    for path in ("redshift/settings.sql", "redshift/query_group.sql"):
        for step in read_statements(path):
            yield fill(step.text, step.pick(values))
