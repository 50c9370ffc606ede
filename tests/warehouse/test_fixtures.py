"""The warehouses of older versions are as their makers left them, on both engines, and know their lakes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from sparkify.cli.app import run
from tests.conftest import ROOT, S3Server
from tests.old_warehouses import (
    FIXTURES,
    VERSIONS,
    Restored,
    describe,
    expected,
    plan_below,
    restore,
    restore_on,
)
from tests.warehouses import ENGINES, Warehouses, options_of, rows

# What the history of every fixture must have left, by kind and state or by mode and status.
STATES = {
    ("events", "loaded"),
    ("events", "replaced"),
    ("events", "retracted"),
    ("events", "undone"),
    ("songs", "loaded"),
    ("songs", "replaced"),
}
MODES = {
    ("full-refresh", "done"),
    ("incremental", "done"),
    ("incremental", "failed"),
    ("replay", "done"),
    ("retract", "done"),
    ("retract --back", "done"),
    ("undo 3", "done"),
}


pytestmark = pytest.mark.as_owner("an upgrade changes tables")


@pytest.fixture(scope="module", params=[(v, engine) for v in VERSIONS for engine in ENGINES], ids=str)
def version_and_old(
    request: pytest.FixtureRequest, warehouses: Warehouses, s3: S3Server, tmp_path_factory: Any
) -> tuple[int, Restored]:
    version, engine = request.param
    return version, restore_on(engine, version, tmp_path_factory.mktemp("old"), warehouses, s3)


def test_holds_what_its_maker_left(version_and_old: tuple[int, Restored]):
    version, old = version_and_old
    tables = expected(version)["tables"]
    assert describe(old.place, tables) == tables
    assert all(table["rows"] for table in tables.values())


def test_knows_every_file_of_its_lake(
    version_and_old: tuple[int, Restored], capsys: pytest.CaptureFixture[str]
):
    """Nothing is new or changed; one file is gone, one was retracted.

    Those with rejects are read again, and those of runs that met fields without a column.
    """
    version, old = version_and_old
    plan = ["etl", "--plan", "--json", "--log-data", old.log_data, "--song-data", old.song_data]
    assert run([*plan, *options_of(old.place)]) == 0
    found = plan_below(json.loads(capsys.readouterr().out)["plan"], old.lake)
    rejected = rows(
        old.place,
        "SELECT COUNT(*) FROM etl.files AS f WHERE state = 'loaded' AND (rows_rejected > 0 OR EXISTS ("
        "SELECT 1 FROM etl.unknown_fields AS u WHERE u.run_id = f.run_id AND u.kind = f.kind))",
    )
    assert [(len(found["files"]),)] == rejected
    again = {"files": [], "unchanged": found["unchanged"] + len(found["files"])}
    assert found | again == expected(version)["plan"]
    assert found["gone"]
    assert found["retracted"]


def test_has_a_history(version_and_old: tuple[int, Restored]):
    _, old = version_and_old
    assert set(rows(old.place, "SELECT DISTINCT kind, state FROM etl.files")) >= STATES
    assert set(rows(old.place, "SELECT DISTINCT mode, status FROM etl.runs")) >= MODES
    names = "SELECT COUNT(DISTINCT artist_name) FROM staging_songs GROUP BY artist_id"
    assert max(rows(old.place, names)) >= (2,)
    matches = "SELECT DISTINCT COALESCE(song_match, '') FROM songplays"
    assert set(rows(old.place, matches)) == {("exact",), ("title_artist",), ("",)}
    elsewhere = "SELECT COUNT(*) FROM etl.files WHERE uri NOT LIKE %s"
    assert rows(old.place, elsewhere, [f"{old.lake}/%"]) == [(0,)]


def test_checks_hold(version_and_old: tuple[int, Restored]):
    _, old = version_and_old
    assert run(["check", *options_of(old.place)]) == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_every_file_of_a_fixture_is_in_the_repository(version: int):
    """*.duckdb files are ignored; the packed ones must not be, or a clone has none."""
    names = ["expected.json", "lake.tar.gz", "meta.json", "tables.sql", "warehouse.duckdb.gz"]
    folder = FIXTURES / f"v{version}"
    assert sorted(path.name for path in folder.iterdir()) == names
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_000_000
    if shutil.which("git") is None:
        pytest.skip("there is no git to ask what is ignored")
    ignored = ["git", "check-ignore", *(str(folder / name) for name in names)]
    assert subprocess.run(ignored, cwd=ROOT, capture_output=True, check=False).stdout == b""


def test_nothing_is_restored_into_the_repository():
    with pytest.raises(AssertionError, match="in the repository"):
        restore(VERSIONS[0], FIXTURES / "restored")
    assert not (FIXTURES / "restored").exists()


def test_a_version_is_made_once():
    """A newer version would make another warehouse, and the old one could not be had again."""
    command = [sys.executable, "-m", "tools.make_fixture", str(VERSIONS[0])]
    before = {path: path.read_bytes() for path in (FIXTURES / f"v{VERSIONS[0]}").iterdir()}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert before == {path: path.read_bytes() for path in (FIXTURES / f"v{VERSIONS[0]}").iterdir()}
