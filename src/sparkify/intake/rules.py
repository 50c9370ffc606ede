"""What makes a record acceptable: our rules, the same whichever engine loads it.

The fast path of an engine may only accept what these rules accept, with the same values; whatever it is
not sure of is judged here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from sparkify.records import Between, Field, RecordKind, Rule
from sparkify.text import counted

MALFORMED = "malformed_json"
TRUNCATED = "truncated_file"
DAMAGED = "damaged_file"
NOT_AN_OBJECT = "not_an_object"
INVALID_UTF8 = "invalid_utf8"
WRONG_TYPE = "wrong_type"
MISSING = "missing_field"
OUT_OF_RANGE = "out_of_range"
TOO_LONG = "too_long"

# How many bytes of a rejected record are kept.
KEPT_BYTES = 16_384
_LIMITS = {"INTEGER": 2**31, "BIGINT": 2**63}
_SHOWN = 60
_DIGITS = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
# Python refuses to convert a text of more than 4,300 digits.
_MOST_DIGITS = 400


class ExactNumber(float):
    """A number with a fraction or an exponent, and how it was written: a double may hold less."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> Self:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


class Refusal(Exception):
    """Why a record is not accepted: a code and a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def judge(record: Mapping[str, Any], kind: RecordKind) -> dict[str, Any]:
    """Return the values of the record's built-in fields by key, in the types of their columns.

    Args:
        record: A JSON object, as Python's parser gives it.
        kind: Its kind; fields it does not have are left out.

    Raises:
        Refusal: A rule is broken; the first by the order of the fields, then of the kind's rules.
    """
    values = {field.key: convert(field, record.get(field.key)) for field in kind.built_in}
    for rule in kind.rules:
        _apply(rule, values)
    return values


def _apply(rule: Rule, values: Mapping[str, Any]) -> None:
    value = values[rule.key]
    if isinstance(rule, Between):
        if value is not None and not rule.low <= value < rule.high:
            raise Refusal(rule.reason, f"{rule.key} is {value}, {rule.detail}")
    elif value == rule.value and not values[rule.needed]:
        raise Refusal(rule.reason, rule.detail)


def convert(field: Field, value: Any) -> Any:
    """Return a value in the type of its column.

    Raises:
        Refusal: The column does not hold it.
    """
    if value is None or (value == "" and field.type != "VARCHAR"):
        if field.required:
            raise Refusal(MISSING, f"{field.key} is missing")
        return None
    if isinstance(value, dict | list):
        raise _wrong(field, value, "a single value")
    if field.type == "VARCHAR":
        return _text(field, value)
    if isinstance(value, bool):
        raise _wrong(field, value, "a number")
    return _double(field, value) if field.type == "DOUBLE" else _integer(field, value)


def _text(field: Field, value: Any) -> str:
    text = _as_text(field, value)
    if field.trimmed:
        text = text.rstrip(" ")
    try:
        width = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError:
        raise Refusal(INVALID_UTF8, f"{field.key} holds half a surrogate pair") from None
    if "\0" in text:
        raise _wrong(field, text, "text without NUL")
    if field.width is not None and width > field.width:
        raise Refusal(
            TOO_LONG, f"{field.key} is {counted(width, 'byte')} long, the column holds {field.width:,}"
        )
    if field.required and not text:
        raise Refusal(MISSING, f"{field.key} is empty")
    return text


def _as_text(field: Field, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, ExactNumber):
        return str(value)
    if field.trimmed:  # it names somebody: 26.0 is 26
        try:
            return str(_whole(value, 0))
        except (ValueError, OverflowError):
            pass
    return shortest(value)


def shortest(number: ExactNumber) -> str:
    """Return a number as engines write it, unless a double holds less than what stands there."""
    text = str(float(number))
    return text if text == number.text or Decimal(text) == Decimal(number.text) else number.text


def _double(field: Field, value: Any) -> float:
    try:
        if isinstance(value, str) and ("_" in value or not value.isascii()):
            raise ValueError  # Python takes 1_000 for a number
        number = float(value)
    except ValueError:
        raise _wrong(field, value, "a number") from None
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Refusal(OUT_OF_RANGE, f"{field.key} is {_show(value)}, beyond what a double holds")
    return number


def _integer(field: Field, value: Any) -> int:
    limit = _LIMITS[field.type]
    try:
        number = value if isinstance(value, int) else _whole(value, limit)
    except (ValueError, OverflowError):
        raise _wrong(field, value, "a whole number") from None
    if not -limit <= number < limit:
        raise Refusal(OUT_OF_RANGE, f"{field.key} is {_show(value)}, beyond what {field.type} holds")
    return number


def _whole(value: Any, limit: int) -> int:
    """Return a number or text as an int; a fraction is a ValueError, never rounded away.

    Text has a sign and digits. What is far beyond ``limit`` is returned as ``limit``.
    """
    if isinstance(value, ExactNumber):
        try:
            exact = Decimal(value.text)
        except InvalidOperation:  # an exponent of more digits than there are atoms
            raise ValueError from None
        if exact != exact.to_integral_value():
            raise ValueError
        return int(exact)
    if not _DIGITS.fullmatch(value):
        raise ValueError
    return int(value) if len(value) < _MOST_DIGITS else limit


def _wrong(field: Field, value: Any, expected: str) -> Refusal:
    return Refusal(WRONG_TYPE, f"{field.key} is {_show(value)}, expected {expected}")


def _show(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
