"""How messages word what they show: numbers with their nouns, texts that are too long."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

# C0 and C1: line breaks, tabs, what begins a terminal's escape sequences.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return ``1 file``, ``2 files`` or ``1,024 files``; ``plural`` where it is not the noun and an s.

    >>> counted(1, "file"), counted(0, "file"), counted(1024, "file")
    ('1 file', '0 files', '1,024 files')
    >>> counted(1, "row is", "rows are"), counted(2, "row is", "rows are")
    ('1 row is', '2 rows are')
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def name_runs(numbers: Sequence[int]) -> str:
    """Return ``run 1`` or ``runs 1 to 3, 5``: ascending numbers of runs, which others may lie between.

    >>> name_runs([1]), name_runs([1, 2]), name_runs([1, 2, 3, 5])
    ('run 1', 'runs 1, 2', 'runs 1 to 3, 5')
    """
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][-1] == number - 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    named = [f"{span[0]} to {span[-1]}" if len(span) > 2 else ", ".join(map(str, span)) for span in spans]
    return f"{'runs' if len(numbers) > 1 else 'run'} {', '.join(named)}"


def shortened(text: str, most: int) -> str:
    """Return the first ``most`` characters of a text, and ``…`` where there are more.

    >>> shortened("a long text", 6), shortened("a text", 6)
    ('a long…', 'a text')
    """
    return text if len(text) <= most else f"{text[:most]}…"


def common_start(texts: Sequence[str]) -> str:
    """Return what all texts begin with, to the character.

    >>> common_start(["2018-11-01.json", "2018-11-15.json"])
    '2018-11-'
    """
    return os.path.commonprefix(texts)  # noqa: RUF071 - characters are meant, no parts of paths


def visible(text: str) -> str:
    r"""Return a text whose control characters are escapes: none tears a table or steers a terminal.

    >>> visible("two\nlines, Björk")
    'two\\nlines, Björk'
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def sized(number: float) -> str:
    """Return a number of bytes in the unit that suits it.

    >>> sized(0), sized(999), sized(41_234), sized(9_960_000), sized(1.25e9)
    ('0 B', '999 B', '41 KB', '10 MB', '1.2 GB')
    """
    units = ["B", "KB", "MB", "GB", "TB"]
    while number >= 999.5 and len(units) > 1:
        number /= 1000
        units.pop(0)
    return f"{number:.0f} {units[0]}" if number >= 9.95 or units[0] == "B" else f"{number:.1f} {units[0]}"


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it.

    >>> duration(0.4), duration(89), duration(100), duration(7_200), duration(66_684)
    ('1 s', '89 s', '2 min', '120 min', '19 h')
    """
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{round(seconds / 60)} min" if seconds < 3 * 3600 else f"{round(seconds / 3600)} h"
