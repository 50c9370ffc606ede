"""An S3 server that minds regions and tokens, as AWS does: a proxy in front of a real one, which does not."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

# Method, bucket, key, query and body of a signed request → whether who signed it may.
Judge = Callable[[str, str, str, Mapping[str, list[str]], bytes], bool]

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@dataclass(frozen=True)
class Signed:
    """Who signed a request, for which region, with which session token; empty where nobody did."""

    method: str
    bucket: str
    key: str
    region: str
    token: str


@dataclass
class RegionalServer:
    """What the proxy knows of its buckets and keys, and what it was asked.

    Attributes:
        regions: Bucket → its region; others are in whatever region they are asked for.
        tokens: Access key → the session token that belongs to it; others have none.
        requests: Every request so far.
        judge: Says which signed requests are allowed; by default all.
    """

    upstream: str
    endpoint: str = ""
    regions: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    requests: list[Signed] = field(default_factory=list)
    judge: Judge = lambda *_: True

    @property
    def signed_for(self) -> set[str]:
        """The regions requests were signed for."""
        return {request.region for request in self.requests if request.region}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    state: RegionalServer


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        state = self.server.state
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = signed(self)
        state.requests.append(request)
        region = state.regions.get(request.bucket, "")
        if request.token != state.tokens.get(request.key, "") and request.key:
            self.refuse(400, "InvalidToken", region)
        elif region and not request.region:
            self.refuse(403, "AccessDenied", region)
        elif region and request.region != region:
            self.refuse(301, "PermanentRedirect", region)
        elif request.key and not self.allowed(body):
            self.refuse(403, "AccessDenied", region)
        else:
            self.forward(body)

    def allowed(self, body: bytes) -> bool:
        address = urlsplit(self.path)
        _, bucket, *key = address.path.split("/", 2)
        query = parse_qs(address.query, keep_blank_values=True)
        return self.server.state.judge(self.command, bucket, unquote("".join(key)), query, body)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the base class's names

    def refuse(self, status: int, code: str, region: str) -> None:
        headers = {"x-amz-bucket-region": region} if region else {}
        self.answer(status, headers, f"<Error><Code>{code}</Code><Message>refused</Message></Error>".encode())

    def forward(self, body: bytes) -> None:
        place = urlsplit(self.server.state.upstream)
        upstream = HTTPConnection(str(place.hostname), place.port, timeout=30)
        upstream.request(self.command, self.path, body, dict(self.headers.items()))
        answer = upstream.getresponse()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.answer(answer.status, headers, answer.read(), length)
        upstream.close()

    def answer(self, status: int, headers: dict[str, str], body: bytes, length: str | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def regional(upstream: str) -> Iterator[RegionalServer]:
    """Run the proxy on the loopback until the block ends."""
    with _Server(("127.0.0.1", 0), _Proxy) as server:
        server.state = RegionalServer(upstream, f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server.state
        finally:
            server.shutdown()


def signed(request: BaseHTTPRequestHandler) -> Signed:
    """Read who signed a request from its headers."""
    found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/s3/", request.headers.get("Authorization", ""))
    key, region = (found[1], found[2]) if found else ("", "")
    return Signed(
        request.command,
        urlsplit(request.path).path.split("/")[1],
        key,
        region,
        request.headers.get("x-amz-security-token", ""),
    )
