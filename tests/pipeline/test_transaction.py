"""A run publishes everything or nothing, whatever goes wrong, and says so by its exit code."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sparkify.cli.app import run
from sparkify.cli.screen import Progress
from tests.contents import hash_tables, read_tables
from tests.loading import etl
from tests.oracle import expect
from tests.records import TS, play, song, write_records
from tests.warehouses import ENGINES, Place, Warehouses, options_of, rows

SONGS = [song(), song(song_id="SO2", title="Other", year=0)]
DAY_1 = [play(), play(ts=TS + 1, page="Home"), play(ts=TS + 2, song="Other", userId="2")]
DAY_2 = [play(ts=TS + 86_400_000, level="paid"), play(ts=TS + 86_400_001, userId="3", song="Nobody's")]


@dataclass(frozen=True)
class Lake:
    """A small lake, and a warehouse with its songs and first day in; the second day lies ready."""

    folder: Path
    place: Place

    @property
    def database(self) -> Path:
        """The file, on DuckDB."""
        assert isinstance(self.place, Path)
        return self.place

    @property
    def logs(self) -> Path:
        return self.folder / "log_data"

    @property
    def songs(self) -> Path:
        return self.folder / "song_data"

    def etl(self, *options: str) -> int:
        return etl(self.place, self.logs, self.songs, *options)


BEFORE = expect(DAY_1, SONGS)
AFTER = expect(DAY_1 + DAY_2, SONGS)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# For what is a matter of the file that DuckDB keeps its warehouse in.
duckdb_only = pytest.mark.parametrize("engine", ["duckdb"])


@pytest.fixture
def empty(engine: str, warehouses: Warehouses, tmp_path: Path) -> Iterator[Place]:
    with warehouses.temporary(engine, tmp_path) as place:
        yield place


@pytest.fixture
def lake(empty: Place, tmp_path: Path) -> Lake:
    lake = Lake(tmp_path, empty)
    write_records(lake.songs / "A" / "songs.json", *SONGS)
    write_records(lake.logs / "1.json", *DAY_1)
    assert lake.etl() == 0
    assert read_tables(lake.place) == BEFORE
    write_records(lake.logs / "2.json", *DAY_2)
    return lake


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_next_run_takes_in_what_is_new(lake: Lake):
    assert lake.etl() == 0
    assert read_tables(lake.place) == AFTER


def test_a_failed_check_publishes_nothing_on_a_new_warehouse(empty: Place, tmp_path: Path):
    """The mission's draft looks for 'nextsong': a load that yields no plays must not look like success."""
    write_records(tmp_path / "log_data" / "1.json", play(page="nextsong"))
    assert etl(empty, tmp_path / "log_data") == 3
    assert read_tables(empty) == expect([], [])


