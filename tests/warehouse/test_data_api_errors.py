"""What the Data API says of a failure, in the words people have published, as errors of ours."""

from __future__ import annotations

import pytest

from sparkify.errors import EngineError, TransientEngineError
from sparkify.warehouse.redshift.data_api_errors import failed, is_gone, refused_call
from sparkify.warehouse.redshift.redshift_errors import about_contents, explain, is_lost
from sparkify.warehouse.redshift.refused import is_refused_login

ID = " [ErrorId: 1-656a6401-67bc80cb02ba7898069d8916]"


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        (
            "ERROR: 1023\n  Detail: Serializable isolation violation on table - 100167, transactions …",
            TransientEngineError,
            "another transaction came between at a step: 1023 Serializable isolation violation",
        ),
        (
            f"ERROR: could not complete because of conflict with concurrent transaction{ID}",
            TransientEngineError,
            "another transaction came between",
        ),
        (f"ERROR: could not open relation with OID 4711{ID}", TransientEngineError, "came between"),
        (
            f'ERROR: relation "x" does not exist\n  Position: 15{ID}',
            EngineError,
            'Redshift refused a step: relation "x" does not exist',
        ),
        (f"ERROR: permission denied for relation users{ID}", EngineError, "permission denied"),
        ("ERROR: Query cancelled on user's request", EngineError, "took longer than a statement may"),
        (
            "FATAL: terminating connection due to administrator command",
            TransientEngineError,
            "was lost at a step: terminating connection due to administrator command.",
        ),
        ("An I/O error occurred while sending to the backend.", TransientEngineError, "was lost"),
        ("", EngineError, "no reason was given"),
    ],
)
def test_a_failed_statement(text: str, kind: type[EngineError], said: str):
    error = explain(failed(text, "FAILED"), "a step", "here")
    assert type(error) is kind
    assert said in error.message
    assert "ErrorId" not in error.message
    assert error.hint


def test_what_is_told_apart():
    load = f"ERROR: Load into table 'x' failed.  Check 'sys_load_error_detail' system table for details.{ID}"
    assert about_contents(failed(load, "FAILED"))
    assert is_lost(failed("FATAL: terminating connection due to administrator command", "FAILED"))
    assert is_lost(failed("ERROR: the connection to the database was closed", "FAILED"))
    for text in ('column "session" does not exist', 'relation "connection" is no "closed" one'):
        assert not is_lost(failed(f"ERROR: {text}", "FAILED"))
    for text in ('FATAL: password authentication failed for user "x"', 'FATAL: database "x" does not exist'):
        assert is_refused_login(failed(text, "FAILED"))
    assert failed("", "ABORTED").args[0]["C"] == "57014"


@pytest.mark.parametrize(
    ("code", "message", "gone"),
    [
        ("ValidationException", "Session is not available", True),
        ("ValidationException", "Session with Id: 4711 is invalid", True),
        ("ResourceNotFoundException", "Session does not exist.", True),
        ("ResourceNotFoundException", "Query does not exist.", False),
        ("ValidationException", "Session is busy with another statement", False),
        ("ValidationException", "SessionKeepAliveSeconds cannot be specified with SessionId", False),
        ("ActiveSessionsExceededException", "The maximum number of active sessions is exceeded.", False),
    ],
)
def test_a_session_that_is_gone_is_known(code: str, message: str, gone: bool):
    assert is_gone(code, message) is gone


@pytest.mark.parametrize(
    ("code", "message", "kind", "said"),
    [
        ("ActiveStatementsExceededException", "", TransientEngineError, "takes no more statements"),
        ("ThrottlingException", "Rate exceeded", TransientEngineError, "put a step off"),
        ("ExpiredTokenException", "", EngineError, "have expired"),
        ("UnrecognizedClientException", "", EngineError, "does not know these credentials"),
        (
            "AccessDeniedException",
            "User: arn is not authorized to perform: redshift:GetClusterCredentials on resource: arn",
            EngineError,
            "may not do redshift:GetClusterCredentials",
        ),
        (
            "ValidationException",
            "Redshift endpoint doesn't exist in this region.",
            EngineError,
            "refused a step for cluster c in r: Redshift endpoint doesn't exist",
        ),
    ],
)
def test_a_refused_call(code: str, message: str, kind: type[EngineError], said: str):
    error = refused_call(code, message, "redshift-data:ExecuteStatement", "a step", "cluster c in r")
    assert type(error) is kind
    assert said in error.message
    assert error.hint
