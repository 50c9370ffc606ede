"""What a person meets when the cluster cannot read, or will not load: which file, why, and what to do."""

from __future__ import annotations

import gzip
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sparkify.cli.app import run
from sparkify.errors import ConfigError, SourceError
from sparkify.lake.writer import Writer
from sparkify.records import EVENTS, RecordKind
from sparkify.settings import Settings
from sparkify.warehouse.derived import KindStatements, statements_of
from sparkify.warehouse.redshift import copying as redshift_landing
from sparkify.warehouse.redshift import packing
from sparkify.warehouse.redshift.jsonpaths import verify_jsonpaths
from sparkify.warehouse.redshift.packing import Packed, pack_lines
from sparkify.warehouse.redshift.prescan import look_at_lines
from sparkify.warehouse.redshift.redshift_engine import RedshiftEngine
from sparkify.warehouse.redshift.staging import StagingArea
from tests.conftest import S3Server
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.warehouses import OnRedshift, Warehouses, rows
from tools.redshift_double import Fault


@pytest.fixture
def place(warehouses: Warehouses, tmp_path: Path) -> Iterator[OnRedshift]:
    with warehouses.temporary("redshift", tmp_path) as place:
        assert isinstance(place, OnRedshift)
        options = place.server.options
        yield place
        place.server.options = options
        place.server.faults.clear()


@pytest.fixture
def bucket(s3: S3Server) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bucket-", dir=s3.root) as folder:
        yield Path(folder)


def failing(
    place: OnRedshift,
    capsys: pytest.CaptureFixture[str],
    log_data: Path | str | None,
    song_data: Path | str | None = None,
) -> dict[str, Any]:
    """Run an etl that fails; return the error as it is told to scripts."""
    capsys.readouterr()
    assert etl(place, log_data, song_data, "--json") != 0
    error: dict[str, Any] = json.loads(capsys.readouterr().out)["error"]
    return error


