"""A folder for what has to lie on the local disk during a run, gone after it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparkify.errors import SparkifyError
from sparkify.leftovers import own_name, sweep

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
        sweep(Path(tempfile.gettempdir()), _PREFIX)
        folder = Path(tempfile.mkdtemp(prefix=f"{own_name(_PREFIX)}-"))
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
