"""Values of the Data API, as AWS's driver returns them.

The Data API has six sorts of values. The rest arrives as text, and the column's type says what it is. Texts
are those of the database: ``2018-11-01 21:01:46.796``, ``2018-11-01 21:01:46.796+00``, ``12.50``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sparkify.warehouse.redshift.transport import Columns, Row

Field = Mapping[str, Any]

# The numbers of types in PostgreSQL's protocol, and Redshift's own, by their names in ColumnMetadata.
_NUMBERS = {
    "bool": 16,
    "char": 18,
    "name": 19,
    "int8": 20,
    "int2": 21,
    "int4": 23,
    "text": 25,
    "oid": 26,
    "float4": 700,
    "float8": 701,
    "unknown": 705,
    "bpchar": 1042,
    "varchar": 1043,
    "date": 1082,
    "time": 1083,
    "timestamp": 1114,
    "timestamptz": 1184,
    "timetz": 1266,
    "numeric": 1700,
    "super": 4000,
    "varbyte": 6551,
}
_VARCHAR = _NUMBERS["varchar"]
# The offset of a time zone, to which Python wants minutes: +00, -03:30, +05:30:15.
_OFFSET = re.compile(r"([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?$")


def columns_of(metadata: Sequence[Mapping[str, Any]]) -> Columns:
    """Return name and type number of each column; a type we do not know is text."""
    return [(_name_of(each), _NUMBERS.get(_type_of(each), _VARCHAR)) for each in metadata]


def row_converter(metadata: Sequence[Mapping[str, Any]]) -> Callable[[Sequence[Field]], Row]:
    """Return what makes a row of Python's values of a record."""
    converters = [_CONVERTERS.get(_type_of(each), _plain) for each in metadata]

    def convert(record: Sequence[Field]) -> Row:
        return tuple(
            None if field.get("isNull") else converter(next(iter(field.values())))
            for converter, field in zip(converters, record, strict=True)
        )

    return convert


def _name_of(column: Mapping[str, Any]) -> str:
    return str(column.get("label") or column.get("name") or "")


def _type_of(column: Mapping[str, Any]) -> str:
    return str(column.get("typeName", "")).lower()


def _plain(value: Any) -> Any:
    return value


def _single(value: Any) -> float:
    """Return a number of single precision as the double it is stored as."""
    (single,) = struct.unpack("!f", struct.pack("!f", float(value)))
    return float(single)


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def _within(read: Callable[[str], Any], kind: type[date]) -> Callable[[Any], Any]:
    """Read a text; what Python has no value for (infinity, years before Christ) is its first or last one."""

    def convert(value: Any) -> Any:
        text = str(value)
        try:
            return read(text)
        except (ValueError, OverflowError):
            return kind.min if text.startswith("-") or text.endswith("BC") else kind.max

    return convert


def _varbyte(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _with_offset(text: str) -> str:
    found = _OFFSET.search(text)
    if not found:
        raise ValueError(text)
    sign, hours, minutes, seconds = found.groups()
    offset = f"{sign}{hours}:{minutes or '00'}" + (f":{seconds}" if seconds else "")
    return text[: found.start()] + offset


def _fraction(text: str) -> str:
    """Write the fraction of a second with six digits."""
    return re.sub(r"\.(\d{1,6})", lambda found: "." + found[1].ljust(6, "0"), text, count=1)


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "float4": _single,
    "float8": float,
    "numeric": _decimal,
    "date": _within(date.fromisoformat, date),
    "time": lambda value: time.fromisoformat(_fraction(value)),
    "timetz": lambda value: time.fromisoformat(_with_offset(_fraction(value))),
    "timestamp": _within(lambda text: datetime.fromisoformat(_fraction(text)), datetime),
    # The driver gives a moment in UTC, whatever zone the session has.
    "timestamptz": _within(
        lambda text: datetime.fromisoformat(_with_offset(_fraction(text))).astimezone(UTC), datetime
    ),
    "varbyte": _varbyte,
}
