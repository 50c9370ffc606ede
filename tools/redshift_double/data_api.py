"""The Data API in front of the stand-in: an HTTP endpoint that speaks the protocol of `redshift-data`.

Owns sessions, statements and their states, results and their pages, and what AWS refuses; what a statement
does is the stand-in's own business. Stricter than AWS: a parameter that the service does not have is refused.
docs/redshift-double.md says from where the rules are.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from botocore.loaders import Loader
from botocore.model import ServiceModel

from . import wire
from .data_client import DataAnswer, DataClient
from .errors import RedshiftError

if TYPE_CHECKING:
    from .server import RedshiftDouble

MOST_BYTES = 100_000  # of a statement
MOST_ROW_BYTES = 64 * 1024
MOST_SECONDS = 24 * 3600  # of a session
_TARGET = ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn")
_TYPES = {
    16: "bool", 17: "varbyte", 18: "char", 19: "name", 20: "int8", 21: "int2", 23: "int4", 25: "text",
    26: "oid", 700: "float4", 701: "float8", 705: "unknown", 1042: "bpchar", 1043: "varchar", 1082: "date",
    1083: "time", 1114: "timestamp", 1184: "timestamptz", 1266: "timetz", 1700: "numeric",
}  # fmt: skip
_LONGS, _DOUBLES = (20, 21, 23, 26), (700, 701)


class CallRefused(Exception):
    """A call that is answered with an error: its code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _invalid(message: str) -> CallRefused:
    return CallRefused("ValidationException", message)


@dataclass
class DataStatement:
    """A statement, from the moment it was submitted; ``keeps``: seconds its session stays idle after it."""

    sql: str
    session: DataSession
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "SUBMITTED"
    error: str | None = None
    answer: DataAnswer = field(default_factory=DataAnswer)
    begun: float = field(default_factory=time.time)
    keeps: float = 0.0


@dataclass
class DataSession:
    """A connection to the database; ``idle_since`` and ``keeps`` say when it ends, in seconds."""

    database: str
    user: str
    target: dict[str, str]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    client: DataClient | None = None
    running: DataStatement | None = None
    began: float = field(default_factory=time.monotonic)
    idle_since: float = field(default_factory=time.monotonic)
    keeps: float = 0.0
    closed: bool = False


