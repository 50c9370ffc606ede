"""The text of dwh.cfg: which lines hold which values, and what is wrong with a line.

Owns the format: ``[SECTION]``, ``KEY = value`` and whole-line comments; a key has one line. What the keys
mean is :mod:`sparkify.settings.keys`'s. No message quotes a line, which may hold a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from sparkify.errors import Command, ConfigError, Hint

_SECTION = re.compile(r"\[(?P<name>[^\]]+)\]")
_KEY = re.compile(r"(?P<name>[^=:]*[^=:\s])\s*[=:]\s*(?P<value>.*)")
_COMMENT = re.compile(r"\s[#;]")
_QUOTED_AND_COMMENTED = re.compile(r"""(['"]).*\1\s+[#;]""")
_WELL_FORMED = "Each line is [SECTION], KEY = value, or a # comment; each key stands once."


class Line(NamedTuple):
    """One ``KEY = value`` of the file; section and name in capitals, the value as it stands there."""

    number: int
    section: str
    name: str
    value: str

    @property
    def shown(self) -> str:
        """Its place, for people."""
        return f"{self.name} in [{self.section}] (line {self.number})"


class Given(NamedTuple):
    """What a file gives: ``SECTION.KEY`` → its line, and what was read under another name."""

    lines: dict[str, Line]
    notice: str = ""


def read_file(
    path: Path, meaning: Callable[[str, str], str], keys: Collection[str], free_text: Collection[str]
) -> Given:
    """Read a file's values.

    Args:
        path: The file.
        meaning: ``(section, name)`` → the ``SECTION.KEY`` it stands for; empty: none.
        keys: Every ``SECTION.KEY``.
        free_text: Those whose values may hold a blank and a ``#``, such as a password.

    Raises:
        ConfigError: It cannot be read, a line is malformed, or a name means no key of ours.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8.", "Save it as UTF-8.") from None
    except OSError as exc:
        raise ConfigError(
            f"the configuration {path} cannot be read: {exc.strerror}.",
            Hint("Write one with {}, or name yours with --config.", Command("init")),
        ) from exc
    found: dict[str, list[Line]] = {}
    unknown: list[Line] = []
    for line in parse(text, path, meaning):
        if key := meaning(line.section, line.name):
            found.setdefault(key, []).append(line)
        else:
            unknown.append(line)
    if unknown:
        raise _unknown(path, unknown, keys)
    lines = {key: _one_of(path, key, several) for key, several in found.items()}
    for key, line in lines.items():
        _verify_comment(path, line, free_text=key in free_text)
    return Given(lines, _notice(path, found))


def parse(text: str, path: Path, meaning: Callable[[str, str], str]) -> list[Line]:
    """Return every ``KEY = value`` of a text.

    Raises:
        ConfigError: A line is none of the format's, or continues the one above.
    """
    lines: list[Line] = []
    section = ""
    sections: set[str] = set()
    names: set[tuple[str, str]] = set()
    indent: int | None = None  # of the last key; None: a section has just begun
    for number, raw in enumerate(text.split("\n"), 1):
        stripped = raw.strip()
        if not stripped or stripped[0] in "#;":
            continue
        depth = len(raw) - len(raw.lstrip())
        pair = _KEY.fullmatch(stripped)
        if lines and indent is not None and depth > indent:
            raise _indented(path, number, lines[-1], pair, section, meaning)
        if header := _SECTION.match(stripped):
            section, indent = header["name"].strip(), None
            if section in sections:
                raise _malformed(path, number, "the section stands there a second time")
            sections.add(section)
            continue
        if not section:
            raise _malformed(path, number, "no [SECTION] stands above it")
        if pair is None:
            raise _malformed(path, number, "it is no KEY = value")
        line = Line(number, section.upper(), pair["name"].upper(), pair["value"].strip())
        if (section, line.name) in names:
            raise _malformed(path, number, "the key stands there a second time")
        names.add((section, line.name))
        lines.append(line)
        indent = depth
    return lines


def unquote(value: str) -> str:
    """Return a value without blanks around it, and without the quotes around those."""
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def _malformed(path: Path, number: int, why: str) -> ConfigError:
    return ConfigError(f"{path}, line {number} is not valid in a configuration file: {why}.", _WELL_FORMED)


def _indented(
    path: Path,
    number: int,
    above: Line,
    pair: re.Match[str] | None,
    section: str,
    meaning: Callable[[str, str], str],
) -> ConfigError:
    name = pair["name"].upper() if pair else ""
    if name and meaning(section.upper(), name):
        return ConfigError(
            f"{path}, line {number}: {name} is indented, so it would continue the value of {above.name} "
            f"(line {above.number}).",
            f"Remove the blanks in front of {name}.",
        )
    return ConfigError(
        f"{path}, line {number} is indented, so it continues the value of {above.name} "
        f"(line {above.number}), and no key has a value of more than one line.",
        "Write the value on one line; put # in front of a line that is none of it.",
    )


def _one_of(path: Path, key: str, lines: list[Line]) -> Line:
    """Return the line that says a key's value; an empty value means "not filled in"."""
    filled = [line for line in lines if unquote(line.value)] or lines[-1:]
    if len({unquote(line.value) for line in filled}) > 1:
        section, _, name = key.partition(".")
        places = " and ".join(line.shown for line in filled)
        raise ConfigError(
            f"{path} has two values for [{section}] {name}: {places}.",
            f"Keep the right one, as {name} in [{section}], and remove the other.",
        )
    return filled[-1]


def _verify_comment(path: Path, line: Line, *, free_text: bool) -> None:
    value = line.value
    if unquote(value) != value:
        return
    if _QUOTED_AND_COMMENTED.match(value) or (not free_text and _COMMENT.search(value)):
        raise ConfigError(
            f"{path}, line {line.number}: a comment stands behind the value of [{line.section}] {line.name}, "
            "where it would be part of the value.",
            "Put the comment on a line of its own; if it is the value, put quotes around the whole of it.",
        )


def _notice(path: Path, found: dict[str, list[Line]]) -> str:
    """Return one sentence on the names that were read as others; empty: there were none."""
    taken = [
        f"{line.name} in [{line.section}] as [{section}] {name}"
        for key, lines in found.items()
        for section, _, name in [key.partition(".")]
        for line in lines
        if (line.section, line.name) != (section, name)
    ]
    return f"{path}: read {', '.join(taken)}." if taken else ""


def _unknown(path: Path, lines: list[Line], keys: Collection[str]) -> ConfigError:
    names = {key.partition(".")[2]: key for key in keys}
    told = []
    for line in lines:
        close = get_close_matches(line.name, names, n=1, cutoff=0.7)
        if close:
            section, _, name = names[close[0]].partition(".")
            told.append(
                f"line {line.number}, {line.name} in [{line.section}]: did you mean {name} in [{section}]?"
            )
        else:
            told.append(f"line {line.number}, {line.name} in [{line.section}]: no setting of that name.")
    what = "a key that is" if len(lines) == 1 else f"{len(lines)} keys that are"
    sections = sorted({line.section for line in lines} & {key.partition(".")[0] for key in keys})
    lists = "".join(
        f" The keys of [{section}] are "
        f"{', '.join(key.partition('.')[2] for key in keys if key.startswith(f'{section}.'))}."
        for section in sections
    )
    return ConfigError(
        f"{path} has {what} not known: {' '.join(told)}",
        f"Correct them, or put # in front of what nothing of ours needs.{lists}",
    )
