"""One JSON value into one column, or the reason why not.

Owns Redshift's conversions in COPY and their error codes. Gives PostgreSQL's text form.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation

from .copystatement import CopyStatement
from .errors import NOT_SUPPORTED, RedshiftError
from .jsonstream import Nested, Number, Value
from .options import Infidelity

RANGE, DATE, TIMESTAMP, DIGIT, FLOAT, DECIMAL, BOOLEAN = 1204, 1205, 1206, 1207, 1208, 1209, 1210
NOT_NULL, CHARACTER, INVALID_LINE, INVALID_UTF8 = 1213, 1215, 1216, 1220

_WHOLE = {"int2": ("Short", 15), "int4": ("Integer", 31), "int8": ("Long", 63)}
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?"
)
_WIDE = Context(prec=80, rounding=ROUND_DOWN)  # COPY truncates to the scale
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - TIMESTAMP has no zone


class Unfit(Exception):
    """A value that does not fit its column."""

    def __init__(self, code: int, reason: str, position: int = 0) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.position = position


@dataclass(frozen=True)
class TargetColumn:
    """A column of the table that is copied into.

    Args:
        name: Its name.
        type: PostgreSQL's internal name of its type.
        size: VARCHAR's and CHAR's bytes, DECIMAL's precision; -1: none.
        scale: DECIMAL's scale.
        not_null: Whether it must have a value.
        identity: Whether the database numbers it.
    """

    name: str
    type: str
    size: int
    scale: int
    not_null: bool
    identity: bool

    @property
    def length(self) -> str:
        """As the load errors show it."""
        if self.type == "numeric":
            return f"{self.size}, {self.scale}"
        return str(self.size) if self.size >= 0 else "0"


Converter = Callable[[Value], str | None]


def converter(
    column: TargetColumn, copy: CopyStatement, infidelities: Collection[Infidelity] = ()
) -> Converter:
    """The function that turns a value into this column's text, or raises Unfit."""
    convert = _typed(column, copy)
    if infidelities and column.type == "varchar":
        convert = _distorted(convert, infidelities)

    def checked(value: Value) -> str | None:
        text = None if value is None else convert(value)
        if text is None and column.not_null:
            raise Unfit(NOT_NULL, "Missing data for not-null field")
        return text

    return checked


def _distorted(
    convert: Callable[[str | bool], str | None], infidelities: Collection[Infidelity]
) -> Callable[[str | bool], str | None]:
    """A text as a cluster would load it that is another than documented."""

    def changed(value: str | bool) -> str | None:
        if isinstance(value, bool):
            return convert(str(int(value)) if "booleans_as_digits" in infidelities else value)
        if isinstance(value, Number):
            if "exponents_expanded" in infidelities and re.fullmatch(r"[^.]*[eE].*", value):
                return convert(f"{Decimal(value):f}")
            if "decimals_shortened" in infidelities and re.fullmatch(r"-?\d+[.]\d*", value):
                return convert(value.rstrip("0").rstrip("."))
        elif isinstance(value, Nested):
            if "nested_reprinted" in infidelities:
                return convert(json.dumps(json.loads(value), indent=1))
        elif "surrogates_apart" in infidelities:
            value = re.sub("[\U00010000-\U0010ffff]", "\ufffd\ufffd", value)
        if value == "" and "empty_is_null" in infidelities:
            return None
        return convert(value)

    return changed


def _typed(column: TargetColumn, copy: CopyStatement) -> Callable[[str | bool], str | None]:  # noqa: PLR0911 - one return per type
    kind = column.type
    if kind in ("varchar", "bpchar"):
        return _string(column, copy)
    if kind in _WHOLE:
        return lambda value: _whole(_plain(value), kind)
    if kind == "numeric":
        return lambda value: _decimal(_plain(value), column)
    if kind in ("float4", "float8"):
        return lambda value: _float(_plain(value))
    if kind == "bool":
        return lambda value: _boolean(_plain(value))
    if kind == "date":
        return lambda value: _date(_plain(value), copy.date_format)
    if kind in ("timestamp", "timestamptz"):
        return lambda value: _timestamp(value, copy.time_format)
    raise RedshiftError(NOT_SUPPORTED, f"the stand-in does not copy into {kind}")


