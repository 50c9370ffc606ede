"""One client's connection: the extended protocol between the driver and PostgreSQL.

Owns the order of messages, the transaction status and the error translation. What a statement becomes is
decided in rewrite.py; COPY is done in copying.py. Answers are sent strictly in the order of the questions,
because redshift_connector sends Close and Sync before it has read a pending ReadyForQuery.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import wire
from .backend import Backend, cancel, quote
from .copying import run_copy
from .errors import RedshiftError, syntax_error
from .options import Isolation
from .rewrite import RewritePlan, rewrite
from .statements import ParsedStatement

if TYPE_CHECKING:  # the server makes sessions
    from .faults import Fault
    from .server import RedshiftDouble

MAX_STATEMENT_BYTES = 16 * 1024 * 1024
_CANCELLED = "Query cancelled on user's request"
_SERIALIZATION = {"40001", "40P01"}
# The client's unnamed statement, as PostgreSQL has it: it drops its own at a query of ours in between.
_UNNAMED = b"the unnamed one"


@dataclass
class Prepared:
    """A prepared statement: the client's text and what is done with it."""

    sql: str
    plan: RewritePlan


@dataclass
class Portal:
    """A bound statement."""

    prepared: Prepared
    parameters: tuple[bytes | None, ...] = ()


class Dropped(Exception):
    """A fault has cut this connection."""


