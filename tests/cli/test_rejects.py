"""`sparkify rejects`: what was not loaded can be counted, seen, taken away, mended and read again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from sparkify.intake import rules
from sparkify.records import Rule
from tests.contents import hash_tables, read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.records import TS, play, write_records

GOOD = [play(ts=TS + n) for n in range(3)]
BAD = [
    (b'{"page": "Home", ', "malformed_json"),
    (b'{"artist": "Zo\xeb"}', "invalid_utf8"),
    (json.dumps(play(ts=5)).encode(), "event_time_out_of_range"),
    (json.dumps(play(ts=6)).encode(), "event_time_out_of_range"),
]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Two files with four bad lines, loaded into ``w.duckdb``."""
    lines = [json.dumps(record).encode() for record in GOOD]
    logs = tmp_path / "log_data"
    logs.mkdir()
    (logs / "1.json").write_bytes(b"\n".join([lines[0], BAD[0][0], BAD[1][0], lines[1], BAD[2][0], b""]))
    (logs / "2.json").write_bytes(b"\n".join([lines[2], BAD[3][0], b""]))
    assert etl(tmp_path / "w.duckdb", logs, None, "--max-rejects", "4") == 0
    return tmp_path


def rejects(lake: Path, *arguments: str) -> int:
    return run(["rejects", *arguments, "--config", os.devnull, "--database", str(lake / "w.duckdb")])


