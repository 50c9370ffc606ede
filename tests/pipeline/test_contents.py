"""A file is its content: copies load once, a moved file stays what it was, nothing is counted twice."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from tests.conftest import S3Server
from tests.contents import hash_tables
from tests.loading import etl
from tests.old_warehouses import VERSIONS, restore_on
from tests.records import TS, play, song, write_records
from tests.tiers import sweep
from tests.warehouses import ENGINES, Place, Warehouses, execute, options_of, rows

BATCHES = pytest.mark.parametrize("batches", [[], ["--batch-bytes", "1"]], ids=["at once", "one by one"])


@pytest.fixture(params=sweep(ENGINES, 2))
def place(request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path: Path) -> Place:
    """An empty warehouse."""
    return warehouses.new(request.param, tmp_path / "place")


def command(place: Place, *arguments: str) -> int:
    return run([*arguments, *options_of(place)])


def load(place: Place, logs: Path | str, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """Load a folder of logs, and return what the run says for a script."""
    capsys.readouterr()
    assert etl(place, logs, None, "--json", *options) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def states(place: Place) -> dict[str, str]:
    """Return what the ledger says of each file now, by its name and the folder it lies in."""
    found = rows(place, "SELECT uri, state FROM etl.files WHERE state NOT IN ('replaced', 'undone')")
    return {"/".join(Path(uri).parts[-2:]): state for uri, state in found}


def moments(place: Place) -> list[int]:
    """Return the times of the events in staging, from :data:`TS` on, one for each row."""
    return sorted(ts - TS for (ts,) in rows(place, "SELECT ts FROM staging_events"))


def log(path: Path, *seconds: int) -> Path:
    return write_records(path, *[play(ts=TS + second) for second in seconds])


@BATCHES
def test_the_same_content_under_two_names_is_loaded_once(
    place: Place, tmp_path: Path, batches: Sequence[str], capsys: pytest.CaptureFixture[str]
):
    """The first in order; compressed or not; in one run or in two."""
    logs = tmp_path / "logs"
    log(logs / "2.json", 1, 2)
    log(logs / "3.json", 1, 2)
    told = load(place, logs, capsys, *batches)
    assert states(place) == {"logs/2.json": "loaded", "logs/3.json": "copy"}
    assert told["copies"] == [{"uri": str(logs / "3.json"), "of": str(logs / "2.json")}]
    (logs / "1.json.gz").write_bytes(gzip.compress((logs / "2.json").read_bytes()))
    told = load(place, logs, capsys, *batches)
    assert [each["uri"] for each in told["copies"]] == [str(logs / "1.json.gz")]
    assert moments(place) == [1, 2]
    told = load(place, logs, capsys)
    assert (told["runs"], told["plan"]["unchanged"]) == ([], 3)
    assert command(place, "check") == 0


@BATCHES
def test_a_copy_takes_over_what_its_original_held(
    place: Place, tmp_path: Path, batches: Sequence[str], capsys: pytest.CaptureFixture[str]
):
    """When the original changes, when it goes, and when both names change places."""
    logs = tmp_path / "logs"
    log(logs / "1.json", 1)
    log(logs / "2.json", 1)
    log(logs / "9.json", 9)
    load(place, logs, capsys)
    log(logs / "1.json", 1, 2, 3)
    load(place, logs, capsys, *batches)
    assert moments(place) == [1, 1, 2, 3, 9]
    assert set(states(place).values()) == {"loaded"}
    log(logs / "3.json", 1)
    load(place, logs, capsys, *batches)
    (logs / "2.json").unlink()
    told = load(place, logs, capsys, *batches)
    assert told["moved"] == [{"from": str(logs / "2.json"), "to": str(logs / "3.json")}]
    assert told["plan"]["gone"] == []
    assert moments(place) == [1, 1, 2, 3, 9]
    one, three = logs / "1.json", logs / "3.json"
    texts = one.read_bytes(), three.read_bytes()
    three.write_bytes(texts[0])
    one.write_bytes(texts[1])
    load(place, logs, capsys, *batches)
    assert moments(place) == [1, 1, 2, 3, 9]
    assert load(place, logs, capsys)["runs"] == []
    assert command(place, "check") == 0


def test_what_was_only_written_again_stays(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The same content under the same name, even of a file that was retracted."""
    logs = tmp_path / "logs"
    kept, out = log(logs / "1.json", 1), log(logs / "2.json", 2)
    load(place, logs, capsys)
    assert command(place, "retract", str(out), "--yes") == 0
    kept.write_bytes(kept.read_bytes())
    out.write_bytes(out.read_bytes())
    told = load(place, logs, capsys)
    assert (told["moved"], told["copies"], [run["rows_loaded"] for run in told["runs"]]) == ([], [], [0])
    assert states(place) == {"logs/1.json": "loaded", "logs/2.json": "retracted"}
    assert load(place, logs, capsys)["runs"] == []
    assert moments(place) == [1]