@pytest.mark.as_owner("a warehouse without tables, which this run is not to make")
@pytest.mark.parametrize("views", ["all", "provisioned", "serverless"])
@pytest.mark.parametrize("kind", ["events", "songs"])
def test_a_record_of_ours_that_the_cluster_refuses_is_named(
    place: OnRedshift, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, views: str
):
    """The careful reader accepts it, COPY does not: nothing is published; file, column and value are told."""
    place.server.configure(views=views)
    write_records(tmp_path / "log_data" / "1.json", play(), {**play(ts=TS + 1), "status": 200.0})
    write_records(tmp_path / "song_data" / "1.json", song(year=1999.0))
    with pytest.MonkeyPatch.context() as patch:

        def narrow(kind: RecordKind) -> KindStatements:
            """Have a cluster for which what we accept is too long."""
            made = statements_of(kind)
            text = made.copy_table.text.replace("location VARCHAR(1025)", "location VARCHAR(2)")
            return made._replace(copy_table=made.copy_table._replace(text=text))

        patch.setattr(redshift_landing, "statements_of", narrow)
        patch.setattr(redshift_landing, "_PAUSES", ())
        error = failing(
            place,
            capsys,
            tmp_path / "log_data" if kind == "events" else None,
            tmp_path / "song_data" if kind == "songs" else None,
        )
    assert error["kind"] == "LoadError"
    for part in (f"/{'log' if kind == 'events' else 'song'}_data/1.json", "String length exceeds DDL length"):
        assert part in error["message"]
    assert "location, line " in error["message"]
    assert error["hint"].startswith("Nothing was changed")
    assert rows(place, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'etl'") == [(0,)]


@pytest.mark.parametrize(
    ("change", "said", "hint"),
    [
        ({"iam_roles": frozenset({"arn:aws:iam::1:role/x"})}, "not authorized to assume", "Attach the role"),
        ({"bucket_regions": {"staging": "eu-west-1"}}, "Status 301", "[S3] REGION"),
        ({"s3_secret": "wrong"}, "Status 403", "cluster policy copy"),
    ],
)
def test_a_cluster_that_may_not_read_says_what_to_do(
    place: OnRedshift,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    said: str,
    hint: str,
):
    """Its files are not read here instead, one by one, as if they were the trouble."""
    place.server.configure(**change)
    write_records(tmp_path / "log_data" / "1.json", play())
    error = failing(place, capsys, tmp_path / "log_data")
    assert said in error["message"]
    assert hint in error["hint"]


def test_a_statement_that_takes_too_long_says_so(
    place: OnRedshift, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    write_records(tmp_path / "log_data" / "1.json", play())
    place.server.faults.arm(
        Fault("refuse", match="COPY run_event_copy", code="57014", message="cancelled by timeout")
    )
    error = failing(place, capsys, tmp_path / "log_data")
    assert "longer than a statement may" in error["message"]
    assert "--batch-bytes" in error["hint"]


def test_local_logs_want_a_place_to_write_to(
    warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    place = warehouses.new("redshift", tmp_path, staging=False)
    assert isinstance(place, OnRedshift)
    write_records(tmp_path / "log_data" / "1.json", play())
    error = failing(place, capsys, tmp_path / "log_data")
    assert (error["exit_code"], error["kind"]) == (2, "ConfigError")
    assert "STAGING" in error["hint"]


def test_without_a_manifest_what_begins_with_the_same_name_is_not_loaded_twice(
    warehouses: Warehouses, tmp_path: Path, bucket: Path
):
    """FROM is then a prefix: `1.json` takes `1.json.bak` with it, for which a blank line makes room."""
    place = warehouses.new("redshift", tmp_path, staging=False)
    logs = bucket / "log_data"
    write_records(logs / "1.json", play())
    (logs / "1.json").write_text((logs / "1.json").read_text() + "\n")
    write_records(logs / "1.json.bak", play(ts=TS + 50, userId="9"))
    write_records(logs / "2.json", play(ts=TS + 2))
    (logs / "2.json.gz").write_bytes(gzip.compress(json.dumps(play(ts=TS + 3)).encode()))
    assert etl(place, f"s3://{bucket.name}/log_data") == 0
    assert rows(place, "SELECT ts FROM staging_events ORDER BY ts") == [(TS,), (TS + 2,), (TS + 3,)]
    assert sorted(rows(place, "SELECT rows_loaded FROM etl.files")) == [(1,), (1,), (1,)]


def test_an_object_that_changes_while_the_cluster_reads_is_left_for_the_next_run(
    place: OnRedshift, bucket: Path, monkeypatch: pytest.MonkeyPatch
):
    """What was looked at here must be what COPY read there."""
    path = write_records(bucket / "log_data" / "1.json", play())
    real = RedshiftEngine.land

    def land(self: RedshiftEngine, *arguments: Any, **options: Any) -> Any:
        write_records(path, play(ts=TS + 7))
        return real(self, *arguments, **options)

    monkeypatch.setattr(RedshiftEngine, "land", land)
    assert etl(place, f"s3://{bucket.name}/log_data") == 0
    assert rows(place, "SELECT ts FROM staging_events") == []
    assert rows(place, "SELECT state, reason FROM etl.files") == [("set_aside", "growing")]
    monkeypatch.undo()
    assert etl(place, f"s3://{bucket.name}/log_data") == 0
    assert rows(place, "SELECT ts FROM staging_events") == [(TS + 7,)]


@pytest.mark.parametrize(
    ("data", "exact", "lines"),
    [
        (b'{"a": 1}\n{"a": 2}', True, 2),
        (b"", True, 0),
        (b'{"a": 1} {"b": 2}\n', True, 0),
        (b'{"a":\n1}\n', True, 0),
        (b'\n{"a": 1}\n', True, 0),
        (b'[{"a": 1}]\n', True, 0),
        (b'\xef\xbb\xbf{"a": 1}\n', True, 0),
        (b'{"a": "\\ud83d\\ude00"}\n', True, 1),
        (b'{"a": "\\ud83d"}\n', True, 0),
        (b'{"a": "\\ude00"}\n', True, 0),
        (b'{"TS": 1}\n', False, 0),
        (json.dumps(play()).encode(), False, 1),
        (json.dumps(play(TS=5)).encode(), False, 1),  # one more: the fields are surveyed
        (json.dumps({("TS" if key == "ts" else key): 1 for key in play()}).encode(), False, 0),
    ],
)
def test_which_files_copy_may_read(tmp_path: Path, data: bytes, exact: bool, lines: int):
    path = tmp_path / "1.json"
    path.write_bytes(data)
    assert look_at_lines(path, EVENTS.keys, exact=exact).lines == lines
    zipped = tmp_path / "1.json.gz"
    zipped.write_bytes(gzip.compress(data))
    assert look_at_lines(zipped, EVENTS.keys, exact=exact).lines == lines
    zipped.write_bytes(gzip.compress(data)[:-4])
    assert look_at_lines(zipped, EVENTS.keys, exact=exact).lines == 0


@pytest.mark.parametrize(
    ("data", "packed"),
    [
        (b'{"song": 1}\n{"song": 2}', [b'"song": 1}\n', b'"song": 2}\n']),
        (b'{"song": 1}\r\n', [b'"song": 1}\r\n']),
        (b'{"song": 1}\n{"page": 2}}\n{"song": 3}\n', [b'"song": 1}\n']),
        (b'{"song": 1} {"page": 2}\n', []),
        (b'{"song":\n1}\n', []),
        (b'\n{"song": 1}\n', []),
        (b"{}\n", []),
        (b'[{"song": 1}]\n', []),
        (b'\xef\xbb\xbf{"song": 1}\n', []),
        (b'{"song": "\xff"}\n', []),
        (b'{"song": "\\ud83d\\ude00"}\n', [b'"song": "\\ud83d\\ude00"}\n']),
        (b'{"song": "\\ud83d"}\n', []),
        (b'{"song": "x", "x": 1.50}\n', [b'"sparkify_extra": "{\\"x\\":1.5}", "song": "x", "x": 1.50}\n']),
        (b'{"song": 1, "x": null}\n', [b'"song": 1, "x": null}\n']),
        (b'{"song": 1, "song": 2}\n', []),
        (b'{"song": 1, "x": {"song": 2}, "song": 3}\n', []),
        (b'{"song": 1, "Song": 2}\n', []),
        (b'{"song": 1, "x": NaN}\n', []),
        (b'{"song": 1, "x": "%s"}\n' % (b"x" * 65_600), []),
        (b'{"song": 1, "sparkify_file": 2}\n', []),
        (b'{"song": 1, "spark\\u0069fy_file": 2}\n', []),
    ],
)
def test_which_lines_are_packed(tmp_path: Path, data: bytes, packed: list[bytes]):
    """Each gets the number of its file; after one that COPY may read otherwise none is."""
    path, zipped = tmp_path / "1.json", tmp_path / "1.json.gz"
    path.write_bytes(data)
    zipped.write_bytes(gzip.compress(data))
    for each in (path, zipped):
        lines = list(pack_lines(each, 7, EVENTS, Packed()))
        assert lines == [b'{"sparkify_file": 7, ' + line for line in packed]
        assert all(json.loads(line)["sparkify_file"] == 7 for line in lines)
    zipped.write_bytes(gzip.compress(data)[:-4])
    assert list(pack_lines(zipped, 7, EVENTS, Packed())) == []


def test_packed_lines_are_as_many_objects_as_slices_and_one_copy(
    place: OnRedshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Also where they are more than fit in memory, which are written piece by piece."""
    objects: list[int] = []
    real = StagingArea.manifest

    def manifest(area: StagingArea, uris: Sequence[str]) -> bytes:
        objects.append(len(uris))
        return real(area, uris)

    monkeypatch.setattr(StagingArea, "manifest", manifest)
    monkeypatch.setattr(redshift_landing, "_SMALL_BYTES", 0)
    place.server.configure(slices=3)
    write_records(tmp_path / "log_data" / "1.json", *(play(ts=TS + number) for number in range(7)))
    assert etl(place, tmp_path / "log_data") == 0
    monkeypatch.setattr(packing, "_PIECE_BYTES", 1500)
    write_records(tmp_path / "log_data" / "2.json", *(play(ts=TS + number) for number in range(7, 15)))
    assert etl(place, tmp_path / "log_data") == 0
    assert objects == [3, 6]
    assert len(rows(place, "SELECT ts FROM staging_events")) == 15


def test_a_copy_with_too_many_errors_is_tried_with_fewer_files(place: OnRedshift, tmp_path: Path):
    """Files beside one that is full of errors are not read record by record for it."""
    for number in range(4):
        write_records(tmp_path / "log_data" / f"{number}.json", play(ts=TS + number))
    place.server.faults.arm(
        Fault("refuse", match="COPY run_event_copy", times=2, message="Load into table 'x' failed.")
    )
    place.server.statements.clear()
    assert etl(place, tmp_path / "log_data") == 0
    assert rows(place, "SELECT ts FROM staging_events ORDER BY ts") == [(TS + number,) for number in range(4)]
    copies = [entry.status for entry in place.server.statements if "\nCOPY " in entry.sql]
    # All four, the first two, each of these, the last two.
    assert copies == ["error", "error", "ok", "ok", "ok"]


def test_without_staging_files_are_copied_in_one_transaction_where_all_can_be_read(
    warehouses: Warehouses, tmp_path: Path, bucket: Path
):
    place = warehouses.new("redshift", tmp_path, staging=False)
    assert isinstance(place, OnRedshift)
    logs = bucket / "log_data"
    for number in range(3):
        write_records(logs / f"{number}.json", play(ts=TS + number))
    place.server.statements.clear()
    assert etl(place, f"s3://{bucket.name}/log_data") == 0
    for number in range(3, 6):
        long = {"artist": "x" * 1026} if number == 4 else {}
        write_records(logs / f"{number}.json", play(ts=TS + number), play(ts=TS + 10 + number) | long)
    assert copied_within(place) == ["BEGIN", "COPY", "COPY", "COPY", "COMMIT"]
    place.server.statements.clear()
    assert etl(place, f"s3://{bucket.name}/log_data", None, "--max-rejects", "1") == 0
    # COPY refuses the second; a transaction is lost with it.
    assert copied_within(place) == ["BEGIN", "COPY", "COPY", "ROLLBACK", "COPY", "COPY", "COPY"]
    assert len(rows(place, "SELECT ts FROM staging_events")) == 8
    assert rows(place, "SELECT reason FROM etl.rejects") == [("too_long",)]


def copied_within(place: OnRedshift) -> list[str]:
    """Return the first words of the COPYs of log files, and of what begins and ends a transaction of them."""
    words = [re.sub(r"--[^\n]*\n", "", entry.sql).split()[:2] for entry in place.server.statements]
    found = [" ".join(each) for each in words]
    copies = [at for at, each in enumerate(found) if each == "COPY run_event_copy"]
    around = found[copies[0] - 1 : copies[-1] + 3]
    return [
        each.split()[0].strip(";")
        for each in around
        if each.split()[0].strip(";") in ("BEGIN", "COPY", "COMMIT", "ROLLBACK")
    ]


PATHS = [f"$['{key}']" for key in EVENTS.keys]


@pytest.mark.parametrize(
    "document",
    [
        {"paths": PATHS},  # COPY would fall back to matching names, and say nothing
        {"jsonpaths": PATHS[1:]},
        {"jsonpaths": [*PATHS[1:], PATHS[0]]},
        {"jsonpaths": [path.lower() for path in PATHS]},
        {"jsonpaths": "all"},
        [],
    ],
)
def test_a_jsonpaths_file_that_would_fill_the_wrong_columns_is_refused(document: Any):
    with pytest.raises(ConfigError, match=r"JSONPaths|does not name"):
        verify_jsonpaths(json.dumps(document).encode(), "s3://b/paths.json")


def name_jsonpaths(place: OnRedshift, bucket: Path, paths: list[str]) -> None:
    """Write a JSONPaths file of the user's, and name it in dwh.cfg."""
    (bucket / "log_json_path.json").write_text(json.dumps({"jsonpaths": paths}))
    config = place.config.read_text()
    config += "" if "[S3]" in config else "[S3]\n"
    place.config.write_text(
        config.replace("[S3]", f"[S3]\nLOG_JSONPATH = s3://{bucket.name}/log_json_path.json")
    )


@pytest.mark.parametrize("form", ["$['{}']", '$["{}"]', "$.{}"])
def test_the_missions_jsonpaths_file_is_used(warehouses: Warehouses, tmp_path: Path, bucket: Path, form: str):
    place = warehouses.new("redshift", tmp_path, staging=False)
    assert isinstance(place, OnRedshift)
    name_jsonpaths(place, bucket, [form.format(key) for key in EVENTS.keys])
    write_records(bucket / "log_data" / "1.json", play(firstName="É"))
    place.server.statements.clear()
    assert etl(place, f"s3://{bucket.name}/log_data") == 0
    (copy,) = [entry for entry in place.server.statements if "\nCOPY " in entry.sql]
    assert f"JSON 's3://{bucket.name}/log_json_path.json'" in copy.sql
    assert rows(place, "SELECT first_name FROM users") == [("É",)]


def test_a_jsonpaths_file_is_looked_at_even_where_our_own_serves(
    place: OnRedshift, bucket: Path, capsys: pytest.CaptureFixture[str]
):
    """Packed lines have the number of their file before the fields, for which the user's has no path."""
    name_jsonpaths(place, bucket, PATHS[1:])
    write_records(bucket / "log_data" / "1.json", play())
    assert failing(place, capsys, f"s3://{bucket.name}/log_data")["kind"] == "ConfigError"
    (bucket / "log_json_path.json").write_text(json.dumps({"jsonpaths": PATHS}))
    assert etl(place, f"s3://{bucket.name}/log_data") == 0


def staging_files(s3: S3Server, place: OnRedshift) -> list[str]:
    root = s3.root / "staging" / place.name
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def settings_of(place: OnRedshift) -> Settings:
    return place.settings()


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_left_below_staging(place: OnRedshift, s3: S3Server, tmp_path: Path, fails: bool):
    write_records(tmp_path / "log_data" / "1.json", play())
    write_records(tmp_path / "song_data" / "1.json", song())
    if fails:
        place.server.faults.arm(Fault("refuse", match="INSERT INTO run_songs", times=9))
    assert etl(place, tmp_path / "log_data", tmp_path / "song_data") == (1 if fails else 0)
    assert staging_files(s3, place) == []


def test_what_killed_runs_left_goes_after_two_days_and_nothing_else_ever(place: OnRedshift, s3: S3Server):
    root = s3.root / "staging" / place.name
    now = datetime.now(UTC)
    old, new = ((now - timedelta(days=days)).strftime("%Y%m%dT%H%M%SZ") for days in (3, 1))
    kept = [
        f"sparkify-runs/{new}-0123abcd/000001-songs.json.gz",
        f"sparkify-runs/{old}-0123abcd/below/another.json",
        f"sparkify-runs/{old}/ours-it-is-not.json",
        "sparkify-runs/notes.txt",
        f"{old}-0123abcd/000001-songs.json.gz",
    ]
    gone = [
        f"sparkify-runs/{old}-0123abcd/{name}" for name in ("000001-songs.json.gz", "000002-manifest.json")
    ]
    for name in (*kept, *gone):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}")
    settings = settings_of(place)
    area = StagingArea(Writer(settings.s3.staging, settings.aws), now)
    (uri,) = area.put_all([("songs.json.gz", b"x")])
    assert uri.startswith(f"s3://staging/{place.name}/sparkify-runs/")
    assert len(staging_files(s3, place)) == len(kept) + 1
    area.close()
    assert staging_files(s3, place) == sorted(kept)


def test_a_place_that_may_not_be_written_says_so(place: OnRedshift, tmp_path: Path):
    place.config.write_text(place.config.read_text().replace("s3://staging/", "s3://no-such-bucket/"))
    write_records(tmp_path / "song_data" / "1.json", song())
    assert run(["etl", f"--song-data={tmp_path / 'song_data'}", "--config", str(place.config)]) == 1
    settings = settings_of(place)
    with pytest.raises(SourceError, match="no-such-bucket"):
        StagingArea(Writer(settings.s3.staging, settings.aws)).put_all([("x", b"x")])
