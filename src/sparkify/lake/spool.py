"""A folder for what has to lie on the local disk during a run, gone after it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparkify.errors import SparkifyError

_PREFIX = "sparkify-spool-"


@contextmanager
def open_spool() -> Iterator[Path]:
    """Yield an empty folder below the system's temporary one (``TMPDIR``), removed at the end.

    The name carries our process id, so what a killed run left behind is found and removed here too.

    Raises:
        SparkifyError: The folder cannot be made, or what is done with it fails: the disk is full.
    """
    folder = None
    try:
        _sweep(Path(tempfile.gettempdir()))
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        yield folder
    except OSError as exc:
        # Errors of the lake and the warehouse are their own by now.
        raise SparkifyError(
            f"temporary files cannot be written{f' in {folder}' if folder else ''}: {exc.strerror}.",
            "Nothing was changed. Make room, or name another folder with TMPDIR; then run again.",
        ) from exc
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for left in parent.glob(f"{_PREFIX}*"):
        number = re.fullmatch(r"(\d+)-\w+", left.name.removeprefix(_PREFIX))
        if number and not _alive(int(number[1])):
            shutil.rmtree(left, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