class Session:
    """A client from its start-up packet to its end; one beside the server (the Data API) meets no latency."""

    def __init__(self, server: RedshiftDouble, sock: socket.socket, *, latency: bool = True) -> None:
        self._server = server
        self._latency = latency
        self._stream = wire.Stream(sock)
        self._statements: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}
        self._skipping = False
        self.backend: Backend
        self.user = ""
        self.database = ""
        self.user_id = 0
        self.process_id = 0
        self.key = b""
        self.query_id = -1  # of the statement executed last
        self._cancelled = threading.Event()

    def run(self) -> None:
        """Serve until the client leaves or is cut off."""
        try:
            if self._start():
                try:
                    self._serve()
                finally:
                    self.backend.close()
        except (wire.Disconnected, Dropped, ssl.SSLError):
            pass
        finally:
            self._stream.close()

    def close(self) -> None:
        self._stream.close()

    def cancel(self) -> None:
        """End the statement under way, if there is one; called from another client's thread."""
        self._cancelled.set()
        cancel(self._server.postgres.socket, self.key)

    # -- start-up
    # ------------------------------------------------------------------------------------------------

    def _start(self) -> bool:
        body = self._stream.read_startup()
        (request,) = struct.unpack_from("!i", body)
        while request == wire.SSL_REQUEST:
            if self._server.tls is None:
                self._stream.write(b"N")
            else:
                self._stream.write(b"S")
                self._stream = wire.Stream(
                    self._server.tls.context.wrap_socket(self._stream.socket, server_side=True)
                )
            body = self._stream.read_startup()
            (request,) = struct.unpack_from("!i", body)
        if request == wire.CANCEL_REQUEST:
            self._server.cancel(body[4:])
        if request != wire.PROTOCOL_3:
            return False
        parameters = wire.startup_parameters(body)
        self.user = parameters.get("user", "")
        self.database = parameters.get("database", self.user)
        try:
            self._authenticate()
            self.user_id = self._server.user_id(self.user)
            self.backend = Backend(
                self._server.postgres.socket, self.role, self.database, self._server.backend_options
            )
        except RedshiftError as error:
            self._stream.write(wire.error(error.code, error.message, severity="FATAL"))
            return False
        self.key = self.backend.key
        (self.process_id,) = struct.unpack_from("!i", self.key)
        self._stream.write(
            wire.AUTHENTICATED
            + wire.parameter_status("server_version", "8.0.2")
            + wire.parameter_status("client_encoding", "UNICODE")
            + wire.parameter_status("integer_datetimes", "on")
            + wire.message(b"K", self.key)
            + wire.ready("I")
        )
        return True

    @property
    def role(self) -> str:
        """The user of the database that this login is."""
        return self._server.role_of(self.user)

    def _authenticate(self) -> None:
        salt = secrets.token_bytes(4)
        self._stream.write(wire.md5_challenge(salt))
        code, body = self._stream.read()
        while code == b"H":
            code, body = self._stream.read()
        password = self._server.password_of(self.user)
        right = False
        if password is not None:
            inner = hashlib.md5((password + self.user).encode()).hexdigest()
            expected = "md5" + hashlib.md5(inner.encode() + salt).hexdigest()
            right = body[:-1].decode() == expected
        if self._server.admits(self.user, right=right):
            return
        raise RedshiftError("28000", f'password authentication failed for user "{self.user}"')

    # the message loop

    def _serve(self) -> None:
        while True:
            code, body = self._stream.read()
            if code == b"X":
                return
            if code == b"S":
                if self._latency:
                    time.sleep(self._server.options.latency)
                self._skipping = False
                self.backend.sync()
                self._stream.write(wire.ready(self.backend.status))
            elif code == b"H" or self._skipping:
                continue
            else:
                self._answer(code, body)

    def _answer(self, code: bytes, body: bytes) -> None:
        try:
            if code == b"P":
                self._parse(body)
            elif code == b"D":
                self._describe(body)
            elif code == b"B":
                self._bind(body)
            elif code == b"E":
                self._execute(body)
            elif code == b"C":
                self._close(body)
            else:
                raise RedshiftError("08P01", f"the stand-in speaks the extended protocol only, not {code!r}")
        except RedshiftError as error:
            self._fail(error)

    def _fail(self, error: RedshiftError) -> None:
        """Send an error of our own; like PostgreSQL's it fails the transaction and skips to the next Sync."""
        self.backend.fail_transaction()
        if error.info:
            self._stream.write(wire.notice(error.info))
        self._stream.write(wire.error(error.code, error.message, error.detail))
        self._skipping = True

    def _relay(self, code: bytes, body: bytes) -> None:
        if code == b"E":
            error = self._translated(wire.fields(body))
            self._stream.write(wire.error(error.code, error.message, error.detail))
            self._skipping = True
        elif code != b"S":  # PostgreSQL's own parameters are none of a Redshift client's business
            self._stream.write(wire.message(code, body))

    def _parse(self, body: bytes) -> None:
        name, position = wire.text_at(body, 0)
        text, position = wire.text_at(body, position)
        entry: ParsedStatement | None = None
        try:
            if len(text.encode()) > MAX_STATEMENT_BYTES:
                raise RedshiftError(
                    "54000",
                    f"ParsedStatement is too large. ParsedStatement Size: {len(text.encode())} bytes."
                    f" Maximum Allowed: {MAX_STATEMENT_BYTES} bytes",
                )
            plan = rewrite(text, self._server.options)
            prepared = Prepared(text, plan)
            if plan.local:
                if self.backend.status == "E":
                    raise _aborted()
                (parameters,) = struct.unpack_from("!h", body, position)
                if parameters or any(token.kind == "parameter" for token in plan.tokens):
                    raise syntax_error("$1")
                self._stream.write(wire.PARSE_COMPLETE)
            else:
                if not name:
                    self.backend.exchange(wire.message(b"C", b"S" + _UNNAMED + b"\0"), b"3", _ignore)
                message = wire.message(
                    b"P", _behind(name) + b"\0" + plan.sql.encode() + b"\0" + body[position:]
                )
                failures: list[RedshiftError] = []

                def relay(code: bytes, answer: bytes) -> None:
                    if code == b"E":
                        failures.append(self._translated(wire.fields(answer)))
                    self._relay(code, answer)

                if self.backend.exchange(message, b"1", relay) == b"E":
                    entry = self._log(text)
                    entry.sent, entry.status = plan.sql, "error"
                    entry.code, entry.message = failures[0].code, failures[0].message
                    return
            self._statements[name] = prepared
        except RedshiftError as error:
            entry = self._log(text)
            entry.status, entry.code, entry.message = "error", error.code, error.message
            raise

    def _log(self, text: str) -> ParsedStatement:
        return self._server.statements.add(self.process_id, self.database, self.user, text)

    def _describe(self, body: bytes) -> None:
        name, _ = wire.text_at(body, 1)
        if body[:1] == b"S":
            prepared = self._statements.get(name)
        else:
            portal = self._portals.get(name)
            prepared = portal.prepared if portal else None
        if prepared is None:
            raise RedshiftError("26000", f'prepared statement "{name}" does not exist')
        if not prepared.plan.local:
            behind = body[:1] + _behind(name, body[:1]) + b"\0"
            self.backend.exchange(wire.message(b"D", behind), b"Tn", self._relay)
        elif body[:1] == b"S":
            self._stream.write(wire.NO_PARAMETERS + wire.NO_DATA)
        else:
            self._stream.write(wire.NO_DATA)

    def _bind(self, body: bytes) -> None:
        portal_name, position = wire.text_at(body, 0)
        name, position = wire.text_at(body, position)
        prepared = self._statements.get(name)
        if prepared is None:
            raise RedshiftError("26000", f'prepared statement "{name}" does not exist')
        self._portals[portal_name] = Portal(prepared, _bound(body, position))
        if prepared.plan.local:
            self._stream.write(wire.BIND_COMPLETE)
            return
        self._before(prepared.plan)
        behind = portal_name.encode() + b"\0" + _behind(name) + b"\0" + body[position:]
        self.backend.exchange(wire.message(b"B", behind), b"2", self._relay)

    def _before(self, plan: RewritePlan) -> None:
        """What has to be done before PostgreSQL binds: a query of our own drops its unnamed portal."""
        if plan.writes and self.backend.status == "T":
            # Redshift has one writer per table; readers are not held up.
            try:
                self.backend.query(f"LOCK TABLE {plan.writes} IN EXCLUSIVE MODE")
            except RedshiftError as error:
                raise self._translated({"C": error.code, "M": error.message}) from error
        early = "snapshot_before_lock" in self._server.options.infidelities
        if early and self.backend.status == "T" and plan.tokens[0].key == "lock":
            self.backend.query("SELECT 1")
        if plan.asks_query_id and self.backend.status != "E":
            last = quote(str(self.query_id))
            self.backend.query(f"SELECT set_config('redshift.last_query_id', {last}, false)")

    def _execute(self, body: bytes) -> None:
        name, _ = wire.text_at(body, 0)
        portal = self._portals.get(name)
        if portal is None:
            raise RedshiftError("34000", f'cursor "{name}" does not exist')
        entry = self._log(portal.prepared.sql)
        entry.parameters, entry.sent = portal.parameters, portal.prepared.plan.sql
        self.query_id = self._server.next_query_id()
        self._cancelled.clear()
        fault = self._server.faults.next(portal.prepared.sql)
        try:
            if fault is not None:
                self._happen(fault, entry, copying=portal.prepared.plan.kind == "copy")
            if portal.prepared.plan.local:
                self._run_local(portal.prepared.plan, entry, fault)
            else:
                self._run(body, portal.prepared.plan, entry, fault)
        except RedshiftError as error:
            entry.status, entry.code, entry.message = "error", error.code, error.message
            raise

    def _run(self, body: bytes, plan: RewritePlan, entry: ParsedStatement, fault: Fault | None) -> None:
        dropping = fault is not None and fault.kind == "drop_after"

        def relay(code: bytes, answer: bytes) -> None:
            if code == b"C":
                entry.status, entry.tag = "ok", answer[:-1].decode()
            elif code == b"E":
                error = self._translated(wire.fields(answer))
                entry.status, entry.code, entry.message = "error", error.code, error.message
            if not dropping:
                self._relay(code, answer)

        if self.backend.exchange(wire.message(b"E", body), b"CIs", relay) == b"C" and plan.after:
            self.backend.query(plan.after)
        if dropping:
            self.backend.sync()
            entry.status = "dropped"
            raise Dropped

    def _run_local(self, plan: RewritePlan, entry: ParsedStatement, fault: Fault | None) -> None:
        notices: list[str] = []
        if plan.kind == "copy":
            assert plan.copy is not None
            delay = fault.seconds if fault is not None and fault.kind == "slow" else 0.0
            run_copy(self, self._server, plan.copy, notices, delay)
        elif plan.kind == "truncate":
            self.backend.query(plan.sql)
            if self.backend.status == "T":
                self.backend.query("COMMIT")
        elif plan.kind == "alone":
            if self.backend.status == "T":
                raise RedshiftError("25001", f"{plan.tag} cannot run inside a transaction block")
            if plan.sql:
                self._run_alone(plan)
        entry.status, entry.tag = "ok", plan.tag
        if fault is not None and fault.kind == "drop_after":
            entry.status = "dropped"
            raise Dropped
        for text in notices:
            self._stream.write(wire.notice(text))
        self._stream.write(wire.command_complete(plan.tag))

    def _run_alone(self, plan: RewritePlan) -> None:
        try:
            self.backend.query(plan.sql)
        except RedshiftError as error:
            raise self._translated({"C": error.code, "M": error.message}) from error
        if plan.makes:
            self._server.distort(plan.makes)

    def _close(self, body: bytes) -> None:
        name, _ = wire.text_at(body, 1)
        if body[:1] == b"S":
            prepared = self._statements.pop(name, None)
        else:
            portal = self._portals.pop(name, None)
            prepared = portal.prepared if portal else None
        if prepared is not None and prepared.plan.local:
            self._stream.write(wire.CLOSE_COMPLETE)
        else:
            behind = body[:1] + _behind(name, body[:1]) + b"\0"
            self.backend.exchange(wire.message(b"C", behind), b"3", self._relay)

    # faults

    def _happen(self, fault: Fault, entry: ParsedStatement, *, copying: bool) -> None:
        """The part of a fault that comes before the statement runs."""
        if fault.kind in CONFLICTS:
            conflict = CONFLICTS[fault.kind]
            raise conflict()
        if fault.kind == "refuse":
            raise RedshiftError(fault.code, fault.message)
        if fault.kind == "drop_before":
            entry.status = "dropped"
            raise Dropped
        if fault.kind == "hang":
            entry.status = "dropped"
            while True:  # until the client gives up and closes
                self._stream.read()
        if fault.kind == "slow" and not copying:  # COPY is slow while it reads
            self.wait(fault.seconds)

    def wait(self, seconds: float) -> None:
        """Pass time as a slow statement does, within statement_timeout.

        Raises:
            RedshiftError: when the timeout comes first.
        """
        limit = self.timeout()
        if limit is not None and seconds > limit:
            self._pass(limit)
            raise RedshiftError("57014", "Query cancelled by statement timeout")
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        if self._cancelled.wait(seconds):
            raise RedshiftError("57014", _CANCELLED)

    def timeout(self) -> float | None:
        """statement_timeout in seconds; None when there is none."""
        answer = self.backend.query("SELECT setting FROM pg_settings WHERE name = 'statement_timeout'")
        milliseconds = int(answer.rows[0][0] or 0)
        return milliseconds / 1000 if milliseconds else None

    def _translated(self, fields: dict[str, str]) -> RedshiftError:
        return translated(fields, self._server.options.isolation)

    def set_last_copy(self, query_id: int) -> None:
        """Inside the transaction, so that a rollback takes it back."""
        self.backend.query(f"SELECT set_config('redshift.last_copy_id', {quote(str(query_id))}, false)")


