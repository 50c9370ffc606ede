"""A folder for what has to lie on the local disk during a run, gone after it."""

from __future__ import annotations

import atexit
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparkify.errors import SparkifyError
from sparkify.filelocks import Held, left_over

_PREFIX = "sparkify-spool-"
_LOCK = re.compile(_PREFIX + r"[0-9a-f]{16}\.lock")


class TemporaryFolder:
    """An empty folder below the system's temporary one (``TMPDIR``), and a locked file beside it.

    The lock tells that it is in use, on whatever machine; what killed runs left is removed here too.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self) -> None:
        parent = Path(tempfile.gettempdir())
        _sweep(parent)
        while True:
            self.path = parent / f"{_PREFIX}{secrets.token_hex(8)}"
            self._lock = Held(self.path.with_suffix(".lock"))
            if self._lock.stands:
                break
            self._lock.remove()
        try:
            self.path.mkdir(mode=0o700)
        except OSError:
            self._lock.remove()
            raise
        # For an interrupt that comes while it is being removed, or before anybody knows of it.
        atexit.register(self.remove)

    def remove(self) -> None:
        """Remove the folder with everything in it; do nothing the second time."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.remove()
        atexit.unregister(self.remove)


@contextmanager
def open_temporary_folder() -> Iterator[Path]:
    """Yield a temporary folder's path; it is removed at the end.

    Raises:
        SparkifyError: The folder cannot be made, or what is done with it fails: the disk is full.
    """
    folder = None
    try:
        folder = TemporaryFolder()
        yield folder.path
    except OSError as exc:
        # Errors of the lake and the warehouse are their own by now.
        raise SparkifyError(
            f"temporary files cannot be written{f' in {folder.path}' if folder else ''}: {exc.strerror}.",
            "Nothing was changed. Make room, or name another folder with TMPDIR; then run again.",
        ) from exc
    finally:
        if folder:
            folder.remove()


def _sweep(parent: Path) -> None:
    for path in parent.glob(f"{_PREFIX}*.lock"):
        if _LOCK.fullmatch(path.name):
            with left_over(path) as left:
                folder = path.with_suffix("")
                if left:
                    shutil.rmtree(folder, ignore_errors=True)
                if left and not folder.exists():
                    path.unlink(missing_ok=True)