def test_batches_of_quiet_days_wait_for_one_with_plays(
    empty: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Whether logs give plays is known when all of them are in: here each file is a batch."""
    logs = tmp_path / "log_data"
    quiet = [play(page="Home", ts=TS - number) for number in range(3)]
    for number, event in enumerate(quiet):
        write_records(logs / f"{number}.json", event)
    capsys.readouterr()
    assert etl(empty, logs, None, "--batch-bytes", "1", "--json") == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert "runs 1, 2 are committed before it" in error["hint"]
    assert read_tables(empty) == expect(quiet[:2], [])
    write_records(logs / "9.json", play())
    assert etl(empty, logs, None, "--batch-bytes", "1") == 0
    assert read_tables(empty) == expect([*quiet, play()], [])


@pytest.mark.parametrize("more", [(), ("--full-refresh",)], ids=["incremental", "full refresh"])
def test_the_only_file_with_plays_can_be_taken_out(empty: Place, tmp_path: Path, more: tuple[str, ...]):
    """That is no load whose filter lets nothing through; the next load of logs would be one."""
    logs, songs = tmp_path / "log_data", tmp_path / "song_data"
    write_records(logs / "1.json", play())
    write_records(logs / "2.json", play(page="Home", ts=TS + 1))
    assert etl(empty, logs) == 0
    assert run(["retract", str(logs / "1.json"), "--yes", *options_of(empty)]) == 0
    assert read_tables(empty) == expect([play(page="Home", ts=TS + 1)], [])
    assert run(["check", *options_of(empty)]) == 3
    write_records(songs / "1.json", song())
    assert etl(empty, logs, songs, *more) == (3 if more else 0)
    write_records(logs / "2.json", play(page="Home", ts=TS + 2))
    assert etl(empty, logs, songs) == 3
    write_records(logs / "2.json", play(ts=TS + 2))
    assert etl(empty, logs, songs) == 0
    assert read_tables(empty) == expect([play(ts=TS + 2)], [song()])


@pytest.mark.parametrize("left", [(), (play(userId=""),)], ids=["nothing", "a reject"])
def test_a_log_that_loses_the_only_plays_is_no_success(
    empty: Place, tmp_path: Path, left: tuple[dict[str, Any], ...]
):
    """Nothing of the changed file is loaded, and what is left has no play."""
    logs = tmp_path / "log_data"
    write_records(logs / "1.json", play())
    write_records(logs / "2.json", play(page="Home", ts=TS + 1))
    assert etl(empty, logs) == 0
    write_records(logs / "1.json", *left)
    assert etl(empty, logs, None, "--max-rejects", "100%") == 3
    assert read_tables(empty) == expect([play(), play(page="Home", ts=TS + 1)], [])


def test_quiet_batches_are_asked_again_when_the_last_one_comes(empty: Place, tmp_path: Path):
    """The first time the last batch fails for another reason."""
    logs = tmp_path / "log_data"
    write_records(logs / "1.json", play(page="Home"))
    write_records(logs / "2.json", play(userId=""))
    assert etl(empty, logs, None, "--batch-bytes", "1") == 3
    assert etl(empty, logs, None, "--max-rejects", "100%") == 3


def test_a_failed_check_leaves_what_was_there(lake: Lake):
    """Both days are replaced by logs without a play: the old rows stay, and the ledger with them."""
    for name in ("1.json", "2.json"):
        write_records(lake.logs / name, play(page="nextsong"), play(ts=TS + 5, page="Home", userId="9"))
    before = hash_tables(lake.place, file_ids=True, ledger=True)
    assert lake.etl() == 3
    after = hash_tables(lake.place, file_ids=True, ledger=True)
    assert {name for name in after if after[name] != before[name]} <= {"etl.runs", "etl.checks"}
    assert read_tables(lake.place) == BEFORE
    failed = rows(lake.place, "SELECT COUNT(*) FROM etl.runs WHERE status = 'failed'")
    assert failed == [(1,)]


def test_after_a_failed_check_the_mended_files_load(lake: Lake):
    write_records(lake.logs / "1.json", play(page="nextsong"))
    (lake.logs / "2.json").unlink()
    assert lake.etl() == 3
    write_records(lake.logs / "1.json", *DAY_1)
    write_records(lake.logs / "2.json", *DAY_2)
    assert lake.etl() == 0
    assert read_tables(lake.place) == AFTER


@pytest.mark.parametrize("text", ['{"page": "NextSong", \n', "no JSON at all\n", '{"ts": "soon"}\n'])
def test_a_file_of_nonsense_changes_nothing(lake: Lake, text: str):
    """It is set aside, and the others are loaded; alone it fails the run."""
    (lake.logs / "3.json").write_text(text)
    assert lake.etl() == 4
    assert read_tables(lake.place) == AFTER
    (lake.logs / "4.json").write_text(text + text)
    assert lake.etl() == 3
    assert read_tables(lake.place) == AFTER


@pytest.mark.parametrize("name", ["3.json.gz", "3.json.zst"])
def test_a_damaged_compressed_file_changes_nothing(lake: Lake, name: str):
    magic = b"\x1f\x8b\x08\0" if name.endswith(".gz") else b"\x28\xb5\x2f\xfd"
    (lake.logs / name).write_bytes(magic + b"damaged")
    assert lake.etl() == 4
    assert read_tables(lake.place) == AFTER


@duckdb_only
def test_a_plan_changes_no_byte(lake: Lake, capsys: pytest.CaptureFixture[str]):
    before = digest(lake.database)
    capsys.readouterr()
    assert lake.etl("--plan", "--json") == 0
    (planned,) = json.loads(capsys.readouterr().out)["plan"]["files"]
    assert (planned["uri"], planned["state"]) == (str(lake.logs / "2.json"), "new")
    assert digest(lake.database) == before
    assert not list(lake.folder.glob("*.wal"))


@duckdb_only
def test_a_plan_makes_no_warehouse(lake: Lake):
    assert etl(lake.folder / "none.duckdb", lake.logs, lake.songs, "--plan") == 0
    assert not (lake.folder / "none.duckdb").exists()


@duckdb_only
@pytest.mark.parametrize("option", ["--plan", "--full-refresh"])
@pytest.mark.parametrize("content", [b"a diary, not a database\n" * 200, b"short"])
def test_a_file_that_is_no_database_is_not_touched(lake: Lake, content: bytes, option: str):
    other = lake.folder / "diary.txt"
    other.write_bytes(content)
    assert etl(other, lake.logs, lake.songs, option) == 1
    assert other.read_bytes() == content


@contextmanager
def holding(database: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the warehouse open for writing, until its stdin is closed."""
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read(); c.close()"
    )
    command = [sys.executable, "-c", program, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin
        assert holder.stdout
        try:
            assert holder.stdout.readline() == "\n"
            yield holder
        finally:
            holder.stdin.close()
            holder.wait(30)


@duckdb_only
def test_a_locked_warehouse_is_left_alone_and_its_holder_named(
    lake: Lake, capsys: pytest.CaptureFixture[str]
):
    before = digest(lake.database)
    with holding(lake.database) as holder:
        capsys.readouterr()
        assert lake.etl("--json", "--wait", "0") == 1
        error = json.loads(capsys.readouterr().out)["error"]
        assert error["kind"] == "WarehouseLocked"
        assert str(holder.pid) in error["message"]
    assert digest(lake.database) == before


@duckdb_only
def test_a_run_waits_for_the_holder(lake: Lake):
    command = [str(Path(sys.executable).with_name("sparkify")), "etl", "--database", str(lake.database)]
    command += ["--log-data", str(lake.logs), "--song-data", str(lake.songs), "--wait", "60"]
    with holding(lake.database) as holder:
        assert holder.stdin
        with subprocess.Popen(command, cwd=lake.folder, stdout=subprocess.DEVNULL) as waiting:
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(1.5)
            holder.stdin.close()
            assert waiting.wait(60) == 0
    assert read_tables(lake.place) == AFTER


ShowProgress = Callable[..., None]


@pytest.fixture
def at_progress(monkeypatch: pytest.MonkeyPatch) -> Callable[[ShowProgress], None]:
    """Have something happen whenever the run tells how far it is."""

    def install(act: ShowProgress) -> None:
        monkeypatch.setattr(Progress, "__call__", lambda _self, **told: act(**told))

    return install


def test_a_run_begins_when_it_begins_to_read(lake: Lake, at_progress: Callable[[ShowProgress], None]):
    """In the history, and not only when what it read is published."""
    seen = []

    def look(*, label: str | None = None, **_: int) -> None:
        if label == "reading events":
            seen.append(datetime.now(UTC).replace(tzinfo=None))

    at_progress(look)
    assert lake.etl() == 0
    ((started, finished),) = rows(
        lake.place, "SELECT started_at, finished_at FROM etl.runs ORDER BY run_id DESC LIMIT 1"
    )
    assert started <= seen[0] < finished


@duckdb_only
def test_readers_query_the_old_warehouse_while_files_are_parsed(
    lake: Lake, at_progress: Callable[[ShowProgress], None]
):
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); "
    program += "print(c.execute('SELECT COUNT(*) FROM songplays').fetchone()[0])"
    command = [sys.executable, "-c", program, str(lake.database)]
    seen = []

    def look(*, label: str | None = None, **_: int) -> None:
        if label and label.startswith("reading"):
            seen.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())

    at_progress(look)
    assert lake.etl() == 0
    assert seen
    assert set(seen) == {"2"}
    assert read_tables(lake.place) == AFTER