def _behind(name: str, kind: bytes = b"S") -> bytes:
    """Return the name PostgreSQL has a client's statement (S) or portal (P) under."""
    return name.encode() or (_UNNAMED if kind == b"S" else b"")


def _ignore(code: bytes, answer: bytes) -> None:
    """Keep an answer from the client."""


def _bound(body: bytes, position: int) -> tuple[bytes | None, ...]:
    (formats,) = struct.unpack_from("!h", body, position)
    position += 2 + 2 * formats
    (count,) = struct.unpack_from("!h", body, position)
    position += 2
    values: list[bytes | None] = []
    for _ in range(count):
        (size,) = struct.unpack_from("!i", body, position)
        position += 4
        values.append(None if size < 0 else body[position : position + size])
        position += max(size, 0)
    return tuple(values)


def _aborted() -> RedshiftError:
    return RedshiftError(
        "25P02", "current transaction is aborted, commands ignored until end of transaction block"
    )


def serialization_failure() -> RedshiftError:
    """Error 1023 as clients have published it: SERIALIZABLE isolation."""
    return RedshiftError(
        "XX000",
        "1023",
        detail="Serializable isolation violation on table - 100167, transactions forming the cycle are: "
        "55705701, 55705754 (pid:16606)",
    )


def snapshot_conflict() -> RedshiftError:
    """Two writers of the same rows under SNAPSHOT isolation, as clients have published it."""
    return RedshiftError("XX000", "could not complete because of conflict with concurrent transaction")


