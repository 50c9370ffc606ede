"""What a simulation left behind, as plain Python values."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from sparkify.simulator.manifest import MANIFEST


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, but for the list of them."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {os.path.relpath(path, folder): path.read_bytes() for path in found}


def log_lines(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the parsed lines of each log file, by its date."""
    found = sorted((folder / "log_data").rglob("*.json"))
    return {path.name[:10]: [json.loads(line) for line in path.read_bytes().split(b"\n")] for path in found}
