"""How statements get to a database on Redshift, and answers back: what both ways have in common.

A transport holds one session of the database at a time, in which temporary tables and transactions live. What
is sent, in which order, and what a lost session means is :mod:`sparkify.warehouse.redshift.session`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

# Name and type number (that of PostgreSQL's protocol) of each column.
Columns = list[tuple[str, int]]
Row = tuple[Any, ...]

# The largest INSERT of literals that is worth sending, in bytes, by [CLUSTER] TRANSPORT. The driver's is far
# below the limit of 16 MB for a statement. The Data API takes 100 KB, by "Considerations when calling the
# Amazon Redshift Data API", which does not say whether a KB has 1,024 bytes.
INSERT_BYTES = {"driver": 2_000_000, "data-api": 100_000}

# Returns user and password; called at every login, because temporary passwords expire.
Credentials = Callable[[], tuple[str, str]]


class DataApiLogin(NamedTuple):
    """As whom, and in which cluster or workgroup, the Data API opens sessions.

    Attributes:
        client: boto3's client of ``redshift-data``.
        target: The parameters of ExecuteStatement that say so, but for the database.
        place: The cluster or workgroup and its region, for messages.
        user: The database user; empty: AWS derives one from who asks.
    """

    client: Any
    target: Mapping[str, str]
    place: str
    user: str


@dataclass(frozen=True, slots=True)
class Logins:
    """What asks AWS for a way into the database, where dwh.cfg does not hold one; None: nobody asks.

    Attributes:
        password: Returns user and password.
        data_api: Returns what the Data API needs.
    """

    password: Credentials | None = None
    data_api: Callable[[], DataApiLogin] | None = None


class Transport(Protocol):
    """A way to the database.

    Errors are those of :class:`RedshiftSession`: :class:`EngineError` where Redshift refuses, and
    :class:`TransientEngineError` where the same run may succeed later. After an error that cost the session,
    ``is_open`` is false.
    """

    # The cluster, for messages.
    host: str
    # The largest INSERT of literals that is worth sending, in bytes; a larger statement may be refused.
    insert_bytes: int
    # What `doctor` calls the way to the cluster, and the sentence of :meth:`reach`.
    way: str

    @property
    def is_open(self) -> bool:
        """Whether there is a session."""

    def reach(self) -> str:
        """Go the way to the cluster without logging in; return what was found."""

    def connect(self) -> str:
        """Open a session; return the user."""

    def verify(self) -> None:
        """Try, in an open session, what only an interrupt needs."""

    def settle(self) -> None:
        """Give up an answer that was not read to its end, so that the next statement can be sent."""

    def execute(self, sql: str, what: str, *, locks: bool) -> tuple[Columns, list[Row]]:
        """Execute one statement; return its columns and rows.

        Args:
            sql: The statement.
            what: Its name for messages.
            locks: Whether the session holds locks that keep others waiting afterwards.
        """

    def stream(self, sql: str, what: str) -> tuple[Columns, Iterator[Row]]:
        """Execute one query; its rows are read as they are needed."""

    def drop(self) -> None:
        """End the session in any state; the database rolls back what is not committed."""

    def close(self) -> None:
        """End the session, and stop reading an unfinished answer."""
