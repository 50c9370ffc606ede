"""The values of adopted fields: fields that a warehouse has been given a column for.

A value goes into its column as that of any other field does (:mod:`sparkify.intake.rules`), with one
difference: what the column does not hold rejects no record, it stays in ``extra``. There it stays, too, where
the column holds it in another form (12 in a column of texts or of doubles, 12.0 in one of integers, "12" in
either): a value leaves ``extra`` only if it can be written there again letter for letter, so that a column
that is dropped leaves what was there. A field inside an object never leaves ``extra``, where it is whole.

What a record says and what its ``extra`` says come to the same value, so that a column that is filled from
``extra`` equals one that is filled from the files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sparkify.intake.extra import storable
from sparkify.intake.parse import Repeating, pairs_of
from sparkify.intake.rules import ExactNumber, Refusal, convert, shortest
from sparkify.records import Field


class _Twice:
    """What stands for a value that is written twice: JSON does not say which of the two counts."""


class AdoptedValues(NamedTuple):
    """What a record comes to in the columns of adopted fields.

    Attributes:
        columns: The value of each column; None: the record has none, or one that the column does not hold.
        held: The keys of which the columns have all there is: :func:`given_back` makes it of them again.
        misfits: The fields whose columns do not hold their value.
    """

    columns: dict[str, Any]
    held: frozenset[str]
    misfits: tuple[Field, ...]


NOTHING_ADOPTED = AdoptedValues({}, frozenset(), ())


def adopted_values(record: Mapping[str, Any], fields: Sequence[Field]) -> AdoptedValues:
    """Return what a record comes to in the columns of adopted fields.

    Args:
        record: A JSON object as :func:`sparkify.intake.parse.parse` gives it: a record, or its ``extra``.
        fields: The adopted fields.
    """
    if not fields:
        return NOTHING_ADOPTED
    columns: dict[str, Any] = {}
    held = set()
    misfits = []
    for field in fields:
        value = _find(record, field)
        fitted = _fit(field, value)
        columns[field.column] = fitted
        if fitted is None and value is not None:
            misfits.append(field)
        elif not field.path and fitted is not None and _is_whole(field, value):
            held.add(field.key)
    return AdoptedValues(columns, frozenset(held), tuple(misfits))


def _find(record: Mapping[str, Any], field: Field) -> Any:
    """Return the field's value; None: there is none."""
    found = [value for key, value in pairs_of(record) if key == field.key and value is not None]
    if len(found) != 1:
        return _Twice() if found else None
    value = found[0]
    for key in field.path:
        if not isinstance(value, dict):
            return None
        if isinstance(value, Repeating):
            return _Twice()
        value = value.get(key)
    return value


def _fit(field: Field, value: Any) -> Any:
    """Return what the column holds of a value; None: nothing."""
    if isinstance(value, _Twice):
        return None
    if field.type == "BOOLEAN":
        return value if isinstance(value, bool) else None
    if isinstance(value, str):
        value = storable(value)
    try:
        return convert(field, value)
    except Refusal:
        return None


def _is_whole(field: Field, value: Any) -> bool:
    """Tell whether ``extra`` would have the same text again of what the column holds.

    Not of -0.0, which databases group with 0.0.
    """
    if field.is_text:
        return isinstance(value, str)
    if field.type == "DOUBLE":
        return isinstance(value, ExactNumber) and shortest(value) == str(float(value)) != "-0.0"
    return isinstance(value, int)


def given_back(value: Any) -> Any:
    """Return what a record had of a column's value, where ``extra`` does not keep it."""
    return ExactNumber(str(value)) if isinstance(value, float) else value
