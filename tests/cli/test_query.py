"""What `sparkify query` promises: every format, a file or a pipe, and never a change."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shlex
import subprocess
from pathlib import Path

import duckdb
import pytest

from sparkify.cli.app import run
from tests.cli.conftest import Run, command, environment
from tests.records import play, write_records

SQL = """SELECT start_time, user_id, level, song_id, item_in_session, NULL AS nothing,
'a,"b"' || chr(10) || 'é' AS odd FROM songplays ORDER BY 1"""
COLUMNS = ["start_time", "user_id", "level", "song_id", "item_in_session", "nothing", "odd"]


@pytest.fixture
def database(warehouse: Path) -> list[str]:
    return ["--database", str(warehouse)]


def test_a_table_is_aligned_numbers_to_the_right(
    database: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "SELECT 'ab' AS word, 1234567 AS number, TRUE AS yes UNION ALL SELECT 'é', 1, NULL ORDER BY 2"
    assert run(["query", sql, *database]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "word   number  yes",
        "----  -------  ---",
        "é           1",
        "ab    1234567  yes",
    ]


def test_the_first_rows_of_a_table_say_how_wide_it_is(
    database: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sql = (
        "SELECT repeat('x', CASE WHEN range < 12000 THEN 3 ELSE 5 END) AS word, range AS n FROM range(12001)"
    )
    assert run(["query", f"{sql} ORDER BY n", *database]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["word     n", "----  ----", "xxx      0"]
    assert lines[12001:] == ["xxx   11999", "xxxxx  12000"]


def test_csv_reads_back_as_it_was(database: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["query", SQL, "--format", "csv", *database]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out, newline="")))
    assert rows[0] == COLUMNS
    assert len(rows) == 4
    assert rows[1] == ["2018-11-01 21:01:46.796000", "8", "free", "SO1", "0", "", 'a,"b"\né']


@pytest.mark.parametrize("flag", [["--json"], ["--format", "json"]])
def test_json_is_one_object_with_columns_and_rows(
    database: list[str], capsys: pytest.CaptureFixture[str], flag: list[str]
) -> None:
    assert run(["query", SQL, *flag, *database]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["columns"] == COLUMNS
    assert len(answer["rows"]) == 3
    assert answer["rows"][0] == {
        "start_time": "2018-11-01T21:01:46.796000",
        "user_id": answer["rows"][0]["user_id"],
        "level": "free",
        "song_id": "SO1",
        "item_in_session": 0,
        "nothing": None,
        "odd": 'a,"b"\né',
    }
    assert str(answer["rows"][0]["user_id"]) == "8"


IDS = """SELECT 9007199254740991 AS exact, 9007199254740992 AS large, -9007199254740992 AS below,
123456789012345678901234567890 AS huge, [1, 9007199254740993] AS several, 1e300::DOUBLE AS x"""
FOUND = {
    "exact": 2**53 - 1,
    "large": str(2**53),
    "below": str(-(2**53)),
    "huge": "123456789012345678901234567890",
    "several": [1, "9007199254740993"],
    "x": 1e300,
}


@pytest.mark.parametrize("style", ["json", "jsonl"])
def test_whole_numbers_that_readers_would_round_are_texts(
    database: list[str], capsys: pytest.CaptureFixture[str], style: str
) -> None:
    """Most readers of JSON have doubles for its numbers; a play's number has up to 60 bits."""
    assert run(["query", IDS, "--format", style, *database]) == 0
    told = json.loads(capsys.readouterr().out)
    row = told["rows"][0] if style == "json" else told
    assert row == FOUND
    assert run(["query", "SELECT songplay_id FROM songplays", "--format", style, *database]) == 0
    said = capsys.readouterr().out
    rows = json.loads(said)["rows"] if style == "json" else [json.loads(line) for line in said.splitlines()]
    with duckdb.connect(database[1], read_only=True) as warehouse:
        ids = {number for (number,) in warehouse.execute("SELECT songplay_id FROM songplays").fetchall()}
    assert {int(row["songplay_id"]) for row in rows} == ids
    assert all(isinstance(row["songplay_id"], str) == (int(row["songplay_id"]) >= 2**53) for row in rows)


