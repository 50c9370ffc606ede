"""Find the process that holds a DuckDB file, from DuckDB's message and /proc."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple


class Holder(NamedTuple):
    """A process that holds a file: its description, and its process id if known."""

    words: str
    pid: int | None = None


def find_holder(refusal: str) -> Holder:
    """Return the holder of the file named in DuckDB's message."""
    found = re.search(r"held in (.+?) \(PID (\d+)\)", refusal)
    if found is None:
        return Holder("another process")
    pid = int(found[2])
    started = _started(pid)
    since = f", running since {_clock(started)}" if started else ""
    return Holder(f"process {pid} ({found[1]}{since})", pid)


def _started(pid: int) -> datetime | None:
    """Return when a process started, in local time; None without /proc, or if the process has ended."""
    try:
        # The name in parentheses is arbitrary; the 20th field after it is the start in ticks since boot.
        ticks = int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        up = float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
        age = up - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
    return datetime.now().astimezone() - timedelta(seconds=age)


def _clock(moment: datetime) -> str:
    today = datetime.now().astimezone().date()
    return f"{moment:%H:%M:%S}" if moment.date() == today else f"{moment:%Y-%m-%d %H:%M}"
