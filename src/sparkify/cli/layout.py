"""How lines and tables are laid out: plain in a pipe, and on a terminal so that they fit its width.

A width of None stands for a pipe: there nothing is wrapped, cut, turned or coloured.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import IO, Any

import click

from sparkify.text import visible

# Rows of a table that say how wide its columns are.
_MEASURED = 10_000
# Characters a path in a table keeps at least.
_PATH = 24
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
    whole: bool = False,
) -> Iterator[str]:
    """Yield the lines of a plain table: a header, a rule, one line a row.

    Columns are as wide as the first rows want them; a longer value further down moves the rest of its line.
    A table that is too wide for a terminal has long paths cut in the middle, or one line a value.

    Args:
        columns: Their names.
        rows: Their values; numbers are to the right.
        separators: Whether numbers have separators of thousands.
        width: Characters of a line.
        whole: Values are data: they are neither cut, nor wrapped, nor coloured.
    """
    rest = iter(rows)
    first = list(islice(rest, _MEASURED))
    separator = "," if separators else ""
    cells = [[_shown(value, separator) for value in row] for row in first]
    widths = [max(len(name), *(len(row[i]) for row in cells), 0) for i, name in enumerate(columns)]
    if width is not None and not whole:
        widths = _narrowed(widths, columns, cells, width)
        cells = [[_cut(cell, most) for cell, most in zip(row, widths, strict=True)] for row in cells]
    if width is not None and _total(widths) > width:
        more = ([_shown(value, separator) for value in row] for row in rest)
        yield from _vertical(columns, chain(cells, more), None if whole else width)
        return
    numeric = [
        bool(first) and all(isinstance(row[i], int | float) or row[i] is None for row in first)
        for i in range(len(columns))
    ]
    paint = None if whole else width

    def line(values: Iterable[str]) -> str:
        padded = (
            coloured(value.rjust(most) if right else value.ljust(most), paint)
            for value, most, right in zip(values, widths, numeric, strict=True)
        )
        return _GAP.join(padded).rstrip()

    yield line(columns)
    yield _GAP.join("-" * most for most in widths)
    yield from map(line, cells)
    for row in rest:
        yield line(_shown(value, separator) for value in row)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _narrowed(
    widths: Sequence[int], columns: Sequence[str], cells: Sequence[Sequence[str]], width: int
) -> list[int]:
    """Return the widths with columns of paths made narrower, if the table then fits."""
    narrowed = list(widths)
    paths = [i for i in range(len(columns)) if any("/" in row[i] and " " not in row[i] for row in cells)]
    for i in sorted(paths, key=lambda i: -widths[i]):
        excess = max(_total(narrowed) - width, 0)
        narrowed[i] = max(narrowed[i] - excess, min(widths[i], max(_PATH, len(columns[i]))))
    return narrowed if _total(narrowed) <= width else list(widths)


def _cut(text: str, most: int) -> str:
    """Return a text without its middle where it is longer than ``most`` characters."""
    if len(text) <= most:
        return text
    end = (most - 1) * 2 // 3  # the end of a path says more than its beginning
    return f"{text[: most - 1 - end]}…{text[-end:]}"


def _vertical(columns: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> Iterator[str]:
    """Yield a table with one line a value, and an empty line between its rows."""
    names = max(map(len, columns))
    for number, row in enumerate(rows):
        if number:
            yield ""
        for name, value in zip(columns, row, strict=True):
            line = wrapped(f"{name:{names}}{_GAP}{value}", width, hang=names + len(_GAP))
            head = line[: names + len(_GAP)]
            yield head + coloured(line[len(head) :], width) if value else name


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
