"""Large tables are analysed, since Redshift plans their joins by statistics that nobody has made yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkify.pipeline import etl_run, land, retry
from tests.contents import read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.records import play, song, write_records
from tests.tiers import sweep
from tests.warehouses import OnRedshift, Warehouses
from tools.redshift_double import Fault

STAR = ["songplays", "users", "songs", "artists", "time"]


@pytest.fixture
def place(warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OnRedshift]:
    monkeypatch.setattr(retry, "PAUSES", (0.0,) * 4)
    for module in (land, etl_run):
        monkeypatch.setattr(module, "ANALYZED_ROWS", 1)
    write_records(tmp_path / "songs" / "a.json", song())
    write_records(tmp_path / "logs" / "a.json", play())
    with warehouses.temporary("redshift", tmp_path) as place:
        assert isinstance(place, OnRedshift)
        yield place
        place.server.faults.clear()


def analysed(place: OnRedshift, tmp_path: Path, *options: str) -> list[str]:
    """Load; return the tables that were analysed, none of them within a transaction."""
    place.server.statements.clear()
    assert etl(place, tmp_path / "logs", tmp_path / "songs", *options) == 0
    assert read_tables(place) == expect([play()], [song()])
    inside, found = False, []
    for entry in place.server.statements:
        last = entry.sql.rsplit("\n", 1)[-1]
        inside = last.startswith("BEGIN") or (inside and not last.startswith(("COMMIT", "ROLLBACK")))
        if last.startswith("ANALYZE "):
            assert not inside
            found.append(last.removeprefix("ANALYZE "))
    return found


@pytest.mark.as_owner("to analyse a table takes its owner")
def test_an_owner_analyses_what_landed_and_a_star_that_was_computed_whole(place: OnRedshift, tmp_path: Path):
    star = [f"public.{name}" for name in STAR]
    assert analysed(place, tmp_path) == ["run_songs", "run_events", *star]
    assert analysed(place, tmp_path) == []
    assert analysed(place, tmp_path, "--full-refresh") == star


def test_few_rows_are_not_worth_it(place: OnRedshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for module in (land, etl_run):
        monkeypatch.setattr(module, "ANALYZED_ROWS", 2)
    assert analysed(place, tmp_path) == []


def test_who_owns_nothing_analyses_its_own_tables_alone(
    place: OnRedshift, tmp_path: Path, warehouses: Warehouses, caplog: pytest.LogCaptureFixture
):
    """It has no right to the others, asks for none, and says so to who debugs."""
    caplog.set_level("DEBUG", "sparkify.warehouse.redshift.redshift_engine")
    mine = warehouses.new("redshift", tmp_path / "mine", user="etl")
    assert isinstance(mine, OnRedshift)
    assert analysed(mine, tmp_path) == ["run_songs", "run_events"]
    assert analysed(mine, tmp_path, "--full-refresh") == []
    assert "ANALYZE public.users is left to its owner." in caplog.messages


@pytest.mark.as_owner("to analyse a table takes its owner")
@pytest.mark.parametrize(
    "fault",
    sweep(
        [
            Fault("refuse", match="ANALYZE run", code="42501", message="permission denied", times=9),
            Fault("refuse", match="ANALYZE public", code="42501", message="permission denied", times=9),
            Fault("drop_before", match="ANALYZE run_events"),
            Fault("drop_before", match="ANALYZE public.users"),
            Fault("drop_after", match="ANALYZE public.users"),
        ],
        5,
    ),
    ids=lambda fault: f"{fault.kind} {fault.match}",
)
def test_without_it_a_run_is_as_good(place: OnRedshift, tmp_path: Path, fault: Fault):
    """Refused it is left; with a lost connection the run is begun again, unless it is committed."""
    place.server.faults.arm(fault)
    analysed(place, tmp_path)
    assert place.rows("SELECT status, COUNT(*) FROM etl.runs GROUP BY status") == [("done", 1)]
