"""Files and folders that must not outlive the process they are made by: their names carry its number.

A process that is killed cannot tidy up; the next one does, by the names.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
from pathlib import Path


def own_name(prefix: str) -> str:
    """Return a name that :func:`sweep` takes for ours while this process lives."""
    return f"{prefix}{os.getpid()}"


def sweep(folder: Path, prefix: str) -> None:
    """Remove what processes that are gone left below ``folder`` under names of :func:`own_name`."""
    for left in folder.glob(f"{glob.escape(prefix)}*"):
        number = re.match(r"\d+", left.name.removeprefix(prefix))
        if not number or _alive(int(number[0])):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
