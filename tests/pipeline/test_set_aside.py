"""One bad file does not stop the night: it is set aside whole and named, and everything else is loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.cli.app import run
from sparkify.errors import SourceDenied
from sparkify.lake.folder import Folder
from sparkify.lake.store import LakeObject
from tests.contents import hash_tables, read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.records import TS, play, write_records
from tests.tiers import by_profile
from tests.warehouses import ENGINES, Place, Warehouses, options_of, rows

DAY = 24 * 3600 * 1000
GARBAGE = "".join(f"this is no record at all, number {number}\n" for number in range(60))


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path: Path) -> Place:
    return warehouses.new(request.param, tmp_path)


def write_day(logs: Path, day: int, events: int = 40) -> Path:
    """Write a day's log; its name tells the day."""
    records = [play(ts=TS + day * DAY + n * 600_000, sessionId=day, itemInSession=n) for n in range(events)]
    return write_records(logs / f"2018-11-{day:02}.json", *records)


def states(place: Place) -> dict[str, tuple[str, str | None]]:
    """Return the state of every file that is current, and why it is set aside, by name."""
    found = rows(place, "SELECT uri, state, reason FROM etl.files WHERE state <> 'replaced'")
    return {uri.rpartition("/")[2]: (state, reason) for uri, state, reason in found}


def loaded_days(place: Place) -> set[int]:
    return {day for (day,) in rows(place, "SELECT DISTINCT session_id FROM staging_events")}


