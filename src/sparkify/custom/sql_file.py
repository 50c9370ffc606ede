"""A file of the user's: one SELECT, and its head, the comments before the first word of SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from sparkify.errors import ModelError

_KEYS = {"materialized", "day", "grain", "check", "uses", "severity"}
_LINE = re.compile(r"--\s*([A-Za-z_]+)\s*:\s*(.*)")
# What is a name in SQL without quotes, on every engine.
NAME = re.compile(r"[a-z_][a-z0-9_]*")


class SqlFile(NamedTuple):
    """The text of a file, as it was read.

    Attributes:
        path: The file, as messages name it.
        text: What it holds, without a closing semicolon.
        head: The lines of its head by key, each with the number of its line.
        description: The other comments of its head, in one line.
    """

    path: str
    text: str
    head: Mapping[str, tuple[int, str]]
    description: str

    def value(self, key: str, default: str = "") -> str:
        """Return what the head says of a key."""
        return self.head[key][1] if key in self.head else default

    def line_of(self, key: str) -> int:
        """Return the line of a key of the head, the first line if it is not there."""
        return self.head[key][0] if key in self.head else 1

    def names(self, key: str) -> tuple[str, ...]:
        """Return the names that the head lists for a key."""
        return tuple(name.strip().lower() for name in self.value(key).split(",") if name.strip())

    def wrong(self, what: str, hint: str, line: int = 1) -> ModelError:
        """Return the error about a line of it."""
        return ModelError(f"{self.path}, line {line}: {what}.", hint, path=self.path, line=line)

    def verify_name(self, name: str, what: str) -> None:
        """Raise unless a part of its path is a name in SQL.

        Raises:
            ModelError: It is none.
        """
        if not NAME.fullmatch(name):
            raise self.wrong(
                f"the {what}'s name, {name!r}, is no name in SQL",
                "Name it with small letters, digits and _, a letter first.",
            )


def read_sql_file(path: Path) -> SqlFile:
    """Read a file and its head.

    Raises:
        ModelError: It cannot be read, or its head is not as it should be.
    """
    from sparkify.custom.parsed import without_end

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        why = "it is not UTF-8" if isinstance(exc, UnicodeDecodeError) else exc.strerror
        raise ModelError(f"{path} cannot be read: {why}.", "Mend the file.", path=str(path)) from exc
    head: dict[str, tuple[int, str]] = {}
    words = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("--"):
            break
        found = _LINE.match(line.strip())
        key = found[1].lower() if found else ""
        if found and key in _KEYS:
            if key in head:
                wrong = SqlFile(str(path), text, {}, "")
                raise wrong.wrong(f"{key} is said twice", "Say it once.", number)
            head[key] = number, found[2].strip()
        elif found and (meant := get_close_matches(key, _KEYS, 1, 0.8)):
            wrong = SqlFile(str(path), text, {}, "")
            raise wrong.wrong(f"there is no key {found[1]} of a head", f"Write {meant[0]}.", number)
        else:
            words.append(line.strip().removeprefix("--").strip())
    return SqlFile(str(path), without_end(text), head, " ".join(filter(None, words)))