@pytest.mark.parametrize("engine", ["redshift"])
def test_readers_query_the_old_star_until_the_new_one_is_there(
    lake: Lake, at_progress: Callable[[ShowProgress], None]
):
    """Also while a run publishes: its lock is on the ledger, and the star has readers."""
    seen = []

    def look(*, label: str | None = None, **_: int) -> None:
        if label:
            seen.append((label, rows(lake.place, "SELECT COUNT(*) FROM songplays")))

    at_progress(look)
    assert lake.etl() == 0
    assert {"building songplays", "checking the data", "writing the warehouse"} <= {
        label for label, _ in seen
    }
    assert all(found == [(2,)] for _, found in seen)
    assert read_tables(lake.place) == AFTER


def test_interrupted_anywhere_nothing_is_published(lake: Lake, at_progress: Callable[[ShowProgress], None]):
    """Ctrl-C at the first sign of progress, then at the second, and so on until a run gets through."""
    before = hash_tables(lake.place, file_ids=True, ledger=True)
    for allowed in range(100):
        left = allowed

        def stop(**_: object) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt

        at_progress(stop)
        code = lake.etl()
        if code == 0:
            break
        assert code == 130
        assert hash_tables(lake.place, file_ids=True, ledger=True) == before
    assert allowed > 8
    assert read_tables(lake.place) == AFTER