def as_json(lake: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Return the one object on stdout of a command that went well."""
    capsys.readouterr()
    assert rejects(lake, *arguments, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_list_groups_by_reason(lake: Path, capsys: pytest.CaptureFixture[str]):
    first, second = (str(lake / "log_data" / name) for name in ("1.json", "2.json"))
    assert second
    events = {"kind": "events", "published": True, "first_run": 1, "last_run": 1}
    assert as_json(lake, capsys, "list") == {
        "rejects": [
            {**events, "reason": "event_time_out_of_range", "rejects": 2, "files": 2, "first_file": first},
            {**events, "reason": "invalid_utf8", "rejects": 1, "files": 1, "first_file": first},
            {**events, "reason": "malformed_json", "rejects": 1, "files": 1, "first_file": first},
        ]
    }


def test_list_tells_what_a_failed_run_left_from_what_was_published(
    lake: Path, capsys: pytest.CaptureFixture[str]
):
    """Until the next run: then the failed one's rejects are history."""
    logs = lake / "log_data"
    (logs / "3.json").write_bytes(BAD[0][0] + b"\n")
    assert etl(lake / "w.duckdb", logs) == 3
    found = as_json(lake, capsys, "list")["rejects"]
    columns = ("reason", "rejects", "published", "first_run", "last_run")
    assert [tuple(each[name] for name in columns) for each in found] == [
        ("event_time_out_of_range", 2, True, 1, 1),
        ("invalid_utf8", 1, True, 1, 1),
        ("malformed_json", 1, True, 1, 1),
        ("malformed_json", 1, False, 2, 2),
    ]
    shown = as_json(lake, capsys, "show", "--reason", "malformed_json")["rejects"]
    assert [(each["run_id"], each["published"]) for each in shown] == [(1, True), (2, False)]
    assert rejects(lake, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "Not published: the latest run failed, and nothing it read is in the warehouse."
    assert lines[-1].startswith("One by one: `sparkify rejects show --reason REASON --config ")
    assert rejects(lake, "show", "--file", "3.json") == 0
    assert "  of run 2, which failed and published nothing\n" in capsys.readouterr().out
    (logs / "3.json").unlink()
    write_records(logs / "4.json", play(ts=TS + 4))
    assert etl(lake / "w.duckdb", logs) == 0
    assert all(each["published"] for each in as_json(lake, capsys, "list")["rejects"])


def test_show_says_how_long_a_record_is_that_it_cuts_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    short, middle, long = (b'{"page": "' + b"x" * size for size in (100, 1000, 20_000))
    (tmp_path / "log_data").mkdir()
    (tmp_path / "log_data" / "1.json").write_bytes(b"\n".join([short, middle, long, b'{"a": "\xff"}', b""]))
    assert etl(tmp_path / "w.duckdb", tmp_path / "log_data", None, "--accept", "1.json") == 0
    capsys.readouterr()
    assert rejects(tmp_path, "show") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [lines[n] for n in (3, 7, 11, 15)] == [
        f"  {short.decode()}",
        f"  {middle.decode()[:300]}… (1,010 bytes long)",
        f"  {long.decode()[:300]}… (20,010 bytes long, the first 16,384 bytes are kept)",
        "  eyJhIjogIv8ifQ== (in base64)",
    ]
    whole = "The records that are cut off here, in full: `sparkify rejects export FILE --config "
    assert lines[16].startswith(whole)
    assert "16,384" in lines[17]
    assert rejects(tmp_path, "export", str(tmp_path / "bad.json")) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"Wrote 4 records to {tmp_path / 'bad.json'}.",
        "1 of them is not whole: of a record the first 16,384 bytes are kept. The rest lies in",
        f"  {tmp_path / 'log_data' / '1.json'}, from byte {len(short) + len(middle) + 2 + 16_384:,} on",
    ]
    assert (tmp_path / "bad.json").read_bytes().splitlines()[2] == long[:16_384]


def test_too_many_rejects_say_why_where_and_what_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    logs = tmp_path / "log_data"
    good = [play(ts=TS + n) for n in range(3)]
    write_records(logs / "1.json", *good)
    write_records(logs / "2.json", play(ts=5), play(ts=6), play(page=None), play(sessionId=1.5))
    with (logs / "2.json").open("ab") as file:
        file.write(b"[1]\n\xff\n" + json.dumps(play(ts=TS + 9)).encode() + b"\n")
    assert etl(tmp_path / "w.duckdb", logs, None, "--max-rejects", "5") == 3
    here = f"--config {os.devnull} --database {tmp_path}/w.duckdb"
    assert capsys.readouterr().err == (
        "Error: 6 of 10 records were rejected, more than --max-rejects 5 allows: 2 event_time_out_of_range, "
        f"1 missing_field, 1 wrong_type, 2 for other reasons. The first is line 1 of {logs}/2.json: "
        "ts is 5, which is not a time in ms between 2000 and 2100.\n"
        f"Try: Nothing was published. See them with `sparkify rejects list {here}` and "
        f"`sparkify rejects show {here}`; "
        "mend the files, or allow as many with --max-rejects 6.\n"
    )
    assert etl(tmp_path / "w.duckdb", logs, None, "--max-rejects", "6") == 0
    (logs / "3.json").write_text("no JSON\n")
    assert etl(tmp_path / "w.duckdb", logs) == 3
    assert f"nothing new can be loaded: 1 file would be set aside. {logs}/3.json" in capsys.readouterr().err


def test_show_gives_line_reason_and_record(lake: Path, capsys: pytest.CaptureFixture[str]):
    found = as_json(lake, capsys, "show")["rejects"]
    assert [(Path(each["uri"]).name, each["line"], each["reason"]) for each in found] == [
        ("1.json", 2, "malformed_json"),
        ("1.json", 3, "invalid_utf8"),
        ("1.json", 5, "event_time_out_of_range"),
        ("2.json", 2, "event_time_out_of_range"),
    ]
    assert found[0]["content"].encode() == BAD[0][0]
    assert [each["encoding"] for each in found] == ["utf-8", "base64", "utf-8", "utf-8"]


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        (["--reason", "invalid_utf8"], [3]),
        (["--file", "/2.json"], [2]),
        (["--reason", "event_time_out_of_range", "--file", "1.json"], [5]),
        (["--limit", "2"], [2, 3]),
        (["--reason", "too_long"], []),
    ],
)
def test_show_narrows_down(
    lake: Path, capsys: pytest.CaptureFixture[str], options: list[str], lines: list[int]
):
    assert [each["line"] for each in as_json(lake, capsys, "show", *options)["rejects"]] == lines


def test_export_gives_the_very_bytes(lake: Path, capsys: pytest.CaptureFixture[str]):
    path = lake / "bad.json"
    assert as_json(lake, capsys, "export", str(path)) == {"records": 4, "path": str(path), "cut": []}
    assert path.read_bytes() == b"".join(line + b"\n" for line, _ in BAD)
    assert rejects(lake, "export", str(path), "--reason", "invalid_utf8") == 2
    assert path.read_bytes() == b"".join(line + b"\n" for line, _ in BAD), "it may be half mended"
    assert as_json(lake, capsys, "export", str(path), "--reason", "invalid_utf8", "--force")["records"] == 1
    assert path.read_bytes() == BAD[1][0] + b"\n"
    assert as_json(lake, capsys, "export", str(path), "--file", "/2.json", "--force")["records"] == 1