class Lake:
    """A folder in which one file may not be read, and another grows while it is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.denied = ""
        self.growing = ""
        self._verify, self._read = Folder.verify, Folder.read
        self._times = 0
        monkeypatch.setattr(Folder, "verify", lambda *of: self.verify(*of))  # noqa: PLW0108 - it binds
        monkeypatch.setattr(Folder, "read", lambda *of: self.read(*of))  # noqa: PLW0108

    def verify(self, store: Folder, item: LakeObject) -> None:
        self._deny(item)
        if self.growing and item.uri.endswith(self.growing):
            self._times += 1
            if self._times % 2 == 0:  # once it has been fetched
                with Path(item.uri).open("a") as file:
                    file.write(json.dumps(play(ts=TS + 20 * DAY + self._times, sessionId=20)) + "\n")
        self._verify(store, item)

    def read(self, store: Folder, item: LakeObject) -> bytes:
        self._deny(item)
        return self._read(store, item)

    def _deny(self, item: LakeObject) -> None:
        if self.denied and item.uri.endswith(self.denied):
            raise SourceDenied(f"{item.uri} may not be read.", "Ask its owner.", uri=item.uri)


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Lake:
    return Lake(monkeypatch)


def test_thirty_days_of_which_three_are_bad(
    warehouses: Warehouses, tmp_path: Path, lake: Lake, capsys: pytest.CaptureFixture[str]
):
    place, logs = warehouses.new("duckdb", tmp_path), tmp_path / "log_data"
    for day in range(1, 31):
        write_day(logs, day)
    garbage = logs / "2018-11-07.json"
    garbage.write_text(GARBAGE)
    lake.denied, lake.growing = "2018-11-12.json", "2018-11-20.json"
    assert etl(place, logs, None, "--json") == 4
    told = json.loads(capsys.readouterr().out)
    assert loaded_days(place) == set(range(1, 31)) - {7, 12, 20}
    assert {name: why for name, (state, why) in states(place).items() if state == "set_aside"} == {
        "2018-11-07.json": "rejects",
        "2018-11-12.json": "unreadable",
        "2018-11-20.json": "growing",
    }
    named = {
        key: [each["subject"].rpartition("/")[2] for each in told[key]] for key in ("attention", "known")
    }
    assert sorted(named["attention"]) == ["2018-11-07.json", "2018-11-12.json"]
    assert named["known"] == ["2018-11-20.json"]
    assert rows(place, "SELECT COUNT(*) FROM etl.rejects") == [(60,)]
    assert run(["check", *options_of(place)]) == 0
    # As it is: what was told is not told again, and what grows still is.
    assert etl(place, logs) == 4
    lake.growing = ""
    assert etl(place, logs) == 0
    assert loaded_days(place) == set(range(1, 31)) - {7, 12}
    # Mended.
    write_day(logs, 7)
    lake.denied = ""
    assert etl(place, logs) == 0
    assert {state for state, _ in states(place).values()} == {"loaded"}
    assert rows(place, "SELECT COUNT(*) FROM etl.rejects WHERE resolved_by IS NULL") == [(0,)]
    fresh = warehouses.new("duckdb", tmp_path / "fresh")
    assert etl(fresh, logs) == 0
    assert hash_tables(place, file_ids=True) == hash_tables(fresh, file_ids=True)


@pytest.mark.parametrize(
    ("good", "bad", "code"),
    [(90, 10, 3), (90, 11, 4), (0, 1, 4), (3, 10, 3), (3, 11, 4), (2000, 11, 0)],
    ids=str,
)
def test_a_file_is_set_aside_by_its_share_of_rejects(
    place: Place, tmp_path: Path, good: int, bad: int, code: int
):
    """Nothing loads, or more than a tenth and more than ten; below that the share of the run decides."""
    logs = tmp_path / "log_data"
    write_day(logs, 1)
    path = write_day(logs, 2, good)
    path.write_text(path.read_text() + "no JSON\n" * bad)
    assert etl(place, logs) == code
    expected = {0: {1, 2}, 4: {1}, 3: set()}[code]
    assert loaded_days(place) == expected if expected else not rows(place, "SELECT 1 FROM staging_events")


def test_when_nothing_new_can_be_loaded_nothing_is_published(place: Place, tmp_path: Path):
    logs = tmp_path / "log_data"
    write_day(logs, 1).write_text(GARBAGE)
    assert etl(place, logs) == 3
    write_day(logs, 2)
    assert etl(place, logs) == 4
    assert loaded_days(place) == {2}


@pytest.mark.parametrize("let_in", ["--accept", "replay"])
def test_a_file_is_let_in_as_it_is(place: Place, tmp_path: Path, let_in: str):
    logs = tmp_path / "log_data"
    write_day(logs, 1)
    path = write_day(logs, 2)
    path.write_text(path.read_text() + GARBAGE)
    assert etl(place, logs) == 4
    assert etl(place, logs) == 0
    if let_in == "--accept":
        assert etl(place, logs, None, "--accept", path.name) == 0
    else:
        words = ["rejects", "replay", path.name, "--max-rejects", "100%", "--log-data", str(logs)]
        assert run([*words, *options_of(place)]) == 0
    assert loaded_days(place) == {1, 2}
    assert states(place)[path.name] == ("loaded", None)
    assert rows(place, "SELECT COUNT(*) FROM etl.rejects WHERE resolved_by IS NULL") == [(60,)]


def test_the_version_that_was_loaded_stays_until_a_good_one_comes(place: Place, tmp_path: Path):
    logs = tmp_path / "log_data"
    write_day(logs, 1)
    path = write_day(logs, 2)
    assert etl(place, logs) == 0
    before = hash_tables(place, file_ids=True)
    path.write_text(GARBAGE)
    write_day(logs, 3)
    assert etl(place, logs) == 4
    assert loaded_days(place) == {1, 2, 3}
    assert states(place)[path.name] == ("loaded", "rejects")
    (logs / "2018-11-03.json").unlink()
    path.write_text(GARBAGE * 2)
    write_day(logs, 4)
    assert etl(place, logs) == 0
    assert rows(place, "SELECT COUNT(*) FROM etl.rejects WHERE resolved_by IS NULL") == [(60,)]
    write_day(logs, 2)
    assert etl(place, logs) == 0
    assert states(place)[path.name] == ("loaded", None)
    for day in (3, 4):
        uri = next(
            uri for (uri,) in rows(place, f"SELECT uri FROM etl.files WHERE uri LIKE '%-{day:02}.json'")
        )
        assert run(["retract", uri, "--yes", *options_of(place)]) == 0
    assert hash_tables(place, file_ids=True) == before


@pytest.mark.parametrize(("option", "code", "days"), [("--strict", 3, set()), ("--lenient", 0, {1})])
def test_strict_and_lenient(place: Place, tmp_path: Path, option: str, code: int, days: set[int]):
    logs = tmp_path / "log_data"
    write_day(logs, 1)
    write_day(logs, 2).write_text(GARBAGE)
    assert etl(place, logs, None, option) == code
    assert (
        {day for (day,) in rows(place, "SELECT session_id FROM staging_events")} if days else set()
    ) == days


def test_a_reject_weighs_what_it_holds(place: Place, tmp_path: Path):
    """500 events that cannot be divided are not one record of 201."""
    logs = tmp_path / "log_data"
    write_day(logs, 1, 200)
    glued = "".join(json.dumps(play(itemInSession=n, sessionId=2)) for n in range(500))
    (logs / "2018-11-02.json").write_text(glued.replace('{"artist"', "{artist"))
    assert etl(place, logs) == 4
    assert states(place)["2018-11-02.json"] == ("set_aside", "rejects")
    # Within a file, too.
    path = write_day(logs, 3, 100)
    path.write_text(path.read_text() + glued.replace('{"artist"', "{artist") + "\n")
    write_day(logs, 4)
    assert etl(place, logs) == 4
    assert loaded_days(place) == {1, 4}


GOOD, BAD, GONE = "good", "bad", "gone"
# What is done to a file before a night's run: it is written anew, badly or well, or taken away.
_CHANGES = st.dictionaries(
    st.integers(0, 4), st.tuples(st.sampled_from([GOOD, GOOD, BAD, GONE]), st.integers(0, 2)), max_size=4
)


class Nights:
    """Which files a warehouse must hold after each night, and with which code the run must end.

    Attributes:
        listed: What each file is now, and its version; without those that are gone.
        fresh: Files that were written since the ledger has noted them.
        loaded: The version of each file whose rows are loaded.
        told: Loaded files of which a later version is known to be bad.
    """

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.listed: dict[int, tuple[str, int]] = {}
        self.fresh: set[int] = set()
        self.loaded: dict[int, int] = {}
        self.told: set[int] = set()

    def change(self, file: int, what: str, version: int) -> None:
        path = self.logs / f"{file}.json"
        if what == GONE:
            path.unlink(missing_ok=True)
            self.listed.pop(file, None)
            return
        if what == GOOD:
            write_records(path, *self.records(file, version))
        else:
            path.write_text("".join(f"no JSON {file} {version} {n}\n" for n in range(12)))
        self.listed[file] = what, version
        self.fresh.add(file)

    def run(self) -> int:
        """Return the code of the next run, and note what it does."""
        read = {file for file in self.listed if file in self.fresh}
        good = {file for file in read if self.listed[file][0] == GOOD}
        bad = {file for file in read - good if file not in self.told}
        if bad and not good:
            return 3
        for file in good:
            self.loaded[file] = self.listed[file][1]
        self.told = (self.told | {file for file in bad if file in self.loaded}) - good
        # The bad version of a loaded file is read again by each run.
        self.fresh -= {file for file in read if file in good or file not in self.loaded}
        return 4 if bad else 0

    @staticmethod
    def records(file: int, version: int) -> list[dict[str, Any]]:
        first = TS + file * DAY + version * 1000
        return [play(ts=first + n, sessionId=file, itemInSession=n, level="free") for n in range(3)]


@settings(max_examples=by_profile(5, 40, 400), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nights=st.lists(_CHANGES, min_size=1, max_size=5))
def test_whatever_nights_bring_the_tables_are_those_of_the_good_versions(
    tmp_path_factory: pytest.TempPathFactory, nights: list[dict[int, tuple[str, int]]]
):
    folder = tmp_path_factory.mktemp("nights")
    place, logs = folder / "w.duckdb", folder / "log_data"
    write_records(logs / "always.json", play(sessionId=99))
    assert etl(place, logs, None) == 0
    model = Nights(logs)
    for night in nights:
        for file, (what, version) in night.items():
            model.change(file, what, version)
        assert etl(place, logs, None) == model.run()
        records = [each for file, version in model.loaded.items() for each in model.records(file, version)]
        assert read_tables(place) == expect([play(sessionId=99), *records], [])