@pytest.mark.parametrize("output", [[], ["-o", "-"], ["-o", "x.jsonl"], ["-o", "x.NDJSON"]], ids=" ".join)
def test_jsonl_is_one_object_a_line(
    database: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    output: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    style = [] if output[1:] and output[1] != "-" else ["--format", "jsonl"]
    assert run(["query", SQL, "--json", *database]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert run(["query", SQL, *style, *output, *database]) == 0
    said = capsys.readouterr().out if style else Path(output[1]).read_text()
    assert said.endswith("\n")
    assert [json.loads(line) for line in said.splitlines()] == rows
    assert run(["query", "SELECT 1 AS a WHERE FALSE", "--format", "jsonl", *database]) == 0
    assert capsys.readouterr().out == ""


def test_lines_come_before_the_query_has_ended(database: list[str]) -> None:
    """Whoever reads the first of a billion rows and leaves does not wait for the others."""
    words = command("query", "SELECT * FROM range(1000000000)", "--format", "jsonl", *database)
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"range": 0}
        process.stdout.close()
        assert process.wait(60) == 0


def test_no_rows_are_an_answer(database: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT level FROM songplays WHERE FALSE"
    for style, expected in (("csv", "level\n"), ("table", "level\n-----\n")):
        assert run(["query", sql, "--format", style, *database]) == 0
        assert capsys.readouterr().out == expected
    assert run(["query", sql, "--json", *database]) == 0
    assert json.loads(capsys.readouterr().out) == {"columns": ["level"], "rows": []}


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet", "txt"])
def test_a_file_gets_the_format_of_its_suffix(
    database: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    path = tmp_path / f"it's.{suffix}"
    assert (
        run(
            [
                "query",
                "SELECT level, item_in_session AS n FROM songplays ORDER BY 2;",
                "-o",
                str(path),
                *database,
            ]
        )
        == 0
    )
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"Wrote 3 rows to {path} ({path.stat().st_size:,} bytes).\n"
    if suffix == "csv":
        assert path.read_text() == "level,n\nfree,0\nfree,1\nfree,2\n"
    elif suffix == "json":
        assert json.loads(path.read_text())["rows"] == [{"level": "free", "n": n} for n in range(3)]
    elif suffix == "txt":
        assert path.read_text().splitlines()[0].split() == ["level", "n"]
    else:
        rows = duckdb.execute("SELECT * FROM read_parquet(?) ORDER BY n", [str(path)]).fetchall()
        assert rows == [("free", 0), ("free", 1), ("free", 2)]


def test_what_is_written_to_a_pipe_is_the_answer_alone(warehouse: Path) -> None:
    sql = "SELECT level FROM songplays LIMIT 1"
    words = command("query", sql, "-o", "/dev/stdout", "--format", "csv", "--database", str(warehouse))
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
    said = "Wrote 1 row to /dev/stdout.\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "level\nfree\n", said)


def test_parquet_without_a_file_and_a_file_that_cannot_be_are_refused(
    database: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["query", "SELECT 1", "--format", "parquet", *database]) == 2
    (tmp_path / "no").touch()
    assert run(["query", "SELECT 1", "-o", str(tmp_path / "no" / "x.csv"), *database]) == 2
    assert run(["query", "SELECT 1", "-o", str(tmp_path / "no" / "x.parquet"), *database]) == 2
    assert "Try: " in capsys.readouterr().err


def test_an_answer_is_no_write_ahead_log(database: list[str], warehouse: Path) -> None:
    """Before there is one, too: DuckDB would take the answer for it."""
    log = warehouse.with_name(warehouse.name + ".wal")
    assert run(["query", "SELECT 1", "-o", str(log), "--format", "csv", *database]) == 2
    assert not log.exists()


@pytest.mark.parametrize("name", ["w.duckdb", "dwh.cfg", "log.json"])
def test_an_answer_writes_over_nothing_that_matters(tmp_path: Path, name: str) -> None:
    write_records(tmp_path / "log.json", play())
    config = tmp_path / "dwh.cfg"
    config.write_text(f"[DWH]\nDATABASE = {tmp_path}/w.duckdb\n[S3]\nLOG_DATA = {tmp_path}/log.json\n")
    assert run(["etl", "--config", str(config)]) == 0
    before = (tmp_path / name).read_bytes()
    for style in ("csv", "parquet"):
        answer = ["-o", str(tmp_path / name), "--format", style]
        assert run(["query", "SELECT 1", *answer, "--config", str(config)]) == 2
    assert (tmp_path / name).read_bytes() == before


def test_the_query_may_stand_in_a_file_or_come_from_a_pipe(
    database: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "q.sql"
    file.write_text("-- how many\nSELECT COUNT(*) AS n\nFROM songplays;\n")
    assert run(["query", "-f", str(file), "--format", "csv", *database]) == 0
    assert capsys.readouterr().out == "n\n3\n"
    piped = subprocess.run(
        command("query", "-f", "-", "--format", "csv", *database),
        env=environment(),
        input=file.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert (piped.returncode, piped.stdout) == (0, b"n\n3\n")
    file.write_bytes(b"SELECT '\xff'")
    for wrong in ([], ["SELECT 1", "-f", str(file)], ["-f", str(file)], ["-f", str(tmp_path / "no.sql")]):
        assert run(["query", *wrong, *database]) == 2


def test_json_and_another_format_are_a_contradiction(database: list[str]) -> None:
    assert run(["query", "SELECT 1", "--json", "--format", "csv", *database]) == 2
    assert run(["query", "SELECT 1", "--json", "--format", "json", *database]) == 0


def test_json_loses_no_column_and_stays_json(database: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    sql = (
        "SELECT 1 AS a, 2 AS a, 3 AS a_2, 'NaN'::DOUBLE AS x, '-inf'::DOUBLE AS y, ['inf'::DOUBLE] AS z, "
        "'\\xAB'::BLOB AS b"
    )
    assert run(["query", sql, "--json", *database]) == 0

    def refuse(name: str) -> None:
        raise AssertionError(name)

    answer = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert answer["columns"] == ["a", "a_2", "a_2_2", "x", "y", "z", "b"]
    assert list(answer["rows"][0].values()) == [1, 2, 3, "NaN", "-Infinity", ["Infinity"], "ab"]
    sql = "SELECT [('x', 'nan'::DOUBLE)] AS l, MAP {DATE '2020-01-01': 2} AS m"
    assert run(["query", sql, "--json", *database]) == 0
    answer = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert answer["rows"] == [{"l": [["x", "NaN"]], "m": {"2020-01-01": 2}}]


def test_what_stands_in_a_value_neither_tears_the_table_nor_steers_the_terminal(
    database: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["query", "SELECT 'a' || chr(10) || 'b' || chr(27) || '[2J' AS t, 1 AS n", *database]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == ["a\\nb\\x1b[2J  1"]


@pytest.mark.parametrize("style", ["table", "csv", "json"])
def test_the_answer_is_utf8_whatever_the_terminal_says(database: list[str], style: str) -> None:
    words = command("query", "SELECT 'Bj\u00f6rk' AS name", "--format", style, *database)
    done = subprocess.run(
        words, env=environment() | {"PYTHONIOENCODING": "ascii"}, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Bj\u00f6rk" in done.stdout.decode()


CHANGES = [
    "DROP TABLE songplays",
    "DELETE FROM songplays",
    "INSERT INTO songplays SELECT * FROM songplays",
    "UPDATE songplays SET level = 'paid'",
    "CREATE TABLE mine (a INT)",
    "TRUNCATE songplays",
    "BEGIN; DELETE FROM songplays; COMMIT",
    "COPY songplays TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{folder}/out.parquet'",
    "EXPORT DATABASE '{folder}/out'",
    "SELECT * FROM read_csv('{folder}/secret.csv')",
    "SELECT * FROM read_text('{folder}/secret.csv')",
    "SELECT * FROM '{folder}/secret.csv'",
    "SELECT * FROM glob('{folder}/*')",
    "ATTACH '{folder}/other.duckdb'",
    "SET enable_external_access = true; SELECT * FROM read_text('{folder}/secret.csv')",
    "RESET enable_external_access; SELECT * FROM read_text('{folder}/secret.csv')",
    "INSTALL httpfs",
    "SELECT 1) TO '{folder}/out.csv' (FORMAT csv); --",
]


@pytest.mark.parametrize("sql", CHANGES)
@pytest.mark.parametrize("style", ["csv", "parquet"])
def test_a_query_changes_nothing_and_reads_no_other_file(
    warehouse: Path,
    database: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    sql: str,
    style: str,
) -> None:
    (tmp_path / "secret.csv").write_text("canary-0123456789\n")
    before = hashlib.sha256(warehouse.read_bytes()).digest()
    output = ["-o", str(tmp_path / "answer.parquet")] if style == "parquet" else []
    assert run(["query", sql.format(folder=tmp_path), "--format", style, *output, *database]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith("Error: ")
    assert "canary" not in shown.out + shown.err
    assert {path.name for path in tmp_path.iterdir()} == {"secret.csv"}
    assert hashlib.sha256(warehouse.read_bytes()).digest() == before


@pytest.mark.parametrize("style", ["csv", "json", "table"])
def test_an_error_in_a_late_row_is_an_error_and_no_half_answer(
    database: list[str], capsys: pytest.CaptureFixture[str], style: str
) -> None:
    sql = "SELECT CASE WHEN range = 90000 THEN error('late') ELSE range END AS n FROM range(100000)"
    assert run(["query", sql, "--format", style, *database]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "late" in shown.err


@pytest.mark.parametrize("rows", [10, 300_000])
def test_a_reader_that_leaves_early_is_no_error(warehouse: Path, rows: int) -> None:
    """`sparkify query … | head -1`, with an answer that fits the pipe and with one that does not."""
    process = subprocess.Popen(
        command("query", f"SELECT range FROM range({rows})", "--format", "csv", "--database", str(warehouse)),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    if rows > 10:
        assert process.stdout.readline() == "range\n"
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), err) == (0, "")


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["shown", "json"])
def test_a_full_disk_is_an_error_with_a_next_step(warehouse: Path, more: list[str]) -> None:
    """`sparkify query … > FILE` on a disk without room."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("query", "SELECT 1", *more, "--database", str(warehouse)),
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: there is no room for what was written")
    assert "Try: Make room" in done.stderr
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "code"), [(["--version"], 0), (["query", "SELECT 1"], 0), (["nonsense"], 2), (["etl"], 2)]
)
@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-", "2>/dev/full"])
def test_the_code_tells_whatever_streams_there_are(
    warehouse: Path, tmp_path: Path, words: list[str], code: int, closed: str
) -> None:
    database = [] if len(words) < 2 else ["--database", str(warehouse)]
    script = f"{shlex.join(command(*words, *database))} {closed}"
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr if code == 0 else "") == (code, "")


def test_one_json_object_is_printed_though_nothing_can_be_said_to_people() -> None:
    script = f"{shlex.join(command('nonsense', '--json'))} 2>/dev/full"
    done = subprocess.run(["/bin/sh", "-c", script], env=environment(), capture_output=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["error"]["exit_code"]) == (2, 2)


def test_there_has_to_be_a_warehouse(sparkify: Run, tmp_path: Path) -> None:
    done = sparkify("query", "SELECT 1")
    assert (done.code, done.out) == (1, "")
    assert not list(tmp_path.iterdir()), "asking does not make one"


@pytest.mark.parametrize("sql", ["", "  ", "/* nothing */", "SELECT 1; SELECT 2", "SELEC 1"])
@pytest.mark.parametrize("more", [[], ["-o", "answer.parquet"]], ids=["shown", "written"])
def test_what_is_not_one_query_is_refused(database: list[str], sql: str, more: list[str]) -> None:
    assert run(["query", sql, *more, *database]) == 1


def test_a_suffix_that_is_no_format_is_refused(database: list[str], tmp_path: Path) -> None:
    target = tmp_path / "answer.xlsx"
    assert run(["query", "SELECT 1", "-o", str(target), *database]) == 2
    assert not target.exists()


@pytest.mark.parametrize("style", ["csv", "json", "parquet"])
def test_an_answer_is_written_over_an_older_one(tmp_path: Path, database: list[str], style: str) -> None:
    """The nightly export: every time, through a link too, and what was there stays where the query fails."""
    real, path = tmp_path / f"real.{style}", tmp_path / f"x.{style}"
    path.symlink_to(real)
    for _ in range(2):
        assert run(["query", "SELECT * FROM songplays", "-o", str(path), *database]) == 0
    first = real.read_bytes()
    real.chmod(0o640)
    assert run(["query", "SELECT error('late') FROM songplays", "-o", str(path), *database]) == 1
    assert real.read_bytes() == first
    assert run(["query", "SELECT * FROM songplays LIMIT 1", "-o", str(path), *database]) == 0
    assert path.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert {each.name for each in tmp_path.iterdir()} == {real.name, path.name}
    if style == "parquet":
        assert duckdb.execute("SELECT COUNT(*) FROM read_parquet(?)", [str(real)]).fetchall() == [(1,)]


@pytest.mark.parametrize("style", ["csv", "parquet"])
def test_missing_folders_of_an_answer_are_made(tmp_path: Path, database: list[str], style: str) -> None:
    path = tmp_path / "a" / "b" / f"x.{style}"
    assert run(["query", "SELECT 1", "-o", str(path), *database]) == 0
    assert path.is_file()


@pytest.mark.parametrize("style", ["csv", "json", "table"])
def test_a_dash_is_stdout(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    database: list[str],
    capsys: pytest.CaptureFixture[str],
    style: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    said = []
    for output in ([], ["-o", "-"]):
        assert run(["query", "SELECT 1 AS a", "--format", style, *output, *database]) == 0
        said.append(capsys.readouterr())
    assert said[0] == said[1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "number", ["0.0004", "1234567.891234", "3.0", "246.30812", "1e-09", "1e+22", "0.1", "-2.5", "inf", "nan"]
)
def test_a_number_of_a_table_is_the_number(
    database: list[str], capsys: pytest.CaptureFixture[str], number: str
) -> None:
    assert run(["query", f"SELECT '{number}'::DOUBLE AS n", *database]) == 0
    assert capsys.readouterr().out.split()[-1] == number
