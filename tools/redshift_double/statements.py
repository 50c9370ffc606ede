"""The log of what clients sent. Owns the list; the session writes it, tests read it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal


@dataclass
class ParsedStatement:
    """One statement, from the moment it was executed or refused.

    Args:
        number: From 1, over all sessions, since the log was last cleared.
        session: The process id the session's client was told.
        database: Where.
        user: Who.
        sql: The text as it came over the wire: binds are $1, $2, ….
        parameters: The binds as they came over the wire: text, or binary as the driver packs numbers.
        sent: What PostgreSQL was given instead; the same text where Redshift and PostgreSQL agree.
        status: `ok`, `error` (see `code` and `message`) or `dropped` (a fault cut the connection).
        tag: The command tag of the answer.
        code: SQLSTATE of the error.
        message: Words of the error.
    """

    number: int
    session: int
    database: str
    user: str
    sql: str
    parameters: tuple[bytes | None, ...] = ()
    sent: str = ""
    status: Literal["running", "ok", "error", "dropped"] = "running"
    tag: str = ""
    code: str = ""
    message: str = ""


class StatementLog:
    """Everything sent to one stand-in, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[ParsedStatement] = []

    def add(self, session: int, database: str, user: str, sql: str) -> ParsedStatement:
        with self._lock:
            entry = ParsedStatement(len(self._entries) + 1, session, database, user, sql)
            self._entries.append(entry)
            return entry

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def __iter__(self):
        with self._lock:
            return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def texts(self) -> list[str]:
        """The statements as sent, in order, transaction control included."""
        return [entry.sql for entry in self]
