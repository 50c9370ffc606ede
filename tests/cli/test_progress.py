"""Progress is told by bytes, at the pace of the last seconds, and a rest only where it can be known."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.cli import screen
from sparkify.cli.pace import Pace
from sparkify.cli.screen import Progress
from sparkify.pipeline.checks import run_checks
from tests.cli.conftest import Run, write_lake

MB = 1_000_000


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def watch(progress: Progress, clock: Clock, seconds: int, work: Callable[[], None]) -> str:
    """Do some work every second and look at it; return the last line."""
    for _ in range(seconds):
        clock.now += 1
        work()
        progress.text()
    return progress.text()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_pace_is_that_of_the_last_seconds(clock: Clock) -> None:
    pace = Pace(clock=clock)
    for second in range(1, 61):
        clock.now += 1
        # A slow start: 1 MB a second, and 50 from the half on.
        pace.note(second * MB if second <= 30 else (30 + 50 * (second - 30)) * MB)
    assert pace.bytes_a_second == pytest.approx(50 * MB)
    assert pace.seconds_left(1530 * MB + 5000 * MB) == pytest.approx(100)


def test_where_nothing_comes_in_there_is_no_pace(clock: Clock) -> None:
    pace = Pace(clock=clock)
    pace.note(100 * MB)
    clock.now += 5
    pace.note(200 * MB)
    assert pace.bytes_a_second == pytest.approx(40 * MB)
    clock.now += 21
    pace.note(200 * MB)
    assert (pace.bytes_a_second, pace.seconds_left(300 * MB)) == (None, None)


@given(
    rates=st.lists(st.integers(0, 200), min_size=1, max_size=60),
    total=st.integers(1, 20_000),
    every=st.floats(0.1, 3),
)
def test_an_estimate_is_never_made_of_little(rates: list[int], total: int, every: float) -> None:
    """Whatever comes in when: an estimate has seen 5 s and 2 %, and is as slow or fast as what was seen."""
    clock = Clock()
    pace, done, history = Pace(clock=clock), 0.0, [(1000.0, 0.0)]
    for rate in rates:
        clock.now += every
        done += rate * MB * every
        pace.note(done)
        history.append((clock.now, done))
        left = pace.seconds_left(total * MB)
        if left is None:
            continue
        assert clock.now - 1000 >= 5
        assert 0.02 * total * MB <= done < total * MB
        paces = [(done - at) / (clock.now - moment) for moment, at in history[:-1] if clock.now - moment >= 3]
        assert min(paces) * 0.999 <= (total * MB - done) / left <= max(paces) * 1.001


def test_many_tiny_files_first_give_no_nonsense(clock: Clock) -> None:
    """Seen in a real load: 54 files of 200 B, and 66,684 s left."""
    progress = Progress("reading songs", clock=clock)
    progress.expect(files=307, size=300 * MB)
    said = watch(progress, clock, 54, lambda: progress(files=1, rows=1, size=200))
    assert said == "reading songs · 54 of 307 files · 54 rows · 11 KB of 300 MB · 200 B/s"
    progress(label="reading events")
    assert progress.text() == "reading events"
    said = watch(progress, clock, 3, lambda: progress(files=1, rows=10_000, size=5 * MB))
    assert said == "reading events · 57 of 307 files · 30,054 rows · 15 MB of 300 MB · 5.0 MB/s"
    said = watch(progress, clock, 17, lambda: progress(files=1, rows=10_000, size=5 * MB))
    assert said.endswith(" · 100 MB of 300 MB · 5.0 MB/s · about 40 s of reading left")


def test_what_a_statement_has_read_counts_before_it_ends(clock: Clock) -> None:
    shares: list[float | None] = [None]
    progress = Progress("reading events", clock=clock, share_done=lambda: shares[-1])
    progress.expect(files=10, size=1000 * MB)
    progress(reading=500 * MB)
    assert "0 B of 1.0 GB" in progress.text()
    for share in (None, 0.2, 0.4, None, 0.1):  # the next statement on the same files begins anew
        shares.append(share)
        clock.now += 2
        said = progress.text()
    assert "200 MB of 1.0 GB · 20 MB/s" in said
    assert "left" not in said, "nothing of it is certain yet"
    for _ in range(10):
        progress(files=1, size=50 * MB)
    assert "10 of 10 files · 500 MB of 1.0 GB" in progress.text()
    shares.append(0.5)
    assert "500 MB of 1.0 GB" in progress.text(), "no statement reads"


def test_what_comes_after_reading_is_told_with_its_seconds(clock: Clock) -> None:
    progress = Progress("reading events", clock=clock)
    progress.expect(files=1, size=MB)
    progress(files=1, rows=5, size=MB)
    progress(label="matching plays with songs")
    assert progress.text() == "matching plays with songs"
    clock.now += 75
    assert progress.text() == "matching plays with songs · 75 s"
    progress(label="building songplays")
    clock.now += 200
    assert progress.text() == "building songplays · 3 min"


def test_a_phase_is_told_while_it_lasts(
    sparkify: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody calls meanwhile: a thread looks."""
    every = screen._every

    def slow(*arguments: Any, **options: Any) -> Any:
        time.sleep(1.5)
        return run_checks(*arguments, **options)

    monkeypatch.setattr(screen, "_every", lambda _seconds, show: every(0.05, show))
    monkeypatch.setattr("sparkify.pipeline.etl_run.run_checks", slow)
    write_lake(tmp_path)
    done = sparkify("etl", "--log-data", "log_data", "--song-data", "song_data")
    assert done.code == 0
    assert re.search("^checking the data · [12] s$", done.err, re.MULTILINE)
