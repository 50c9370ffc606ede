"""What dwh.cfg, the environment and the place a command is started in come to, seen from the command line."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cli.conftest import Run, command, environment, write_lake
from tests.conftest import S3Server
from tests.lake.regional import RegionalServer, regional

_COUNT = "SELECT COUNT(*) AS plays FROM songplays"


def plays(sparkify: Run, *options: str) -> int:
    done = sparkify("query", _COUNT, "--json", *options)
    assert done.code == 0, done.err
    return int(json.loads(done.out)["rows"][0]["plays"])


@pytest.fixture
def aws(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[RegionalServer]:
    with regional(s3.endpoint) as server:
        yield server


@pytest.fixture
def bucket(s3: S3Server, aws: RegionalServer) -> str:
    """A lake in a bucket in us-west-2."""
    name = f"dend-{uuid4().hex[:12]}"
    write_lake(s3.root / name)
    aws.regions[name] = "us-west-2"
    return name


@pytest.fixture
def quiet_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def write_config(folder: Path, text: str) -> Path:
    path = folder / "dwh.cfg"
    path.write_text(text)
    path.chmod(0o600)
    return path


def places_of(bucket: str) -> str:
    return f"[S3]\nLOG_DATA='s3://{bucket}/log_data'\nSONG_DATA='s3://{bucket}/song_data'\n"


@pytest.mark.parametrize("region", ["", "eu-central-1"])
def test_the_missions_file_reads_the_missions_bucket(
    sparkify: Run,
    s3: S3Server,
    aws: RegionalServer,
    bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quiet_chain: None,
    region: str,
) -> None:
    """Case s3-default-region: KEY and SECRET and no REGION; doctor and etl agree."""
    if region:
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    keys = f"[AWS]\nKEY={s3.key}\nSECRET={s3.secret}\nENDPOINT_URL={aws.endpoint}\n"
    write_config(tmp_path, keys + places_of(bucket))
    assert sparkify("etl").code == 0
    assert aws.signed_for == {"us-west-2"}
    assert sparkify("doctor").code == 0
    assert plays(sparkify) == 3


def test_the_files_keys_work_beside_another_login_in_the_environment(
    sparkify: Run,
    s3: S3Server,
    aws: RegionalServer,
    bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quiet_chain: None,
) -> None:
    """Case s3-env-session-token."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "ASIAOTHER"),
        ("AWS_SECRET_ACCESS_KEY", "other"),
        ("AWS_SESSION_TOKEN", "token-of-ASIAOTHER"),
    ):
        monkeypatch.setenv(name, value)
    keys = f"[AWS]\nKEY={s3.key}\nSECRET={s3.secret}\nENDPOINT_URL={aws.endpoint}\n"
    write_config(tmp_path, keys + places_of(bucket))
    assert (sparkify("doctor").code, sparkify("etl").code) == (0, 0)
    assert {request.token for request in aws.requests} == {""}


def test_the_standard_variables_alone_are_enough(
    sparkify: Run,
    s3: S3Server,
    aws: RegionalServer,
    bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quiet_chain: None,
) -> None:
    """Case env-endpoint-url: doctor and etl look at them alike."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", s3.key),
        ("AWS_SECRET_ACCESS_KEY", s3.secret),
        ("AWS_ENDPOINT_URL_S3", aws.endpoint),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ):
        monkeypatch.setenv(name, value)
    write_config(tmp_path, places_of(bucket))
    assert sparkify("etl").code == 0
    assert plays(sparkify) == 3


PUBLISHED = """\
[AWS]
KEY=
SECRET=
[S3]
LOG_DATA='log_data'
SONG_DATA='song_data'
[DWH]
DWH_DB=dwh
DWH_PORT=5439
"""


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_published_file_loads_and_one_line_says_how_it_was_read(
    sparkify: Run, tmp_path: Path, more: tuple[str, ...]
) -> None:
    """Case cfg-published-layouts."""
    write_lake(tmp_path)
    write_config(tmp_path, PUBLISHED)
    done = sparkify("etl", *more)
    assert done.code == 0
    notes = [line for line in done.err.splitlines() if line.startswith("Note: ")]
    assert len(notes) == 1
    assert "DWH_DB in [DWH] as [CLUSTER] DB_NAME" in notes[0]
    assert "Note" not in done.out


def test_an_indented_key_stops_the_run(sparkify: Run, tmp_path: Path) -> None:
    """Case cfg-indented-key: rather than load without the songs."""
    write_lake(tmp_path)
    write_config(tmp_path, "[S3]\nLOG_DATA=log_data\nLOG_JSONPATH=s3://b/x.json\n   SONG_DATA=song_data\n")
    done = sparkify("etl")
    assert done.code == 2
    assert "SONG_DATA" in done.err
    assert "line 4" in done.err
    assert not (tmp_path / "sparkify.duckdb").exists()


@pytest.mark.parametrize("place", ["file", "environment", "flag"])
def test_the_home_folder_means_the_same_to_doctor_and_etl(
    sparkify: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Case tilde."""
    home = tmp_path / "me"
    write_lake(home)
    monkeypatch.setenv("HOME", str(home))
    sources = "[S3]\nLOG_DATA=~/log_data\nSONG_DATA=~/song_data\n"
    write_config(tmp_path, sources + ("[DWH]\nDATABASE=~/w.duckdb\n" if place == "file" else ""))
    if place == "environment":
        monkeypatch.setenv("SPARKIFY_DWH_DATABASE", "~/w.duckdb")
    options = ["--database", "~/w.duckdb"] if place == "flag" else []
    assert sparkify("doctor", *options).code == 0
    assert sparkify("etl", *options).code == 0
    assert (home / "w.duckdb").is_file()
    assert plays(sparkify, *options) == 3


