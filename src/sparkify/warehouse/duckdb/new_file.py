"""A warehouse that does not exist yet: built under another name, and given its own when it is whole.

Nobody can read it before, so nobody is locked out, and rows can land where they will stay.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sparkify.errors import TransientEngineError
from sparkify.leftovers import own_name, sweep


class NewFile:
    """A file beside the place of a warehouse.

    Args:
        target: Where the warehouse will be; a link is followed.
    """

    def __init__(self, target: Path) -> None:
        self._target = Path(os.path.realpath(target))
        self.path = self._target.with_name(own_name(_prefix(self._target)))
        self.remove()

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
            if self._target.exists():
                raise
            self.path.rename(self._target)

    def remove(self) -> None:
        """Remove the name it was built under, and its log."""
        for path in (self.path, self.path.with_name(self.path.name + ".wal")):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def remove_leftovers(target: Path) -> None:
    """Remove what killed runs were building for a place."""
    target = Path(os.path.realpath(target))
    sweep(target.parent, _prefix(target))


def _prefix(target: Path) -> str:
    return f"{target.name}.new-"
