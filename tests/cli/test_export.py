"""What `sparkify export` promises: the tables, whole, of one state, in every format, from either engine."""

from __future__ import annotations

import csv
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sparkify.cli.app import run
from sparkify.errors import EngineError
from sparkify.lake.writer import Writer
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from sparkify.warehouse.tables import STAR
from tests.cli.conftest import Run, command, environment
from tests.conftest import S3Server
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.warehouses import ENGINES, OnRedshift, Place, Warehouses, execute, options_of, rows

DAY = 86_400_000
MONTHS = {(2018, 10): 1, (2018, 11): 2, (2018, 12): 1, (2019, 1): 1}
VIEW = "analytics.plays_by_level"
VIEWS = "SELECT 'analytics.' || viewname FROM pg_views WHERE schemaname = 'analytics' ORDER BY 1"


def moment(text: str) -> int:
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


def write_lake(lake: Path) -> None:
    """Write plays at the very ends of months, texts that need quotes, and values that are missing."""
    odd = 'Ti"tle, ü\n宇'
    write_records(
        lake / "log_data" / "1.json",
        play(ts=moment("2018-10-31 23:59:59.999"), song=odd),
        play(ts=moment("2018-11-01 00:00:00.000"), location=None, userAgent=""),
        play(ts=moment("2018-11-30 23:59:59.999"), userId="7"),
        play(ts=moment("2018-12-01 00:00:00.000"), length=None),
        play(ts=moment("2019-01-01 00:00:00.000")),
    )
    write_records(lake / "song_data" / "1.json", song(title=odd), song(song_id="SO2", year=0))


@pytest.fixture(scope="module", params=ENGINES)
def place(request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path_factory: Any) -> Place:
    """A loaded warehouse with a view for analysts; not to be changed."""
    folder = tmp_path_factory.mktemp(request.param)
    place = warehouses.new(request.param, folder)
    write_lake(folder / "lake")
    assert etl(place, folder / "lake" / "log_data", folder / "lake" / "song_data") == 0
    add_view(place)
    return place


def add_view(place: Place) -> None:
    execute(place, "CREATE SCHEMA IF NOT EXISTS analytics")
    execute(place, f"CREATE VIEW {VIEW} AS SELECT level, COUNT(*) AS plays FROM songplays GROUP BY level")
    if isinstance(place, OnRedshift):
        execute(place, "GRANT USAGE ON SCHEMA analytics TO PUBLIC")
        execute(place, f"GRANT SELECT ON {VIEW} TO PUBLIC")


def export(place: Place, *arguments: str | Path, code: int = 0) -> None:
    assert run(["export", *map(str, arguments), *options_of(place)]) == code


