"""The statements of our .sql files, as written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple

from sparkify.errors import ModelError

# `:name`, but not the second colon of `::TYPE`.
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")
# A comment, a text or quoted name, a word or number, any other character.
_TOKEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[\w$.]+|\S", re.DOTALL)

# Marks of lines that may be left out: those that look moments up one by one, where every moment of a piece is
# meant, and those that look at what a run touched, where all is looked at (:mod:`sparkify.pipeline.scope`).
SPARSE = "sparse"
TOUCHED = "touched"
# Those that look at people only whose latest event went.
LOST = "lost"
# Those that look for the rows of a run's files, where these are few.
FEW = "few"
# Those that read what older warehouses do not count.
ERASED = "erased"


class Statement(NamedTuple):
    """One statement: its verbatim text, its file and line, and the names of its parameters.

    Attributes:
        text: Redshift SQL, comments included, without the closing semicolon.
        path: The file below ``sparkify/sql``, such as ``star/songs.sql``.
        line: The line where the statement begins, from 1.
        verbatim: Whether it has no parameters, whatever it looks like: somebody else has written it.
    """

    text: str
    path: str
    line: int
    verbatim: bool = False

    @property
    def name(self) -> str:
        """The file's name without folder and suffix."""
        return self.path.rpartition("/")[2].removesuffix(".sql")

    @property
    def code(self) -> str:
        """The text without its comments."""
        return "\n".join(line.partition("--")[0] for line in self.text.splitlines())

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters, in the order of their first use."""
        return () if self.verbatim else tuple(dict.fromkeys(_PARAMETER.findall(self.code)))

    def without(self, *marks: str) -> Statement:
        """Return the statement without the lines that end in ``-- mark``, for any of the marks."""
        ends = tuple(f"-- {mark}" for mark in marks)
        lines = self.text.splitlines()
        kept = [line for line in lines if not line.rstrip().endswith(ends)]
        return self if len(kept) == len(lines) else self._replace(text="\n".join(kept))

    def pick(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return those of ``parameters`` that the statement uses."""
        return {name: parameters[name] for name in self.parameters}


@cache
def _sql() -> Traversable:
    return resources.files("sparkify.sql")


@cache
def read_statements(path: str) -> tuple[Statement, ...]:
    """Return the statements of one file below ``sparkify/sql``, in order.

    Raises:
        ModelError: The file is missing, or its last statement has no semicolon.
    """
    source = _sql().joinpath(path)
    try:
        text = source.read_text(encoding="utf-8")
    except OSError as exc:
        raise ModelError(
            f"the model {path} cannot be read: {exc}.", "Install sparkify again.", path=path
        ) from exc
    return split_statements(text, path)


def split_statements(text: str, path: str) -> tuple[Statement, ...]:
    """Return the statements of a text; each ends in a semicolon at the end of a line.

    Raises:
        ModelError: The last one has no semicolon.
    """
    statements: list[Statement] = []
    pending: list[str] = []
    start = 1
    for number, line in enumerate(text.splitlines(), 1):
        if not pending:
            if not line.strip():
                continue
            start = number
        pending.append(line)
        if line.rstrip().endswith(";") and not line.lstrip().startswith("--"):
            statements.append(Statement("\n".join(pending).rstrip().removesuffix(";"), path, start))
            pending = []
    if pending:
        raise ModelError(
            f"{path}, line {start}: the statement does not end.", "End it with `;`.", path=path, line=start
        )
    return tuple(statements)


def statement(path: str) -> Statement:
    """Return the only statement of a file."""
    (only,) = read_statements(path)
    return only


def list_files(folder: str) -> list[str]:
    """Return the .sql files directly in a folder below ``sparkify/sql``, sorted, as paths below it."""
    entries = _sql().joinpath(folder).iterdir()
    return sorted(f"{folder}/{entry.name}" for entry in entries if entry.name.endswith(".sql"))


def digest(steps: Iterable[Statement]) -> str:
    """Return a digest of statements that ignores comments, whitespace and the case of words.

    The digest is computed from tokens, not from a parse tree: a new release of a parser would otherwise
    report every model as changed.
    """
    return _digest(tuple(steps))


@cache
def _digest(steps: tuple[Statement, ...]) -> str:
    tokens = (
        token if token[:1] in ("'", '"') else token.lower()
        for step in steps
        for token in (*_TOKEN.findall(step.text), ";")
        if not token.startswith(("--", "/*"))
    )
    return hashlib.blake2b("\0".join(tokens).encode(), digest_size=8).hexdigest()