@pytest.mark.parametrize("name", ["w.duckdb", "log_data/1.json", "link.json"])
def test_export_writes_over_nothing_that_matters(lake: Path, name: str):
    (lake / "link.json").symlink_to(lake / "log_data" / "1.json")
    before = (lake / name).read_bytes()
    for force in ([], ["--force"]):
        assert rejects(lake, "export", str(lake / name), *force) == 2
        assert (lake / name).read_bytes() == before


def test_export_to_where_nothing_can_be_written(lake: Path):
    assert rejects(lake, "export", str(lake / "none" / "bad.json")) == 2


def test_a_mended_file_needs_no_replay(lake: Path, capsys: pytest.CaptureFixture[str]):
    write_records(lake / "log_data" / "1.json", *GOOD[:2], play(ts=TS + 9))
    (lake / "log_data" / "2.json").write_text(json.dumps(GOOD[2]) + "\n")
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    assert read_tables(lake / "w.duckdb") == expect([*GOOD, play(ts=TS + 9)], [])
    assert as_json(lake, capsys, "list") == {"rejects": []}


def test_replay_after_a_rule_was_mended(lake: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """Files that did not change are read again, their rows replaced and not doubled."""
    logs = ["--log-data", str(lake / "log_data")]
    assert rejects(lake, "replay", *logs, "--max-rejects", "4") == 0
    assert read_tables(lake / "w.duckdb") == expect(GOOD, [])
    assert len(as_json(lake, capsys, "show")["rejects"]) == 4
    assert run(["runs", "--json", "--config", os.devnull, "--database", str(lake / "w.duckdb")]) == 0
    modes = [each["mode"] for each in json.loads(capsys.readouterr().out)["runs"]]
    assert modes == ["replay", "incremental"]
    apply = rules._apply

    def mended(rule: Rule, values: Mapping[str, Any]) -> None:
        if values["ts"] != 6:
            apply(rule, values)

    monkeypatch.setattr(rules, "_apply", mended)
    assert rejects(lake, "replay", *logs, "--max-rejects", "4") == 0
    assert read_tables(lake / "w.duckdb") == expect([*GOOD, play(ts=6)], [])
    assert {each["reason"] for each in as_json(lake, capsys, "show")["rejects"]} == {
        *("malformed_json", "invalid_utf8", "event_time_out_of_range")
    }


def test_replay_allows_what_was_accepted_before_and_no_more(lake: Path):
    """Of a whole lake it was a small share; of the few files it is in it is a large one."""
    logs = ("--log-data", str(lake / "log_data"))
    assert rejects(lake, "replay", *logs) == 0
    write_records(lake / "log_data" / "3.json", play(sessionId=3), {"ts": "bad"})
    assert rejects(lake, "replay", *logs) == 3
    (lake / "log_data" / "1.json").unlink()
    assert rejects(lake, "replay", *logs) == 3, "what a file had that is gone is no other file's"


def test_replay_that_still_has_too_many_rejects_publishes_nothing(lake: Path):
    before = hash_tables(lake / "w.duckdb", file_ids=True)
    assert rejects(lake, "replay", "--log-data", str(lake / "log_data"), "--max-rejects", "3") == 3
    assert hash_tables(lake / "w.duckdb", file_ids=True) == before


def test_rejects_of_a_run_that_failed_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """It published nothing, but what was wrong with its files can be seen."""
    (tmp_path / "log_data").mkdir()
    (tmp_path / "log_data" / "1.json").write_bytes(BAD[0][0] + b"\n")
    assert etl(tmp_path / "w.duckdb", tmp_path / "log_data") == 3
    assert [each["line"] for each in as_json(tmp_path, capsys, "show")["rejects"]] == [1]


@pytest.mark.parametrize("arguments", [["list"], ["show"], ["export", "bad.json"], ["replay"]])
def test_without_a_warehouse_none_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
):
    monkeypatch.chdir(tmp_path)
    assert rejects(tmp_path, *arguments) == 1
    assert list(tmp_path.iterdir()) == []
