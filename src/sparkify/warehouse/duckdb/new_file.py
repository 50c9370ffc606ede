"""A warehouse that does not exist yet: built under another name, and given its own when it is whole.

Nobody can read it before, so nobody is locked out, and rows can land where they will stay.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from sparkify.errors import TransientEngineError
from sparkify.filelocks import claim, disclaim, left_over


class NewFile:
    """A file beside the place of a warehouse, of a name nobody else has.

    Args:
        target: Where the warehouse will be; a link is followed.
    """

    def __init__(self, target: Path) -> None:
        self._target = Path(os.path.realpath(target))
        self.path = self._target.with_name(f"{_prefix(self._target)}{secrets.token_hex(8)}")
        claim(self.path)  # DuckDB locks it

    def publish(self) -> None:
        """Give the file its name, unless there is one of that name by now.

        Raises:
            TransientEngineError: Another run has made the warehouse meanwhile.
            OSError: The file system does not let us.
        """
        try:
            os.link(self.path, self._target)
        except FileExistsError as exc:
            raise TransientEngineError(
                f"{self._target} was made by another run meanwhile.", "Run again."
            ) from exc
        except OSError:
            # Not every file system has links; without them two first runs at once are one too many.
            if self._target.exists() or not self.path.exists():
                raise
            self.path.rename(self._target)

    def remove(self) -> None:
        """Remove the name it was built under, and its log."""
        _remove(self.path)
        disclaim(self.path)


def remove_leftovers(target: Path) -> None:
    """Remove what killed runs were building for a place.

    A file that is being built is locked by whoever builds it, on whatever machine; one that nobody locks is
    left over. Only names that :class:`NewFile` gives are looked at.
    """
    target = Path(os.path.realpath(target))
    name = re.compile(re.escape(_prefix(target)) + "[0-9a-f]{16}")
    with suppress(OSError):
        for path in target.parent.iterdir():
            if name.fullmatch(path.name):
                with left_over(path) as left:
                    if left:
                        _remove(path)


def _remove(path: Path) -> None:
    for each in (path, path.with_name(path.name + ".wal")):
        with suppress(OSError):
            each.unlink(missing_ok=True)


def _prefix(target: Path) -> str:
    return f".{target.name}.sparkify-new-"
