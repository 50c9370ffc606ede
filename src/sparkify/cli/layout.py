"""How lines and tables are laid out: plain in a pipe, and on a terminal so that they fit its width.

A width of None stands for a pipe: there nothing is wrapped, cut, turned or coloured.
"""

from __future__ import annotations

import os
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import chain, islice, zip_longest
from typing import IO, Any

import click

from sparkify.text import visible

# Rows of a table that say how wide its columns are.
_MEASURED = 10_000
# Characters that a column of texts keeps at least, and one of paths or prose.
_LEAST = 8
_LEAST_PATH = 24
# Types whose values may be cut; a part of a number or of a time would be another one.
_LONG = (str, bytes, list, tuple, dict)
_GAP = "  "
_COLOURS = {"ok": "green", "warn": "yellow", "FAIL": "red", "Warning:": "yellow", "Error:": "red"}
# Stands for a blank at which no line is broken.
_UNBROKEN = "\0"


def terminal_width(stream: IO[str]) -> int | None:
    """Return how many characters fit a line, or None if a stream goes to no terminal."""
    if not stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) else _asked(stream) or 80


def _asked(stream: IO[str]) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except OSError:
        return 0


def coloured(word: str, width: int | None) -> str:
    """Return a word in the colour of its meaning, where it has one and colours are wanted."""
    colour = _COLOURS.get(word.strip())
    plain = width is None or colour is None or os.environ.get("NO_COLOR")
    return word if plain else click.style(word, fg=colour)


def wrapped(text: str, width: int | None, *, typed: str = "", hang: int = 0) -> str:
    """Return a text whose lines end at words, within a width.

    Commands in backticks stay whole, to be copied.

    Args:
        text: One line or several; each keeps its indentation.
        width: Characters of a line.
        typed: What follows the text, and stays whole.
        hang: By how much the further lines are indented more.
    """
    if width is None:
        return f"{text} {typed}" if typed else text
    if typed:
        text = f"{text} {typed.replace(' ', _UNBROKEN)}"
    text = re.sub(r"`[^`\n]*`", lambda found: found[0].replace(" ", _UNBROKEN), text)
    lines = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(
            line.lstrip(),
            max(width, len(indent) + hang + 20),
            initial_indent=indent,
            subsequent_indent=indent + " " * hang,
            expand_tabs=False,
            replace_whitespace=False,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines).replace(_UNBROKEN, " ")


def aligned(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    separators: bool = True,
    width: int | None = None,
    data: bool = False,
) -> Iterator[str]:
    """Yield the lines of a plain table: a header, a rule, one line a row.

    Columns are as wide as the first rows want them; in a pipe a longer value further down moves the rest of
    its line. On a terminal columns of texts share the width there is: a longer text is cut in the middle,
    prose is wrapped. Names, numbers and times stay whole. Where that leaves too little to be read, the table
    has one line a value, and values are whole.

    Args:
        columns: Their names.
        rows: Their values; numbers are to the right.
        separators: Whether numbers have separators of thousands.
        width: Characters of a line.
        data: Values are data: they are neither wrapped nor coloured.
    """
    rest = iter(rows)
    first = list(islice(rest, _MEASURED))
    separator = "," if separators else ""
    names = [visible(name) for name in columns]
    cells = [[_shown(value, separator) for value in row] for row in first]
    every = chain(cells, ([_shown(value, separator) for value in row] for row in rest))
    widths = [
        max(columns_of(name), *(columns_of(row[i]) for row in cells), 0) for i, name in enumerate(names)
    ]
    paint = None if data else width
    shrinks = [
        width is not None and any(isinstance(row[i], _LONG) for row in first) for i in range(len(names))
    ]
    if width is not None:
        least = [
            max(columns_of(name), _least([row[i] for row in cells], prose=not data)) if shrinking else most
            for i, (name, most, shrinking) in enumerate(zip(names, widths, shrinks, strict=True))
        ]
        widths = _narrowed(widths, least, width)
        if _total(widths) > width:
            yield from _vertical(names, every, paint)
            return
    right = [
        bool(first) and all(isinstance(row[i], int | float) or row[i] is None for row in first)
        for i in range(len(names))
    ]

    def lines(row: Sequence[str]) -> Iterator[str]:
        fitting = [
            _fitted(cell, most, prose=not data) if shrinking else [cell]
            for cell, most, shrinking in zip(row, widths, shrinks, strict=True)
        ]
        for parts in zip_longest(*fitting, fillvalue=""):
            padded = (
                coloured(_padded(part, most, right=is_right), paint)
                for part, most, is_right in zip(parts, widths, right, strict=True)
            )
            yield _GAP.join(padded).rstrip()

    yield from lines(names)
    yield _GAP.join("-" * most for most in widths)
    for row in every:
        yield from lines(row)