def _plain(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value.strip()


def _string(column: TargetColumn, copy: CopyStatement) -> Callable[[str | bool], str | None]:
    size, clip = column.size, "truncatecolumns" in copy.options
    empty_is_null = "emptyasnull" in copy.options
    blank_is_null = "blanksasnull" in copy.options
    trim = "trimblanks" in copy.options

    def convert(value: str | bool) -> str | None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if "\0" in text:
            text = _cut_at_nul(text)
        if (empty_is_null and not text) or (blank_is_null and not text.strip(" ")):
            return None
        if trim:
            text = text.rstrip(" ")
        if not text.isascii():
            text = _valid(text, copy.replacement)
            if column.type == "bpchar" and not text.isascii():
                raise Unfit(CHARACTER, "CHAR field error: multibyte character")
        if size >= 0 and len(text) * 4 > size:
            data = text.encode()
            if len(data) > size:
                if not clip:
                    raise Unfit(RANGE, "String length exceeds DDL length")
                text = data[:size].decode("utf-8", "ignore")
        return text

    return convert


def _cut_at_nul(text: str) -> str:
    """What Redshift loads of a text with a NUL: what stands before it, without a word; nothing, an error.

    Found on a cluster by others (estuary/connectors, pull request 839).
    """
    before = text.partition("\0")[0]
    if not before:
        raise Unfit(INVALID_UTF8, "Invalid null byte - field longer than 1 byte")
    return before


def _valid(text: str, replacement: str | None) -> str:
    """Text that is UTF-8; with ACCEPTINVCHARS every wrong byte becomes the replacement."""
    wrong = [i for i, c in enumerate(text) if "\ud800" <= c <= "\udfff"]
    if not wrong:
        return text
    if replacement is None:
        position = len(text[: wrong[0]].encode())
        code = ord(text[wrong[0]])
        byte = code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code
        reason = "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: "
        raise Unfit(INVALID_UTF8, f"{reason}{byte:x} (error 2)", position)
    return "".join(replacement if "\ud800" <= c <= "\udfff" else c for c in text)


def _whole(text: str, kind: str) -> str | None:
    name, bits = _WHOLE[kind]
    if not text:
        return None
    found = re.fullmatch(r"[+-]?[0-9]+", text)
    if found is None:
        position = next(
            (i for i, c in enumerate(text) if not (c.isdigit() or (i == 0 and c in "+-"))), len(text)
        )
        wrong = text[position] if position < len(text) else ""
        raise Unfit(DIGIT, f"Invalid digit, Value '{wrong}', Pos {position}, Type: {name}", position)
    if not -(1 << bits) <= int(text) < 1 << bits:
        raise Unfit(RANGE, f"Overflow (Column type: {name})")
    return text


def _decimal(text: str, column: TargetColumn) -> str | None:
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        wrong = next((c for c in text if c not in "0123456789.-+"), text[0])
        raise Unfit(DIGIT, f"Invalid digit, Value '{wrong}', Pos {text.index(wrong)}, Type: Decimal")
    if abs(number) >= Decimal(10) ** (column.size - column.scale):
        raise Unfit(RANGE, f"Overflow for NUMERIC({column.size},{column.scale})")
    return f"{_WIDE.quantize(number, Decimal(1).scaleb(-column.scale)):f}"


def _float(text: str) -> str | None:
    if not text:
        return None
    try:
        if not re.fullmatch(
            r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity|nan)", text, re.IGNORECASE
        ):
            raise ValueError(text)
        return repr(float(text))
    except ValueError:
        raise Unfit(FLOAT, f"Invalid float value '{text}'") from None


def _boolean(text: str) -> str | None:
    if not text:
        return None
    if text.lower() in ("true", "t", "yes", "y", "1"):
        return "t"
    if text.lower() in ("false", "f", "no", "n", "0"):
        return "f"
    raise Unfit(BOOLEAN, f"Unknown boolean format '{text}'")


def _date(text: str, date_format: str) -> str | None:
    if date_format.lower() not in ("", "auto", "yyyy-mm-dd"):
        raise RedshiftError(NOT_SUPPORTED, f"the stand-in does not know DATEFORMAT '{date_format}'")
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise Unfit(DATE, "Invalid Date Format - length must be 10 or more") from None


def _timestamp(value: str | bool, time_format: str) -> str | None:
    text = _plain(value)
    if not text:
        return None
    lowered = time_format.lower()
    if lowered in ("epochsecs", "epochmillisecs"):
        return _epoch(text, 1 if lowered == "epochmillisecs" else 1000)
    if lowered not in ("", "auto", "yyyy-mm-dd hh:mi:ss", "yyyy-mm-dd hh24:mi:ss"):
        raise RedshiftError(NOT_SUPPORTED, f"the stand-in does not know TIMEFORMAT '{time_format}'")
    found = None if isinstance(value, Number) else _TIMESTAMP.fullmatch(text)
    try:
        if found is None or (lowered == "" and ("T" in text or found[8])):
            raise ValueError(text)
        year, month, day, hour, minute, second = (int(found[n] or 0) for n in range(1, 7))
        micro = int((found[7] or "").ljust(6, "0") or 0)
        stamp = dt.datetime(year, month, day, hour, minute, second, micro)  # noqa: DTZ001
    except ValueError:
        shown = time_format or "YYYY-MM-DD HH24:MI:SS"
        raise Unfit(TIMESTAMP, f"Invalid timestamp format or value [{shown}]") from None
    return stamp.isoformat(sep=" ") + (found[8] or "")


def _epoch(text: str, milliseconds: int) -> str:
    if not re.fullmatch(r"-?\d+", text):
        raise Unfit(TIMESTAMP, "Invalid timestamp format or value [epoch]")
    try:
        return (_EPOCH + dt.timedelta(milliseconds=int(text) * milliseconds)).isoformat(sep=" ")
    except OverflowError:
        raise Unfit(TIMESTAMP, "Invalid timestamp format or value [epoch]") from None
