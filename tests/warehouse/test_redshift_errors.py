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
