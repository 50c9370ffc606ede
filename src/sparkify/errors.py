"""Every error a person can see, with its hint and its exit code.

The tree::

    SparkifyError                 1   it failed; the warehouse is unchanged
    ├── ConfigError               2   the command line or dwh.cfg is wrong
    ├── SourceError               1   an object or folder of the lake (uri)
    │   ├── SourceNotFound            it is not there, or holds nothing
    │   ├── SourceDenied              we may not read or write it
    │   │   └── CredentialsRefused    whatever is asked for
    │   ├── SourceChanged             it changed while it was being read
    │   └── TransientSourceError      the store failed in a way that may pass
    ├── LoadError                 1   the contents of one file (uri, line)
    ├── ModelError                1   one of our .sql files (path, line)
    ├── EngineError               1   the database
    │   ├── WarehouseLocked           another process holds it
    │   └── TransientEngineError      may pass: worth another try
    ├── CheckError                3   a data check failed, or too many rejects; nothing was published
    └── ClusterError              1   AWS, about the cluster (state, action)

A run that is published may still find what wants a look: no error, and exit code 4
(:data:`WANTS_A_LOOK`, :mod:`sparkify.pipeline.attention`).

A message says what failed, on what, and why; the hint says what to do next. A hint that names commands of
`sparkify` is a :class:`Hint`, so that the command line can add the options that name the warehouse.
Errors of libraries are turned into these at one boundary per library, with ``from exc``.
A person who interrupts (SIGINT) gets exit code 130 (:data:`INTERRUPTED`), whoever terminates (SIGTERM) 143.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

OK = 0
FAILED = 1
USAGE = 2
CHECKS_FAILED = 3
WANTS_A_LOOK = 4
INTERRUPTED = 130
TERMINATED = 143

# Ends a note on an interrupt that came too late for its run.
JUST_COMMITTED = "was committed just before"


class Command:
    """A command of `sparkify` that a hint names.

    Args:
        words: What is typed after ``sparkify``; capitals stand for what the reader knows.
    """

    def __init__(self, *words: str) -> None:
        self.words = words

    def __str__(self) -> str:
        """Return the command in backticks."""
        return f"`sparkify {' '.join(self.words)}`"


class Hint(str):
    """A text that names commands; as a string it has them without further options.

    Args:
        template: The text, with ``{}`` in the place of each part.
        parts: The commands, and texts.
    """

    __slots__ = ("parts", "template")

    template: str
    parts: tuple[Command | str, ...]

    def __new__(cls, template: str, *parts: Command | str) -> Self:
        """Make the string, and keep what it is made of."""
        hint = super().__new__(cls, template.format(*parts))
        hint.template, hint.parts = template, parts
        return hint

    def __getnewargs__(self) -> tuple[Command | str, ...]:  # type: ignore[override]
        """Return what a copy is made of."""
        return (self.template, *self.parts)

    def rendered(self, show: Callable[[Command], str]) -> str:
        """Return the text with each command as ``show`` gives it."""
        return self.template.format(
            *(
                show(part)
                if isinstance(part, Command)
                else part.rendered(show)
                if isinstance(part, Hint)
                else part
                for part in self.parts
            )
        )


class SparkifyError(Exception):
    """Anything a person should read as one sentence and a hint.

    Args:
        message: What failed, on what, and why.
        hint: What to do next, as an instruction; a :class:`Hint` where it names a command of `sparkify`.
    """

    exit_code = FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(SparkifyError):
    """The command line, the environment or dwh.cfg is wrong."""

    exit_code = USAGE


class SourceError(SparkifyError):
    """An object, folder or bucket of the lake; ``uri`` names it."""

    def __init__(self, message: str, hint: str = "", *, uri: str) -> None:
        super().__init__(message, hint)
        self.uri = uri


class SourceNotFound(SourceError):
    """Nothing is there."""


class SourceDenied(SourceError):
    """The store, or the file system, does not let us."""


class CredentialsRefused(SourceDenied):
    """The store refuses the credentials, whatever is asked for."""


class SourceChanged(SourceError):
    """The object is no longer the one that was listed."""


class TransientSourceError(SourceError):
    """The store failed in a way that may pass (5xx, SlowDown, a broken connection), retries included."""


class LoadError(SparkifyError):
    """The contents of one file cannot be loaded; ``line`` counts from 1."""

    def __init__(self, message: str, hint: str = "", *, uri: str, line: int | None = None) -> None:
        super().__init__(message, hint)
        self.uri = uri
        self.line = line


class ModelError(SparkifyError):
    """One of the .sql files is wrong; ``line`` counts from 1."""

    def __init__(self, message: str, hint: str = "", *, path: str, line: int | None = None) -> None:
        super().__init__(message, hint)
        self.path = path
        self.line = line


class EngineError(SparkifyError):
    """The database refused or failed."""


class WarehouseLocked(EngineError):
    """Another process holds the warehouse; ``pid`` is it, where the engine says."""

    def __init__(self, message: str, hint: str = "", *, pid: int | None = None) -> None:
        super().__init__(message, hint)
        self.pid = pid


class TransientEngineError(EngineError):
    """The same run may well succeed if tried again (a lost connection, a serialisation conflict)."""


class CheckError(SparkifyError):
    """A data check failed or rejects passed their threshold: nothing was published."""

    exit_code = CHECKS_FAILED


class ClusterError(SparkifyError):
    """AWS refused or failed, or the cluster is in the wrong ``state`` for ``action``."""

    def __init__(self, message: str, hint: str = "", *, state: str = "", action: str = "") -> None:
        super().__init__(message, hint)
        self.state = state
        self.action = action