@pytest.mark.parametrize(
    "label", ["reading events", "building songplays", "checking the data", "writing the warehouse"]
)
def test_killed_a_run_leaves_the_old_warehouse_and_the_next_one_finishes(lake: Lake, label: str):
    program = f"""
import os, signal, sys
from sparkify.cli.app import run
from sparkify.cli.screen import Progress

def die(self, *, label=None, **_):
    if label == {label!r}:
        os.kill(os.getpid(), signal.SIGKILL)

Progress.__call__ = die
sys.exit(run(sys.argv[1:]))
"""
    command = [sys.executable, "-c", program, "etl", *options_of(lake.place)]
    command += ["--log-data", str(lake.logs), "--song-data", str(lake.songs)]
    killed = subprocess.run(command, cwd=lake.folder, stdout=subprocess.DEVNULL, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert read_tables(lake.place) == BEFORE
    assert lake.etl() == 0
    assert read_tables(lake.place) == AFTER


@pytest.mark.parametrize("option", [[], ["--full-refresh"]])
def test_batches_give_the_same_tables_as_one(lake: Lake, option: list[str]):
    write_records(lake.logs / "3" / "empty.json")
    write_records(lake.logs / "1.json", *DAY_1[1:], *DAY_2[:1])
    expected = expect(DAY_1[1:] + DAY_2[:1] + DAY_2, SONGS)
    assert lake.etl("--batch-bytes", "1", *option) == 0
    assert read_tables(lake.place) == expected


def test_a_batch_that_fails_leaves_those_before_it(lake: Lake):
    """Each batch is a transaction of its own that leaves a whole warehouse: 2.json is in, 3.json is not."""
    # Too few rejects to be set aside, too many for a run.
    bad = write_records(lake.logs / "3.json", *(play(ts=TS + 99, itemInSession=n) for n in range(20)))
    bad.write_text(bad.read_text() + "no JSON at all\n")
    write_records(lake.logs / "4.json", play(ts=TS + 9))
    assert lake.etl("--batch-bytes", "1") == 3
    assert read_tables(lake.place) == AFTER


@duckdb_only
def test_the_comparison_sees_one_row_more_or_less(lake: Lake):
    for name, known in BEFORE.items():
        for statement in (f"INSERT INTO {name} SELECT * FROM {name} LIMIT 1", f"DELETE FROM {name}"):
            with duckdb.connect(str(lake.database)) as connection:
                connection.execute(statement)
            assert read_tables(lake.place)[name] != known
