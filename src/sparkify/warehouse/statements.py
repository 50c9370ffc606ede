"""The statements of our .sql files, as written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from sparkify.errors import ModelError

# `:name`, but not the second colon of `::TYPE`.
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its text verbatim, where it stands, and its parameters' names.

    Attributes:
        text: Redshift SQL, comments included, without the closing semicolon.
        path: Its file below ``sparkify/sql``, such as ``star/songs.sql``.
        line: The line it begins on, from 1.
    """

    text: str
    path: str
    line: int

    @property
    def name(self) -> str:
        """The file's name without folder and suffix."""
        return self.path.rpartition("/")[2].removesuffix(".sql")

    def pick(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return those of ``parameters`` that the statement uses."""
        return {name: parameters[name] for name in dict.fromkeys(_PARAMETER.findall(_code(self.text)))}


@cache
def read_statements(path: str) -> tuple[Statement, ...]:
    """Return the statements of one file below ``sparkify/sql``, in order.

    Raises:
        ModelError: The file is missing, or its last statement has no semicolon.
    """
    source = resources.files("sparkify.sql").joinpath(path)
    try:
        lines = source.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise ModelError(
            f"the model {path} cannot be read: {exc}.", "Install sparkify again.", path=path
        ) from exc
    statements: list[Statement] = []
    pending: list[str] = []
    start = 1
    for number, line in enumerate(lines, 1):
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
    entries = resources.files("sparkify.sql").joinpath(folder).iterdir()
    return sorted(f"{folder}/{entry.name}" for entry in entries if entry.name.endswith(".sql"))


def _code(text: str) -> str:
    return "\n".join(line.partition("--")[0] for line in text.splitlines())