def test_a_name_that_cannot_be_expanded_is_a_name(sparkify: Run, tmp_path: Path) -> None:
    write_lake(tmp_path / "~nosuchuser")
    assert sparkify("etl", "--log-data", "~nosuchuser/log_data").code == 0
    done = sparkify("etl", "--log-data", "~nobodyelse/log_data")
    assert done.code == 1
    assert "does not exist" in done.err


def test_a_configuration_elsewhere_means_the_files_beside_it(
    sparkify: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_lake(project)
    write_config(project, "[S3]\nLOG_DATA=log_data\nSONG_DATA=song_data\n")
    monkeypatch.chdir(elsewhere)
    done = sparkify("etl", "--config", "../project/dwh.cfg")
    assert done.code == 0
    assert (project / "sparkify.duckdb").is_file()
    assert not list(elsewhere.iterdir())
    assert "Warehouse: ../project/sparkify.duckdb (DuckDB)" in done.out.splitlines()


@pytest.mark.parametrize("arguments", [("etl",), ("etl", "--plan"), ("check",), ("etl", "--plan", "--sql")])
def test_which_warehouse_is_meant_is_said_on_one_line(
    sparkify: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    write_lake(tmp_path)
    write_config(tmp_path, "[S3]\nLOG_DATA=log_data\nSONG_DATA=song_data\n[DWH]\nDATABASE=w.duckdb\n")
    assert sparkify("etl").code == 0
    line = "Warehouse: w.duckdb (DuckDB)"
    said = [each.removeprefix("-- ") for each in sparkify(*arguments).out.splitlines()]
    assert said.count(line) == 1
    done = sparkify(*arguments, "--json")
    assert line in done.err
    json.loads(done.out)


def test_a_folder_of_models_that_is_not_there_is_an_error(sparkify: Run, tmp_path: Path) -> None:
    write_lake(tmp_path)
    write_config(tmp_path, "[DWH]\nMODELS = models\n[S3]\nLOG_DATA=log_data\n")
    done = sparkify("etl")
    assert done.code == 2
    assert "[DWH] MODELS" in done.err


def test_a_folder_that_is_gone_is_told_in_one_sentence(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    for arguments in (("etl",), ("runs",), ("cluster", "status")):
        line = f"cd {gone} && rmdir {gone} && {' '.join(command(*arguments))}"
        done = subprocess.run(
            ["sh", "-c", line], env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr.startswith("Error: the folder this command was started in does not exist")
        assert "Try: " in done.stderr
        gone.mkdir()


# Root may write anywhere but without this.
_UNPRIVILEGED = "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 1); os.execv(sys.argv[1], sys.argv[1:])"


def test_a_folder_that_may_not_be_written_is_told_with_the_place(sparkify: Run, tmp_path: Path) -> None:
    """DuckDB keeps its log beside the warehouse, so that the file alone is not enough."""
    write_lake(tmp_path)
    folder = tmp_path / "closed"
    folder.mkdir()
    assert sparkify("etl", "--log-data", "log_data", "--database", "closed/w.duckdb").code == 0
    (tmp_path / "log_data" / "2.json").write_bytes(
        (tmp_path / "log_data" / "1.json").read_bytes().replace(b"139", b"140")
    )
    folder.chmod(0o555)
    words = command("etl", "--log-data", "log_data", "--database", "closed/w.duckdb")
    try:
        done = subprocess.run(
            [words[0], "-c", _UNPRIVILEGED, *words],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        folder.chmod(0o755)
    assert done.returncode == 1
    assert f"the folder {folder}" in done.stderr
    assert "write permission" in done.stderr
    assert "Run again" not in done.stderr


@pytest.mark.parametrize("where", ["a file's name", "a setting"])
def test_a_locale_that_is_not_utf8_is_told_and_how_to_have_one(tmp_path: Path, where: str) -> None:
    write_lake(tmp_path)
    if where == "a file's name":
        (tmp_path / "log_data" / "1.json").rename(tmp_path / "log_data" / "jörg.json")
    words = command(
        "etl",
        "--log-data",
        "log_data",
        "--database",
        "w.duckdb" if where == "a file's name" else "jörg.duckdb",
    )
    no_utf8 = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        words, cwd=tmp_path, env=environment(**no_utf8), capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2)
    assert "locale writes names in ascii" in done.stderr
    assert "Try: Run it again with LC_ALL=C.UTF-8" in done.stderr
    again = subprocess.run(words, cwd=tmp_path, env=environment(LC_ALL="C.UTF-8"), check=False)
    assert again.returncode == 0
