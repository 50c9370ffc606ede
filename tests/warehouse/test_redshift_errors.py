"""Which refusals of Redshift may succeed when the whole run is repeated, and which are final."""

from __future__ import annotations

import pytest

from sparkify.errors import EngineError, TransientEngineError
from sparkify.warehouse.redshift.redshift_errors import explain

OID = "could not open relation with OID 100167"
DROPPED = "table 100167 dropped by concurrent transaction"


@pytest.mark.parametrize(
    ("code", "message", "detail"),
    [
        ("XX000", "could not complete because of conflict with concurrent transaction", ""),
        ("XX000", "ERROR: could not complete because of conflict with concurrent transaction", ""),
        ("XX000", "1023", "Serializable isolation violation on table - 100167, transactions forming …"),
        ("XX000", "1018", "Relation does not exist."),
        ("XX000", OID, ""),
        ("XX000", DROPPED, ""),
        ("XX000", "deadlock detected", ""),
        ("40001", "any words", ""),
        ("40P01", "any words", ""),
    ],
)
def test_a_conflict_with_another_transaction_is_repeated(code: str, message: str, detail: str):
    found = explain(RuntimeError({"C": code, "M": message, "D": detail}), "star/users.sql, line 3", "host")
    assert isinstance(found, TransientEngineError)
    assert message in found.message
    assert found.hint


QMR = 'Query (1234) cancelled by WLM abort action of Query Monitoring Rule "long".'
DENIED = (
    "S3ServiceException:User: arn:… is not authorized to perform: {} with an explicit deny in {},Status 403"
)


@pytest.mark.parametrize(
    ("code", "message", "step"),
    [
        ("57014", QMR, "query monitoring rule"),
        ("XX000", QMR, "query monitoring rule"),
        ("57014", "Query (1) cancelled by WLM abort action of Query Timeout", "WLM"),
        ("57014", "Query cancelled by statement timeout", "--batch-bytes"),
        (
            "XX000",
            "Serverless workgroup dwh has reached its usage limit and is deactivated",
            "--limit-rpu-hours",
        ),
        (
            "XX000",
            DENIED.format("s3:GetObject", "a service control policy"),
            "policy of the organisation",
        ),
        (
            "XX000",
            "S3ServiceException:User: arn:… is not authorized to perform: kms:Decrypt,Status 403",
            "kms:Decrypt",
        ),
        ("XX000", "S3ServiceException:Access Denied,Status 403,Error AccessDenied", "cluster policy copy"),
        ("XX000", "User arn:… is not authorized to assume IAM Role arn:…", "new role"),
        ("XX000", "S3 curlError 28: Timeout was reached", "VPC endpoint"),
        (
            "XX000",
            "Connection timed out after 50001 milliseconds",
            "VPC endpoint",
        ),
    ],
)
def test_what_stands_in_the_way_has_its_next_step(code: str, message: str, step: str):
    found = explain(RuntimeError({"C": code, "M": message}), "redshift/copy_events.sql, line 3", "host")
    assert not isinstance(found, TransientEngineError)
    assert step in found.hint


@pytest.mark.parametrize(
    ("code", "message", "detail"),
    [
        ("XX000", "10180 rows were refused", ""),
        ("XX000", "Cannot insert a NULL value into column user_id", ""),
        ("42P01", 'relation "users" does not exist', ""),
        ("42501", "permission denied for database dwh", ""),
        ("42601", 'syntax error at or near "concurrent"', ""),
    ],
)
def test_other_refusals_are_final(code: str, message: str, detail: str):
    found = explain(RuntimeError({"C": code, "M": message, "D": detail}), "star/users.sql, line 3", "host")
    assert isinstance(found, EngineError)
    assert not isinstance(found, TransientEngineError)
    assert found.hint