class DataApi:
    """The endpoint. Use it as a context manager.

    Args:
        server: The stand-in behind it.
        latency: Seconds until an answer to a request arrives.
        page_rows: Rows of a page of results.

    Attributes:
        secrets: Users by the ARN of a secret.
        identity: The user AWS derives from who asks, where the request names none.
        refusals: By operation, code and message of the errors that its next calls are answered with.
        calls: How often each operation was asked for.
        most_sessions: How many sessions there may be.
        targets: The clusters and workgroups there are; None: any.
        end_before: A regular expression: the first statement it is found in meets a session that has ended.
        submitted: Every statement, in order.
    """

    def __init__(self, server: RedshiftDouble, *, latency: float = 0.0, page_rows: int = 1000) -> None:
        self.server = server
        self.latency = latency
        self.page_rows = page_rows
        self.secrets: dict[str, str] = {}
        self.identity = "IAMR:etl"
        self.refusals: dict[str, list[tuple[str, str]]] = {}
        self.calls: dict[str, int] = {}
        self.most_sessions = 500
        self.targets: frozenset[str] | None = None
        self.end_before = ""
        self.submitted: list[DataStatement] = []
        self._changed = threading.Condition()
        self._sessions: dict[str, DataSession] = {}
        self._statements: dict[str, DataStatement] = {}
        self._tokens: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._http = ThreadingHTTPServer((server.host, 0), _handler(self))
        self._http.daemon_threads = True

    @property
    def endpoint(self) -> str:
        """The URL for AWS_ENDPOINT_URL_REDSHIFT_DATA."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        with self._changed:
            self._end_all()

    # what tests use

    @property
    def sessions(self) -> list[DataSession]:
        """The sessions that are open."""
        with self._changed:
            return [each for each in self._sessions.values() if not self._expired(each)]

    def end_idle_sessions(self) -> None:
        """End every session that has nothing to do, as when it was idle for as long as it may be."""
        with self._changed:
            for session in self._sessions.values():
                if session.running is None:
                    self._close(session)

    def _end_all(self) -> None:
        for session in self._sessions.values():
            self._close(session)

    # the operations

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a call.

        Raises:
            CallRefused: The answer is an error.
        """
        with self._changed:
            self.calls[operation] = self.calls.get(operation, 0) + 1
            waiting = self.refusals.get(operation)
            if waiting:
                raise CallRefused(*waiting.pop(0))
        _verify(operation, request)
        operations = {
            "ExecuteStatement": self._execute,
            "DescribeStatement": self._describe,
            "GetStatementResult": self._result,
            "CancelStatement": self._cancel,
        }
        if operation not in operations:
            raise CallRefused("UnknownOperationException", f"the stand-in does not know {operation}")
        return operations[operation](request)

    def _execute(self, request: dict[str, Any]) -> dict[str, Any]:
        sql = request["Sql"]
        if len(sql.encode()) > MOST_BYTES:
            raise _invalid("Cannot process query string larger than 100kB")
        token = request.get("ClientToken", "")
        with self._changed:
            if self.end_before and re.search(self.end_before, sql):
                self.end_before = ""
                self._end_all()
            known = self._tokens.get(token)
            if known:
                statement = self._statements[known]
            else:
                session = self._session_for(request)
                statement = DataStatement(sql, session)
                session.keeps = request.get(
                    "SessionKeepAliveSeconds", 0.0 if "SessionId" not in request else session.keeps
                )
                session.running = statement
                statement.keeps = session.keeps
                self._statements[statement.id] = statement
                self.submitted.append(statement)
                if token:
                    self._tokens[token] = statement.id
                threading.Thread(target=self._run, args=(statement,), daemon=True).start()
        self._wait(statement, request)
        told: dict[str, Any] = {
            "Id": statement.id,
            "CreatedAt": statement.begun,
            "Database": statement.session.database,
        }
        told |= {key: value for key, value in statement.session.target.items() if key != "SecretArn"}
        if "SessionKeepAliveSeconds" in request or "SessionId" in request:
            told["SessionId"] = statement.session.id
        if "WaitTimeSeconds" in request:
            told["Status"] = statement.status
            if statement.status == "FINISHED":
                told["HasResultSet"] = statement.answer.columns is not None
        return told

    def _session_for(self, request: dict[str, Any]) -> DataSession:
        number = request.get("SessionId")
        if number is None:
            return self._new_session(request)
        told = [name for name in _TARGET if name in request]
        if told:
            raise _invalid(f"{', '.join(told)} cannot be specified with SessionId")
        session = self._sessions.get(number)
        if session is None:
            raise _invalid(f"Session with Id: {number} is invalid")
        if self._expired(session):
            raise _invalid("Session is not available")
        if session.running is not None:
            raise _invalid("Session is busy with another statement")
        return session

    def _new_session(self, request: dict[str, Any]) -> DataSession:
        named = [name for name in ("ClusterIdentifier", "WorkgroupName") if name in request]
        if len(named) != 1 or "Database" not in request:
            raise _invalid("Either ClusterIdentifier or WorkgroupName, and Database, must be specified")
        if "DbUser" in request and ("SecretArn" in request or named == ["WorkgroupName"]):
            raise _invalid("DbUser cannot be specified with SecretArn or WorkgroupName")
        if self.targets is not None and request[named[0]] not in self.targets:
            raise _invalid("Redshift endpoint doesn't exist in this region.")
        if sum(not self._expired(each) for each in self._sessions.values()) >= self.most_sessions:
            raise CallRefused(
                "ActiveSessionsExceededException", "The maximum number of active sessions is exceeded."
            )
        if "SecretArn" in request:
            user = self.secrets.get(request["SecretArn"], "")
            if not user:
                raise _invalid("Secrets Manager can't find the specified secret.")
        elif "DbUser" in request:
            user = f"IAM:{request['DbUser']}"
            if request["DbUser"] in self.server.passwords:  # GetClusterCredentials makes no user
                self.server.passwords.setdefault(user, str(uuid.uuid4()))
        else:
            user = self.identity
            self.server.identities.setdefault(user, str(uuid.uuid4()))
        target = {name: request[name] for name in _TARGET if name in request and name != "Database"}
        session = DataSession(request["Database"], user, target)
        self._sessions[session.id] = session
        return session

    def _expired(self, session: DataSession) -> bool:
        now = time.monotonic()
        idle = session.running is None and now - session.idle_since > session.keeps
        if idle or now - session.began > MOST_SECONDS:
            self._close(session)
        return session.closed

    def _close(self, session: DataSession) -> None:
        session.closed = True
        if session.client is not None:
            session.client.close()

    def _run(self, statement: DataStatement) -> None:
        session = statement.session
        status, error, answer = "FINISHED", None, DataAnswer()
        statement.status = "STARTED"
        lost = False
        try:
            if session.client is None:
                session.client = DataClient(self.server, session.user, session.database)
            answer = session.client.execute(statement.sql)
            large = any(sum(len(value or b"") for value in row) > MOST_ROW_BYTES for row in answer.rows)
            if large:
                raise RedshiftError("XX000", "Packet for query is too large")
        except RedshiftError as exc:
            status, error = "FAILED", self._words(exc, fatal=session.client is None)
            lost = session.client is None
            if exc.code == "57014" and "user's request" in exc.message:
                status = "ABORTED"
        except wire.Disconnected:
            status, error, lost = "FAILED", "ERROR: the connection to the database was closed", True
        with self._changed:
            statement.answer, statement.error, statement.status = answer, error, status
            session.running = None
            session.idle_since = time.monotonic()
            if lost or not session.keeps:
                self._close(session)
            self._changed.notify_all()

    def _words(self, exc: RedshiftError, *, fatal: bool) -> str:
        detail = f"\n  Detail: {exc.detail}" if exc.detail else ""
        number = next(self._numbers)
        return f"{'FATAL' if fatal else 'ERROR'}: {exc.message}{detail} [ErrorId: 1-{number:08x}]"

    def _wait(self, statement: DataStatement, request: Mapping[str, Any]) -> None:
        if "WaitTimeSeconds" in request:
            with self._changed:
                self._changed.wait_for(
                    lambda: statement.status not in ("SUBMITTED", "STARTED"), request["WaitTimeSeconds"]
                )

    def _find(self, request: Mapping[str, Any]) -> DataStatement:
        with self._changed:
            statement = self._statements.get(request["Id"])
        if statement is None:
            raise CallRefused("ResourceNotFoundException", "Query does not exist.")
        return statement

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        statement = self._find(request)
        self._wait(statement, request)
        told: dict[str, Any] = {
            "Id": statement.id,
            "Status": statement.status,
            "Database": statement.session.database,
            "DbUser": statement.session.user,
            "QueryString": statement.sql,
            "SessionId": statement.session.id,
            "HasResultSet": statement.status == "FINISHED" and statement.answer.columns is not None,
            "ResultRows": len(statement.answer.rows),
            "Duration": int((time.time() - statement.begun) * 1e9),
        }
        if statement.error is not None:
            told["Error"] = statement.error
        return told

    def _result(self, request: dict[str, Any]) -> dict[str, Any]:
        statement = self._find(request)
        self._wait(statement, request)
        columns = statement.answer.columns
        if statement.status != "FINISHED" or columns is None:
            words = "Query does not have result. Please check query status with DescribeStatement."
            raise CallRefused("ResourceNotFoundException", words)
        first = int(base64.b64decode(request["NextToken"])) if "NextToken" in request else 0
        rows = statement.answer.rows[first : first + self.page_rows]
        told: dict[str, Any] = {
            "ColumnMetadata": [
                {"name": name, "label": name, "typeName": _TYPES.get(number, "varchar"), "nullable": 1}
                for name, number in columns
            ],
            "Records": [
                [_field(value, number) for value, (_, number) in zip(row, columns, strict=True)]
                for row in rows
            ],
            "TotalNumRows": len(statement.answer.rows),
        }
        if first + self.page_rows < len(statement.answer.rows):
            told["NextToken"] = base64.b64encode(str(first + self.page_rows).encode()).decode()
        return told

    def _cancel(self, request: dict[str, Any]) -> dict[str, Any]:
        statement = self._find(request)
        if statement.status not in ("SUBMITTED", "STARTED"):
            raise _invalid(f"Could not cancel a query that is already in {statement.status} state")
        client = statement.session.client
        if client is not None:
            client.session.cancel()
        return {"Status": True}


