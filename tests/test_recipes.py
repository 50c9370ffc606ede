"""The recipes of CONTRIBUTING.md, carried out in a copy of the tree: what they promise is so.

A column is one edit and one migration, a kind one declaration and one migration; what is generated aside.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, S3Server
from tests.old_warehouses import restore_on
from tests.recipes import read_recipes
from tests.records import TS, play, write_records
from tests.warehouses import ENGINES, Place, Warehouses, options_of, rows

pytestmark = pytest.mark.thorough

RECIPES = read_recipes(ROOT / "CONTRIBUTING.md")
each_engine = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A copy of the tree for each recipe, carried out."""
    made = {}
    for name, steps in RECIPES.items():
        root = tmp_path_factory.mktemp(name)
        for folder in ("src", "tools", "tests", "docs"):
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for step in steps:
            step.apply(root)
        python(root, "-m", "tools.generate")
        made[name] = root
    return made


def python(root: Path, *arguments: str) -> str:
    """Run Python on a copy of the tree, and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 4), done.stderr  # 4: one of its logs is cut
    return done.stdout


def sparkify(root: Path, place: Place, *arguments: str) -> dict[str, Any]:
    """Run a command of a copy on a warehouse, and return what it tells scripts."""
    told: dict[str, Any] = json.loads(
        python(root, "-m", "sparkify", *arguments, *options_of(place), "--json")
    )
    return told


def changed(name: str) -> set[str]:
    """Return the files of the package that a recipe changes by hand."""
    return {step.path for step in RECIPES[name] if step.path.startswith("src/")}


def test_a_column_is_one_edit_and_one_migration():
    edits = changed("column")
    assert edits == {"src/sparkify/records.py", *(path for path in edits if "/migrations/" in path)}
    assert len(edits) == 2


def test_a_kind_is_one_declaration_and_one_migration():
    edits = changed("kind")
    assert edits == {"src/sparkify/records.py", *(path for path in edits if "/migrations/" in path)}
    assert len(edits) == 2


@each_engine
def test_a_warehouse_that_is_there_gets_the_column(
    copies: dict[str, Path], warehouses: Warehouses, s3: S3Server, tmp_path: Path, engine: str
):
    """By the next etl; every file reads as before, and new ones fill the column."""
    old = restore_on(engine, 0, tmp_path / "old", warehouses, s3)
    staged = "SELECT artist, ts, user_id, session_id, file_id FROM staging_events"
    before = sorted(map(repr, rows(old.place, staged)))
    logs, late = tmp_path / "more", TS + 900_000_000_000
    write_records(logs / "1.json", play(ts=late, deviceId="phone 7"), play(ts=late + 1))
    sources = ("--log-data", str(logs))
    told = sparkify(copies["column"], old.place, "etl", "--lenient", *sources)
    assert [each["rows_loaded"] for each in told["runs"]] == [2]
    assert told["plan"]["upgrade"]["migrations"][-1].startswith("migrations/0009_")
    assert told["unknown_fields"] == []
    found = rows(old.place, "SELECT device_id FROM staging_events WHERE ts >= %s", [late])
    assert sorted(found, key=repr) == [("phone 7",), (None,)]
    old_rows = rows(old.place, f"{staged} WHERE ts < %s", [late])
    assert sorted(map(repr, old_rows)) == before
    assert rows(old.place, "SELECT COUNT(device_id) FROM staging_events") == [(1,)]
    # A file that the warehouse has is read again as it was read before.
    again = sparkify(copies["column"], old.place, "rejects", "replay", "--log-data", old.log_data)
    assert [each["files_loaded"] > 0 for each in again["runs"]] == [True]
    reread = rows(old.place, f"{staged} WHERE ts < %s", [late])
    # But for a log that was delivered twice, and is a copy now.
    assert set(map(repr, reread)) <= set(before)
    assert {each[:-1] for each in reread} == {each[:-1] for each in old_rows}
    assert sparkify(copies["column"], old.place, "check")["ok"]


@each_engine
def test_a_third_kind_loads(copies: dict[str, Path], warehouses: Warehouses, tmp_path: Path, engine: str):
    place = warehouses.new(engine, tmp_path / "place")
    ads = [{"adId": f"a{number}", "shownAt": TS + number, "userId": "1"} for number in range(3)]
    path = write_records(tmp_path / "ads" / "1.json", *ads)
    path.write_text(path.read_text() + '{"adId": "late"}\n')
    write_records(tmp_path / "log_data" / "1.json", play())
    sources = ("--ad-data", str(tmp_path / "ads"), "--log-data", str(tmp_path / "log_data"))
    told = sparkify(copies["kind"], place, "etl", *sources, "--max-rejects", "1")
    assert told["tables"]["staging_ads"] == 3
    assert told["tables"]["songplays"] == 1
    assert rows(place, "SELECT ad_id, shown_at, user_id FROM staging_ads ORDER BY ad_id") == [
        (ad["adId"], ad["shownAt"], ad["userId"]) for ad in ads
    ]
    assert rows(place, "SELECT reason FROM etl.rejects") == [("missing_field",)]
    assert sparkify(copies["kind"], place, "etl", *sources)["runs"] == []
    assert sparkify(copies["kind"], place, "check")["ok"]
    sparkify(copies["kind"], place, "retract", str(path), "--yes")
    assert rows(place, "SELECT COUNT(*) FROM staging_ads") == [(0,)]
