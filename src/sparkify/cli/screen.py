"""What a person sees: lines, tables, progress and questions; and the one JSON object a script reads.

Results go to stdout. With ``--json`` stdout carries exactly one JSON object and everything for people
goes to stderr. Progress always goes to stderr: a bar on a terminal, plain lines in a pipe.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any

import click

from sparkify.cli.typed import advice
from sparkify.errors import ConfigError
from sparkify.text import counted, visible

# Rows of a table that say how wide its columns are.
_MEASURED = 10_000


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a command's output goes."""

    as_json: bool = False

    def say(self, text: str = "") -> None:
        """Print one line for people."""
        click.echo(text, err=self.as_json)

    def advise(self, text: str) -> None:
        """Print what may be done next; commands in it get the options that name the warehouse."""
        self.say(advice(text))

    def note(self, text: str) -> None:
        """Print one note for people, always on stderr."""
        click.echo(f"Note: {advice(text)}", err=True)

    def warn(self, text: str) -> None:
        """Print one warning for people, always on stderr."""
        click.echo(f"Warning: {advice(text)}", err=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
        """Print an aligned table for people; numbers to the right."""
        if title:
            self.say(title)
        for line in aligned(columns, rows):
            self.say(line)

    def result(self, value: dict[str, Any]) -> None:
        """Print the machine-readable object, with ``--json`` only."""
        if self.as_json:
            click.echo(as_json(value))

    def confirm(self, question: str, *, yes: bool) -> bool:
        """Ask on a terminal; elsewhere ``--yes`` has to have been given.

        Raises:
            ConfigError: There is nobody to ask.
        """
        if yes:
            return True
        if not sys.stdin.isatty():
            raise ConfigError(f"{question} There is no terminal to ask on.", "Say --yes to go ahead.")
        return click.confirm(question, err=True)

    @contextmanager
    def progress(self, label: str, *, total_bytes: int = 0, total_files: int = 0) -> Iterator[Progress]:
        """Show how far a long piece of work is, on stderr."""
        progress = Progress(label, total_bytes, total_files)
        with _bar(progress) if sys.stderr.isatty() else _lines(progress):
            yield progress


@contextmanager
def if_interrupted(outcome: str, *, waiting: str = "") -> Iterator[None]:
    """Note on what ends the work inside what an interrupt then meant: ``outcome``.

    Args:
        outcome: A clause such as ``the run under way was rolled back``.
        waiting: What it is instead if the work only waited for another process.
    """
    try:
        yield
    except BaseException as exc:
        waited = any(note.startswith("while waiting") for note in getattr(exc, "__notes__", []))
        exc.add_note(waiting if waiting and waited else outcome)
        raise


@dataclass(slots=True)
class Progress:
    """Counts of work done; call it with what was just finished."""

    label: str
    total_bytes: int = 0
    total_files: int = 0
    files: int = 0
    rows: int = 0
    bytes: int = 0
    started: float = field(default_factory=time.monotonic)
    show: Callable[[], None] = lambda: None

    def expect(self, *, files: int, size: int) -> None:
        """Say how much there is to do; ``size`` in bytes."""
        self.total_files, self.total_bytes = files, size
        self.show()

    def __call__(self, *, files: int = 0, rows: int = 0, size: int = 0, label: str | None = None) -> None:
        """Add to the counts; ``size`` in bytes."""
        self.files += files
        self.rows += rows
        self.bytes += size
        if label is not None:
            self.label = label
        self.show()

    def text(self) -> str:
        """Return the counts as one line: files, rows, MB/s, time left."""
        seconds = max(time.monotonic() - self.started, 1e-6)
        parts = [self.label]
        if self.total_files:
            parts.append(f"{self.files:,}/{counted(self.total_files, 'file')}")
        if self.rows:
            parts.append(counted(self.rows, "row"))
        if self.bytes:
            parts.append(f"{self.bytes / 1e6 / seconds:,.0f} MB/s")
            if self.total_bytes > self.bytes:
                parts.append(f"{seconds * (self.total_bytes / self.bytes - 1):,.0f} s left")
        return " · ".join(parts)


@contextmanager
def _bar(progress: Progress) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (BarColumn(bar_width=24), TextColumn("{task.description}"))
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(progress.text(), total=progress.total_bytes or None)
        shown = 0.0

        def show() -> None:
            nonlocal shown
            # Thousands of tiny files a second: a person sees ten updates of them.
            if time.monotonic() - shown < 0.1:
                return
            shown = time.monotonic()
            total = progress.total_bytes or None
            bar.update(task, total=total, completed=progress.bytes, description=progress.text())

        progress.show = show
        yield


@contextmanager
def _lines(progress: Progress, every: float = 5.0) -> Iterator[None]:
    last = progress.started

    def show() -> None:
        nonlocal last
        if time.monotonic() - last >= every:
            last = time.monotonic()
            click.echo(progress.text(), err=True)

    progress.show = show
    yield


def aligned(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, separators: bool = True
) -> Iterator[str]:
    """Yield the lines of a plain table: a header, a rule, one line a row; numbers with ``separators``.

    Columns are as wide as the first rows want them; a longer value further down moves the rest of its line.
    """
    rest = iter(rows)
    first = list(islice(rest, _MEASURED))
    separator = "," if separators else ""
    cells = [[_shown(value, separator) for value in row] for row in first]
    widths = [max(len(name), *(len(row[i]) for row in cells), 0) for i, name in enumerate(columns)]
    numeric = [
        bool(first) and all(isinstance(row[i], int | float) or row[i] is None for row in first)
        for i in range(len(columns))
    ]

    def line(values: Iterable[str]) -> str:
        padded = (
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(values, widths, numeric, strict=True)
        )
        return "  ".join(padded).rstrip()

    yield line(columns)
    yield "  ".join("-" * width for width in widths)
    yield from map(line, cells)
    for row in rest:
        yield line(_shown(value, separator) for value in row)


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


def as_json(value: Mapping[str, Any]) -> str:
    """Return an object as JSON: times in ISO 8601, bytes in hex, numbers JSON has no word for as text."""
    try:
        return json.dumps(value, default=_encode, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps(_plain(value), default=_encode, ensure_ascii=False)


def _encode(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    """Return a value with SQL's words for what is no number (NaN, Infinity, -Infinity), and texts as keys."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {
            name if isinstance(name, str) else _encode(name): _plain(each) for name, each in value.items()
        }
    return value