def _field(value: bytes | None, number: int) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    text = value.decode()
    if number == 16:
        return {"booleanValue": text == "t"}
    if number in _LONGS:
        return {"longValue": int(text)}
    if number in _DOUBLES:
        number_value = float(text)
        # JSON has no other words for them.
        return {"doubleValue": number_value if abs(number_value) < float("inf") else text}
    if number == 17:
        return {"blobValue": base64.b64encode(bytes.fromhex(text.removeprefix("\\x"))).decode()}
    return {"stringValue": text}


@cache
def _model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("redshift-data", "service-2"), "redshift-data")


def _verify(operation: str, request: Mapping[str, Any]) -> None:
    """Refuse what the service's model does not have."""
    shape = _model().operation_model(operation).input_shape
    assert shape is not None
    for name, value in request.items():
        member = shape.members.get(name)
        if member is None:
            raise CallRefused("SerializationException", f"{operation} has no parameter {name}")
        limits = member.metadata
        size = value if isinstance(value, int) else len(value)
        pattern = limits.get("pattern")
        if (
            (member.type_name == "integer") != isinstance(value, int)
            or size < limits.get("min", size)
            or size > limits.get("max", size)
            or (pattern and not re.fullmatch(pattern, str(value)))
        ):
            raise _invalid(f"{name} of {operation} is {value!r}")
    missing = [name for name in shape.required_members if name not in request]
    if missing:
        raise _invalid(f"{operation} lacks {', '.join(missing)}")


def _handler(api: DataApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
            time.sleep(api.latency)
            status, answer = 200, {}
            try:
                if service != "RedshiftData":
                    raise CallRefused("UnknownOperationException", service)
                if "/redshift-data/aws4_request" not in self.headers.get("Authorization", ""):
                    raise CallRefused("MissingAuthenticationTokenException", "Missing Authentication Token")
                answer = api.answer(operation, json.loads(body))
            except CallRefused as exc:
                status, answer = 400, {"__type": exc.code, "Message": exc.message, "message": exc.message}
            data = json.dumps(answer).encode()
            with suppress(ConnectionError):  # a client that was killed
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
            pass

    return Handler
