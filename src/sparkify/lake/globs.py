"""Names of files with ``*``, ``?``, ``[…]`` and ``**``, compared with URIs as listings give them.

The files of a lake may be anywhere or gone: a glob is never compared with a folder or a bucket itself.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable

from sparkify.lake.folder import path_of
from sparkify.lake.uri import is_s3
from sparkify.settings import expand_home

_MAGIC = re.compile(r"[*?[]")
_DEEP = "**"


def is_glob(name: str) -> bool:
    """Tell whether a name has a character that means others: ``*``, ``?`` or ``[``."""
    return _MAGIC.search(name) is not None


def uri_of(name: str) -> str:
    """Return a file's name as a listing gives it: a path from the root, or a URI."""
    return name if is_s3(name) else path_of(name)


class Glob:
    """A pattern for whole URIs; upper and lower case differ.

    ``*`` stands for any characters but a slash, ``?`` for one of them, ``[a-c]`` for one of these, ``[!a-c]``
    for one that is none of these, and ``**`` between slashes for folders, none or many; at the end for
    everything below. A dot at a name's beginning is a character like others. ``[*]`` is a star.

    Args:
        text: A path, from the current folder if it does not begin with a slash, or an S3 URI.

    Attributes:
        uri: The pattern from the root; characters of the current folder stand for themselves.
        prefix: What every URI that matches begins with.
    """

    def __init__(self, text: str) -> None:
        parts = [(part, is_glob(part)) for part in text.split("/")] if is_s3(text) else _from_the_root(text)
        if parts[-1][0] == _DEEP:
            parts.append(("*", True))
        self.uri = "/".join(part for part, _ in parts)
        plain = next((at for at, (_, magic) in enumerate(parts) if magic), len(parts))
        begins = [part for part, _ in parts[:plain]] + [
            _MAGIC.split(part, 1)[0] for part, _ in parts[plain:][:1]
        ]
        self.prefix = "/".join(begins)
        self._parts = [None if part == _DEEP and magic else _matcher(part, magic) for part, magic in parts]

    def matches(self, uri: str) -> bool:
        """Tell whether a URI is one of those."""
        names = uri.split("/")
        at = part = 0
        deep, tried = -1, 0
        while at < len(names):
            if part < len(self._parts):
                matches = self._parts[part]
                if matches is None:
                    deep, tried = part, at
                    part += 1
                    continue
                if matches(names[at]):
                    at, part = at + 1, part + 1
                    continue
            if deep < 0:
                return False
            # The last ** stands for one folder more.
            tried += 1
            at, part = tried, deep + 1
        return part == len(self._parts)


def _from_the_root(text: str) -> list[tuple[str, bool]]:
    """Return the parts of a path from the root, and whether each is a pattern."""
    first, *given = text.split("/")
    home = expand_home(first)
    start = home if home != first else os.getcwd() if first else "/"  # noqa: PTH109 - for its text
    if home == first:
        given = [first, *given]
    parts = [(part, False) for part in start.split("/") if part]
    for part in given:
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append((part, is_glob(part)))
    return [("", False), *parts]


def _matcher(part: str, magic: bool) -> Callable[[str], object]:
    # Shells know [^…] too.
    text = fnmatch.translate(part.replace("[^", "[!")) if magic else re.escape(part)
    return re.compile(text).fullmatch
