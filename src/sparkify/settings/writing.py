"""Writing values back into dwh.cfg: only the lines concerned change; comments, order and quotes stay.

Owns the file's text, not its meaning: that is :mod:`sparkify.settings`. A key that stands there under another
name is set where it stands, so that the file never says two things.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from sparkify.errors import ConfigError
from sparkify.settings.keys import key_of

_SECTION = re.compile(r"\s*\[(?P<name>[^\]]+)\]")
_KEY = re.compile(r"(?P<head>\s*(?P<name>[^\s=:][^=:]*?)\s*[=:]\s*)(?P<value>.*?)\s*$", re.DOTALL)


def write_values(path: Path, values: Mapping[tuple[str, str], str]) -> None:
    """Set ``(section, key)`` → value in the file, which is made (for its owner only) where there is none.

    The new text replaces the old in one step, so that a reader, or a crash, never meets half a file.

    Raises:
        ConfigError: The file cannot be read or written.
    """
    target = path.resolve()
    try:
        text = target.read_bytes().decode("utf-8") if target.exists() else ""
        _replace(target, with_values(text, values))
    except (OSError, UnicodeDecodeError) as exc:
        shown = ", ".join(f"[{section}] {key} = {value}" for (section, key), value in values.items())
        raise ConfigError(f"{path} cannot be written: {exc}.", f"Put in by hand: {shown}") from exc


def with_values(text: str, values: Mapping[tuple[str, str], str]) -> str:
    """Return the text with every value set; everything else is as it was, byte for byte."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    for (section, key), value in values.items():
        places = _other_names(lines, section, key)
        for other_section, name in places:
            _set(lines, other_section, name, value, newline)
        if not places or _stands(lines, section, key):
            _set(lines, section, key, value, newline)
    return "".join(lines)


def _other_names(lines: list[str], section: str, key: str) -> list[tuple[str, str]]:
    """Return the sections and names, not its own, that mean a key in a text."""
    headers = [_SECTION.match(line.lstrip("\ufeff")) for line in lines]
    return [
        (place, name)
        for place in {header["name"].strip() for header in headers if header}
        for start, end in _section_spans(lines, place)
        for _, _, name in _keys(lines, start, end)
        if (place.upper(), name.upper()) != (section, key)
        and key_of(place.upper(), name.upper()) == f"{section}.{key}"
    ]


def _stands(lines: list[str], section: str, key: str) -> bool:
    return any(
        name.upper() == key
        for start, end in _section_spans(lines, section)
        for _, _, name in _keys(lines, start, end)
    )


def _set(lines: list[str], section: str, key: str, value: str, newline: str) -> None:
    spans = _section_spans(lines, section)
    if not spans:
        if lines:
            _end_line(lines, len(lines) - 1, newline)
            if lines[-1].strip():
                lines.append(newline)
        lines += [f"[{section}]{newline}", f"{key} = {value}".rstrip() + newline]
        return
    # Sections may stand twice, in different case, and the key in both.
    there = False
    for start, end in reversed(spans):
        for first, after, name in reversed(list(_keys(lines, start, end))):
            if name.lower() == key.lower():
                found = _KEY.match(lines[first])
                assert found
                head, quote = found["head"].rstrip("\r\n"), _quote(found["value"])
                space = " " if head.endswith(" =") else ""
                ending = lines[first][len(lines[first].rstrip("\r\n")) :]
                lines[first:after] = [f"{head}{space}{quote}{value}{quote}".rstrip() + ending]
                there = True
    if there:
        return
    start, end = spans[-1]
    last = max((at for at in range(start - 1, end) if lines[at].strip()), default=start - 1)
    _end_line(lines, last, newline)
    lines.insert(last + 1, f"{key} = {value}".rstrip() + newline)


def _keys(lines: list[str], start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield each key's first line, the line after its last and its name, by configparser's rule.

    A line indented deeper than its key continues the key's value; comments and blank lines between do
    not end it.
    """
    first, after, name, indent = -1, -1, "", 0
    for at in range(start, end):
        text = lines[at].strip()
        if not text or text[0] in "#;":
            continue
        depth = len(lines[at]) - len(lines[at].lstrip())
        if name and depth > indent:
            after = at + 1
            continue
        if name:
            yield first, after, name
        found = _KEY.match(lines[at])
        first, after, name, indent = at, at + 1, found["name"] if found else text, depth
    if name:
        yield first, after, name


def _section_spans(lines: list[str], section: str) -> list[tuple[int, int]]:
    """Return the ranges of lines between each header of a section and the next header."""
    headers = [
        (at, found["name"])
        for at, line in enumerate(lines)
        if (found := _SECTION.match(line.lstrip("\ufeff")))
    ]
    ends = [*(at for at, _ in headers[1:]), len(lines)]
    # Without a header there is one end too many.
    return [
        (at + 1, end)
        for (at, name), end in zip(headers, ends, strict=False)
        if name.upper() == section.upper()
    ]


def _end_line(lines: list[str], at: int, newline: str) -> None:
    if not lines[at].endswith(("\n", "\r")):
        lines[at] += newline


def _quote(value: str) -> str:
    return value[0] if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"" else ""


def _replace(target: Path, text: str) -> None:
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
