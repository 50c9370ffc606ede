"""A fault-injecting HTTP proxy in front of a real S3 server.

It leaves the signed parts of a request as they are (the Host header is one) and spoils the answers it was
told to spoil, in order. Every request that is not spoiled goes through.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["slow-down", "internal", "reset", "cut", "stall", "dribble"]
Target = Literal["read", "list", "head"]

_ERRORS: dict[str, tuple[str, str]] = {
    "slow-down": ("503 Slow Down", "SlowDown"),
    "internal": ("500 Internal Server Error", "InternalError"),
}


@dataclass
class FlakyServer:
    """A proxy whose answers fail as it was told, the first fault first.

    slow-down and internal answer 503 and 500; reset closes before any answer; cut breaks the connection in
    the middle of the body; stall stops there but keeps the connection; dribble sends the body in late pieces.

    Attributes:
        faults: What happens to the next requests of a kind; consumed as they come.
        always: The fault of every later request of a kind.
        requests: The kinds of the requests seen, spoiled or not.
        after_fault: What to do when a body was cut, before the client can ask again.
    """

    upstream: str
    faults: dict[Target, list[Fault]] = field(default_factory=dict)
    always: dict[Target, Fault] = field(default_factory=dict)
    requests: list[Target] = field(default_factory=list)
    after_fault: Callable[[], None] = lambda: None
    endpoint: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    stopping: threading.Event = field(default_factory=threading.Event)

    def _next(self, line: str) -> Fault | None:
        target = _target(line)
        with self.lock:
            self.requests.append(target)
            waiting = self.faults.get(target)
            return waiting.pop(0) if waiting else self.always.get(target)

    def serve(self, client: socket.socket) -> None:
        with client:
            head = _read_head(client)
            if not head:
                return
            fault = self._next(head.partition(b"\r\n")[0].decode())
            if fault == "reset":
                _reset(client)
            elif fault in _ERRORS:
                client.sendall(_error(*_ERRORS[fault]))
            else:
                self._relay(client, head, fault)

    def _relay(self, client: socket.socket, head: bytes, fault: Fault | None) -> None:
        place = urlsplit(self.upstream)
        with socket.create_connection((place.hostname, place.port), timeout=30) as server:
            # One request a connection, so that the answer ends where the server closes.
            head = re.sub(rb"(?im)^connection:.*\r\n", b"", head)
            server.sendall(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            answer = b"".join(iter(lambda: server.recv(1 << 16), b""))
        if fault is None:
            client.sendall(answer)
            return
        body = answer.index(b"\r\n\r\n") + 4
        middle = body + (len(answer) - body) // 2
        if fault == "dribble":
            client.sendall(answer[:body])
            step = max(1, (len(answer) - body) // 5)
            for start in range(body, len(answer), step):
                time.sleep(0.3)
                client.sendall(answer[start : start + step])
            return
        client.sendall(answer[:middle])
        if fault == "stall":
            self.stopping.wait(30)
        self.after_fault()
        _reset(client)


@contextmanager
def flaky(upstream: str) -> Iterator[FlakyServer]:
    """Run the proxy on the loopback until the block ends."""
    server = FlakyServer(upstream)
    threads: list[threading.Thread] = []
    clients: list[socket.socket] = []

    def serve(client: socket.socket) -> None:
        # The client may go away first; that is its right.
        with contextlib.suppress(OSError):
            server.serve(client)

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            clients.append(client)
            threads.append(threading.Thread(target=serve, args=(client,), daemon=True))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server.endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        accepting = threading.Thread(target=accept, args=(listener,), daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            server.stopping.set()
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join(5)
            # Clients keep connections open that they may never use.
            for client in clients:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(5)


def _target(line: str) -> Target:
    method, target = line.split(" ")[:2]
    if method == "HEAD":
        return "head"
    return "list" if "list-type" in target else "read"


def _read_head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        more = client.recv(1 << 16)
        if not more:
            return b""
        head += more
    return head


def _error(status: str, code: str) -> bytes:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
