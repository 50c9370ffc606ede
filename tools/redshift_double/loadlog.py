"""The logs behind SYS_LOAD_* and STL_LOAD_*.

Owns the files that sysviews.sql reads. They are written outside any transaction, so a rollback leaves them
alone.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from .postgres import readable

Log = Literal["load_history", "load_detail", "load_error"]
_LOCK = threading.Lock()


class LoadLog:
    """One database's logs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, log: Log, rows: Iterable[Mapping[str, object]]) -> None:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        if not text:
            return
        with _LOCK:
            if not self._folder.exists():
                self._folder.mkdir(parents=True)
                readable(self._folder.parent)
                readable(self._folder)
            path = self._folder / f"{log}.jsonl"
            with path.open("a", encoding="utf-8") as file:
                file.write(text)
            readable(path)
