"""What the command line promises: exit codes, one JSON object, errors with a hint, help with an example."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest

from sparkify import __version__
from sparkify.cli import stopping
from sparkify.cli.app import COMMANDS, run
from sparkify.cli.app import sparkify as group
from sparkify.cli.commands import Subcommand
from sparkify.pipeline.etl_run import publish
from tests.cli.conftest import Run, command, environment, write_lake
from tests.records import TS, play, write_records


def commands(
    parent: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(parent)
    for name in parent.list_commands(context):
        child = parent.get_command(context, name)
        assert child is not None
        yield (*path, name), child
        if isinstance(child, click.Group):
            yield from commands(child, (*path, name))


ALL = list(commands(group))
LEAVES = [path for path, child in ALL if not isinstance(child, click.Group)]


@pytest.mark.parametrize(("path", "child"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_every_command_has_help_with_an_example_of_itself(
    path: tuple[str, ...], child: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    _, found, example = shown.replace("Examples:", "Example:").partition("Example:\n")
    assert found, "no example"
    assert example.lstrip().startswith(f"sparkify {' '.join(path)}")
    for parameter in child.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.opts} is not explained"
    assert run([*path, "-h"]) == 0
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_takes_json(path: tuple[str, ...]) -> None:
    child = dict(ALL)[path]
    assert any("--json" in parameter.opts for parameter in child.params)


def test_help_lists_every_command_and_loads_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, (_, summary) in COMMANDS.items():
        assert f"  {name} " in shown
        assert summary in shown


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


USAGE = [
    ["nonsense"],
    ["etl", "--nonsense"],
    ["etl", "extra"],
    ["query"],
    ["query", "SELECT 1", "--format", "xml"],
    ["runs", "--limit", "-1"],
    ["etl", "--engine", "postgres"],
    ["check", "--config", "missing.cfg"],
    ["etl"],
]


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_a_wrong_command_line_or_configuration_exits_2_with_a_hint(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    first, second, *_ = shown.err.splitlines()
    assert first.startswith("Error: ")
    assert second.startswith("Try: ")
    assert not list(tmp_path.iterdir()), "nothing is written"


@pytest.mark.parametrize("arguments", [*USAGE, ["runs"], ["query", "SELECT"]], ids=" ".join)
def test_with_json_an_error_is_one_object_on_stdout(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = run([*arguments, "--json"])
    shown = capsys.readouterr()
    error = json.loads(shown.out)["error"]
    assert code != 0
    assert error["exit_code"] == code
    assert f"Error: {error['message']}" in shown.err
    assert set(error) == {"kind", "message", "hint", "exit_code"}


def test_with_json_stdout_is_one_object_and_people_read_stderr(sparkify: Run, tmp_path: Path) -> None:
    write_lake(tmp_path)
    sources = ["--log-data", "log_data", "--song-data", "song_data"]
    for arguments in (
        ["init"],
        ["create-tables"],
        ["etl", "--plan", *sources],
        ["etl", *sources],
        ["etl", *sources],
        ["check"],
        ["runs"],
        ["files"],
        ["rejects", "list"],
        ["rejects", "show"],
        ["query", "SELECT COUNT(*) AS n FROM songplays"],
        ["create-tables", "--drop", "--yes"],
    ):
        done = sparkify(*arguments, "--json")
        assert done.code == 0, done.err
        assert isinstance(json.loads(done.out), dict), arguments
        assert "Traceback" not in done.err


def test_a_failed_check_exits_3_and_publishes_nothing(sparkify: Run, tmp_path: Path) -> None:
    """A log that yields no plays, as page = 'nextsong' would."""
    write_lake(tmp_path, events=1000, page="nextsong")
    sources = ["--log-data", "log_data", "--song-data", "song_data"]
    done = sparkify("etl", *sources, "--json")
    assert done.code == 3
    assert json.loads(done.out)["error"]["kind"] == "CheckError"
    assert sparkify("query", "SELECT COUNT(*) FROM staging_events", "--format", "csv").out.split() == [
        "count_star()",
        "0",
    ]


def test_a_failure_exits_1(sparkify: Run) -> None:
    assert sparkify("runs").code == 1, "there is no warehouse"
    assert sparkify("etl", "--log-data", "nowhere").code == 1


def test_a_database_that_is_none_is_a_failure(sparkify: Run, tmp_path: Path) -> None:
    (tmp_path / "dwh.duckdb").write_text("this is no database, but it is mine")
    done = sparkify("runs", "--database", "dwh.duckdb")
    assert (done.code, done.out) == (1, "")
    assert (tmp_path / "dwh.duckdb").read_text() == "this is no database, but it is mine"


def test_dropping_rows_needs_yes_where_nobody_can_be_asked(sparkify: Run, tmp_path: Path) -> None:
    write_lake(tmp_path)
    assert sparkify("etl", "--log-data", "log_data").code == 0
    count = ["query", "SELECT COUNT(*) FROM songplays", "--format", "csv"]
    done = sparkify("create-tables", "--drop")
    assert done.code == 2
    assert "--yes" in done.err
    assert sparkify(*count).out.split()[1] == "3"
    assert sparkify("create-tables").code == 0
    assert sparkify(*count).out.split()[1] == "3"
    assert sparkify("create-tables", "--drop", "--yes").code == 0
    assert sparkify(*count).out.split()[1] == "0"


def test_a_reset_that_would_forget_what_was_retracted_asks_too(sparkify: Run, tmp_path: Path) -> None:
    """No row is left, and yet the next etl would load what somebody took out."""
    write_lake(tmp_path)
    assert sparkify("etl", "--log-data", "log_data").code == 0
    for file in (tmp_path / "log_data").rglob("*.json"):
        assert sparkify("retract", str(file), "--yes").code == 0
    assert sparkify("create-tables", "--drop").code == 2
    assert sparkify("create-tables", "--drop", "--yes").code == 0
    assert sparkify("create-tables", "--drop").code == 0, "nothing is left to lose"


@pytest.mark.parametrize("name", ["etlx", "create_tables", "reject"])
def test_a_command_that_was_meant_is_named(sparkify: Run, name: str) -> None:
    done = sparkify(name)
    assert done.code == 2
    assert "Did you mean '" in done.err


@pytest.mark.parametrize("words", [(), ("rejects",), ("cluster",)])
def test_a_group_alone_shows_its_help_and_is_no_error(sparkify: Run, words: tuple[str, ...]) -> None:
    done = sparkify(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: sparkify")
    assert "Error" not in done.err


@pytest.mark.parametrize(("answer", "left"), [("n\n", "3"), ("y\n", "0")])
def test_on_a_terminal_dropping_rows_asks(
    sparkify: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, left: str
) -> None:
    write_lake(tmp_path)
    assert sparkify("etl", "--log-data", "log_data").code == 0
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal, monkeypatch.context() as patched:
        os.write(ours, answer.encode())
        patched.setattr(sys, "stdin", terminal)
        assert sparkify("create-tables", "--drop").code == 0
    os.close(ours)
    assert sparkify("query", "SELECT COUNT(*) FROM songplays", "--format", "csv").out.split()[1] == left


def test_rows_that_come_while_somebody_is_asked_are_not_dropped(
    sparkify: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lake(tmp_path)
    assert sparkify("etl", "--log-data", "log_data").code == 0

    def confirm(*_: object, **__: object) -> bool:
        write_records(tmp_path / "log_data" / "more.json", play(ts=TS + 9))
        assert sparkify("etl", "--log-data", "log_data").code == 0
        return True

    monkeypatch.setattr("sparkify.cli.screen.Screen.confirm", confirm)
    assert sparkify("create-tables", "--drop").code == 1
    assert sparkify("query", "SELECT COUNT(*) FROM songplays", "--format", "csv").out.split()[1] == "4"


def test_an_error_is_a_traceback_only_with_debug(tmp_path: Path) -> None:
    for flags, shown in (([], False), (["--debug"], True)):
        done = subprocess.run(
            command("runs", *flags),
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert ("Traceback" in done.stderr) is shown


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_takes_debug(path: tuple[str, ...]) -> None:
    assert isinstance(dict(ALL)[path], Subcommand)


@pytest.mark.parametrize(
    "arguments",
    [["--debug", "rejects", "list"], ["rejects", "--debug", "list"], ["rejects", "list", "--debug"]],
    ids=" ".join,
)
def test_debug_may_be_said_anywhere(sparkify: Run, arguments: list[str]) -> None:
    plain = sparkify("rejects", "list", "--json")
    done = sparkify(*arguments, "--json")
    assert "Traceback" in done.err
    assert (done.code, done.out, done.err.splitlines()[-2:]) == (1, plain.out, plain.err.splitlines())


def test_what_only_looks_like_debug_or_json_is_a_value(sparkify: Run, tmp_path: Path) -> None:
    write_lake(tmp_path)
    assert sparkify("etl", "--log-data", "log_data").code == 0
    assert sparkify("rejects", "show", "--reason", "--json").out == "There are no such rejects.\n"
    done = sparkify("query", "--file", "--json")
    assert (done.code, done.out) == (2, "")
    for value in (["--", "--debug"], ["-o", "--debug", "SELECT nonsense"]):
        done = sparkify("query", *value)
        assert done.code == 1
        assert "Traceback" not in done.err
    assert sparkify("query", "SELECT 1 AS n", "--format", "csv", "-o", "--debug").code == 0
    assert (tmp_path / "--debug").read_text() == "n\n1\n"


@pytest.mark.parametrize(
    "arguments",
    [["etl", "--plan=3", "--json"], ["etl", "--json", "--config"], ["rejects", "nonsense", "--json"]],
    ids=" ".join,
)
def test_a_mistake_before_json_does_not_hide_it(sparkify: Run, arguments: list[str]) -> None:
    done = sparkify(*arguments)
    assert (done.code, json.loads(done.out)["error"]["exit_code"]) == (2, 2)


def test_check_says_of_every_check_how_it_went(sparkify: Run, tmp_path: Path) -> None:
    write_lake(tmp_path)
    assert sparkify("etl", "--log-data", "log_data").code == 0
    good = json.loads(sparkify("check", "--json").out)
    with duckdb.connect(str(tmp_path / "sparkify.duckdb")) as warehouse:
        warehouse.execute("DELETE FROM users")
    done = sparkify("check", "--json")
    found = json.loads(done.out)
    assert (done.code, good["ok"], found["ok"]) == (3, True, False)
    names = [check["name"] for check in good["checks"]]
    assert len(names) > 5
    assert [check["name"] for check in found["checks"]] == names
    failed = {check["name"]: check for check in found["checks"] if check["failing_rows"]}
    assert set(failed) == {"references"}
    assert len(failed["references"]["sample"]) == failed["references"]["failing_rows"] > 0
    assert all(check["description"] for check in found["checks"])
    assert found["error"]["exit_code"] == 3
    assert "--full-refresh" in found["error"]["hint"]
    assert "published" not in found["error"]["hint"]
    assert sparkify("etl", "--full-refresh", "--log-data", "log_data").code == 0, "as the hint says"
    assert json.loads(sparkify("check", "--json").out) == good


def test_a_mistake_of_ours_is_an_error_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("what we did not think of")

    monkeypatch.setattr("sparkify.cli.history._show", fail)
    assert run(["runs", "--json"]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["kind"] == "ZeroDivisionError"
    assert "--debug" in shown.err
    assert run(["runs", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_that_a_library_makes_an_error_of_is_still_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """DuckDB raises RuntimeError, or an error of its own, for an interrupt during a statement."""

    def fail(*_: object, **__: object) -> None:
        with suppress(KeyboardInterrupt):
            stopping.hear(signal.SIGINT, None)
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(stopping, "_heard", [])
    monkeypatch.setattr(stopping, "_answered", False)
    monkeypatch.setattr("sparkify.cli.history._show", fail)
    assert run(["runs", "--json"]) == 130
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["exit_code"], error["message"]) == (130, "interrupted.")


@pytest.mark.parametrize(
    ("where", "outcome"),
    [
        ("sparkify.pipeline.etl_run.publish", "the run under way was rolled back"),
        ("sparkify.cli.etl._count_tables", "what was loaded is committed"),
    ],
)
def test_an_interrupt_says_what_became_of_the_run(
    sparkify: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, outcome: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    write_lake(tmp_path)
    monkeypatch.setattr(where, fail)
    done = sparkify("etl", "--log-data", "log_data")
    assert (done.code, done.err) == (130, f"\nError: interrupted; {outcome}.\n")


@pytest.mark.parametrize(
    ("error", "code", "said", "end"),
    [
        (KeyboardInterrupt(), 130, "interrupted", "."),
        (OSError(errno.ENOSPC, "Full"), 1, "there is no room for what was written: Full", "."),
        (ValueError("odd"), 1, "ValueError: odd", ""),
    ],
    ids=["interrupt", "full disk", "a mistake of ours"],
)
def test_what_ends_a_run_says_which_batches_stay(
    sparkify: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    said: str,
    end: str,
) -> None:
    write_lake(tmp_path)
    write_records(tmp_path / "log_data" / "2.json", play(ts=TS + 7))
    real, calls = publish, iter(range(2))

    def fail_at_last(*arguments: Any, **options: Any) -> Any:
        if next(calls) == 1:
            raise error
        return real(*arguments, **options)

    monkeypatch.setattr("sparkify.pipeline.etl_run.publish", fail_at_last)
    done = sparkify("etl", "--log-data", "log_data", "--batch-bytes", "1")
    wanted = f"{said}; run 1 is committed; the run under way was rolled back"
    assert (done.code, done.err.strip().splitlines()[0]) == (code, f"Error: {wanted}{end}")
    assert sparkify("query", "SELECT COUNT(*) FROM etl.runs", "--format", "csv").out.splitlines()[1] == "1"


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["shown", "json"])
def test_a_summary_that_cannot_be_written_says_that_the_load_is_done(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    write_lake(tmp_path)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("etl", "--log-data", "log_data", *more),
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2].endswith("No space left on device; what was loaded is committed.")
    assert run(["query", "SELECT 1 FROM songplays", "--database", str(tmp_path / "sparkify.duckdb")]) == 0


def test_the_plans_next_step_does_what_was_planned(sparkify: Run, tmp_path: Path) -> None:
    """With the flags that were given, as a shell takes them."""
    write_lake(tmp_path / "my lake")
    (tmp_path / "my.cfg").write_text("[S3]\nLOG_DATA = my lake/log_data\n")
    given = ["--max-rejects", "5%", "--song-data", "my lake/song_data", "--wait", "2.5", "--config", "my.cfg"]
    given += ["--database", "it's.duckdb"]
    done = sparkify("etl", "--plan", *given)
    start = "Nothing was changed. To load them: sparkify "
    last = done.out.splitlines()[-1]
    assert last.startswith(start)
    words = shlex.split(last.removeprefix(start))
    assert words[0] == "etl"
    assert sorted(words[1:]) == sorted(given)
    assert sparkify(*words).code == 0
    assert sparkify("etl", "--plan", *given).out.splitlines()[-1] == "Nothing to do."
    refreshed = sparkify("etl", "--plan", "--full-refresh", *given).out.splitlines()[-2:]
    assert refreshed[0] == "The whole star would be computed anew."
    assert refreshed[1].startswith("Nothing was changed. To do it: sparkify etl --full-refresh ")
    assert sparkify(*shlex.split(refreshed[1].partition(": sparkify ")[2])).code == 0
    assert sparkify("etl", "--plan", "--max-rejects", "few", *given[2:]).code == 2


@pytest.mark.parametrize("command", ["etl", "check", "runs", "create-tables", "doctor"])
def test_a_duckdb_file_for_a_warehouse_on_redshift_is_refused(
    sparkify: Run, tmp_path: Path, command: str
) -> None:
    (tmp_path / "dwh.cfg").write_text(
        "[CLUSTER]\nHOST = cluster.example.com\n[DWH]\nDATABASE = mine.duckdb\n"
    )
    done = sparkify(command, "--database", "other.duckdb")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "Error: --database names a DuckDB file, and the warehouse is on Redshift (cluster.example.com).",
        "Try: Leave --database out, or say --engine duckdb to use the file.",
    ]


def test_one_of_a_thing_is_no_plural(sparkify: Run, tmp_path: Path) -> None:
    write_lake(tmp_path, events=1, colour="red")
    (tmp_path / "log_data" / "notes.txt").touch()
    done = sparkify("etl", "--log-data", "log_data")
    lines = [line for line in done.out.splitlines() if "file" in line or "row" in line or "event" in line]
    assert re.sub(r"[\d.]+ s ", "N s ", lines[2]) == "1 file read in N s (run 1)"
    assert lines[3:] == [
        "1 row read = 1 loaded + 0 rejected",
        "1 NextSong row loaded; at its time 1 play (+ 0 duplicates), 0 of them match a song",
        "1 event has a field 'colour' that the warehouse has no column for; extra keeps its values",
        "1 file is not a data file and is ignored: notes.txt",
    ]
    again = sparkify("etl", "--log-data", "log_data").out.splitlines()
    assert again[1] == "Nothing to do: 1 file is loaded already."
    assert sparkify("etl", "--plan", "--log-data", "log_data").out.splitlines()[3:] == [
        "1 file is unchanged.",
        "1 file is not a data file and is ignored: notes.txt",
        "Nothing to do.",
    ]


HOLD = """
import duckdb, sys
held = duckdb.connect("sparkify.duckdb")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells since when the other runs")
def test_an_interrupt_exits_130(tmp_path: Path) -> None:
    """The real process, while it waits for another one that holds the warehouse."""
    write_lake(tmp_path)
    pipes: Any = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    holder = subprocess.Popen([sys.executable, "-c", HOLD], cwd=tmp_path, **pipes)
    waiting = command("etl", "--log-data", "log_data", "--json", "--wait", "60")
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        process = subprocess.Popen(waiting, cwd=tmp_path, env=environment(), **pipes)
        try:
            assert process.stderr
            told = process.stderr.readline()  # before, while libraries load, an interrupt may get lost
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=50)
        finally:
            process.kill()
            process.communicate()
    finally:
        holder.kill()
        holder.communicate()
    assert process.returncode == 130, err
    error = json.loads(out)["error"]
    assert error["exit_code"] == 130
    who = rf"process {holder.pid} \([^,()]+, running since \d\d:\d\d:\d\d\)"
    assert re.fullmatch(f"interrupted while waiting for {who}; nothing was under way\\.", error["message"])
    assert re.fullmatch(f"Waiting up to 60 s for {who}, which holds sparkify\\.duckdb\\.\n", told)
    assert "Traceback" not in err
