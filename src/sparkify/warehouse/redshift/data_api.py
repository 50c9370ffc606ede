"""Statements by the Redshift Data API: HTTPS to AWS, and no port of the cluster is open.

Each statement is submitted, and its end waited for. They share a session of the Data API, in which temporary
tables and transactions live as in a connection. A session ends by itself when it was idle for as long as its
last statement said: so a process that is killed in a transaction holds its locks for that long.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from sparkify.errors import EngineError
from sparkify.settings import ClusterSettings
from sparkify.text import counted
from sparkify.warehouse.redshift.data_api_errors import (
    TRANSIENT,
    StatementFailedError,
    failed,
    gone,
    is_denied,
    is_gone,
    refused_call,
    unreachable,
)
from sparkify.warehouse.redshift.data_api_values import columns_of, row_converter
from sparkify.warehouse.redshift.redshift_errors import explain, is_lost
from sparkify.warehouse.redshift.refused import is_refused_login, refused_by_database
from sparkify.warehouse.redshift.transport import INSERT_BYTES, Columns, DataApiLogin, Row
from sparkify.warehouse.statements import statement

# Larger statements are refused: "Cannot process query string larger than 100kB".
MOST_BYTES = INSERT_BYTES["data-api"]
# Seconds until an answer is given up: longer than the server lets a statement take.
ANSWER_SECONDS = 3660.0
# Seconds a session stays when nothing is sent: between two statements this process may read gigabytes. One
# that holds locks is given up sooner, and is never without work for long.
IDLE_SECONDS = 3600
IDLE_SECONDS_WITH_LOCKS = 600
# Seconds the Data API waits for a statement before it answers: first briefly, since until then we do not know
# the statement's number, by which it is cancelled. AWS's limit is 30.
_FIRST_WAIT = 1
_WAIT = 20
# Seconds between questions, where boto3 is too old to have the Data API wait.
_POLLS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5)
# Seconds between tries of a call that AWS put off.
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
# Without an answer to any call the error should not take half a minute.
_LONGEST_PAUSE_OFFLINE = 1.0
# Seconds between tries of the last statement of a session, which is refused while another one is under way.
_FAREWELL_PAUSES = (0.0, 0.2, 0.5, 1.0)
_ENDED = frozenset({"FINISHED", "FAILED", "ABORTED"})


class DataApiTransport:
    """A session of the Data API.

    Args:
        host: The cluster, for messages.
        cluster: The database.
        login: Returns as whom to log in where; asked at every login.
        answer_seconds: Seconds to wait for the end of a statement; then the session counts as lost.
        sleep: Waits for a number of seconds.
    """

    insert_bytes = MOST_BYTES
    way = "data api"

    def __init__(
        self,
        host: str,
        cluster: ClusterSettings,
        login: Callable[[], DataApiLogin],
        *,
        answer_seconds: float = ANSWER_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.host = host
        self._cluster = cluster
        self._ask_login = login
        self._answer_seconds = answer_seconds
        self._sleep = sleep
        self._login: DataApiLogin | None = None
        self._session = ""
        self._latest = ""  # the statement sent last
        self._answered = False

    @property
    def is_open(self) -> bool:
        return bool(self._session)

    def reach(self) -> str:
        login = self._renew_login()
        who = login.user or "the user that AWS derives from who asks"
        return f"no open port is needed: {login.place}, as {who}"

    def connect(self) -> str:
        login = self._renew_login()
        try:
            described = self._run(statement("redshift/data_api_hello.sql").text, "the login", locks=False)
        except StatementFailedError as exc:
            self.drop()
            if is_refused_login(exc):
                raise refused_by_database(exc.args[0], self._cluster, self.host, login.user) from exc
            raise explain(exc, "the login", self.host) from exc
        if login.user:
            return login.user
        if not described.get("DbUser"):
            described = self._call("describe_statement", {"Id": self._latest}, "the login")
        return str(described.get("DbUser") or "the user that AWS derives from who asks")

    def _renew_login(self) -> DataApiLogin:
        before, self._login = self._login, self._ask_login()
        if before and before.client is not self._login.client:
            before.client.close()
        return self._login

    def verify(self) -> None:
        """Raise unless a statement may be cancelled: the latest one is asked for, which has ended.

        Raises:
            EngineError: It may not.
        """
        assert self._login
        try:
            self._login.client.cancel_statement(Id=self._latest)
        except ClientError as exc:
            code, message = _said(exc)
            if is_denied(code):
                action = "redshift-data:CancelStatement"
                raise refused_call(code, message, action, "a cancellation", self._login.place) from exc
        except BotoCoreError as exc:
            raise unreachable(exc, before=True) from exc

    def settle(self) -> None:
        """Do nothing: the rest of an answer waits at AWS."""

    def execute(self, sql: str, what: str, *, locks: bool) -> tuple[Columns, list[Row]]:
        columns, rows = self._ask(sql, what, locks=locks)
        return columns, list(rows)

    def stream(self, sql: str, what: str) -> tuple[Columns, Iterator[Row]]:
        return self._ask(sql, what, locks=False)

    def _ask(self, sql: str, what: str, *, locks: bool) -> tuple[Columns, Iterator[Row]]:
        size = len(sql.encode())
        if size > MOST_BYTES:
            raise EngineError(
                f"{what} has {counted(size, 'byte')}, and the Data API takes {MOST_BYTES:,} in a statement.",
                "Send it by AWS's driver: set [CLUSTER] TRANSPORT = driver, or "
                "SPARKIFY_CLUSTER_TRANSPORT=driver for once. Records are loaded from files, and none is too "
                "long, where [S3] STAGING is set.",
            )
        try:
            described = self._run(sql, what, locks=locks)
            if not described.get("HasResultSet"):
                return [], iter(())
            pages = self._pages(described["Id"], what)
            first = next(pages)
        except StatementFailedError as exc:
            if is_lost(exc):
                self.drop()
            raise explain(exc, what, self.host) from exc
        metadata = first["ColumnMetadata"]
        convert = row_converter(metadata)

        def rows() -> Iterator[Row]:
            yield from map(convert, first["Records"])
            try:
                for page in pages:
                    yield from map(convert, page["Records"])
            except StatementFailedError as exc:
                raise explain(exc, what, self.host) from exc

        return columns_of(metadata), rows()

    def _run(self, sql: str, what: str, *, locks: bool) -> Mapping[str, Any]:
        """Execute a statement; return what is known of it at its end.

        Raises:
            StatementFailedError: It failed.
        """
        assert self._login
        # With its token a request that is sent again is the same statement.
        request: dict[str, Any] = {"Sql": sql, "ClientToken": str(uuid.uuid4())}
        request["SessionKeepAliveSeconds"] = IDLE_SECONDS_WITH_LOCKS if locks else IDLE_SECONDS
        if self._session:
            # The session knows its database, and is refused where it is told again.
            request["SessionId"] = self._session
        else:
            request |= {**self._login.target, "Database": self._cluster.db_name}
        waits = _lets_wait(self._login.client)
        if waits:
            request["WaitTimeSeconds"] = _FIRST_WAIT
        self._latest = ""
        try:
            answer = self._call("execute_statement", request, what)
            self._latest = str(answer["Id"])
            self._session = str(answer.get("SessionId") or self._session)
            return self._end_of(answer, what, waits=waits)
        except (EngineError, StatementFailedError):
            raise
        except BaseException:  # interrupted while waiting
            self._cancel(request)
            self.drop()
            raise

    def _end_of(self, answer: Mapping[str, Any], what: str, *, waits: bool) -> Mapping[str, Any]:
        """Wait for the end of the latest statement."""
        deadline = time.monotonic() + self._answer_seconds
        pauses = iter(_POLLS)
        while (status := answer.get("Status")) not in _ENDED or not _is_told(answer):
            left = deadline - time.monotonic()
            if status not in _ENDED and left <= 0:
                self._cancel({})
                raise gone("no answer came in time")
            request: dict[str, Any] = {"Id": self._latest}
            if status not in _ENDED and waits:
                request["WaitTimeSeconds"] = max(1, min(_WAIT, int(left)))
            elif status not in _ENDED:
                self._sleep(next(pauses, _POLLS[-1]))
            answer = self._call("describe_statement", request, what)
            answer = {"Error": "", "HasResultSet": False, **answer}
        if status != "FINISHED":
            raise failed(answer.get("Error", ""), str(status))
        return answer

    def _pages(self, number: str, what: str) -> Iterator[Mapping[str, Any]]:
        request: dict[str, Any] = {"Id": number}
        while True:
            page = self._call("get_statement_result", request, what)
            yield page
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    def _call(self, operation: str, request: Mapping[str, Any], what: str) -> Mapping[str, Any]:
        """Make a call, again where AWS puts it off.

        Raises:
            StatementFailedError: The session is no more.
            EngineError: AWS refused, or could not be reached.
        """
        assert self._login
        client, place = self._login.client, self._login.place
        for pause in (*PAUSES, None):
            try:
                answer: Mapping[str, Any] = getattr(client, operation)(**request)
            except ClientError as exc:
                code, message = _said(exc)
                if is_gone(code, message) and self._session:
                    self._session = ""
                    raise gone(f"the session of the Data API has ended ({message.rstrip('.')})") from exc
                if code == "ActiveWaitingRequestsExceededException":
                    request = {key: value for key, value in request.items() if key != "WaitTimeSeconds"}
                if not TRANSIENT.search(code) or pause is None:
                    self._lose(code)
                    action = f"redshift-data:{client.meta.method_to_api_mapping[operation]}"
                    raise refused_call(code, message, action, what, place) from exc
            except (NoConnectionError, HTTPClientError) as exc:
                if pause is None or (not self._answered and pause > _LONGEST_PAUSE_OFFLINE):
                    self._lose("")
                    raise unreachable(exc, before=self._answered) from exc
            except BotoCoreError as exc:
                raise EngineError(
                    f"the Data API was not asked: {exc}",
                    "Run `aws configure` or `aws sso login`, set PROFILE in dwh.cfg, or KEY and SECRET.",
                ) from exc
            else:
                self._answered = True
                return answer
            self._sleep(pause)
        raise AssertionError

    def _lose(self, code: str) -> None:
        """End the session after a call that failed for good: the transaction lacks a statement."""
        if self._session and not code.startswith("Validation"):
            self.drop()

    def _cancel(self, request: Mapping[str, Any]) -> None:
        """Have AWS end the latest statement; one whose number is not known yet is asked for by its token."""
        assert self._login
        client = self._login.client
        with suppress(ClientError, BotoCoreError):
            if not self._latest and request:
                answer = client.execute_statement(**request)
                self._latest = answer["Id"]
                self._session = answer.get("SessionId") or self._session
            if self._latest:
                client.cancel_statement(Id=self._latest)

    def drop(self) -> None:
        """End the session: roll back, and have AWS close it a second later."""
        session, self._session = self._session, ""
        if not session or not self._login:
            return
        request = {
            "Sql": statement("redshift/rollback.sql").text,
            "SessionId": session,
            "SessionKeepAliveSeconds": 1,
        }
        for pause in _FAREWELL_PAUSES:
            self._sleep(pause)
            try:
                self._login.client.execute_statement(**request)
            except ClientError as exc:
                if is_gone(*_said(exc)):
                    return
                continue  # perhaps a statement is still being cancelled
            except BotoCoreError:
                return
            return

    def close(self) -> None:
        self.drop()
        login, self._login = self._login, None
        if login:
            login.client.close()


def _said(exc: ClientError) -> tuple[str, str]:
    # A server that is not AWS may return anything.
    error = exc.response.get("Error", {})
    return error.get("Code", "an answer that is not AWS's"), error.get("Message", "")


def _is_told(answer: Mapping[str, Any]) -> bool:
    """Return whether an answer says what became of an ended statement; DescribeStatement says all."""
    return ("HasResultSet" if answer["Status"] == "FINISHED" else "Error") in answer


def _lets_wait(client: Any) -> bool:
    """Return whether this boto3 knows how to have the Data API wait for the end of a statement."""
    model = client.meta.service_model.operation_model("ExecuteStatement")
    return "WaitTimeSeconds" in model.input_shape.members
