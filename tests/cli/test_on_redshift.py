"""The commands, typed at a warehouse on Redshift: they say and do what they do on DuckDB."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from sparkify.cli.app import run
from sparkify.records import EVENTS
from tests.conftest import ROOT, S3Server
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.warehouses import ENGINES, OnRedshift, Place, Warehouses, options_of, rows

SQL = "SELECT songplay_id, start_time, level, song, length, song_id FROM songplays ORDER BY start_time"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = tmp_path_factory.mktemp("lake")
    write_records(lake / "song_data" / "1.json", song(title='Ti"tle, ü'))
    write_records(
        lake / "log_data" / "1.json", play(song='Ti"tle, ü'), play(ts=TS + 5, length=None, level="")
    )
    bad = write_records(lake / "log_data" / "2.json", play(ts=TS + 9, userId="2"))
    bad.write_text(bad.read_text() + "no JSON\n")
    return lake


@pytest.fixture(scope="module")
def both(warehouses: Warehouses, lake: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Place]:
    """The same lake on either engine; not to be written to."""
    places = [warehouses.new(engine, tmp_path_factory.mktemp(engine)) for engine in ENGINES]
    for place in places:
        assert etl(place, lake / "log_data", lake / "song_data", "--max-rejects", "9") == 0
    return places


def said(capsys: pytest.CaptureFixture[str], place: Place, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run([*arguments, *options_of(place)]) == code
    return capsys.readouterr().out


@pytest.mark.parametrize("style", ["table", "csv", "json"])
def test_a_query_answers_the_same(both: list[Place], capsys: pytest.CaptureFixture[str], style: str):
    on_duckdb, on_redshift = (said(capsys, place, "query", SQL, "--format", style) for place in both)
    assert on_redshift == on_duckdb
    if style == "csv":
        assert next(csv.DictReader(io.StringIO(on_redshift)))["song"] == 'Ti"tle, ü'


def described(path: Path) -> list[tuple[str, ...]]:
    return duckdb.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()


def test_a_parquet_file_holds_the_same(both: list[Place], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    answers = []
    for number, place in enumerate(both):
        path = tmp_path / f"{number}.parquet"
        assert said(capsys, place, "query", SQL, "-o", str(path)) == ""
        answers.append((described(path), duckdb.execute(f"SELECT * FROM '{path}'").fetchall()))
    assert answers[0] == answers[1]
    assert len(answers[0][1]) == 3
    assert run(["query", SQL, "-o", str(path), *options_of(both[1])]) == 0
    assert capsys.readouterr().err == f"Wrote 3 rows to {path} ({path.stat().st_size:,} bytes).\n"


def test_parquet_has_types_for_what_redshift_has(both: list[Place], tmp_path: Path):
    path = tmp_path / "types.parquet"
    sql = (
        "SELECT 1::SMALLINT AS a, TRUE AS b, 1.250::NUMERIC(10, 3) AS c, '2020-02-29'::DATE AS d, "
        "1.5::REAL AS e, NULL::VARCHAR(5) AS f, NULL::BIGINT AS g"
    )
    assert run(["query", sql, "-o", str(path), *options_of(both[1])]) == 0
    assert [row[1] for row in described(path)] == [
        "SMALLINT",
        "BOOLEAN",
        "DECIMAL(38,3)",
        "DATE",
        "FLOAT",
        "VARCHAR",
        "BIGINT",
    ]
    assert run(["query", "SELECT 1 AS a", "-o", str(path / "x.parquet"), *options_of(both[1])]) == 2


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        (
            "SELECT lvl FROM songplays",
            "Correct the name; information_schema.columns lists the tables and columns there are.",
        ),
        (
            "SELECT * FROM songplay",
            "Correct the name; information_schema.columns lists the tables and columns there are.",
        ),
        (
            "SELECT * INTO elsewhere FROM songplays",
            "Ask with SELECT; use another client to change what is not the pipeline's.",
        ),
        (
            "DELETE FROM songplays",
            "Ask with SELECT; use another client to change what is not the pipeline's.",
        ),
        ("SELECT FROM WHERE", "Correct the query; it is sent as it is, in Redshift's own dialect."),
    ],
)
def test_a_refused_query_ends_with_a_next_step(
    both: list[Place], capsys: pytest.CaptureFixture[str], sql: str, hint: str
):
    capsys.readouterr()
    assert run(["query", sql, *options_of(both[1])]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"Try: {hint}"


def test_no_warehouse_is_said_with_its_name(
    warehouses: Warehouses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with warehouses.temporary("redshift", tmp_path) as place:
        assert isinstance(place, OnRedshift)
        assert run(["check", *options_of(place)]) == 1
        assert capsys.readouterr().err.splitlines()[0] == (
            f"Error: there is no warehouse yet: the tables are missing in {place.name} on localhost."
        )


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM songplays",
        "/* a comment */ -- another\nINSERT INTO users SELECT * FROM users",
        "WITH gone AS (SELECT 1 AS a) DELETE FROM songplays",
        "SELECT * INTO elsewhere FROM songplays",
        "SELECT 1; DROP TABLE songplays",
        "COMMIT",
        "UNLOAD ('SELECT 1') TO 's3://b/k' IAM_ROLE default",
        "TRUNCATE songplays",
        "SET search_path TO etl",
    ],
)
def test_a_query_only_looks(both: list[Place], capsys: pytest.CaptureFixture[str], sql: str):
    place = both[1]
    before = rows(place, SQL)
    said(capsys, place, "query", sql, code=1)
    assert rows(place, SQL) == before
    assert rows(place, "SELECT 1 FROM pg_tables WHERE tablename = 'elsewhere'") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--json"],
        ["files", "--json"],
        ["rejects", "list", "--json"],
        ["rejects", "show", "--json"],
        ["rejects", "show", "--reason", "too_long"],
        ["check"],
        ["files"],
    ],
)
def test_the_ledger_says_the_same(
    both: list[Place], capsys: pytest.CaptureFixture[str], arguments: list[str]
):
    on_duckdb, on_redshift = (said(capsys, place, *arguments).splitlines() for place in both)
    if arguments == ["check"]:  # which warehouse it is
        assert on_duckdb.pop(0) != on_redshift.pop(0)
    assert on_redshift == on_duckdb


def test_what_is_mended_and_taken_out_comes_to_the_same(
    warehouses: Warehouses, lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Rejects exported, replayed; a file retracted and let back; a run undone; the tables reset."""
    tables = []
    for engine in ENGINES:
        mine = tmp_path / engine / "lake"
        shutil.copytree(lake, mine)
        place = warehouses.new(engine, tmp_path / engine)
        sources = ["--log-data", str(mine / "log_data"), "--song-data", str(mine / "song_data")]
        assert run(["etl", *sources, "--max-rejects", "9", *options_of(place)]) == 0
        said(capsys, place, "rejects", "export", str(tmp_path / engine / "bad.json"))
        assert (tmp_path / engine / "bad.json").read_bytes() == b"no JSON\n"
        said(capsys, place, "rejects", "replay", "--max-rejects", "9", *sources)
        said(capsys, place, "retract", str(mine / "log_data" / "1.json"), "--yes")
        said(capsys, place, "retract", "--back", str(mine / "log_data" / "1.json"))
        said(capsys, place, "etl", *sources)
        said(capsys, place, "undo", "1", "--yes")
        names = ("songplays", "users", "songs", "staging_events")
        counts = [rows(place, f"SELECT COUNT(*) FROM {name}") for name in names]
        states = rows(place, "SELECT state, COUNT(*) FROM etl.files GROUP BY state ORDER BY state")
        history = rows(
            place,
            "SELECT mode, files_loaded, rows_read, rows_loaded, rows_rejected, plays_loaded FROM etl.runs "
            "ORDER BY run_id",
        )
        assert [(run[0], *run[1:4]) for run in history[2:]] == [
            ("retract", -1, -2, -2),
            ("retract --back", 0, 0, 0),
            ("incremental", 1, 2, 2),
            ("undo 1", -1, -1, -1),  # the songs: its logs were replaced and taken out since
        ]
        tables.append((counts, states, history))
        said(capsys, place, "create-tables", "--drop", "--yes")
        assert rows(place, "SELECT COUNT(*) FROM songplays") == [(0,)]
    assert tables[0] == tables[1]