def relation_gone() -> RedshiftError:
    """Error 1018: another transaction's DDL was committed after this one's snapshot."""
    return RedshiftError("XX000", "1018", detail="Relation does not exist.")


CONFLICTS: dict[str, Callable[[], RedshiftError]] = {
    "serialization": serialization_failure,
    "snapshot_conflict": snapshot_conflict,
    "relation_gone": relation_gone,
}


def translated(fields: dict[str, str], isolation: Isolation) -> RedshiftError:
    """PostgreSQL's error in Redshift's words, where they differ."""
    code, message, detail = fields["C"], fields["M"], fields.get("D", "")
    if code in _SERIALIZATION:
        return snapshot_conflict() if isolation == "snapshot" else serialization_failure()
    if code == "21000" and message.startswith("MERGE"):
        return RedshiftError("XX000", "Found multiple matches to update the same tuple.")
    if code == "23502":
        found = re.search(r'column "([^"]+)"', message)
        return RedshiftError("XX000", f"Cannot insert a NULL value into column {found[1] if found else ''}")
    if code == "428C9":
        return RedshiftError("XX000", "cannot set an identity column to a value")
    if code == "57014":
        return RedshiftError(
            "57014", _CANCELLED if "user request" in message else "Query cancelled by statement timeout"
        )
    return RedshiftError(code, message, detail=detail)
