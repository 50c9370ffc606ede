"""PostgreSQL's wire protocol, version 3: frames in, frames out.

Owns the bytes. Knows nothing of SQL, of sessions or of Redshift, but for the version it pretends to be.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Mapping

SSL_REQUEST = 80877103
CANCEL_REQUEST = 80877102
PROTOCOL_3 = 196608


class Disconnected(Exception):
    """The other side has gone."""


class Stream:
    """A socket that is read one message at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._buffer = bytearray()
        self._position = 0

    def _take(self, size: int) -> bytes:
        while len(self._buffer) - self._position < size:
            if self._position:
                del self._buffer[: self._position]
                self._position = 0
            try:
                chunk = self.socket.recv(1 << 16)
            except OSError as error:
                raise Disconnected from error
            if not chunk:
                raise Disconnected
            self._buffer += chunk
        taken = bytes(self._buffer[self._position : self._position + size])
        self._position += size
        return taken

    def read_startup(self) -> bytes:
        """The body of a start-up packet, which has no type byte."""
        (length,) = struct.unpack("!i", self._take(4))
        return self._take(length - 4)

    def read(self) -> tuple[bytes, bytes]:
        """The next message: its type byte and its body."""
        code, length = struct.unpack("!ci", self._take(5))
        return code, self._take(length - 4)

    def write(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Disconnected from error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def message(code: bytes, body: bytes = b"") -> bytes:
    return code + struct.pack("!i", len(body) + 4) + body


FLUSH = message(b"H")
SYNC = message(b"S")
TERMINATE = message(b"X")
PARSE_COMPLETE = message(b"1")
BIND_COMPLETE = message(b"2")
CLOSE_COMPLETE = message(b"3")
NO_PARAMETERS = message(b"t", b"\0\0")
NO_DATA = message(b"n")
AUTHENTICATED = message(b"R", struct.pack("!i", 0))


def startup(parameters: Mapping[str, str]) -> bytes:
    body = struct.pack("!i", PROTOCOL_3)
    for name, value in parameters.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    body += b"\0"
    return struct.pack("!i", len(body) + 4) + body


def startup_parameters(body: bytes) -> dict[str, str]:
    parts = body[4:].split(b"\0")
    return {parts[i].decode(): parts[i + 1].decode() for i in range(0, len(parts) - 2, 2) if parts[i]}


def md5_challenge(salt: bytes) -> bytes:
    return message(b"R", struct.pack("!i", 5) + salt)


def parameter_status(name: str, value: str) -> bytes:
    return message(b"S", name.encode() + b"\0" + value.encode() + b"\0")


def ready(status: str) -> bytes:
    return message(b"Z", status.encode())


def command_complete(tag: str) -> bytes:
    return message(b"C", tag.encode() + b"\0")


def fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse."""
    return {part[:1].decode(): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}


def _pack(values: Mapping[str, str]) -> bytes:
    return b"".join(key.encode() + value.encode() + b"\0" for key, value in values.items()) + b"\0"


def error(code: str, text: str, detail: str = "", severity: str = "ERROR") -> bytes:
    values = {"S": severity, "C": code, "M": text}
    if detail:
        values["D"] = detail
    return message(b"E", _pack({**values, "F": "redshift_double", "L": "1", "R": "pg_throw"}))


def notice(text: str, severity: str = "INFO") -> bytes:
    return message(b"N", _pack({"S": severity, "C": "00000", "M": text}))


def text_at(body: bytes, start: int) -> tuple[str, int]:
    """A zero-ended string at `start`, and where the next field begins."""
    end = body.index(b"\0", start)
    return body[start:end].decode(), end + 1