def test_doctor_goes_by_what_answers_where_there_is_a_server_for_s3_alone(
    warehouses: Warehouses,
    s3: S3Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    """A real S3 server knows no accounts: what AWS alone can say is no failure, all else is tried."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    write_records(s3.root / "doctor" / "log_data" / "1.json", play())
    write_records(s3.root / "doctor" / "song_data" / "1.json", song())
    with warehouses.temporary("redshift", tmp_path) as place:
        sources = ["--log-data", "s3://doctor/log_data", "--song-data", "s3://doctor/song_data"]
        found = json.loads(said(capsys, place, "doctor", *sources, "--json"))
    checks = {check["name"]: check for check in found["checks"]}
    assert found["ok"] is True
    assert list(checks) == [
        "configuration", "credentials", "LOG_DATA", "SONG_DATA", "STAGING", "port", "login", "privileges",
    ]  # fmt: skip
    assert checks["credentials"]["found"].startswith("not checked: ")
    assert s3.endpoint in checks["credentials"]["remedy"]
    assert "such as" in checks["LOG_DATA"]["found"]


def test_the_missions_scripts_load_the_real_month(
    warehouses: Warehouses, real_data: Path, s3: S3Server, tmp_path: Path
):
    """`python3 create_tables.py` and `python3 etl.py` beside the mission's dwh.cfg, as processes."""
    place = warehouses.new("redshift", tmp_path / "unused")
    assert isinstance(place, OnRedshift)
    bucket = s3.root / "udacity-dend"
    shutil.copytree(real_data, bucket)
    paths = [f"$['{key}']" for key in EVENTS.keys]
    (bucket / "log_json_path.json").write_text(json.dumps({"jsonpaths": paths}))
    options = place.server.options
    (tmp_path / "dwh.cfg").write_text(
        f"[AWS]\nKEY={s3.key}\nSECRET={s3.secret}\nENDPOINT_URL={s3.endpoint}\n"
        "[DWH]\nDWH_CLUSTER_TYPE=multi-node\nDWH_NUM_NODES=4\nDWH_NODE_TYPE=ra3.large\n"
        "DWH_IAM_ROLE_NAME=dwhRole\nDWH_CLUSTER_IDENTIFIER=dwhCluster\n"
        f"[CLUSTER]\nHOST=localhost\nDB_NAME={place.name}\nDB_USER={options.user}\n"
        f"DB_PASSWORD={options.password}\nDB_PORT={place.server.port}\n"
        "[IAM_ROLE]\nARN='arn:aws:iam::123456789012:role/dwhRole'\n"
        "[S3]\nLOG_DATA='s3://udacity-dend/log_data'\n"
        "LOG_JSONPATH='s3://udacity-dend/log_json_path.json'\nSONG_DATA='s3://udacity-dend/song_data'\n"
    )
    (tmp_path / "dwh.cfg").chmod(0o600)
    try:
        for script in (["create_tables.py"], ["etl.py"], ["create_tables.py", "--yes"], ["etl.py"]):
            done = subprocess.run(
                [sys.executable, str(ROOT / script[0]), *script[1:]],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
        assert "6,820 NextSong rows loaded" in done.stdout
    finally:
        shutil.rmtree(bucket)
    names = {
        "staging_events": 8056,
        "staging_songs": 71,
        "songplays": 6820,
        "users": 97,
        "songs": 71,
        "artists": 69,
        "time": 6813,
    }
    assert {name: rows(place, f"SELECT COUNT(*) FROM {name}")[0][0] for name in names} == names
    assert rows(place, "SELECT COUNT(*) FROM songplays WHERE song_id IS NOT NULL") == [(1,)]
