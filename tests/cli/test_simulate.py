"""`sparkify simulate` as a person runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.simulator.files import log_lines, tree
from tests.tiers import sweep

_SPARKIFY = [sys.executable, "-c", "from sparkify.cli import main; main()", "simulate"]


def simulate(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [*_SPARKIFY, *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def test_a_small_month_by_default(tmp_path):
    done = simulate("lake", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    days = log_lines(tmp_path / "lake")
    assert len(days) == 30
    assert min(days) == "2018-11-01"
    assert told["events"] == sum(map(len, days.values()))
    assert told["files"] == len(tree(tmp_path / "lake"))
    assert (
        told["bytes"] == sum(map(len, tree(tmp_path / "lake").values())) + 30
    )  # the line breaks not written


def test_options_decide_the_world(tmp_path):
    options = [
        "--users",
        30,
        "--start",
        "2024-02-28",
        "--end",
        "2024-03-02",
        "--songs",
        3,
        "--seed",
        7,
        "--tag",
        "A",
    ]
    assert simulate("lake", *options, cwd=tmp_path).returncode == 0
    days = log_lines(tmp_path / "lake")
    assert set(days) <= {"2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"}
    assert all(event["tag"] == "A" for events in days.values() for event in events)
    assert len(list((tmp_path / "lake" / "song_data").rglob("*.json"))) == 3


def test_the_printed_configuration_can_be_given_back(tmp_path):
    shown = simulate("--print-config", cwd=tmp_path)
    assert shown.returncode == 0
    (tmp_path / "same.toml").write_text(shown.stdout)
    for arguments in (["a"], ["b", "--config", "same.toml"]):
        assert simulate(*arguments, "--days", 3, "--users", 20, "--songs", 2, cwd=tmp_path).returncode == 0
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "OUT"),
        (["lake", "--growth-rate", "-1"], "--growth-rate"),
        (["lake", "--attrition-rate", "-0.5"], "--attrition-rate"),
        (["lake", "--start", "2018-11-30", "--end", "2018-11-01"], "--end 2018-11-01"),
        (["lake", "--start", "30.11.2018"], "--start"),
        (["lake", "--users", "5", "--events", "5"], "--events"),
        (["lake", "--days", "5", "--end", "2019-01-01"], "--end"),
        (["lake", "--events", "0"], "--events"),
        (["lake", "--workers", "-1"], "--workers"),
        (["lake", "--known-songs", "2"], "--known-songs"),
        (["lake", "--config", "bad.toml"], "Home"),
        (["lake", "--config", "missing.toml"], "missing.toml"),
        (["lake", "--song-data", "missing", "--users", "nobody"], "nobody"),
    ],
)
def test_what_makes_no_sense_exits_with_2_and_writes_nothing(tmp_path, arguments, named):
    (tmp_path / "bad.toml").write_text('[transitions.free]\n"Home" = { "NextSong" = 0.9, "Help" = 0.2 }\n')
    before = tree(tmp_path)
    done = simulate(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert named in done.stderr
    assert "Try: " in done.stderr
    assert "Traceback" not in done.stderr
    assert tree(tmp_path) == before


def test_a_place_that_is_not_empty_needs_force(tmp_path):
    small = ["--days", 2, "--users", 10, "--songs", 2]
    assert simulate("lake", *small, cwd=tmp_path).returncode == 0
    before = tree(tmp_path)
    refused = simulate("lake", *small, "--seed", 3, cwd=tmp_path)
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    assert tree(tmp_path) == before
    assert simulate("lake", *small, "--seed", 3, "--force", cwd=tmp_path).returncode == 0
    assert tree(tmp_path) != before


def test_a_catalogue_that_is_missing_writes_nothing(tmp_path):
    done = simulate("lake", "--song-data", "nowhere", cwd=tmp_path)
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert not (tmp_path / "lake").exists()


def test_compare_tells_every_distance_without_leaving_files(tmp_path, real_data):
    done = simulate("--compare", real_data / "log_data", "--users", 1500, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["compare"]
    assert len(found) == 8
    assert all(distance["within"] for distance in found), found
    assert tree(tmp_path) == {}


def test_logs_to_compare_with_that_are_not_there_are_told_before_anything_is_written(tmp_path):
    done = simulate("lake", "--compare", "nowhere", cwd=tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path}/nowhere" in done.stderr
    assert tree(tmp_path) == {}


def test_s3_holds_the_same_bytes_as_a_folder(tmp_path, s3):
    bucket = s3.root / f"simulated-{tmp_path.name}"
    bucket.mkdir()
    settings = ["[AWS]", f"ENDPOINT_URL = {s3.endpoint}", f"KEY = {s3.key}", f"SECRET = {s3.secret}"]
    (tmp_path / "dwh.cfg").write_text("\n".join(settings))
    small = ["--days", 3, "--users", 40, "--songs", 10, "--workers", 2]
    assert simulate("lake", *small, cwd=tmp_path).returncode == 0
    done = simulate(f"s3://{bucket.name}/lake", *small, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert tree(bucket / "lake") == tree(tmp_path / "lake")


@pytest.mark.parametrize(
    ("workers", "number"),
    sweep([(2, signal.SIGINT), (2, signal.SIGTERM), (1, signal.SIGINT), (1, signal.SIGTERM)], 2),
)
def test_an_interrupt_leaves_no_half_written_file_and_no_process(tmp_path, workers, number):
    """Files are compared with those of the same simulation left to finish."""
    options = ["--users", "30000", "--days", "30", "--songs", "5", "--workers", str(workers)]
    running = subprocess.Popen(
        [*_SPARKIFY, "lake", *options], cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "lake").rglob("*-events.json")):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.02)
    os.killpg(running.pid, number)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 128 + number, told
    assert b"stopping: files that are whole stay\n" in told
    assert b"Traceback" not in told
    left = tree(tmp_path / "lake")
    assert 0 < sum("log_data" in name for name in left) < 30
    for name, text in left.items():
        if name.startswith("log_data"):
            assert name.endswith(".json")
            lines = text.split(b"\n")
            assert all(line.startswith(b'{"artist":') and line.endswith(b'"}') for line in lines)
            # A day of 30,000 listeners has far more than one chunk of lines.
            stamps = [json.loads(line)["ts"] for line in (lines[0], lines[-1])]
            assert stamps[1] - stamps[0] > 23 * 3_600_000
    assert not _left_of_group(running.pid)


@pytest.mark.parametrize("seconds", sweep([0.02, 0.0, 0.05, 0.1], 4))
def test_an_interrupt_while_the_workers_start_is_told_once(tmp_path, seconds):
    """Ctrl-C reaches the whole group, and those that have only just been forked too."""
    options = ["--users", "30000", "--days", "30", "--songs", "5", "--workers", "4"]
    running = subprocess.Popen(
        [*_SPARKIFY, "lake", *options], cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while len(_group(running.pid)) < 2:
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.002)
    time.sleep(seconds)
    os.killpg(running.pid, signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130, told
    assert b"Traceback" not in told
    assert not _left_of_group(running.pid)


def test_workers_end_when_the_command_is_killed(tmp_path):
    options = ["--users", "30000", "--days", "30", "--songs", "5", "--workers", "3"]
    running = subprocess.Popen([*_SPARKIFY, "lake", *options], cwd=tmp_path, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "lake").rglob("*-events.json")):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.02)
    assert len(_group(running.pid)) == 3
    running.kill()
    running.wait(timeout=60)
    assert not _left_of_group(running.pid)
    half = [name for name in tree(tmp_path / "lake") if "#" in name]
    assert all(name.endswith(f"#{running.pid}") for name in half)


def _left_of_group(leader: int) -> dict[int, str]:
    """Return what lives of a group, after a moment for it to end."""
    deadline = time.monotonic() + 10
    while (found := _group(leader)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _group(leader: int) -> dict[int, str]:
    """Return the living processes of a group and their command lines."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, group = path.read_text().rpartition(")")[2].split()[:3]
            if group == str(leader) and state != "Z":
                found[int(path.parent.name)] = path.with_name("cmdline").read_text()
    return found


def test_help_shows_examples_and_every_option(tmp_path):
    done = simulate("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "sparkify simulate lake" in done.stdout
