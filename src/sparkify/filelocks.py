"""Whether a file is held by a living process or was left by a killed one, told by the lock on it.

The number of a process means nothing in another container or on another machine. Locks go with the process,
however it ends; they are those of ``fcntl``, as DuckDB takes them. One of our own would not stop us, and to
look for it would release it, so what this process holds is known by name.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ours: set[Path] = set()


def claim(path: Path) -> None:
    """Lock a file for this process, whoever else locks it."""
    _ours.add(path)


def disclaim(path: Path) -> None:
    """Release the lock of this process on a file."""
    _ours.discard(path)


class Held:
    """A new file that is locked as long as this process lives, or until it is removed.

    Args:
        path: Its place; readable by us alone.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        claim(path)
        try:
            self._descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        except OSError:
            disclaim(path)
            raise
        self._taken = False
        try:
            _lock(self._descriptor)
        except (BlockingIOError, PermissionError):
            self._taken = True
        except (ImportError, OSError):
            pass  # without locks nobody can tell that it is left over: it is as safe as with one

    @property
    def stands(self) -> bool:
        """Whether it is ours: it may have been taken for left over before we locked it."""
        return not self._taken and os.fstat(self._descriptor).st_nlink > 0

    def remove(self) -> None:
        """Remove it, and let go; do nothing the second time."""
        if self.path not in _ours:
            return
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)
        disclaim(self.path)


@contextmanager
def left_over(path: Path) -> Iterator[bool]:
    """Yield whether a file is held by nobody; meanwhile it is held by us, to be removed.

    False in doubt: it is no file, it may not be opened, there are no locks here.
    """
    if path in _ours:
        yield False
        return
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        yield False
        return
    try:
        yield _is_free(descriptor)
    finally:
        os.close(descriptor)


def _is_free(descriptor: int) -> bool:
    try:
        _lock(descriptor)
    except (ImportError, OSError):
        return False
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _lock(descriptor: int) -> None:
    import fcntl

    fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