@BATCHES
def test_a_file_that_moved_keeps_its_rows_and_is_known_by_its_new_name(
    place: Place, tmp_path: Path, batches: Sequence[str], capsys: pytest.CaptureFixture[str]
):
    old, new = tmp_path / "old", tmp_path / "new"
    log(old / "1.json", 1)
    bad = log(old / "2.json", 2)
    bad.write_text(bad.read_text() + "no JSON\n")
    load(place, old, capsys, "--max-rejects", "1")
    before = hash_tables(place, file_ids=True)
    shutil.copytree(old, new)
    capsys.readouterr()
    assert etl(place, new, None, "--plan", "--json") == 0
    assert {each["state"] for each in json.loads(capsys.readouterr().out)["plan"]["files"]} == {
        "new or moved"
    }
    told = load(place, new, capsys, *batches)  # what was let in once needs no --max-rejects again
    assert [each["to"] for each in told["moved"]] == [str(new / "1.json"), str(new / "2.json")]
    assert hash_tables(place, file_ids=True) == before
    assert states(place) == {"new/1.json": "loaded", "new/2.json": "loaded"}
    assert {Path(uri).parent for (uri,) in rows(place, "SELECT uri FROM etl.rejects")} == {new}
    (new / "1.json").rename(new / "3.json")
    told = load(place, new, capsys)
    assert told["plan"]["gone"] == []
    assert [Path(each["to"]).name for each in told["moved"]] == ["3.json"]
    assert load(place, new, capsys)["runs"] == []
    assert command(place, "retract", str(new / "3.json"), "--yes") == 0
    assert moments(place) == [2]
    assert command(place, "undo", "1", "--yes") == 0
    assert moments(place) == []


@pytest.mark.parametrize("where", ["another name", "another place", "its copy"])
def test_retracted_content_stays_out_under_any_name(
    place: Place, tmp_path: Path, where: str, capsys: pytest.CaptureFixture[str]
):
    logs, other = tmp_path / "logs", tmp_path / "other"
    bad = log(logs / "1.json", 1)
    log(logs / "2.json", 2)
    if where == "its copy":
        log(logs / "3.json", 1)
    load(place, logs, capsys)
    assert command(place, "retract", str(bad), "--yes") == 0
    if where == "another name":
        bad = bad.rename(logs / "3.json")
    elif where == "another place":
        shutil.move(logs, other)
        logs, bad = other, other / "1.json"
    else:
        bad.unlink()
        bad = logs / "3.json"
    load(place, logs, capsys)
    assert moments(place) == [2]
    load(place, logs, capsys)
    assert moments(place) == [2]
    assert command(place, "retract", "--back", str(bad)) == 0
    load(place, logs, capsys)
    assert moments(place) == [1, 2]


