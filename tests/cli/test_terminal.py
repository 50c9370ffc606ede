"""On a terminal lines and tables fit its width and verdicts have colours; in a pipe text stays as it is."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.cli.layout import aligned, columns_of, wrapped
from tests.cli.conftest import Run, command, environment
from tests.records import TS, play, write_records

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def on_terminal(folder: Path, *arguments: str, width: int = 60, **variables: str) -> tuple[int, str]:
    """Run a command on a terminal; return its exit code and all that it shows there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    kept = {name: value for name, value in environment(**variables).items() if name != "COLUMNS"}
    with subprocess.Popen(
        command(*arguments), cwd=folder, env=kept, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # nobody is at the other end any more
                break
            if not chunk:
                break
            shown += chunk
    os.close(ours)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def in_pipe(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )


def test_prose_ends_at_words_and_verdicts_have_colours(tmp_path: Path) -> None:
    arguments = ("doctor", "--log-data", str(tmp_path / ("a-long-name-" * 9)))
    code, shown = on_terminal(tmp_path, *arguments)
    plain = in_pipe(tmp_path, *arguments)
    assert code == plain.returncode == 1
    assert "\x1b[31mFAIL\x1b[0m" in shown
    assert "\x1b[32mok\x1b[0m" in shown
    assert "\x1b" not in plain.stdout
    bare = ESCAPES.sub("", shown)
    assert bare.split() == plain.stdout.split(), "no word is lost or torn"
    assert len(bare.splitlines()) > len(plain.stdout.splitlines())
    for line in bare.splitlines():
        assert len(line) <= 60 or len(line.split()) == 1, "only what has no blank is wider"


def test_errors_are_wrapped_and_coloured_on_a_terminal_only(tmp_path: Path) -> None:
    code, shown = on_terminal(tmp_path, "runs")
    plain = in_pipe(tmp_path, "runs")
    assert code == plain.returncode == 1
    assert shown.startswith("\x1b[31mError:\x1b[0m ")
    assert ESCAPES.sub("", shown).split() == plain.stderr.split()
    assert len(plain.stderr.splitlines()) == 2
    assert "`sparkify create-tables`" in shown, "a command is not torn"
    assert "\x1b" not in on_terminal(tmp_path, "runs", NO_COLOR="1")[1]


@pytest.mark.parametrize("width", [50, 400])
def test_a_table_that_is_too_wide_turns_vertical(warehouse: Path, tmp_path: Path, width: int) -> None:
    sql = "SELECT *, repeat('x y ', 40) AS long FROM songplays LIMIT 2"
    words = ("query", sql, "--database", str(warehouse))
    code, shown = on_terminal(tmp_path, *words, width=width)
    assert code == 0
    plain = in_pipe(tmp_path, *words).stdout
    if width == 400:
        assert shown == plain
    else:
        assert len([line for line in shown.splitlines() if line.startswith("user_id: ")]) == 2
        assert ("x y " * 40).rstrip() in shown, "an answer is whole"
        heads = {f"{name}:" for name in plain.splitlines()[0].split()}
        assert heads <= set(shown.split())
        values = {word for line in plain.splitlines()[2:] for word in line.split()}
        assert values <= set(shown.split())


def test_long_paths_are_cut_in_the_middle_where_that_is_enough() -> None:
    path = "s3://a-bucket/log_data/2018/11/2018-11-15-events.json"
    rows = [[path, 7, "loaded"], ["short", 1, "loaded"]]
    columns = ["uri", "rows", "state"]
    whole = list(aligned(columns, rows))
    assert path in whole[2]
    cut = list(aligned(columns, rows, width=50))
    assert max(map(len, cut)) <= 50
    assert re.fullmatch(r"s3://\S*…\S*2018-11-15-events\.json +7  loaded", cut[2])
    vertical = list(aligned(columns, rows, width=30))
    assert vertical[0].split() == ["uri:", path]
    assert vertical[3] == ""
    assert max(map(len, aligned(columns, rows, width=50, data=True))) <= 50


WORDS = st.text(alphabet="aé/ b宇🎵\u0308_-", max_size=60)
ROWS = st.lists(st.tuples(WORDS, st.integers(0, 10**12), WORDS, st.none() | WORDS), min_size=1, max_size=6)


@given(rows=ROWS, width=st.integers(10, 140), data=st.booleans())
def test_a_table_fits_or_is_vertical_and_whole(rows: list[tuple[Any, ...]], width: int, data: bool) -> None:
    """By the columns a terminal gives a character, and with every number as it is."""
    columns = ("name", "number", "a longer name", "last")
    lines = list(aligned(columns, rows, separators=False, width=width, data=data))
    whole = [str(value) for row in rows for value in row if value]
    if lines[0].startswith("name:"):
        if data:
            shown = "\n".join(lines)
            assert all(value.strip() in shown for value in whole)
        return
    assert max(map(columns_of, lines)) <= width
    assert lines[0].split() == ["name", "number", "a", "longer", "name", "last"]
    for row in rows:
        assert any(re.search(rf"(?<!\d){row[1]}(?!\d)", line) for line in lines)
    plain = "\n".join(aligned(columns, rows, separators=False))
    assert all(value.rstrip() in plain for value in whole), "in a pipe nothing is cut"


def test_columns_are_those_of_the_terminal() -> None:
    rows = [["宇多田ヒカル", 1], ["Bjo\u0308rk", 20]]
    assert list(aligned(["artist", "n"], rows)) == [
        "artist         n",
        "------------  --",
        "宇多田ヒカル   1",
        "Bjo\u0308rk         20",
    ]
    cut = list(aligned(["artist", "n"], [["宇多田ヒカル" * 9, 1]], width=20, data=True))
    assert cut[2] == "宇多田ヒ…田ヒカル  1", "the half of a character is none"
    assert columns_of(cut[2]) <= 20


def test_a_value_far_down_is_cut_too_and_a_number_is_not() -> None:
    rows = [["x" * 30, 1]] * 10_000 + [["y" * 300, 10**9]]
    *_, last = aligned(["word", "n"], rows, width=40, data=True, separators=False)
    assert re.fullmatch(r"y+…y+  1000000000", last)
    assert len(last) <= 30 + 2 + 10


def test_less_than_can_be_read_is_not_shown() -> None:
    """Eight characters of a text, two dozen of a path or, where it may be wrapped, of prose."""
    columns, row = ["a", "b"], ["x" * 50, "y" * 50]
    assert [len(list(aligned(columns, [row], width=width, data=True))[2]) for width in (18, 40)] == [18, 40]
    assert list(aligned(columns, [row], width=17, data=True)) == [f"a: {'x' * 50}", f"b: {'y' * 50}"]
    prose = ["so", "six words " * 9]
    assert list(aligned(columns, [prose], width=28))[2:5] == [
        "so  six words six words six",
        "    words six words six",
        "    words six words six",
    ]
    assert next(aligned(columns, [prose], width=26)).startswith("a: ")


@pytest.mark.parametrize("width", [80, 100])
def test_checks_fit_a_terminal_and_their_results_have_colours(
    warehouse: Path, tmp_path: Path, width: int
) -> None:
    words = ("check", "--database", str(warehouse))
    code, shown = on_terminal(tmp_path, *words, width=width)
    plain = in_pipe(tmp_path, *words)
    assert code == plain.returncode == 0
    assert "\x1b[32mok" in shown
    assert "\x1b" not in plain.stdout
    bare = ESCAPES.sub("", shown)
    table = bare[bare.index("check ") :]
    assert max(map(len, table.splitlines())) <= width
    assert "…" not in bare
    assert sorted(word for word in table.split() if set(word) != {"-"}) == sorted(
        word for word in plain.stdout.partition("\n")[2].split() if set(word) != {"-"}
    )
    assert "\x1b" not in on_terminal(tmp_path, *words, NO_COLOR="1")[1]
    code, shown = on_terminal(tmp_path, *words, "--json")
    assert "\x1b" not in shown[shown.index("{") :]


def test_a_check_that_fails_is_red(warehouse: Path, tmp_path: Path) -> None:
    copy = shutil.copy(warehouse, tmp_path / "w.duckdb")
    with duckdb.connect(str(copy)) as connection:
        connection.execute("DELETE FROM users")
    code, shown = on_terminal(tmp_path, "check", "--database", str(copy), width=80)
    assert code == 3
    assert "\x1b[31mFAIL" in shown
    assert "\x1b" not in in_pipe(tmp_path, "check", "--database", str(copy)).stdout


@pytest.mark.parametrize(
    "words", [("query", "SELECT * FROM staging_events"), ("files",), ("runs",), ("rejects", "list")]
)
def test_wide_shows_on_a_terminal_what_a_pipe_has(
    warehouse: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    words = (*words, "--database", str(warehouse))
    _, shown = on_terminal(tmp_path, *words, "--wide", width=40)
    assert shown == in_pipe(tmp_path, *words).stdout == in_pipe(tmp_path, *words, "--wide").stdout


@pytest.mark.parametrize("command", ["files", "runs"])
def test_a_list_that_was_cut_says_so(tmp_path: Path, sparkify: Run, command: str) -> None:
    for number in range(3):
        write_records(tmp_path / "logs" / f"{number}.json", play(ts=TS + number))
        assert sparkify("etl", "--log-data", "logs").code == 0
    done = sparkify(command, "--limit", "2")
    assert len(done.out.splitlines()) == 2 + 2
    assert done.err == f"Note: 2 of 3 {command}; --limit 0 shows all.\n"
    told = json.loads(sparkify(command, "--limit", "2", "--json").out)
    assert (len(told[command]), told["total"]) == (2, 3)
    for limit in ((), ("--limit", "3"), ("--limit", "0")):
        done = sparkify(command, *limit)
        assert (len(done.out.splitlines()), done.err) == (2 + 3, "")


def test_wrapping_keeps_words_indentation_and_what_is_to_be_copied() -> None:
    text = "  one two three `sparkify etl --database w.duckdb` four"
    assert wrapped(text, None) == text
    assert wrapped(text, 22).splitlines() == [
        "  one two three",
        "  `sparkify etl --database w.duckdb`",
        "  four",
    ]
    assert wrapped("Do this:", 22, typed="rm -r a folder of mine").splitlines() == [
        "Do this:",
        "rm -r a folder of mine",
    ]
    assert wrapped("name  a b c d e f g h i j k l m", 26, hang=6).splitlines() == [
        "name  a b c d e f g h i j",
        "      k l m",
    ]


def test_a_terminal_of_no_known_width_is_80_wide(tmp_path: Path) -> None:
    _, shown = on_terminal(tmp_path, "runs", width=0)
    assert 60 < max(len(ESCAPES.sub("", line)) for line in shown.splitlines()) <= 80
