"""What a person sees: lines, tables, progress and questions; and the one JSON object a script reads.

Results go to stdout. With ``--json`` stdout carries exactly one JSON object and everything for people
goes to stderr. Progress always goes to stderr: a bar on a terminal, plain lines in a pipe.
"""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import click

from sparkify.cli.commands import session
from sparkify.cli.layout import aligned, coloured, terminal_width, wrapped
from sparkify.cli.pace import Pace
from sparkify.cli.stopping import answering, heard, heed, start
from sparkify.cli.typed import advice
from sparkify.errors import JUST_COMMITTED, ConfigError
from sparkify.text import counted, duration, sized

# Up to here every whole number is a double too, which is what most readers of JSON make of a number.
_EXACT = 2**53 - 1


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

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        title: str = "",
        *,
        data: bool = False,
        wide: bool = False,
    ) -> None:
        """Print an aligned table for people; numbers to the right.

        Args:
            columns: Their names.
            rows: Their values.
            title: A line above it.
            data: Its values are data, neither wrapped nor coloured.
            wide: Everything is shown as it is, whatever the terminal's width.
        """
        if title:
            self.say(title)
        for line in aligned(columns, rows, width=None if wide else self._width, data=data):
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
    def progress(
        self, label: str, *, total_files: int = 0, share_done: Callable[[], float | None] = lambda: None
    ) -> Iterator[Progress]:
        """Show how far a long piece of work is, on stderr; see :class:`Progress`."""
        progress = Progress(label, total_files=total_files, share_done=share_done)
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
    """What is being done, and how much of it; call it with what was just finished.

    Attributes:
        label: What is being done.
        total_bytes: How much there is to read; 0 where nobody knows.
        total_files: How many files.
        clock: Returns seconds.
        share_done: Returns how much of the statement under way is done, from 0 to 1; None if unknown.
    """

    label: str
    total_bytes: int = 0
    total_files: int = 0
    clock: Callable[[], float] = time.monotonic
    share_done: Callable[[], float | None] = lambda: None
    files: int = 0
    rows: int = 0
    bytes: int = 0
    _reading: int = 0
    _reached: float = 0
    _counts: bool = False
    _begun: float = field(init=False)
    _pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the first label."""
        self._begin(self.label)

    def _begin(self, label: str) -> None:
        self.label, self._begun = label, self.clock()
        self._pace = Pace(self.bytes, self.clock)
        self._reading, self._reached, self._counts = 0, self.bytes, False

    def expect(self, *, files: int, size: int) -> None:
        """Say how much there is to do; ``size`` in bytes."""
        self.total_files, self.total_bytes = files, size

    def __call__(
        self, *, files: int = 0, rows: int = 0, size: int = 0, reading: int = 0, label: str | None = None
    ) -> None:
        """Add to the counts, or begin something else.

        Args:
            files: Files that are done.
            rows: Rows that are done.
            size: Bytes that are done.
            reading: Bytes that are being read from now on, until they are done.
            label: What is done from now on.
        """
        heed()
        self.files += files
        self.rows += rows
        self.bytes += size
        self._reading = max(self._reading - size, 0) + reading
        self._counts |= bool(files or rows or size or reading)
        if label is not None and label != self.label:
            self._begin(label)

    @property
    def done(self) -> float:
        """Bytes that are done, with those of the statement under way; they never become fewer."""
        share = self.share_done() if self._reading else None
        self._reached = max(self._reached, self.bytes + self._reading * (share or 0))
        return self._reached

    def text(self) -> str:
        """Return what is being done as one line: with its bytes, pace and rest, or else for how long."""
        if not self._counts:
            seconds = self.clock() - self._begun
            return f"{self.label} · {duration(seconds)}" if seconds >= 1 else self.label
        done, parts = self.done, [self.label]
        self._pace.note(done, self.bytes)
        rate = self._pace.bytes_a_second
        if self.total_files:
            parts.append(f"{self.files:,} of {counted(self.total_files, 'file')}")
        if self.rows:
            parts.append(counted(self.rows, "row"))
        if self.total_bytes:
            parts.append(f"{sized(done)} of {sized(self.total_bytes)}")
        if rate is not None:
            parts.append(f"{sized(rate)}/s")
        left = self._pace.seconds_left(self.total_bytes)
        if left is not None:
            parts.append(f"about {duration(left)} of reading left")
        return " · ".join(parts)


@contextmanager
def _bar(progress: Progress) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (BarColumn(bar_width=24), TextColumn("{task.description}"))
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(progress.text(), total=progress.total_bytes or None)

        def show() -> None:
            description = progress.text()
            total = progress.total_bytes or None
            bar.update(task, total=total, completed=progress.done, description=description)

        with _every(0.2, show):
            yield


@contextmanager
def _lines(progress: Progress) -> Iterator[None]:
    with _every(5.0, lambda: click.echo(progress.text(), err=True)):
        yield


@contextmanager
def _every(seconds: float, show: Callable[[], None]) -> Iterator[None]:
    """Call ``show`` every so many seconds, in a thread: one statement may take minutes."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(seconds) and not heard():
            show()

    thread = threading.Thread(target=run, name="sparkify-progress", daemon=True)
    start(thread)
    try:
        yield
    finally:
        ended.set()
        thread.join()


def as_json(value: Mapping[str, Any]) -> str:
    """Return an object as JSON: times in ISO 8601, bytes in hex.

    Integers that most readers would round (beyond 2**53 - 1) and what JSON has no word for are texts.
    """
    return json.dumps(_plain(value), default=_encode, ensure_ascii=False)


def _encode(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    """Return a value with texts for large integers, NaN and Infinity, and with keys that JSON has."""
    if isinstance(value, int):
        return value if -_EXACT <= value <= _EXACT else str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {
            name if isinstance(name, str | int | float) else _encode(name): _plain(each)
            for name, each in value.items()
        }
    return value
