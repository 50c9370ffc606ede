"""Fields that no column was made for: their values are kept, and `sparkify fields` says which there are."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sparkify.cli.app import run
from sparkify.pipeline import etl_run, set_aside
from sparkify.pipeline.stage import told_apart
from tests.contents import hash_tables
from tests.loading import etl
from tests.oracle import COLUMNS, adopt, expect
from tests.records import play, song, write_records
from tests.warehouses import ENGINES, Place, Warehouses, options_of, rows

Records = list[dict[str, Any]]


def _with_others(day: int, records: Records) -> Records:
    """Add fields to the records of some days: a text, a nested value, one of several types."""
    if day % 3 == 0:
        return records
    found = []
    for number, record in enumerate(records):
        others: dict[str, Any] = {"deviceType": ["phone", 'né "4"', "", None][number % 4]}
        if day % 3 == 2:
            others["context"] = {"os": "iOS", "at": [number, number / 4, None], "in": {}}
            others["score"] = [12, 12.5, "x"][number % 3]
        found.append(record | others)
    return found


@pytest.mark.as_owner("adopting a field adds a column, which takes the table's owner")
@pytest.mark.parametrize("engine", ENGINES)
def test_every_value_of_the_real_month_is_found_again(
    warehouses: Warehouses, tmp_path: Path, real_data: Path, engine: str
):
    lake = tmp_path / "lake"
    everything: Records = []
    for day, path in enumerate(sorted((real_data / "log_data").rglob("*.json"))):
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        everything += _with_others(day, records)
        write_records(lake / path.name, *_with_others(day, records))
    place = warehouses.new(engine, tmp_path)
    assert etl(place, lake, real_data / "song_data") == 0
    wanted = expect(everything, [])["staging_events"]
    columns = "user_id, session_id, item_in_session, ts, extra"
    at = [COLUMNS["staging_events"].index(name) for name in columns.split(", ")]
    assert Counter(rows(place, f"SELECT {columns} FROM staging_events")) == Counter(
        tuple(row[each] for each in at) for row in wanted.elements()
    )
    before = hash_tables(place)
    assert etl(place, lake, real_data / "song_data", "--full-refresh") == 0
    assert hash_tables(place) == before
    _adopt_all(place, everything)


def _adopt_all(place: Place, everything: Records) -> None:
    """Adopt every one of the fields, and compare each row with the oracle."""
    columns = {"deviceType": "VARCHAR(64)", "score": "DOUBLE", "context.os": "VARCHAR(16)"}
    for name, type_ in columns.items():
        assert run(["fields", "adopt", name, "--type", type_, *options_of(place)]) == 0
    found = rows(
        place,
        "SELECT user_id, session_id, item_in_session, ts, device_type, score, context_os FROM staging_events",
    )
    keys = ("userId", "sessionId", "itemInSession", "ts")
    wanted = [
        (
            *(str(each[key]) if key == "userId" else each[key] for key in keys),
            *(adopt(each, name, type_)[0] for name, type_ in columns.items()),
        )
        for each in everything
    ]
    assert Counter(found) == Counter(wanted)
    # Only the context is left, and scores that are no number.
    extras = rows(place, "SELECT DISTINCT extra FROM staging_events WHERE extra IS NOT NULL")
    left = [key for (text,) in extras for key in json.loads(text)]
    assert set(left) == {"context", "score"}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_unknown_field_of_a_song_is_kept_however_it_is_written(
    warehouses: Warehouses, tmp_path: Path, engine: str
):
    """Whatever its neighbours are, with which it is packed."""
    for number, separators in enumerate([(",", ":"), (", ", ": "), (" , ", " : "), (",\t", "\t:")]):
        record = song(song_id=f"SO{number}", mood=f"blue {number}")
        path = tmp_path / "songs" / f"{number}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(record, separators=separators), encoding="utf-8")
    place = warehouses.new(engine, tmp_path)
    assert etl(place, None, tmp_path / "songs") == 0
    found = rows(place, "SELECT song_id, extra FROM staging_songs ORDER BY 1")
    assert [(each, json.loads(extra or "{}")) for each, extra in found] == [
        (f"SO{number}", {"mood": f"blue {number}"}) for number in range(4)
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_list_says_what_the_records_have(
    warehouses: Warehouses, tmp_path: Path, engine: str, capsys: pytest.CaptureFixture[str]
):
    day = 86_400_000
    early = [play(ts=play()["ts"] + n, sessionId=n, beta=n) for n in range(5)]
    late = [
        play(ts=play()["ts"] + 30 * day + n, sessionId=n, deviceType="phone", score=score)
        for n, score in enumerate([1, 2, 2.5, "x"])
    ]
    late += [play(ts=play()["ts"] + 30 * day + 9, sessionId=9 + n, item_in_session=n) for n in range(4)]
    logs = tmp_path / "logs"
    # Eight days with events since beta was last there.
    for n in range(8):
        write_records(logs / f"b{n}.json", play(ts=play()["ts"] + (10 + n) * day))
    first = write_records(logs / "a.json", *early)
    write_records(logs / "z.json", *late)
    write_records(tmp_path / "songs" / "s.json", song(genre="jazz") | {"k" * 3000: 1})
    place = warehouses.new(engine, tmp_path)
    assert etl(place, logs, tmp_path / "songs") == 0
    capsys.readouterr()
    assert run(["fields", "list", *options_of(place), "--json"]) == 0
    found = {(each["kind"], each["name"]): each for each in json.loads(capsys.readouterr().out)["fields"]}
    unknown = {key for key, each in found.items() if each["state"] == "unknown"}
    assert unknown == {
        *(("events", "beta"), ("events", "deviceType"), ("events", "score"), ("events", "item_in_session")),
        *(("songs", "genre"), ("songs", told_apart("k" * 3000))),
    }
    score = found["events", "score"]
    # Six of the eight days, and the last one's eight events.
    assert score["share"] == pytest.approx(4 / 14)
    assert (score["records"], score["types"], score["sample"]) == (4, ["whole number", "number", "text"], "1")
    assert found["events", "beta"] | {"first_seen": None} == {
        "kind": "events",
        "name": "beta",
        "state": "unknown",
        "column": None,
        "type": None,
        "records": 5,
        "share": 0.0,
        "types": [],
        "sample": None,
        "first_uri": str(first),
        "first_seen": None,
    }
    assert (found["songs", "genre"]["share"], found["songs", "genre"]["sample"]) == (1.0, '"jazz"')
    # Of a name longer than the ledger's column the values are found, too.
    assert found["songs", told_apart("k" * 3000)]["share"] == 1.0
    assert found["events", "userId"]["column"] == "user_id"


def test_what_an_older_version_did_not_keep_is_read_again_where_the_lake_is_now(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """The run that finds the lake elsewhere keeps the rows; the next one reads the files again."""
    write_records(tmp_path / "old" / "a.json", *(play(sessionId=n, beta=n) for n in range(3)))
    write_records(tmp_path / "old" / "b.json", play(sessionId=9))
    place = tmp_path / "w.duckdb"
    assert etl(place, tmp_path / "old") == 0
    with duckdb.connect(str(place)) as connection:
        connection.execute("UPDATE staging_events SET extra = NULL; UPDATE etl.meta SET rules_version = 2")
    (tmp_path / "old").rename(tmp_path / "new")
    for _ in range(3):
        assert etl(place, tmp_path / "new") == 0
    found = rows(place, "SELECT session_id, extra FROM staging_events ORDER BY 1")
    assert found == [(0, '{"beta":0}'), (1, '{"beta":1}'), (2, '{"beta":2}'), (9, None)]
    capsys.readouterr()
    assert etl(place, tmp_path / "new", None, "--plan", "--json") == 0
    assert json.loads(capsys.readouterr().out)["plan"]["upgrade"]["rules"] is False


@pytest.mark.as_owner("adopting a field adds a column, which takes the table's owner")
@pytest.mark.parametrize("engine", ENGINES)
def test_fields_that_change_while_a_run_plans_lose_nothing(
    warehouses: Warehouses, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
):
    """What another process adopts and drops after a run has read its files counts when they are published."""
    place = warehouses.new(engine, tmp_path)
    logs = tmp_path / "logs"
    write_records(logs / "1.json", play(aa="A1", bb="B1"))
    assert etl(place, logs) == 0
    options = options_of(place)
    assert run(["fields", "adopt", "aa", "--type", "VARCHAR(8)", *options]) == 0
    verify = set_aside.verify_anything_loads
    changes = [["drop", "aa"], ["adopt", "bb", "--type", "VARCHAR(8)"]]

    def change_meanwhile(*arguments: Any) -> None:
        while changes:
            assert run(["fields", *changes.pop(0), *options]) == 0
        verify(*arguments)

    monkeypatch.setattr(etl_run, "verify_anything_loads", change_meanwhile)
    write_records(logs / "2.json", play(ts=play()["ts"] + 1, aa="A2", bb="B2"))
    assert etl(place, logs) == 0
    assert not changes
    found = rows(place, "SELECT bb, extra FROM staging_events ORDER BY ts")
    assert [(bb, json.loads(extra)) for bb, extra in found] == [("B1", {"aa": "A1"}), ("B2", {"aa": "A2"})]
