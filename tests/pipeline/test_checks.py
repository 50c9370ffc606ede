"""Checks of a run see what it broke where it worked, and `sparkify check` sees what is broken anywhere.

A warehouse of a few days; then a run brings events of one day and a song, and while it computes the star
something is broken by hand: at a moment that the run touches, or elsewhere. A run that looked at everything
would cost what the warehouse holds.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sparkify.cli.app import run
from sparkify.pipeline import etl_run, scope, transform
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.scope import Scope
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.statements import Statement
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.warehouses import ENGINES, Place, Warehouses, options_of

pytestmark = pytest.mark.as_owner("its sabotage within a run changes tables that no run updates")
DAY = 86_400_000
# When the run's events are, and some earlier ones of other people and songs.
NOW, BEFORE = TS + 3 * DAY, TS
_AT = {NOW: "TIMESTAMP '2018-11-04 00:00:00'", BEFORE: "TIMESTAMP '2018-11-01 00:00:00'"}


def _twice(table: str, condition: str) -> str:
    return f"INSERT INTO {table} SELECT * FROM {table} WHERE {condition}"


def _damage(ts: int, user: str, song_id: str, artist_id: str) -> dict[str, tuple[str, str]]:
    """Return what is done by hand at a moment, to a person and to a song, and the check that sees it."""
    at = f"start_time = {_AT[ts]}"
    return {
        "a play twice": (_twice("songplays", at), "unique_keys"),
        "a person twice": (_twice("users", f"user_id = '{user}'"), "unique_keys"),
        "a song twice": (_twice("songs", f"song_id = '{song_id}'"), "unique_keys"),
        "an artist twice": (_twice("artists", f"artist_id = '{artist_id}'"), "unique_keys"),
        "a moment twice": (_twice("time", at), "unique_keys"),
        "a play is lost": (f"DELETE FROM songplays WHERE {at}", "no_fan_out"),
        "a person is lost": (f"DELETE FROM users WHERE user_id = '{user}'", "references"),
        "a moment is lost": (f"DELETE FROM time WHERE {at}", "references"),
        "a song is lost": (f"DELETE FROM songs WHERE song_id = '{song_id}'", "references"),
        "an artist is lost": (f"DELETE FROM artists WHERE artist_id = '{artist_id}'", "references"),
        "a song that never was": (f"UPDATE songplays SET song_id = 'SO0' WHERE {at}", "references"),
        "an artist that never was": (f"UPDATE songplays SET artist_id = 'AR0' WHERE {at}", "references"),
        "a play of nobody": (f"UPDATE songplays SET user_id = '' WHERE {at}", "not_null"),
        "a row of no file": (f"UPDATE staging_events SET file_id = 1 WHERE ts = {ts}", "owned_rows"),
    }


TOUCHED = _damage(NOW, "1", "SO1", "AR1")
ELSEWHERE = _damage(BEFORE, "2", "SO2", "AR2")
NAMES = list(TOUCHED)


@pytest.fixture(scope="module", params=ENGINES)
def started(
    request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory
) -> Place:
    """Two days with two people, two songs, and plays of both songs."""
    root = tmp_path_factory.mktemp("started")
    place = warehouses.new(request.param, root)
    songs = root / "song_data"
    write_records(songs / "1.json", song())
    write_records(songs / "2.json", song(song_id="SO2", artist_id="AR2", title="Other", artist_name="Band"))
    others = [play(userId="2", song="Other", artist="Band", itemInSession=n, ts=TS + n) for n in range(4)]
    write_records(root / "log_data" / "1.json", *others)
    write_records(root / "log_data" / "2.json", *(play(ts=TS + DAY + n, itemInSession=n) for n in range(3)))
    assert etl(place, root / "log_data", songs) == 0
    return place


@pytest.fixture
def place(started: Place, warehouses: Warehouses, tmp_path: Path) -> Place:
    return warehouses.clone(started, tmp_path)


@pytest.fixture(params=["whole", "sparse"])
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a run's days are computed anew whole, or moment by moment."""
    monkeypatch.setattr(scope, "_MOST", 2.0 if request.param == "sparse" else 0.0)


@pytest.fixture
def damaged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return statements that are carried out by hand when a run has computed the star."""
    statements: list[str] = []

    def compute(engine: Engine, of: Scope, progress: ShowProgress) -> None:
        transform.transform(engine, of, progress)
        for text in statements:
            engine.execute(Statement(text, "by hand", 1))

    monkeypatch.setattr(etl_run, "transform", compute)
    return statements


def _bring(place: Place, folder: Path) -> int:
    """Load a play of that day and its song again, so that both are touched; return the exit code."""
    write_records(folder / "log_data" / "3.json", play(ts=NOW), play(ts=NOW + 1, userId="3"))
    write_records(folder / "song_data" / "3.json", song(year=2000))
    return etl(place, folder / "log_data", folder / "song_data")


def _failing(place: Place, capsys: pytest.CaptureFixture[str]) -> set[str]:
    capsys.readouterr()
    code = run(["check", "--json", *options_of(place)])
    found = {each["name"] for each in json.loads(capsys.readouterr().out)["checks"] if each["failing_rows"]}
    assert code == (3 if found else 0)
    return found


@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("name", NAMES)
def test_what_a_run_breaks_it_does_not_publish(
    place: Place,
    tmp_path: Path,
    damaged: list[str],
    name: str,
    capsys: pytest.CaptureFixture[str],
):
    sql, check = TOUCHED[name]
    damaged.append(sql)
    assert _bring(place, tmp_path / "new") == 3
    assert check in capsys.readouterr().err
    assert not _failing(place, capsys)
    damaged.clear()
    assert _bring(place, tmp_path / "new") == 0


@pytest.mark.usefixtures("cut")
# A song without its artist is seen in any run: all songs are looked at, they are few.
@pytest.mark.parametrize("name", [name for name in NAMES if name != "an artist is lost"])
def test_what_is_broken_elsewhere_is_seen_by_check(
    place: Place, tmp_path: Path, damaged: list[str], name: str, capsys: pytest.CaptureFixture[str]
):
    sql, check = ELSEWHERE[name]
    damaged.append(sql)
    assert _bring(place, tmp_path / "new") == 0
    assert check in _failing(place, capsys)


def test_a_song_that_goes_is_missed_wherever_it_is_played(
    place: Place, tmp_path: Path, damaged: list[str], capsys: pytest.CaptureFixture[str]
):
    """The run touches the song; the plays that point to it are of another day."""
    damaged.append(f"DELETE FROM songplays WHERE start_time = {_AT[NOW]}")
    damaged.append("DELETE FROM songs WHERE song_id = 'SO1'")
    write_records(tmp_path / "song_data" / "3.json", song(year=2000))
    assert etl(place, None, tmp_path / "song_data") == 3
    assert "references" in capsys.readouterr().err