def told(capsys: pytest.CaptureFixture[str], place: Place, *arguments: str | Path) -> dict[str, Any]:
    capsys.readouterr()
    export(place, *arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def table(place: Place, name: str) -> list[tuple[Any, ...]]:
    return ordered(rows(place, f"SELECT * FROM {name}"))


def ordered(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(found, key=str)


def names(place: Place) -> list[str]:
    return [*STAR, *(name for (name,) in rows(place, VIEWS))]


def parquet(path: Path | str) -> list[tuple[Any, ...]]:
    return ordered(duckdb.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall())


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_folder_has_a_file_of_each_table(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a" / "star"
    found = told(capsys, place, out)
    assert VIEW in names(place)
    keys = [f"{name.replace('.', '/')}.parquet" for name in names(place)]
    assert files(out) == sorted(keys)
    assert (found["format"], found["out"], found["removed"]) == ("parquet", str(out), [])
    assert [each["table"] for each in found["files"]] == names(place)
    assert found["bytes"] == sum((out / key).stat().st_size for key in keys)
    for each, key in zip(found["files"], keys, strict=True):
        assert each["path"] == str(out / key)
        assert each["bytes"] == (out / key).stat().st_size
        assert parquet(out / key) == table(place, each["table"])
        assert each["rows"] == len(table(place, each["table"]))


def test_a_csv_has_a_header_iso_times_and_nothing_for_null(place: Place, tmp_path: Path) -> None:
    export(place, tmp_path / "star", "--format", "csv")
    for name in names(place):
        path = tmp_path / "star" / f"{name.replace('.', '/')}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            head, *lines = csv.reader(file)
        wanted = table(place, name)
        columns = duckdb.execute("SELECT * FROM read_csv(?)", [str(path)]).description or []
        assert head == [column[0] for column in columns]
        assert sorted(lines) == sorted([as_text(value) for value in row] for row in wanted)
    text = (tmp_path / "star" / "songplays.csv").read_text(encoding="utf-8")
    assert ",2018-10-31T23:59:59.999000," in text


def as_text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)


def test_a_duckdb_file_has_all_tables_and_the_views_as_tables(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "star.duckdb"
    for _ in range(2):  # the second replaces the first
        found = told(capsys, place, out)
    assert files(tmp_path) == ["star.duckdb"]
    assert [(each["table"], each["bytes"]) for each in found["files"]] == [(n, None) for n in names(place)]
    assert found["bytes"] == out.stat().st_size
    with duckdb.connect(str(out), read_only=True) as connection:
        for name in names(place):
            assert ordered(connection.execute(f"SELECT * FROM {name}").fetchall()) == table(place, name)
        kinds = connection.execute("SELECT DISTINCT table_type FROM information_schema.tables").fetchall()
        assert kinds == [("BASE TABLE",)]
        described = {row[0]: row[1] for row in connection.execute("DESCRIBE songplays").fetchall()}
    assert (described["songplay_id"], described["start_time"]) == ("BIGINT", "TIMESTAMP")


def test_a_duckdb_file_is_one_that_duckdb_1_4_reads(place: Place, tmp_path: Path) -> None:
    export(place, tmp_path / "star.duckdb")
    sql = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'star'"
    with duckdb.connect(str(tmp_path / "star.duckdb"), read_only=True) as connection:
        ((version,),) = connection.execute(sql).fetchall()
    assert version.startswith("v1.4.0")


def test_months_are_files_that_hive_readers_put_together(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, place, tmp_path, "--partition-by", "month")
    for name in ("songplays", "time"):
        months = [each for each in found["files"] if each["table"] == name]
        assert [(each["path"], each["rows"]) for each in months] == [
            (str(tmp_path / name / f"year={year}" / f"month={month}" / "part.parquet"), count)
            for (year, month), count in MONTHS.items()
        ]
        whole = str(tmp_path / name / "**" / "*.parquet")
        sql = "SELECT * FROM read_parquet(?, hive_partitioning = false)"
        assert ordered(duckdb.execute(sql, [whole]).fetchall()) == table(place, name)
        sql = (
            "SELECT COUNT(*) FROM read_parquet(?, hive_partitioning = true) "
            "WHERE (year, month) <> (EXTRACT(year FROM start_time), EXTRACT(month FROM start_time))"
        )
        assert duckdb.execute(sql, [whole]).fetchall() == [(0,)]
    assert (tmp_path / "users.parquet").is_file()
    assert not (tmp_path / "songplays.parquet").exists()


def test_a_month_that_is_no_more_goes_and_what_is_not_ours_stays(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "songplays" / "year=2017" / "month=2" / "part.parquet"
    foreign = [tmp_path / "songplays" / "notes.txt", tmp_path / "songplays" / "year=2017" / "part.parquet"]
    foreign.append(tmp_path / "plays" / "year=2017" / "month=2" / "part.parquet")
    for path in (old, *foreign):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    found = told(capsys, place, tmp_path, "--partition-by", "month")
    assert found["removed"] == [str(old)]
    assert not old.parent.exists()
    assert [path.read_text() for path in foreign] == ["x"] * 3


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_one_table_may_go_to_one_file(place: Place, tmp_path: Path, form: str) -> None:
    out = tmp_path / f"people.{form}"
    export(place, out, "--table", "users")
    assert files(tmp_path) == [out.name]
    if form == "parquet":
        assert parquet(out) == table(place, "users")


def test_tables_are_chosen_by_name(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = VIEW.rpartition(".")[2]
    found = told(capsys, place, tmp_path, "--table", short, "--table", "users", "--table", "users")
    assert [each["table"] for each in found["files"]] == [VIEW, "users"]
    for wrong in ("nothing", "staging_events", "etl.files"):
        capsys.readouterr()
        export(place, tmp_path / "out", "--table", "users", "--table", wrong, code=2)
        said = capsys.readouterr().err
        assert wrong in said
        assert all(name in said for name in names(place)), "the error says what there is"
    assert not (tmp_path / "out").exists()


def test_objects_on_s3_hold_the_tables(
    place: Place,
    s3: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SPARKIFY_AWS_KEY", s3.key)
    monkeypatch.setenv("SPARKIFY_AWS_SECRET", s3.secret)
    monkeypatch.setenv("SPARKIFY_AWS_ENDPOINT_URL", s3.endpoint)
    bucket = s3.root / f"out-{tmp_path.parent.name}-{tmp_path.name}".replace("_", "-").lower()
    old = bucket / "star" / "time" / "year=2017" / "month=2" / "part.parquet"
    old.parent.mkdir(parents=True)
    old.write_text("x")
    uri = f"s3://{bucket.name}/star"
    found = told(capsys, place, f"{uri}/", "--partition-by", "month")
    assert found["removed"] == [f"{uri}/time/year=2017/month=2/part.parquet"]
    assert not old.exists()
    for each in found["files"]:
        assert each["path"].startswith(f"{uri}/")
        path = bucket / each["path"].removeprefix(f"s3://{bucket.name}/")
        assert path.stat().st_size == each["bytes"]
        if each["table"] not in ("songplays", "time"):
            assert parquet(path) == table(place, each["table"])
    export(place, f"s3://{bucket.name}/star.duckdb")
    with duckdb.connect(str(bucket / "star.duckdb"), read_only=True) as connection:
        assert ordered(connection.execute("SELECT * FROM songplays").fetchall()) == table(place, "songplays")
    export(place, "s3://no-such-bucket/star", code=1)
    export(place, f"s3://{bucket.name}", "--format", "duckdb", code=2)


@pytest.fixture
def loaded(tmp_path: Path) -> Path:
    """A DuckDB warehouse of a folder with its lake and dwh.cfg, to do anything with."""
    write_lake(tmp_path / "lake")
    (tmp_path / "dwh.cfg").write_text("[S3]\nLOG_DATA = lake/log_data\nSONG_DATA = lake/song_data\n")
    config = ["--config", str(tmp_path / "dwh.cfg")]
    assert run(["etl", *config]) == 0
    return tmp_path


def in_folder(loaded: Path, *arguments: str | Path) -> int:
    return run(["export", *map(str, arguments), "--config", str(loaded / "dwh.cfg")])


FAULTS: list[Callable[[], BaseException]] = [
    lambda: EngineError("the disk is full", ""),
    KeyboardInterrupt,
]


@pytest.mark.parametrize("fault", FAULTS, ids=["engine", "interrupt"])
@pytest.mark.parametrize(
    "arguments", [["out"], ["out/x.duckdb"], ["out", "--partition-by", "month"]], ids=str
)
def test_an_export_that_fails_half_way_leaves_what_was_there(
    loaded: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    fault: Callable[[], BaseException],
) -> None:
    monkeypatch.chdir(loaded)
    assert in_folder(loaded, *arguments) == 0
    before = {name: (loaded / "out" / name).read_bytes() for name in files(loaded / "out")}
    execute(loaded / "sparkify.duckdb", "DELETE FROM songplays WHERE user_id = '7'")
    method = "add_table" if "x.duckdb" in arguments[0] else "write_file"
    real = getattr(DuckDBEngine, method)

    def failing(self: DuckDBEngine, sql: str, path: Path, *more: str) -> int:
        count: int = real(self, sql, path, *more)
        if "songs" in sql:
            raise fault()
        return count

    with monkeypatch.context() as patched:
        patched.setattr(DuckDBEngine, method, failing)
        assert in_folder(loaded, *arguments) in (1, 130)
    assert {name: (loaded / "out" / name).read_bytes() for name in files(loaded / "out")} == before
    assert in_folder(loaded, *arguments) == 0, "and the next one is as any other"


def test_a_disk_that_is_full_is_named_and_nothing_is_left(loaded: Path) -> None:
    """A limit on the size of files stands for it."""
    out = loaded / "out"
    words = command("export", str(out / "star.duckdb"), "--config", str(loaded / "dwh.cfg"))
    done = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -f 200; exec {shlex.join(words)}"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Make room" in done.stderr
    assert "sparkify.duckdb" not in done.stderr, "the warehouse is not what is full"
    assert files(out) == []


def test_a_killed_export_leaves_what_was_there(loaded: Path) -> None:
    out = loaded / "out"
    assert in_folder(loaded, out) == 0
    before = {name: (out / name).read_bytes() for name in files(out)}
    code = (
        "import os, sys\n"
        "from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine\n"
        "real = DuckDBEngine.write_file\n"
        "def killed(self, sql, *more):\n"
        "    real(self, sql, *more)\n"
        "    if 'songs' in sql: os.kill(os.getpid(), 9)\n"
        "DuckDBEngine.write_file = killed\n"
        "from sparkify.cli.app import main\n"
        "main(sys.argv[1:])\n"
    )
    words = [sys.executable, "-c", code, "export", str(out), "--config", str(loaded / "dwh.cfg")]
    assert subprocess.run(words, check=False, capture_output=True).returncode == -9
    assert {name: (out / name).read_bytes() for name in files(out) if not name.startswith(".")} == before


def test_an_upload_that_fails_leaves_each_object_whole(
    loaded: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("KEY", s3.key), ("SECRET", s3.secret), ("ENDPOINT_URL", s3.endpoint)):
        monkeypatch.setenv(f"SPARKIFY_AWS_{name}", value)
    bucket = s3.root / "half-way"
    bucket.mkdir()
    assert in_folder(loaded, "s3://half-way/star") == 0
    before = {name: (bucket / name).read_bytes() for name in files(bucket)}
    execute(loaded / "sparkify.duckdb", "DELETE FROM users WHERE user_id = '7'")
    real = Writer.put

    def failing(self: Writer, key: str, data: Any) -> None:
        if key == "songs.parquet":

            def torn() -> Any:
                yield next(iter(data))[:100]
                raise OSError(5, "Input/output error")

            data = torn()
        real(self, key, data)

    monkeypatch.setattr(Writer, "put", failing)
    assert in_folder(loaded, "s3://half-way/star") == 1
    after = {name: (bucket / name).read_bytes() for name in files(bucket)}
    assert set(after) == set(before)
    assert after["star/songs.parquet"] == before["star/songs.parquet"]


def test_what_the_warehouse_is_made_of_is_not_written_over(
    loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(loaded)
    (loaded / "songs.parquet").symlink_to(loaded / "lake" / "log_data" / "1.json")
    (loaded / "link.duckdb").hardlink_to(loaded / "sparkify.duckdb")
    before = {name: (loaded / name).read_bytes() for name in files(loaded)}
    for arguments in (
        ["sparkify.duckdb"],
        ["link.duckdb"],
        ["sparkify.duckdb.wal", "--format", "duckdb"],
        ["dwh.cfg", "--format", "duckdb"],
        ["dwh.cfg"],
        [".", "--table", "songs"],
        ["lake/log_data"],
        ["lake/log_data/x.parquet", "--table", "users"],
        ["lake/song_data/new/er"],
        ["sub/../lake/song_data"],
    ):
        assert in_folder(loaded, *arguments) == 2, arguments
    assert {name: (loaded / name).read_bytes() for name in files(loaded)} == before
    assert in_folder(loaded, "lake/elsewhere") == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["x.csv"],  # five tables
        ["x.csv", "--format", "parquet", "--table", "users"],
        ["x.duckdb", "--partition-by", "month"],
        ["x.csv", "--partition-by", "month", "--table", "time"],
        ["folder", "--format", "duckdb"],
        ["file"],
        ["s3:///x"],
        [],
        ["out", "--partition-by", "day"],
    ],
    ids=" ".join,
)
def test_what_does_not_go_together_is_refused(
    loaded: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(loaded)
    (loaded / "folder").mkdir()
    (loaded / "file").write_text("mine")
    before = files(loaded)
    assert in_folder(loaded, *arguments) == 2
    assert files(loaded) == before


def test_files_keep_their_mode_and_links_stay(loaded: Path) -> None:
    out = loaded / "out"
    assert in_folder(loaded, out) == 0
    (out / "users.parquet").rename(loaded / "real.parquet")
    (out / "users.parquet").symlink_to(loaded / "real.parquet")
    (loaded / "real.parquet").chmod(0o640)
    (out / "mine.txt").write_text("x")
    execute(loaded / "sparkify.duckdb", "DELETE FROM users WHERE user_id = '7'")
    assert in_folder(loaded, out) == 0
    assert (out / "users.parquet").is_symlink()
    assert (loaded / "real.parquet").stat().st_mode & 0o777 == 0o640
    assert parquet(loaded / "real.parquet") == table(loaded / "sparkify.duckdb", "users")
    assert (out / "mine.txt").read_text() == "x"


def test_people_read_what_was_written(sparkify: Run, tmp_path: Path) -> None:
    write_records(tmp_path / "logs" / "1.json", play(), play(ts=TS + 45 * DAY))
    assert sparkify("etl", "--log-data", "logs").code == 0
    done = sparkify("export", "out", "--table", "songplays", "--partition-by", "month")
    assert done.code == 0
    assert done.out.splitlines() == [
        "table      rows",
        "---------  ----",
        "songplays     2",
        "Wrote 2 Parquet files to out.",
    ]
    assert done.err == ""
    assert sparkify("export", "out", "--database", "nowhere.duckdb").code == 1


def test_an_empty_warehouse_gives_empty_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "w.duckdb"
    assert run(["create-tables", *options_of(place)]) == 0
    found = told(capsys, place, tmp_path / "out")
    assert {each["rows"] for each in found["files"] if each["table"] in STAR} == {0}
    assert parquet(tmp_path / "out" / "songplays.parquet") == []
    found = told(capsys, place, tmp_path / "months", "--partition-by", "month")
    assert not [each for each in found["files"] if each["table"] in ("songplays", "time")]


def test_a_reader_that_has_the_old_file_open_keeps_it(loaded: Path) -> None:
    """What a tool reads that holds the file is the old state, whole, until it opens the file again."""
    out = loaded / "star.duckdb"
    assert in_folder(loaded, out) == 0
    holder = (
        "import duckdb, sys\n"
        "connection = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print('open', flush=True)\n"
        "sys.stdin.readline()\n"
        "print(connection.execute('SELECT COUNT(*) FROM songplays').fetchall())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        execute(loaded / "sparkify.duckdb", "DELETE FROM songplays WHERE user_id = '7'")
        assert in_folder(loaded, out) == 0
        said, _ = process.communicate("go on\n")
    assert said == "[(5,)]\n"
    assert len(table(out, "songplays")) == 4
