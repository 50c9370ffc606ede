"""`sparkify undo` and `sparkify retract`: exit codes, the JSON object, and what they refuse."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sparkify.cli.app import run
from sparkify.cli.screen import Screen
from sparkify.errors import SparkifyError
from sparkify.pipeline.removal import put_back
from sparkify.pipeline.selection import select_files
from tests.contents import hash_tables, read_tables
from tests.custom.folder import write_folder
from tests.loading import etl
from tests.oracle import expect
from tests.records import TS, play, write_records
from tests.warehouses import execute, open_place

DAYS = [play(), play(ts=TS + 1, userId="2")]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Two days, each loaded by a run of its own into ``w.duckdb``."""
    for number, day in enumerate(DAYS, 1):
        write_records(tmp_path / "log_data" / f"{number}.json", day)
        assert etl(tmp_path / "w.duckdb", tmp_path / "log_data") == 0
    return tmp_path


def command(lake: Path, *arguments: str) -> int:
    return run([*arguments, "--config", os.devnull, "--database", str(lake / "w.duckdb")])


def as_json(lake: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the one object on stdout."""
    capsys.readouterr()
    code = command(lake, *arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_undo_takes_a_run_out_and_the_next_etl_loads_it_again(lake: Path, capsys: pytest.CaptureFixture[str]):
    code, found = as_json(lake, capsys, "undo", "2", "--yes")
    assert code == 0
    assert found == {"taken_out": [str(lake / "log_data" / "2.json")], "run_id": 3}
    assert read_tables(lake / "w.duckdb") == expect(DAYS[:1], [])
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    assert read_tables(lake / "w.duckdb") == expect(DAYS, [])


def test_retract_takes_a_file_out_until_it_is_put_back(lake: Path, capsys: pytest.CaptureFixture[str]):
    uri = str(lake / "log_data" / "1.json")
    code, found = as_json(lake, capsys, "retract", uri, "--yes")
    assert (code, found) == (0, {"taken_out": [uri], "run_id": 3})
    assert read_tables(lake / "w.duckdb") == expect(DAYS[1:], [])
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    assert read_tables(lake / "w.duckdb") == expect(DAYS[1:], [])
    code, found = as_json(lake, capsys, "retract", "--back", uri)
    assert (code, found) == (0, {"back": [uri], "run_id": 4})
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    assert read_tables(lake / "w.duckdb") == expect(DAYS, [])


def test_to_retract_what_is_retracted_is_nothing_to_do(lake: Path, capsys: pytest.CaptureFixture[str]):
    uri = str(lake / "log_data" / "1.json")
    assert command(lake, "retract", uri, "--yes") == 0
    before = hash_tables(lake / "w.duckdb", file_ids=True, ledger=True)
    found = as_json(lake, capsys, "retract", uri)
    assert found == (0, {"taken_out": [], "why": f"{uri} was retracted already."})
    assert hash_tables(lake / "w.duckdb", file_ids=True, ledger=True) == before


def test_a_copy_is_not_retracted_but_the_file_that_stands_for_both_is_named(
    lake: Path, capsys: pytest.CaptureFixture[str]
):
    original, copy = (lake / "log_data" / name for name in ("1.json", "1-again.json"))
    copy.write_bytes(original.read_bytes())
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    before = hash_tables(lake / "w.duckdb")
    assert command(lake, "retract", str(copy), "--yes") == 1
    assert f"{copy} is a copy of {original}" in " ".join(capsys.readouterr().err.split())
    assert hash_tables(lake / "w.duckdb") == before


def of(lake: Path, *numbers: int, plays: int = 1) -> dict[str, Any]:
    """Return what --json says of files of one play, or of none, each."""
    named = [str(lake / "log_data" / f"{number}.json") for number in numbers]
    files = [{"uri": uri, "kind": "events", "rows": 1, "plays": plays} for uri in named]
    return {"files": files, "rows": len(files), "plays": plays * len(files)}


def test_files_that_a_glob_matches_are_taken_out_and_let_in_again_by_one_run_each(
    lake: Path, capsys: pytest.CaptureFixture[str]
):
    """Each once, however often it is named."""
    logs = lake / "log_data"
    days = [*DAYS, *(play(ts=TS + number, userId=str(number)) for number in (3, 4))]
    for number in (3, 4):
        write_records(logs / f"{number}.json", days[number - 1])
    assert etl(lake / "w.duckdb", logs) == 0
    names = [str(logs / name) for name in ("4.json", "[12].json", "2.json", "4.json")]
    more: dict[str, Any] = {"already_retracted": [], "passed_over": {}}
    uris = [str(logs / f"{number}.json") for number in (1, 2, 4)]
    found = as_json(lake, capsys, "retract", *names, "--yes")
    assert found == (0, {"taken_out": uris, "run_id": 4, **of(lake, 1, 2, 4), **more})
    assert read_tables(lake / "w.duckdb") == expect(days[2:3], [])
    assert as_json(lake, capsys, "runs")[1]["runs"][0]["files_loaded"] == -3
    code, refused = as_json(lake, capsys, "undo", "4", "--yes")
    assert (code, refused["error"]["message"]) == (
        1,
        "run 4 loaded nothing: it took 3 files out (retract).",
    )
    more["passed_over"] = {"loaded": 1}
    found = as_json(lake, capsys, "retract", "--back", f"{lake}/**", "--yes")
    assert found == (0, {"back": uris, "run_id": 5, **of(lake, 1, 2, 4), **more})
    assert etl(lake / "w.duckdb", logs) == 0
    assert read_tables(lake / "w.duckdb") == expect(days, [])


def test_a_glob_passes_over_what_cannot_be_taken_and_says_how_much_that_is(
    lake: Path, capsys: pytest.CaptureFixture[str]
):
    logs = lake / "log_data"
    (logs / "1-again.json").write_bytes((logs / "1.json").read_bytes())
    (logs / "3.json").write_text("no JSON\n" * 3)
    write_records(logs / "4.json", play(ts=TS + 4))
    assert etl(lake / "w.duckdb", logs) == 4
    assert command(lake, "retract", str(logs / "2.json"), "--yes") == 0
    capsys.readouterr()
    uris = [str(logs / name) for name in ("1.json", "4.json")]
    assert command(lake, "retract", f"{logs}/*", str(logs / "2.json"), "--yes") == 0
    assert capsys.readouterr().out.splitlines() == [
        *uris,
        "2 files: 2 rows, 2 plays among them.",
        "1 file was retracted already.",
        "Passed over: 1 copy of another file, 1 set aside.",
        "Done: the rows of 2 files are removed (run 5).",
    ]
    before = hash_tables(lake / "w.duckdb", file_ids=True, ledger=True)
    code, found = as_json(lake, capsys, "retract", f"{logs}/*")
    others = {"copy": 1, "retracted": 3, "set_aside": 1}
    assert (code, found["taken_out"], found["passed_over"]) == (0, [], others)
    assert found["why"].startswith("no file that matches is loaded (1 copy of another file, 3")
    code, found = as_json(lake, capsys, "retract", "--back", str(logs / "3.jso[mn]"))
    assert (code, found["back"], found["passed_over"]) == (0, [], {"set_aside": 1})
    assert hash_tables(lake / "w.duckdb", file_ids=True, ledger=True) == before


def test_every_argument_that_fits_no_file_is_named(lake: Path, capsys: pytest.CaptureFixture[str]):
    before = hash_tables(lake / "w.duckdb", file_ids=True, ledger=True)
    unknown = [f"{lake}/log_data/[3-9].json", "s3://bucket/**", f"{lake}/log_data/none.json"]
    for back in ([], ["--back"]):
        code, found = as_json(lake, capsys, "retract", *back, f"{lake}/**", *unknown, "--yes")
        assert code == found["error"]["exit_code"] == 1
        assert all(name in found["error"]["message"] for name in unknown)
        assert "sparkify files" in found["error"]["hint"]
    assert hash_tables(lake / "w.duckdb", file_ids=True, ledger=True) == before


def test_a_name_with_the_characters_of_a_glob_is_taken_for_that_file(
    lake: Path, capsys: pytest.CaptureFixture[str]
):
    logs = lake / "log_data"
    days = {name: play(ts=TS + at, userId=name) for at, name in enumerate(("[12]", "*", "a"), 5)}
    for name, day in days.items():
        write_records(logs / f"{name}.json", day)
    assert etl(lake / "w.duckdb", logs) == 0
    for number, name in enumerate(("[12]", "*"), 4):
        uri = str(logs / f"{name}.json")
        found = as_json(lake, capsys, "retract", uri, "--yes")
        assert found == (0, {"taken_out": [uri], "run_id": number})
    found = as_json(lake, capsys, "retract", str(logs / "[*].json"))
    assert found[1]["why"] == "no file that matches is loaded (1 retracted)."
    assert read_tables(lake / "w.duckdb") == expect([*DAYS, days["a"]], [])


def test_several_files_are_asked_about_once(
    lake: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    answers = [False, True, True]

    def confirm(_: object, question: str, *, yes: bool) -> bool:
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr("sparkify.cli.screen.Screen.confirm", confirm)
    before = hash_tables(lake / "w.duckdb", file_ids=True, ledger=True)
    found = as_json(lake, capsys, "retract", f"{lake}/log_data/*")[1]
    assert found == {"taken_out": [], **of(lake, 1, 2), "already_retracted": [], "passed_over": {}}
    assert hash_tables(lake / "w.duckdb", file_ids=True, ledger=True) == before
    assert command(lake, "retract", f"{lake}/log_data/*") == 0
    assert command(lake, "retract", "--back", f"{lake}/log_data/*") == 0
    assert asked == [
        *["Remove the rows of 2 files from the warehouse?"] * 2,
        "Let the next etl load 2 files again?",
    ]


def test_a_file_may_be_named_as_it_is_seen_from_here(lake: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(lake / "log_data")
    assert command(lake, "retract", "2.json", "--yes") == 0
    assert read_tables(lake / "w.duckdb") == expect(DAYS[:1], [])
    assert command(lake, "retract", "../*/[1].json", "--yes") == 0
    assert read_tables(lake / "w.duckdb") == expect([], [])


def here(lake: Path, text: str) -> str:
    """Return a text as it is printed: its commands are on the warehouse that ``command`` names."""
    options = f"--config {os.devnull} --database {lake}/w.duckdb"
    return re.sub("`(sparkify [^`]+)`", rf"`\1 {options}`", text)


def nothing_to_do(lake: Path, capsys: pytest.CaptureFixture[str], run_id: int) -> str:
    """Return why there is nothing to undo of a run; asking changes nothing, and is no error."""
    before = hash_tables(lake / "w.duckdb", file_ids=True, ledger=True)
    code, found = as_json(lake, capsys, "undo", str(run_id))
    assert (code, found["taken_out"]) == (0, [])
    assert command(lake, "undo", str(run_id)) == 0
    assert f"Nothing to do: {found['why']}\nSee `sparkify runs --config" in capsys.readouterr().out
    assert hash_tables(lake / "w.duckdb", file_ids=True, ledger=True) == before
    return str(found["why"])


def test_undo_says_why_nothing_is_left_of_a_run(lake: Path, capsys: pytest.CaptureFixture[str]):
    logs = lake / "log_data"
    assert command(lake, "undo", "2", "--yes") == 0
    why = here(lake, "run 2 was undone already; `sparkify etl` loads its files again.")
    assert nothing_to_do(lake, capsys, 2) == why
    (logs / "3.json").write_text("no JSON\n")
    assert etl(lake / "w.duckdb", logs, None, "--strict") == 3
    assert nothing_to_do(lake, capsys, 4) == "run 4 failed, and published nothing."
    (logs / "3.json").unlink()
    (logs / "2.json").unlink()
    assert etl(lake / "w.duckdb", logs, None, "--full-refresh") == 0
    assert nothing_to_do(lake, capsys, 5) == "run 5 loaded no files, it computed the star anew."
    write_records(logs / "1.json", *DAYS)
    assert etl(lake / "w.duckdb", logs) == 0
    assert nothing_to_do(lake, capsys, 1) == "no rows of run 1 are left (1 file: 1 replaced)."


def test_undo_of_a_run_that_gave_a_field_a_column_or_took_it_away(
    lake: Path, capsys: pytest.CaptureFixture[str]
):
    """It is refused, and names what takes that back."""

    def refused(number: str) -> tuple[str, str]:
        code, found = as_json(lake, capsys, "undo", number, "--yes")
        assert code == 1
        return found["error"]["message"], found["error"]["hint"]

    assert command(lake, "fields", "adopt", "mood", "--kind", "events", "--type", "VARCHAR(8)") == 0
    adopted = "run 3 loaded nothing: it gave a field a column (adopt)."
    back = here(lake, "`sparkify fields drop mood --kind events` takes it away again.")
    assert refused("3") == (adopted, back)
    assert command(lake, "fields", "drop", "mood") == 0
    assert refused("3") == (adopted, "It is gone again.")
    message, hint = refused("4")
    assert message == "run 4 loaded nothing: it took a field's column away (drop field)."
    assert "sparkify fields adopt FIELD" in hint


@pytest.mark.thorough
def test_undo_of_a_run_of_models_or_an_upgrade_says_what_it_was(
    lake: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    models = write_folder(lake.parent / "models", {"marts/plays.sql": "SELECT level FROM songplays;"})
    monkeypatch.setenv("SPARKIFY_DWH_MODELS", str(models))
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    assert nothing_to_do(lake, capsys, 3) == "run 3 loaded no files, it built the models of your own."
    older = "UPDATE etl.meta SET models_digest = REPLACE(models_digest, 'songs=', 'songs=0')"
    execute(lake / "w.duckdb", older)
    assert command(lake, "upgrade") == 0
    assert nothing_to_do(lake, capsys, 4) == "run 4 loaded no files, it brought the warehouse up to date."


@pytest.mark.parametrize(
    ("taken", "number", "message", "hint"),
    [
        ((), "9", "there is no run 9: the latest is run 2.", "`sparkify runs` lists them."),
        (
            ("undo", "2"),
            "3",
            "run 3 loaded nothing: it took the files of another run out (undo 2).",
            "`sparkify etl` loads those files again, if the lake still has them.",
        ),
        (
            ("retract", "{lake}/log_data/2.json"),
            "3",
            "run 3 loaded nothing: it took a file out (retract).",
            "`sparkify retract --back URI` lets the file in again; `sparkify files` names it.",
        ),
    ],
)
def test_undo_of_what_never_loaded_anything_is_an_error(
    lake: Path,
    capsys: pytest.CaptureFixture[str],
    taken: tuple[str, ...],
    number: str,
    message: str,
    hint: str,
):
    if taken:
        assert command(lake, *(each.format(lake=lake) for each in taken), "--yes") == 0
    code, found = as_json(lake, capsys, "undo", number, "--yes")
    assert (code, found["error"]["message"], found["error"]["hint"]) == (1, message, here(lake, hint))


COUNTS = ("files_loaded", "rows_read", "rows_loaded", "rows_rejected", "plays_loaded")


def test_the_history_counts_below_zero_what_was_taken_out(lake: Path, capsys: pytest.CaptureFixture[str]):
    """Of a file that came and went several times, what it last came to."""
    logs = lake / "log_data"
    with (logs / "2.json").open("a") as file:
        file.write(json.dumps(play(page="Home", ts=TS + 8)) + "\nno JSON\n")
    assert etl(lake / "w.duckdb", logs, None, "--max-rejects", "1") == 0
    assert command(lake, "undo", "3", "--yes") == 0
    assert etl(lake / "w.duckdb", logs, None, "--max-rejects", "1") == 0
    assert command(lake, "retract", str(logs / "1.json"), "--yes") == 0
    assert command(lake, "retract", "--back", str(logs / "1.json")) == 0
    _, found = as_json(lake, capsys, "runs")
    shown = [(run["run_id"], run["mode"], *(run[name] for name in COUNTS)) for run in found["runs"]]
    assert shown == [
        (7, "retract --back", 0, 0, 0, 0, 0),
        (6, "retract", -1, -1, -1, 0, -1),
        (5, "incremental", 1, 3, 2, 1, 1),
        (4, "undo 3", -1, -3, -2, -1, -1),
        (3, "incremental", 1, 3, 2, 1, 1),
        (2, "incremental", 1, 1, 1, 0, 1),
        (1, "incremental", 1, 1, 1, 0, 1),
    ]


def test_a_run_that_let_a_file_in_again_cannot_be_undone(lake: Path, capsys: pytest.CaptureFixture[str]):
    uri = str(lake / "log_data" / "2.json")
    assert command(lake, "retract", uri, "--yes") == 0
    assert command(lake, "retract", "--back", uri) == 0
    code, found = as_json(lake, capsys, "undo", "4", "--yes")
    assert (code, found["error"]["message"]) == (
        1,
        "run 4 loaded nothing: it let in again what was retracted (retract --back).",
    )


def test_of_many_files_the_first_are_named_and_the_others_counted(
    lake: Path, capsys: pytest.CaptureFixture[str]
):
    for number in range(10, 22):
        write_records(lake / "log_data" / f"{number}.json", play(ts=TS + number))
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    capsys.readouterr()
    assert command(lake, "undo", "3", "--yes") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[9:] == [
        str(lake / "log_data" / "19.json"),
        "… and 2 more",
        "Done: the rows of 12 files are removed (run 4).",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (["undo", "2"], 2, "ConfigError"),  # nobody to ask
        (["retract", "{lake}/log_data/1.json"], 2, "ConfigError"),
        (["undo", "9", "--yes"], 1, "SparkifyError"),
        (["retract", "nothing.json", "--yes"], 1, "SparkifyError"),
        (["retract", "s3://bucket/nothing.json", "--yes"], 1, "SparkifyError"),
        (["retract", "{lake}/log_data/*.json"], 2, "ConfigError"),  # nobody to ask
        (["retract", "{lake}/*.json", "--yes"], 1, "SparkifyError"),  # a star ends at a slash
        (["retract", "{lake}/log_data/1.json", "{lake}/log_data/[3-9].json", "--yes"], 1, "SparkifyError"),
        (
            ["retract", "--back", "{lake}/log_data/1.json", "{lake}/log_data/2.json", "--yes"],
            1,
            "SparkifyError",
        ),
        (["retract", "--yes"], 2, "UsageError"),
        (["retract", "--back", "{lake}/log_data/1.json"], 1, "SparkifyError"),  # it is not retracted
        (["undo", "0", "--yes"], 2, "UsageError"),
        (["undo", "last", "--yes"], 2, "UsageError"),
        (["undo"], 2, "UsageError"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    lake: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, kind: str
):
    before = hash_tables(lake / "w.duckdb", file_ids=True, ledger=True)
    found = as_json(lake, capsys, *(each.format(lake=lake) for each in arguments))
    error = found[1]["error"]
    assert (found[0], error["kind"], error["exit_code"]) == (code, kind, code)
    assert error["hint"]
    assert hash_tables(lake / "w.duckdb", file_ids=True, ledger=True) == before


def test_a_check_that_fails_leaves_everything_in(lake: Path, capsys: pytest.CaptureFixture[str]):
    """Somebody wrote a row that no file accounts for."""
    with duckdb.connect(lake / "w.duckdb") as connection:
        connection.execute(
            "INSERT INTO staging_events SELECT * REPLACE (1 AS file_id) FROM staging_events LIMIT 1"
        )
    before = hash_tables(lake / "w.duckdb", file_ids=True, ledger=True)
    code, found = as_json(lake, capsys, "undo", "1", "--yes")
    assert (code, found["error"]["kind"]) == (3, "CheckError")
    assert hash_tables(lake / "w.duckdb", file_ids=True, ledger=True) == before


@pytest.mark.parametrize(
    "arguments", [["undo", "1"], ["retract", "x.json", "*"], ["retract", "--back", "x.json"]]
)
def test_without_a_warehouse_none_is_made(tmp_path: Path, arguments: list[str]):
    assert command(tmp_path, *arguments, "--yes") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command_line",
    [("undo", "1"), ("retract", "1.json"), ("retract", "*.json")],
    ids=["undo", "retract", "glob"],
)
def test_what_another_run_loaded_while_somebody_was_asked_stays(
    command_line: tuple[str, str], lake: Path, monkeypatch: pytest.MonkeyPatch
):
    log = lake / "log_data" / "1.json"
    newer = [play(), play(itemInSession=1)]

    def confirm(*_: object, **__: object) -> bool:
        write_records(log, *newer)
        assert etl(lake / "w.duckdb", lake / "log_data") == 0
        return True

    monkeypatch.setattr("sparkify.cli.screen.Screen.confirm", confirm)
    verb, what = command_line
    assert command(lake, verb, what if what == "1" else str(log.with_name(what))) == 1
    assert read_tables(lake / "w.duckdb") == expect([*newer, DAYS[1]], [])


def test_a_file_that_another_run_loaded_again_is_not_put_back(lake: Path):
    """Its rows would stay where the ledger does not know them."""
    log = lake / "log_data" / "1.json"
    assert command(lake, "retract", str(log), "--yes") == 0
    engine = open_place(lake / "w.duckdb")
    files = select_files(engine, [str(log)], "retracted").files
    newer = [play(), play(itemInSession=1)]
    write_records(log, *newer)
    assert etl(lake / "w.duckdb", lake / "log_data") == 0
    with pytest.raises(SparkifyError), Screen(as_json=True).progress("letting in again") as progress:
        put_back(engine, files, progress)
    engine.close()
    assert command(lake, "check") == 0
    assert read_tables(lake / "w.duckdb") == expect([*newer, DAYS[1]], [])
