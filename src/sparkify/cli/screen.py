"""What a person sees: lines, tables, progress and questions; and the one JSON object a script reads.

Results go to stdout. With ``--json`` stdout carries exactly one JSON object and everything for people
goes to stderr. Progress always goes to stderr: a bar on a terminal, plain lines in a pipe.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import click

from sparkify.cli.commands import session
from sparkify.cli.layout import aligned, coloured, terminal_width, wrapped
from sparkify.cli.stopping import answering, heed
from sparkify.cli.typed import advice
from sparkify.errors import JUST_COMMITTED, ConfigError
from sparkify.text import counted


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a command's output goes."""

    as_json: bool = False

    def say(self, text: str = "", typed: str = "", *, hang: int = 0) -> None:
        """Print prose for people, wrapped on a terminal.

        Args:
            text: What to say.
            typed: A command or the like that follows, and stays on one line.
            hang: By how much the further lines are indented more.
        """
        self.show(wrapped(text, self._width, typed=typed, hang=hang))

    def show(self, text: str) -> None:
        """Print text for people as it is: a record, a statement, a command."""
        click.echo(text, err=self.as_json)

    def advise(self, text: str, *, hang: int = 0) -> None:
        """Print what may be done next; commands in it get the options that name the warehouse."""
        self.say(advice(text), hang=hang)

    def note(self, text: str) -> None:
        """Print one note for people, always on stderr."""
        complain("Note:", advice(text))

    def warn(self, text: str) -> None:
        """Print one warning for people, always on stderr."""
        complain("Warning:", advice(text))

    def judge(self, verdict: str, text: str, *, hang: int = 0) -> None:
        """Print a verdict (ok, warn or FAIL) and what it is about."""
        line = wrapped(f"{verdict:4}  {advice(text)}", self._width, hang=hang)
        self.show(coloured(verdict, self._width) + line[len(verdict) :])

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
        """Print an aligned table for people; numbers to the right."""
        if title:
            self.say(title)
        for line in aligned(columns, rows, width=self._width):
            self.show(line)

    @property
    def _width(self) -> int | None:
        return terminal_width(sys.stderr if self.as_json else sys.stdout)

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


def complain(label: str, text: str) -> None:
    """Print what went wrong on stderr, after a word such as ``Error:``."""
    width = terminal_width(sys.stderr)
    line = wrapped(f"{label} {text}", width)
    click.echo(coloured(label, width) + line[len(label) :], err=True)


@contextmanager
def rolled_back_if_interrupted(then: str, *, what: str = "the run under way") -> Iterator[None]:
    """Say at once that an interrupt rolls back what is done inside, and note on it that it was.

    Args:
        then: What an interrupt means that comes later: a clause such as ``what was loaded is committed``.
        what: What is rolled back.
    """
    with answering("rolling back"):
        try:
            yield
        except BaseException as exc:
            notes = getattr(exc, "__notes__", [])
            waited = any(note.startswith("while waiting") for note in notes)
            if not any(note.endswith(JUST_COMMITTED) for note in notes):
                exc.add_note("nothing was under way" if waited else f"{what} was rolled back")
            raise
        session().done = then


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
        heed()
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
