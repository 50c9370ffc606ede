"""The load with strict parsing alone: nothing of the quarantine but the parser's own verdict on whole files.

No byte is counted, no row is marked, numbers are read in their columns' types. Run as ``sparkify etl`` is:
``python strict_parsing.py etl --log-data …``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from sparkify.cli import main
from sparkify.intake.marks import Marks
from sparkify.pipeline.landing import LandedFile
from sparkify.pipeline.plan import PlannedFile
from sparkify.records import RecordKind

NOTHING = Marks(0)


def values(kind: RecordKind, _: Sequence[str] = ()) -> str:
    return ", ".join(f'j."{field.key}"' for field in kind.fields)


def landed_file(file: PlannedFile, _: int, landed: int, *rest: Any, **others: Any) -> LandedFile:
    """Take what landed for what was read: nobody has counted it."""
    return LandedFile(file, landed, landed, *rest, **others)


if __name__ == "__main__":
    landing = "sparkify.warehouse.duckdb.parsing."
    with (
        patch("sparkify.pipeline.fetch.count_marks", lambda *_, **__: NOTHING),
        patch("sparkify.pipeline.fetch.looks_flat", lambda *_: False),
        patch("sparkify.pipeline.strictly._contradict", lambda *_: False),
        patch("sparkify.pipeline.strictly._may_have_other_fields", lambda *_: False),
        patch("sparkify.pipeline.landing.LandedFile", landed_file),
        patch(landing + "_needs_rereading", lambda *_, **__: "FALSE"),
        patch(landing + "_read_as", lambda field, **_: field.type),
        patch(landing + "_values", values),
    ):
        main()