def columns_of(text: str) -> int:
    r"""Return how many columns of a terminal a text takes: two for a wide character, none for an accent.

    >>> columns_of("Bj\u00f6rk"), columns_of("Bjo\u0308rk"), columns_of("\u5b87\u591a\u7530")
    (5, 5, 6)
    """
    return len(text) if text.isascii() else sum(map(_columns_of, text))


@cache
def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf") and character != "\xad":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _padded(text: str, most: int, *, right: bool = False) -> str:
    blanks = " " * (most - columns_of(text))
    return blanks + text if right else text + blanks


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _least(cells: Sequence[str], *, prose: bool) -> int:
    """Return how narrow a column may become: paths and prose say nothing in a few characters."""
    least = _LEAST
    for cell in cells:
        if prose if " " in cell else cell.count("/") > 1:
            least = _LEAST_PATH
    return min(max(map(columns_of, cells), default=0), least)


def _narrowed(widths: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """Return the widths with the widest columns made narrower until the table fits; ``least`` if none do."""
    fits, exceeds = 0, max(widths, default=0) + 1

    def levelled(level: int) -> list[int]:
        return [max(min(most, level), low) for most, low in zip(widths, least, strict=True)]

    while exceeds - fits > 1:
        level = (fits + exceeds) // 2
        if _total(levelled(level)) <= width:
            fits = level
        else:
            exceeds = level
    return levelled(fits)


def _fitted(text: str, most: int, *, prose: bool) -> list[str]:
    """Return the lines of a text in a column: prose is wrapped, a longer word is cut."""
    if columns_of(text) <= most:
        return [text]
    if prose and " " in text:
        return [_cut(line, most) for line in wrapped(text, most).split("\n")]
    return [_cut(text, most)]


def _cut(text: str, most: int) -> str:
    """Return a text without its middle where it takes more than ``most`` columns."""
    if columns_of(text) <= most:
        return text
    end = (most - 1) * 2 // 3 if "/" in text else most // 2  # the end of a path says more than its beginning
    tail = _first(reversed(text), end)[::-1]
    while tail and not columns_of(tail[0]):  # an accent whose letter does not fit
        tail = tail[1:]
    return f"{_first(text, most - 1 - end)}…{tail}"


def _first(characters: Iterable[str], most: int) -> str:
    """Return as many characters as fit ``most`` columns."""
    taken = []
    for character in characters:
        most -= columns_of(character)
        if most < 0:
            break
        taken.append(character)
    return "".join(taken)


def _vertical(names: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> Iterator[str]:
    """Yield a table with one line a value, and an empty line between its rows."""
    heads = [f"{name}:" for name in names]
    most = max(map(columns_of, heads)) + 1
    for number, row in enumerate(rows):
        if number:
            yield ""
        for head, value in zip(heads, row, strict=True):
            if not value:
                yield head
                continue
            line = wrapped(_padded(head, most) + value, width, hang=most)
            begin = len(_padded(head, most))
            yield line[:begin] + coloured(line[begin:], width)


def _shown(value: Any, separator: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:{separator}}"
    if isinstance(value, float):
        # Rounded for people; what would round to nothing, and every number of an answer, is shown as it is.
        return f"{(separator and round(value, 3)) or value:{separator}}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds" if value.microsecond else "seconds")
    return visible(value.hex() if isinstance(value, bytes) else str(value))