def test_what_was_undone_is_loaded_once_again(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    logs = tmp_path / "logs"
    log(logs / "1.json", 1)
    log(logs / "2.json", 1)
    load(place, logs, capsys)
    assert command(place, "undo", "1", "--yes") == 0
    load(place, logs, capsys)
    assert moments(place) == [1]
    assert command(place, "undo", "3", "--yes") == 0
    (logs / "1.json").unlink()
    load(place, logs, capsys)
    assert (moments(place), states(place)) == ([1], {"logs/2.json": "loaded"})


@BATCHES
@pytest.mark.parametrize("first", [True, False], ids=["the first", "the last"])
@pytest.mark.parametrize("shown", ["by another file", "by its old place", "by nothing"])
def test_a_file_corrected_after_a_move_replaces_what_it_was(
    place: Place,
    tmp_path: Path,
    shown: str,
    first: bool,
    batches: Sequence[str],
    capsys: pytest.CaptureFixture[str],
):
    """Where something shows that the lake has moved; else there may be two, and both stay."""
    old, new = tmp_path / "old", tmp_path / "new"
    corrected, same = ("1.json", "2.json") if first else ("2.json", "1.json")
    log(old / "2018/11" / corrected, 1)
    log(old / "2018/11" / same, 2)
    load(place, old, capsys)
    log(new / "2018/11" / corrected, 1, 3)
    if shown == "by another file":
        log(new / "2018/11" / same, 2)
    if shown == "by its old place":
        shutil.rmtree(old)
    told = load(place, new, capsys, *batches)
    if shown == "by nothing":
        assert (moments(place), told["same_keys"]) == ([1, 1, 2, 3], 1)
    else:
        assert (moments(place), told["same_keys"]) == (
            [1, 2, 3],
            0,
        )
        assert [Path(each["to"]).name for each in told["corrected"]] == [corrected]
    assert load(place, new, capsys)["runs"] == []
    assert command(place, "check") == 0


def test_two_lakes_of_the_same_keys_are_two_lakes(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """And that they may be one is said when such files are new, not every night."""
    log(tmp_path / "a" / "1.json", 1)
    log(tmp_path / "b" / "1.json", 2)
    assert load(place, tmp_path / "a", capsys)["same_keys"] == 0
    assert load(place, tmp_path / "b", capsys)["same_keys"] == 1
    log(tmp_path / "b" / "2.json", 3)
    assert load(place, tmp_path / "b", capsys)["same_keys"] == 0
    assert moments(place) == [1, 2, 3]


def test_empty_and_damaged_files_have_no_identity(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    logs = tmp_path / "logs"
    log(logs / "1.json", 1)
    for name in ("2.json", "3.json"):
        (logs / name).write_bytes(b"")
    (logs / "4.json").write_bytes(b"\n\n")
    (logs / "5.json").write_bytes(b"\n\n")
    cut = gzip.compress((logs / "1.json").read_bytes() * 40)[:-9]
    for name in ("6.json.gz", "7.json.gz"):
        (logs / name).write_bytes(cut)
    load(place, logs, capsys, "--max-rejects", "100%", "--lenient")
    assert set(states(place).values()) == {"loaded"}
    assert rows(place, "SELECT COUNT(content) FROM etl.files") == [(1,)]


def test_empty_files_of_two_lakes_under_one_name_are_two_files(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for lake in ("a", "b"):
        log(tmp_path / lake / "2.json", 7 if lake == "a" else 8)
        (tmp_path / lake / "1.json").write_bytes(b"\n")
        load(place, tmp_path / lake, capsys, "--lenient")
    assert set(states(place)) == {"a/1.json", "a/2.json", "b/1.json", "b/2.json"}


def test_songs_and_logs_of_the_same_content_are_two_files(place: Place, tmp_path: Path):
    record = {**play(), **song()}
    write_records(tmp_path / "logs" / "1.json", record)
    write_records(tmp_path / "songs" / "1.json", record)
    assert etl(place, tmp_path / "logs", tmp_path / "songs") == 0
    assert rows(place, "SELECT kind, state FROM etl.files ORDER BY kind") == [
        ("events", "loaded"),
        ("songs", "loaded"),
    ]


@pytest.mark.parametrize("size", ["few", "many"])
def test_content_is_that_of_the_decoded_bytes_however_a_file_is_read(
    place: Place,
    tmp_path: Path,
    size: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    """By the fast path or carefully, under a name that says how it is compressed or one that does not."""
    if size == "many":
        monkeypatch.setattr("sparkify.pipeline.land._MUCH_BYTES", -1)
    logs = tmp_path / "logs"
    texts = {
        "flat": log(tmp_path / "flat.json", 1).read_bytes(),
        "nested": write_records(tmp_path / "n.json", play(ts=TS + 2) | {"more": {"a": [1]}}).read_bytes(),
        "bad": log(tmp_path / "bad.json", 3).read_bytes() + b"no JSON\n",
    }
    for name, data in texts.items():
        (logs / name).mkdir(parents=True)
        (logs / name / "1.json").write_bytes(data)
        (logs / name / "2.json.gz").write_bytes(gzip.compress(data))
        (logs / name / "3.json").write_bytes(gzip.compress(data))
    load(place, logs, capsys, "--max-rejects", "100%")
    assert moments(place) == [1, 2, 3]
    assert sorted(states(place).values()) == ["copy"] * 6 + ["loaded"] * 3


@pytest.mark.parametrize("old_version", [number for number in VERSIONS if number < 2])
@pytest.mark.parametrize("engine", sweep(ENGINES, 1))
@pytest.mark.parametrize("batches", [[], ["--batch-bytes", "10000"]], ids=["at once", "in batches"])
def test_the_lake_of_an_old_warehouse_moves_and_nothing_is_doubled(
    engine: str,
    old_version: int,
    batches: Sequence[str],
    warehouses: Warehouses,
    s3: S3Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    """Its ledger has no contents: files are known by key, size and rows; retracted ones stay out."""
    old = restore_on(engine, old_version, tmp_path / "old", warehouses, s3)
    before = hash_tables(old.place, file_ids=True, newer=False)
    sources = _moved(old.lake, engine, s3, tmp_path)
    capsys.readouterr()
    assert etl(old.place, *sources, "--json", *batches) == 0
    told = json.loads(capsys.readouterr().out)
    assert hash_tables(old.place, file_ids=True, newer=False) == before
    assert len(told["moved"]) == len(told["plan"]["files"])
    assert command(old.place, "check") == 0
    # The rules of today read again what may be read in another way, where it is now.
    assert etl(old.place, *sources, "--lenient") == 0
    capsys.readouterr()
    assert etl(old.place, *sources, "--json") == 0
    assert json.loads(capsys.readouterr().out)["runs"] == []


def _moved(lake: str, engine: str, s3: S3Server, folder: Path) -> tuple[str, str]:
    if engine == "duckdb":
        shutil.move(lake, folder / "moved")
        return f"{folder}/moved/log_data", f"{folder}/moved/song_data"
    bucket = f"{lake.removeprefix('s3://')}-moved"
    shutil.rmtree(s3.root / bucket, ignore_errors=True)
    shutil.copytree(s3.root / lake.removeprefix("s3://"), s3.root / bucket)
    return f"s3://{bucket}/log_data", f"s3://{bucket}/song_data"


def test_an_old_file_with_other_rows_is_another_file(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Of the same key and size, in a place that still is there: one value, one NULL or one row more."""
    old, new = tmp_path / "old", tmp_path / "new"
    write_records(old / "1.json", play(level="free"), play(level="paid"))
    write_records(old / "2.json", play(ts=TS + 1, artist=None), play(ts=TS + 1, artist=None))
    write_records(old / "3.json", play(ts=TS + 2, artist=None))
    load(place, old, capsys)
    execute(place, "UPDATE etl.files SET content = NULL")
    write_records(new / "1.json", play(level="paid"), play(level="paid"))
    write_records(new / "2.json", play(ts=TS + 1, artist=None), play(ts=TS + 1, artist="rt"))
    write_records(new / "3.json", play(ts=TS + 2, artist=None))
    told = load(place, new, capsys)
    assert [Path(each["to"]).name for each in told["moved"]] == ["3.json"]
    # What has moved shows that the others were corrected.
    assert sorted(Path(each["to"]).name for each in told["corrected"]) == ["1.json", "2.json"]
    assert rows(place, "SELECT COUNT(content) FROM etl.files WHERE state = 'loaded'") == [(3,)]
    assert len(rows(place, "SELECT 1 FROM staging_events")) == 5


def test_another_run_between_plan_and_publish_is_seen(
    place: Place,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    between: Callable[[Callable[[], int], pytest.CaptureFixture[str]], None],
):
    """It has loaded the same content under another name: the second run finds its copy."""
    a, b = tmp_path / "a", tmp_path / "b"
    log(a / "1.json", 1)
    log(b / "1.json", 1)
    between(lambda: etl(place, b), capsys)
    told = load(place, a, capsys)
    assert moments(place) == [1]
    assert [each["to"] for each in told["moved"]] == [str(a / "1.json")]


@pytest.fixture
def between(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Callable[[], int], pytest.CaptureFixture[str]], None]:
    """Have something done once, after a run has landed its files and before it publishes them."""
    from sparkify.pipeline.etl_run import EtlRun

    publish = EtlRun.publish

    def arrange(act: Callable[[], int], capsys: pytest.CaptureFixture[str]) -> None:
        def late(self: EtlRun, *arguments: Any) -> Any:
            monkeypatch.setattr(EtlRun, "publish", publish)
            assert act() == 0
            capsys.readouterr()  # what it says is not the run's
            return publish(self, *arguments)

        monkeypatch.setattr(EtlRun, "publish", late)

    return arrange
