"""One connection to the PostgreSQL behind the stand-in.

Owns the back end's side of a session: sending a message and reading its answer, and queries of our own in
between. Does not know what the client asked for.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from . import wire
from .errors import RedshiftError


@dataclass
class BackendAnswer:
    """What a query of our own gave: rows as text, the command tag."""

    rows: list[list[str | None]] = field(default_factory=list)
    tag: str = ""


def quote(value: str) -> str:
    """A literal for our own queries; safe whether or not backslashes escape."""
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def cancel(socket_path: Path, key: bytes) -> None:
    """Have PostgreSQL end the statement of the session that has this key."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock, contextlib.suppress(OSError):
        sock.connect(str(socket_path))
        sock.sendall(struct.pack("!ii", 16, wire.CANCEL_REQUEST) + key)
        sock.recv(1)


class Backend:
    """A logged-in connection; `status` is the transaction status last reported: I, T or E."""

    def __init__(self, socket_path: Path, user: str, database: str, options: dict[str, str]) -> None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(str(socket_path))
        self._stream = wire.Stream(sock)
        self.status = "I"
        self.key = b""
        self._unsynced = False  # messages of the extended protocol have opened an implicit transaction
        self._stream.write(wire.startup({"user": user, "database": database, **options}))
        while True:
            code, body = self._stream.read()
            if code == b"E":
                values = wire.fields(body)
                self._stream.close()
                raise RedshiftError(values["C"], values["M"])
            if code == b"K":
                self.key = body
            if code == b"Z":
                return

    def close(self) -> None:
        with contextlib.suppress(wire.Disconnected):
            self._stream.write(wire.TERMINATE)
        self._stream.close()

    def exchange(self, message: bytes, ends: bytes, relay: Callable[[bytes, bytes], None]) -> bytes:
        """Send one message of the extended protocol; answers go to `relay` until one of `ends` or an error.

        Returns the code of the last answer.
        """
        self._stream.write(message + wire.FLUSH)
        self._unsynced = True
        while True:
            code, body = self._stream.read()
            relay(code, body)
            if code in ends or code == b"E":
                return code

    def sync(self) -> None:
        self._stream.write(wire.SYNC)
        self._unsynced = False
        self._until_ready()

    def _until_ready(self) -> tuple[BackendAnswer, dict[str, str] | None]:
        answer, failure = BackendAnswer(), None
        while True:
            code, body = self._stream.read()
            if code == b"D":
                answer.rows.append(_row(body))
            elif code == b"C":
                answer.tag = body[:-1].decode()
            elif code == b"E":
                failure = wire.fields(body)
            elif code == b"G":  # ready for COPY data
                return answer, None
            elif code == b"Z":
                self.status = body.decode()
                return answer, failure

    def query(self, sql: str) -> BackendAnswer:
        """Run a query of our own with the simple protocol.

        Raises:
            RedshiftError: with PostgreSQL's code and words.
        """
        if self._unsynced and self.status == "I":
            self.sync()
        self._stream.write(wire.message(b"Q", sql.encode() + b"\0"))
        answer, failure = self._until_ready()
        if failure is not None:
            raise RedshiftError(failure["C"], failure["M"], detail=failure.get("D", ""))
        return answer

    def copy_in(self, sql: str, lines: Iterable[bytes]) -> BackendAnswer:
        """Run a `COPY … FROM STDIN` of our own.

        Raises:
            RedshiftError: with PostgreSQL's code and words.
        """
        self.query(sql)
        chunk = bytearray()
        for line in lines:
            chunk += line
            if len(chunk) > 1 << 16:
                self._stream.write(wire.message(b"d", bytes(chunk)))
                chunk.clear()
        self._stream.write(wire.message(b"d", bytes(chunk)) + wire.message(b"c"))
        answer, failure = self._until_ready()
        if failure is not None:
            raise RedshiftError(failure["C"], failure["M"], detail=failure.get("D", ""))
        return answer

    def fail_transaction(self) -> None:
        """Put an open transaction into its failed state, as any error does."""
        if self.status == "T":
            with contextlib.suppress(RedshiftError):
                self.query("SELECT 1/0")


def _row(body: bytes) -> list[str | None]:
    (count,) = struct.unpack_from("!h", body)
    values: list[str | None] = []
    position = 2
    for _ in range(count):
        (size,) = struct.unpack_from("!i", body, position)
        position += 4
        if size < 0:
            values.append(None)
        else:
            values.append(body[position : position + size].decode())
            position += size
    return values
