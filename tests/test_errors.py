"""What the error tree promises: every class is drawn, carries an exit code and what it says it carries."""

from __future__ import annotations

import re

import pytest

from sparkify import errors
from sparkify.errors import SparkifyError

EXIT_CODES = {
    "SparkifyError": 1,
    "ConfigError": 2,
    "SourceError": 1,
    "SourceNotFound": 1,
    "SourceDenied": 1,
    "CredentialsRefused": 1,
    "SourceChanged": 1,
    "TransientSourceError": 1,
    "LoadError": 1,
    "ModelError": 1,
    "EngineError": 1,
    "WarehouseLocked": 1,
    "TransientEngineError": 1,
    "CheckError": 3,
    "ClusterError": 1,
}
# What else each class must be told, and the classes below it with it.
PLACES: dict[str, dict[str, object]] = {
    "SourceError": {"uri": "s3://b/x"},
    "LoadError": {"uri": "s3://b/x", "line": 7},
    "ModelError": {"path": "star/users.sql", "line": 7},
    "WarehouseLocked": {"pid": 7},
    "ClusterError": {"state": "paused", "action": "destroy"},
}


def classes() -> list[type[SparkifyError]]:
    found = [SparkifyError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return [kind for kind in found if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_error_has_its_exit_code_its_hint_and_its_place(kind: type[SparkifyError]) -> None:
    assert kind.exit_code == EXIT_CODES[kind.__name__]
    place = {name: value for base in kind.__mro__ for name, value in PLACES.get(base.__name__, {}).items()}
    error = kind("what failed", "what to do", **place)
    assert (error.message, error.hint, str(error)) == ("what failed", "what to do", "what failed")
    assert {name: getattr(error, name) for name in place} == place


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every class stands below its parent, where the drawing puts it."""
    drawn: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    ([│ ├└─]*)([A-Z]\w+)  ", line)
        if found:
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            drawn[found[2]] = path[depth - 1] if depth else None
    assert drawn == {
        kind.__name__: kind.__base__.__name__ if kind is not SparkifyError and kind.__base__ else None
        for kind in classes()
    }
    assert set(drawn) == set(EXIT_CODES)


def test_exit_codes_are_the_contracts() -> None:
    assert (errors.OK, errors.FAILED, errors.USAGE, errors.CHECKS_FAILED, errors.INTERRUPTED) == (
        0,
        1,
        2,
        3,
        130,
    )
