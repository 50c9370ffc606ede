"""The .sql files of the package, for tests that hold for every one of them."""

from __future__ import annotations

from pathlib import Path

import sparkify.sql

_ROOT = Path(sparkify.sql.__file__).parent
MODEL_FILES = sorted(path.relative_to(_ROOT).as_posix() for path in _ROOT.rglob("*.sql"))
# Those that run on both engines; the others are Redshift's own.
SHARED_FILES = [path for path in MODEL_FILES if not path.startswith(("redshift/", "derived/"))]
