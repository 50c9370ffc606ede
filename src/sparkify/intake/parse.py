"""One JSON value, strictly: what JSON does not know is refused, and no number is rounded."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from typing import Any

from sparkify.intake.rules import INVALID_UTF8, MALFORMED, ExactNumber, Refusal

# What may stand around a record on its line, C's isspace(), as engines have it.
BLANKS = " \t\n\v\f\r"
# The longest that a part of a token may be that ends a text: ``-0.1234`` or ``\\u00e``.
LONGEST_TOKEN = 8
# Characters of a value that are looked at first.
_WINDOW = 4096
# Deeper is refused. How deep Python's own parser goes differs between its versions: it has to be deeper.
MOST_LEVELS = 500
# Whole numbers of more digits are kept as text: no column holds them, and Python refuses more than 4,300.
_MOST_DIGITS = 400


def parse(data: bytes) -> Any:
    """Return the one value in ``data``, or a :class:`Refusal`."""
    try:
        return decoder.decode(data.decode().strip(BLANKS))
    except UnicodeDecodeError as exc:
        return Refusal(INVALID_UTF8, f"byte {exc.start} of the record is not UTF-8")
    except Refusal as refusal:
        return refusal
    except (ValueError, RecursionError) as exc:
        return Refusal(MALFORMED, why(exc))


class Repeating(dict[str, Any]):
    """An object in which a key stands more than once; ``pairs`` has every one of them."""

    pairs: Sequence[tuple[str, Any]] = ()


def pairs_of(value: Mapping[str, Any]) -> Collection[tuple[str, Any]]:
    """Return the keys and values of an object as they stand, a key that stands twice with each value."""
    return value.pairs if isinstance(value, Repeating) else value.items()


def without(pairs: Iterable[tuple[str, Any]], keys: Container[str]) -> dict[str, Any]:
    """Return an object of such keys and values as have none of the keys."""
    return _object([pair for pair in pairs if pair[0] not in keys])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    repeating = Repeating(value)
    repeating.pairs = pairs
    return repeating


def _constant(name: str) -> Any:
    raise Refusal(MALFORMED, f"{name} is not JSON")


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= _MOST_DIGITS else text


def _real(text: str) -> ExactNumber | str:
    """Return a number; one that no double holds stays text, as engines leave it in text columns."""
    number = ExactNumber(text)
    return number if math.isfinite(number) else text


decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_whole, parse_float=_real
)


def why(exc: Exception) -> str:
    """Return what the parser says, as a clause."""
    if isinstance(exc, json.JSONDecodeError):
        return f"{exc.msg}, column {exc.colno}"
    return "nested too deeply" if isinstance(exc, RecursionError) else str(exc)[:200]


def decode_at(text: str, at: int) -> tuple[Any, int]:
    """Return the value that begins at a place, and where it ends.

    Looks at a little of the text, and at more where that ends too early: the parser counts all lines before
    an error, which in a large file with many of them would take hours.
    """
    size = _WINDOW
    while True:
        window = text[at : at + size]
        cut = at + size < len(text)
        try:
            value, end = decoder.raw_decode(window)
        except json.JSONDecodeError as exc:
            # Of a text that does not end the place is where it begins.
            inside = exc.pos < len(window) - LONGEST_TOKEN and not exc.msg.startswith("Unterminated")
            if inside or not cut:
                raise
        else:
            if end < len(window) or not cut:  # else a number may go on
                return value, at + end
        size *= 4


def is_deeper(value: Any, levels: int) -> bool:
    """Tell whether objects and arrays are nested deeper than so many levels."""
    inside = [value]
    for _ in range(levels):
        inside = [
            part
            for each in inside
            if isinstance(each, dict | list)
            for part in ((part for _, part in pairs_of(each)) if isinstance(each, dict) else each)
            if isinstance(part, dict | list)
        ]
        if not inside:
            return False
    return True
