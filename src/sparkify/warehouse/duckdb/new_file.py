"""A new file of a warehouse: built under a temporary name, and renamed when it is complete.

Nobody can read it before that, so nobody is locked out, and rows can land directly in the file.
"""

from __future__ import annotations

import atexit
import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from sparkify.errors import TransientEngineError
from sparkify.filelocks import claim, disclaim, left_over

# The format of new files: the oldest DuckDB that reads them. That of 1.2 would cost a third more time.
STORAGE_VERSION = "v1.4.0"


class NewFile:
    """A file with a unique name, in the folder of the future warehouse.

    Args:
        target: The future path of the warehouse; a symbolic link is followed.
    """

    def __init__(self, target: Path) -> None:
        self._target = Path(os.path.realpath(target))
        self.path = self._target.with_name(f"{_prefix(self._target)}{secrets.token_hex(8)}")
        claim(self.path)  # DuckDB locks it
        atexit.register(self.remove)  # for an interrupt that comes while it is being removed

    def publish(self) -> None:
        """Rename the file to its final name, unless a file of that name exists by now.

        Raises:
            TransientEngineError: Another run has created the warehouse in the meantime.
            OSError: The file system refused.
        """
        try:
            os.link(self.path, self._target)
        except FileExistsError as exc:
            raise TransientEngineError(
                f"{self._target} was made by another run meanwhile.", "Run again."
            ) from exc
        except OSError:
            # Some file systems have no links; there, two first runs at the same time are not detected.
            if self._target.exists() or not self.path.exists():
                raise
            self.path.rename(self._target)

    def replace(self) -> None:
        """Put the file in the place of the warehouse that is there, with its permissions.

        Raises:
            OSError: The file system refused.
        """
        shutil.copymode(self._target, self.path)
        self.path.replace(self._target)

    def remove(self) -> None:
        """Remove the temporary name and its write-ahead log."""
        _remove(self.path)
        disclaim(self.path)
        atexit.unregister(self.remove)


def remove_leftovers(target: Path) -> None:
    """Remove the unfinished files that killed runs left beside a warehouse.

    A process locks the file that it builds, also across machines; an unlocked file is a leftover. Only names
    given by :class:`NewFile` are considered.
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
