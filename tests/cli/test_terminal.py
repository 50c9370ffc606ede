"""On a terminal lines and tables fit its width and verdicts have colours; in a pipe text stays as it is."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from sparkify.cli.layout import aligned, wrapped
from tests.cli.conftest import command, environment

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
        assert len([line for line in shown.splitlines() if line.startswith("user_id ")]) == 2
        assert ("x y " * 40).rstrip() in shown, "an answer is whole"
        assert set(plain.split()) - set(shown.split()) == {
            word for word in plain.split() if set(word) == {"-"}
        }


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
    assert vertical[0].split() == ["uri", path]
    assert vertical[3] == ""
    assert next(aligned(columns, rows, width=50, whole=True)).split() == ["uri", path]


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
