"""A client of the stand-in for its Data API: one connection, every value as the text PostgreSQL has for it.

Owns the client's side of the wire. Not AWS's driver, so that a test can compare what both make of a value.
"""

from __future__ import annotations

import hashlib
import itertools
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import wire
from .errors import RedshiftError

if TYPE_CHECKING:
    from .server import RedshiftDouble


@dataclass
class DataAnswer:
    """What a statement gave: names and type numbers of columns (None: no result); rows as texts; the tag."""

    columns: list[tuple[str, int]] | None = None
    rows: list[list[bytes | None]] = field(default_factory=list)
    tag: str = ""


class DataClient:
    """A logged-in connection.

    Raises:
        RedshiftError: The stand-in refuses the login.
    """

    def __init__(self, server: RedshiftDouble, user: str, database: str) -> None:
        sock, self.session = server.join()
        self._portals = itertools.count(1)
        self._stream = wire.Stream(sock)
        self._stream.write(wire.startup({"user": user, "database": database}))
        while True:
            code, body = self._stream.read()
            if code == b"R" and struct.unpack_from("!i", body) == (5,):
                inner = hashlib.md5(((server.password_of(user) or "") + user).encode()).hexdigest()
                digest = hashlib.md5(inner.encode() + body[4:8]).hexdigest()
                self._stream.write(wire.message(b"p", b"md5" + digest.encode() + b"\0"))
            elif code == b"E":
                self.close()
                fields = wire.fields(body)
                raise RedshiftError(fields["C"], fields["M"])
            elif code == b"Z":
                return

    def execute(self, sql: str) -> DataAnswer:
        """Execute one statement.

        Raises:
            RedshiftError: It was refused.
            wire.Disconnected: The connection was cut.
        """
        statement = sql.encode() + b"\0"
        # A name: the unnamed portal is gone after a query of the stand-in's own in between.
        portal = f"data_{next(self._portals)}".encode() + b"\0"
        self._stream.write(
            wire.message(b"P", b"\0" + statement + b"\0\0")
            + wire.message(b"B", portal + b"\0" + b"\0\0" * 3)
            + wire.message(b"D", b"P" + portal)
            + wire.message(b"E", portal + b"\0" * 4)
            + wire.message(b"C", b"P" + portal)
            + wire.SYNC
        )
        answer, failure = DataAnswer(), None
        while True:
            code, body = self._stream.read()
            if code == b"T":
                answer.columns = _columns(body)
            elif code == b"D":
                answer.rows.append(_row(body))
            elif code == b"C":
                answer.tag = body[:-1].decode()
            elif code == b"E":
                failure = wire.fields(body)
            elif code == b"Z":
                if failure is not None:
                    raise RedshiftError(failure["C"], failure["M"], detail=failure.get("D", ""))
                return answer

    def close(self) -> None:
        self._stream.close()


def _columns(body: bytes) -> list[tuple[str, int]]:
    (count,) = struct.unpack_from("!h", body)
    position, columns = 2, []
    for _ in range(count):
        name, position = wire.text_at(body, position)
        (number,) = struct.unpack_from("!i", body, position + 6)
        position += 18
        columns.append((name, number))
    return columns


def _row(body: bytes) -> list[bytes | None]:
    (count,) = struct.unpack_from("!h", body)
    values: list[bytes | None] = []
    position = 2
    for _ in range(count):
        (size,) = struct.unpack_from("!i", body, position)
        position += 4
        values.append(None if size < 0 else body[position : position + size])
        position += max(size, 0)
    return values
