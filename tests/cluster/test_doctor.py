"""Doctor says before a run what it lacks: each line fine, or what to do."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from sparkify.cli.app import run
from sparkify.cluster import credentials
from sparkify.cluster.aws import Aws
from sparkify.cluster.database_login import database_credentials
from sparkify.doctor.examine import Instruments, examine
from sparkify.doctor.verdicts import Finding
from sparkify.errors import ClusterError, EngineError
from sparkify.records import EVENTS
from sparkify.settings import Secret, Settings, load_settings
from sparkify.warehouse.connect import open_engine
from sparkify.warehouse.engine import Engine, ProbeStep
from sparkify.warehouse.redshift.login import log_in
from tests.cluster.conftest import port_to, raw_client

JSONPATHS = json.dumps({"jsonpaths": [f"$['{key}']" for key in EVENTS.keys]}).encode()


class Inside:
    """The way into a warehouse that is up, down, or closed to this user."""

    def __init__(self, *, lacks: str = "", lets_in: bool = True, reachable: bool = True) -> None:
        self.lacks, self.lets_in, self.reachable = lacks, lets_in, reachable
        self.closed = False

    def probe(self, schemas: Collection[str] = ()) -> list[ProbeStep]:
        return [
            ProbeStep("port", lambda: self.say(not self.reachable, "no answer.", "`cluster open-port`")),
            ProbeStep("login", lambda: self.say(not self.lets_in, "no such user.", "Finding DB_USER.")),
            ProbeStep("privileges", lambda: self.say(self.lacks, self.lacks, "Have the owner GRANT it.")),
        ]

    @staticmethod
    def say(wrong: object, message: str, hint: str) -> str:
        if wrong:
            raise EngineError(message, hint)
        return "fine"

    def close(self) -> None:
        self.closed = True


UP = Inside()


def checks(settings: Settings, inside: Inside | None = None) -> dict[str, Finding]:
    """Examine the settings; the warehouse is the real one, unless another is given."""

    def open_warehouse(settings: Settings) -> Engine:
        return cast("Engine", inside) if inside else open_engine(settings, wait=0)

    found = list(examine(settings, Instruments(credentials.connect, open_warehouse)))
    assert all(check.remedy for check in found if not check.ok)
    return {check.name: check for check in found}


@pytest.fixture
def lake(moto: str) -> Any:
    s3 = raw_client(moto, "s3")
    s3.create_bucket(Bucket="sparkify-test", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="sparkify-test", Key="log_json_path.json", Body=JSONPATHS)
    s3.put_object(Bucket="sparkify-test", Key="log_data/2018/11/a.json", Body=b"{}")
    s3.put_object(Bucket="sparkify-test", Key="song_data/A/a.json", Body=b"{}")
    return s3


def test_all_is_well_with_a_cluster_of_ours(config, lake):
    assert run(["cluster", "create", "--yes"]) == 0
    inside = Inside()
    found = checks(load_settings(config), inside)
    assert [check for check in found.values() if not check.ok] == []
    assert list(found) == [
        "configuration", "credentials", "LOG_DATA", "SONG_DATA", "LOG_JSONPATH", "STAGING",
        "cluster", "role", "role policy", "port", "login", "privileges",
    ]  # fmt: skip
    assert "us-west-2" in found["LOG_DATA"].found
    assert "18 paths" in found["LOG_JSONPATH"].found
    assert inside.closed


def test_each_lack_is_one_failing_line(config, lake, moto):
    assert run(["cluster", "create", "--yes"]) == 0
    settings = load_settings(config)
    lake.delete_object(Bucket="sparkify-test", Key="song_data/A/a.json")
    lake.put_object(Bucket="sparkify-test", Key="log_json_path.json", Body=b'{"paths": []}')
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    raw_client(moto, "iam").put_role_policy(
        RoleName="dwhRole", PolicyName="sparkify-copy", PolicyDocument=document
    )
    found = checks(settings, Inside(lacks="SELECT on public.users"))
    assert {name for name, check in found.items() if not check.ok} == {
        "SONG_DATA", "LOG_JSONPATH", "role policy", "privileges",
    }  # fmt: skip
    assert "public.users" in found["privileges"].found


def test_a_place_that_only_begins_like_another_is_told(config, lake):
    """As a run has it: log_data is no part of log_data_old, and one object may be the place."""
    assert run(["cluster", "create", "--yes"]) == 0
    text = config.read_text()
    config.write_text(text.replace("/log_data", "/log_dat").replace("/song_data", "/song_data/A/a.json"))
    found = checks(load_settings(config), UP)
    assert not found["LOG_DATA"].ok
    assert found["LOG_DATA"].found == "s3://sparkify-test/log_dat holds no objects."
    assert found["SONG_DATA"].ok


def test_what_depends_on_something_missing_is_left_out(config, moto):
    found = checks(replace(load_settings(config), dwh=replace(load_settings(config).dwh, engine="redshift")))
    assert {name for name, check in found.items() if not check.ok} == {
        "LOG_DATA", "SONG_DATA", "LOG_JSONPATH", "STAGING", "cluster", "role", "port",
    }  # fmt: skip
    assert "login" not in found
    assert "role policy" not in found


def test_a_jsonpaths_file_is_held_to_the_rule_of_a_run(config, lake):
    lake.put_object(Bucket="sparkify-test", Key="log_json_path.json", Body=b'{"jsonpaths": ["$.ts"]}')
    found = checks(theirs(config), UP)["LOG_JSONPATH"]
    assert not found.ok
    assert "does not name the 18 fields" in found.found


def test_local_files_are_uploaded_where_there_is_a_staging(config, lake, tmp_path):
    assert local(tmp_path / "here")
    text = config.read_text().replace("s3://sparkify-test/log_data", f"{tmp_path}/here/logs")
    config.write_text(text.replace("s3://sparkify-test/song_data", f"{tmp_path}/here/songs"))
    found = checks(theirs(config), UP)
    assert (found["LOG_DATA"].verdict, found["SONG_DATA"].verdict) == ("ok", "ok")
    config.write_text(config.read_text().replace("s3://sparkify-test/staging", ""))
    found = checks(theirs(config), UP)
    assert not found["LOG_DATA"].ok  # songs are sent as literals
    assert found["SONG_DATA"].ok


def test_staging_is_written_and_nothing_is_left(config, lake):
    before = lake.list_objects_v2(Bucket="sparkify-test")["KeyCount"]
    assert checks(theirs(config), UP)["STAGING"].verdict == "ok"
    assert lake.list_objects_v2(Bucket="sparkify-test")["KeyCount"] == before


def test_a_closed_port_says_how_to_open_it(config, lake):
    assert run(["cluster", "create", "--yes"]) == 0
    found = checks(load_settings(config), Inside(reachable=False))
    assert "open-port" in found["port"].remedy
    assert "login" not in found


def test_a_refused_login_says_why(config, lake):
    assert run(["cluster", "create", "--yes"]) == 0
    found = checks(load_settings(config), Inside(lets_in=False))
    assert (found["login"].ok, found["login"].found) == (False, "no such user.")
    assert "privileges" not in found


def test_a_bucket_in_another_region_is_told(config, moto):
    s3 = raw_client(moto, "s3", "eu-west-1")
    s3.create_bucket(Bucket="sparkify-test", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="sparkify-test", Key="log_data/a.json", Body=b"{}")
    assert "eu-west-1" in checks(load_settings(config))["LOG_DATA"].found


class Server:
    """A port to AWS that knows S3 and nothing else, as ENDPOINT_URL may name one; or nothing at all."""

    def __init__(self, port: Aws, services: tuple[str, ...]) -> None:
        self._port, self._services = port, services

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def call(self, service: str, operation: str, **more: Any) -> dict[str, Any]:
        if not {service, f"{service}:{operation}"}.intersection(self._services):
            raise ClusterError(f"these credentials may not do {service}:{operation}.", "Ask.", action=service)
        return self._port.call(service, operation, **more)

    @property
    def identity(self) -> Any:
        return self.call("sts", "get_caller_identity") and self._port.identity


@pytest.fixture
def knows(config: Path, moto: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have AWS answer for these services and refuse the others."""

    def change(*services: str) -> None:
        monkeypatch.setattr(credentials, "connect", lambda _: Server(port_to(moto), services))

    return change


def warnings(found: dict[str, Finding]) -> dict[str, Finding]:
    return {name: check for name, check in found.items() if check.verdict == "warn"}


def theirs(config: Path, host: str = "dwh.c1.us-west-2.redshift.amazonaws.com") -> Settings:
    """Settings of a cluster these credentials do not see."""
    settings = load_settings(config)
    return replace(
        settings,
        dwh=replace(settings.dwh, engine="redshift"),
        cluster=replace(settings.cluster, host=host),
        iam_role=replace(settings.iam_role, arn="arn:aws:iam::999999999999:role/theirs"),
    )


@pytest.mark.parametrize("services", [("sts", "s3", "redshift", "iam"), ("sts", "s3")])
def test_somebody_elses_cluster_is_told_by_its_login(config, lake, knows, services):
    """Not in this account, or nothing we may look at: the login is what counts."""
    lake.put_object(Bucket="sparkify-test", Key="staging/a", Body=b"")
    knows(*services)
    found = checks(theirs(config), UP)
    assert [name for name, check in found.items() if not check.ok] == []
    assert list(warnings(found)) == ["cluster", "role"]
    assert found["cluster"].found.startswith("not checked: ")
    assert "if somebody else runs HOST" in found["cluster"].remedy
    assert "[IAM_ROLE] ARN" in found["role"].remedy
    assert found["login"].ok
    assert "role policy" not in found


def test_a_cluster_of_ours_beside_the_one_that_is_configured_is_told(config, lake):
    assert run(["cluster", "create", "--yes"]) == 0
    found = checks(theirs(config), UP)
    assert "HOST is not the endpoint of dwhcluster" in warnings(found)["cluster"].found


def test_what_is_wrong_with_our_own_cluster_stays_a_failure(config, lake, moto):
    assert run(["cluster", "create", "--yes"]) == 0
    settings = load_settings(config)
    raw_client(moto, "redshift").pause_cluster(ClusterIdentifier="dwhcluster")
    found = checks(settings, UP)
    assert (found["cluster"].ok, found["cluster"].found) == (False, "dwhcluster is paused.")
    other = replace(settings, iam_role=replace(settings.iam_role, arn="arn:aws:iam::1:role/other"))
    assert not checks(other, UP)["role"].ok


@pytest.mark.parametrize(("may", "name"), [("sts", "role"), ("iam:get_role", "role policy")])
def test_a_role_we_may_not_look_at_is_no_failure(config, lake, knows, may, name):
    """Who loads needs no right to look at roles; COPY tells whether the role is right."""
    assert run(["cluster", "create", "--yes"]) == 0
    lake.put_object(Bucket="sparkify-test", Key="staging/a", Body=b"")
    knows("sts", "s3", "redshift", may, "iam:list_role_tags")
    found = checks(load_settings(config), UP)
    assert [each for each, check in found.items() if not check.ok] == []
    assert warnings(found)[name].found.startswith("not checked: these credentials may not do iam:")


def test_a_server_for_s3_alone_is_asked_about_s3_alone(config, lake, knows):
    lake.put_object(Bucket="sparkify-test", Key="staging/a", Body=b"")
    knows("s3")
    found = checks(theirs(config), UP)
    assert [name for name, check in found.items() if not check.ok] == []
    assert list(warnings(found)) == ["credentials"]
    assert "ENDPOINT_URL" in found["credentials"].remedy
    assert list(found)[2:] == [
        "LOG_DATA", "SONG_DATA", "LOG_JSONPATH", "STAGING", "port", "login", "privileges",
    ]  # fmt: skip


def test_with_duckdb_a_server_for_s3_is_all_that_is_needed(config, lake, knows, moto, tmp_path):
    knows("s3")
    settings = load_settings(config)
    settings = replace(settings, dwh=replace(settings.dwh, engine="duckdb"))
    found = checks(settings)
    assert {check.verdict for check in found.values()} == {"ok"}
    assert found["credentials"].found == f"for {moto}, which is asked about S3 only"


def test_without_a_password_aws_has_to_give_one(config, lake, knows):
    knows("s3")
    settings = theirs(config)
    settings = replace(settings, cluster=replace(settings.cluster, db_password=Secret("")))
    found = checks(settings, Inside(lets_in=False))
    assert warnings(found).keys() >= {"credentials"}
    assert not found["login"].ok


def local(tmp_path: Path) -> Path:
    for name in ("logs", "songs"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.json").write_text("{}")
    path = tmp_path / "dwh.cfg"
    path.write_text(
        f"[DWH]\nDATABASE = {tmp_path}/w.duckdb\n"
        f"[S3]\nLOG_DATA = {tmp_path}/logs\nSONG_DATA = {tmp_path}/songs\n"
    )
    return path


def test_on_a_laptop_it_asks_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(credentials, "connect", lambda _: pytest.fail("no AWS here"))
    found = checks(load_settings(local(tmp_path)))
    assert list(found) == ["configuration", "LOG_DATA", "SONG_DATA", "database"]
    assert all(check.ok for check in found.values())


def test_a_held_database_is_told(tmp_path):
    import subprocess
    import sys

    config = local(tmp_path)
    held = tmp_path / "w.duckdb"
    code = f"import duckdb, sys; c = duckdb.connect({str(held)!r}); print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()
        found = checks(load_settings(config))["database"]
        assert not found.ok
        assert str(holder.pid) in found.found
        holder.kill()
    assert checks(load_settings(config))["database"].ok


def test_the_command_waits_for_who_holds_the_database(tmp_path, capsys):
    import subprocess
    import sys

    config = local(tmp_path)
    held = tmp_path / "w.duckdb"
    code = (
        f"import duckdb, sys, time; c = duckdb.connect({str(held)!r}); print(1, flush=True); "
        "sys.stdin.readline(); time.sleep(1.5); c.close()"
    )
    command = ["doctor", "--config", str(config), "--json", "--wait"]
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()
        assert run([*command, "0"]) == 1
        assert json.loads(capsys.readouterr().out)["ok"] is False
        assert holder.stdin
        holder.stdin.write(b"\n")
        holder.stdin.flush()
        assert run([*command, "30"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["ok"] is True
    assert f"for process {holder.pid}" in shown.err


def test_warnings_are_shown_and_do_not_fail(config, lake, knows, capsys, monkeypatch):
    """Read as a person does: three verdicts in one column, each line that wants something with its step."""
    lake.put_object(Bucket="sparkify-test", Key="staging/a", Body=b"")
    knows("sts", "s3")
    config.write_text(config.read_text().replace("HOST=", "HOST=127.0.0.1"))
    monkeypatch.setattr("sparkify.cli.doctor.open_warehouse", lambda *_: UP)
    assert run(["doctor", "--config", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("warn  ")] == [
        "warn  cluster        not checked: these credentials may not do redshift:describe_clusters.",
        "warn  role           not checked: these credentials may not do iam:get_role.",
    ]
    assert len([line for line in lines if "  Try: " in line]) == 2


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [("/logs", "/nowhere", "LOG_DATA"), ("w.duckdb", "no/w.duckdb", "database")],
)
def test_local_lacks_are_told(tmp_path, before, after, name):
    config = local(tmp_path)
    text = config.read_text().replace(f"{tmp_path}{before}", f"{tmp_path}{after}")
    config.write_text(text.replace("/w.duckdb", "/no/w.duckdb") if name == "database" else text)
    assert {n for n, check in checks(load_settings(config)).items() if not check.ok} == {name}


def test_secrets_others_can_read_are_a_warning(tmp_path, capsys):
    """Every command succeeds with them."""
    config = local(tmp_path)
    config.write_text(config.read_text() + "[CLUSTER]\nDB_PASSWORD = Passw0rd\n")
    config.chmod(0o644)
    assert run(["doctor", "--config", str(config)]) == 0
    shown = capsys.readouterr().out
    assert (
        f"warn  secrets        {config} holds secrets and other users of this machine can read it\n" in shown
    )
    assert f"Try: chmod 600 {config}\n" in shown
    assert "Passw0rd" not in shown


def test_secrets_of_the_environment_are_none_of_the_file(tmp_path, capsys, monkeypatch):
    """A file others may read is no exposure as long as it holds none; /dev/null never does."""
    monkeypatch.setenv("SPARKIFY_AWS_KEY", "AKIA")
    monkeypatch.setenv("SPARKIFY_AWS_SECRET", "hidden")
    monkeypatch.setenv("SPARKIFY_CLUSTER_DB_PASSWORD", "Passw0rd")
    config = local(tmp_path)
    config.chmod(0o644)
    sources = ["--log-data", f"{tmp_path}/logs", "--song-data", f"{tmp_path}/songs"]
    database = ["--database", str(tmp_path / "w.duckdb")]
    for place in (str(config), os.devnull):
        assert run(["doctor", "--engine", "duckdb", "--config", place, *sources, *database]) == 0
        shown = capsys.readouterr().out
        assert "holds secrets" not in shown
        assert "chmod" not in shown


def test_one_source_is_enough_and_none_is_not(tmp_path):
    text = local(tmp_path).read_text()
    config = tmp_path / "dwh.cfg"
    config.write_text(text.replace(f"{tmp_path}/songs", ""))
    found = checks(load_settings(config))
    assert all(check.ok for check in found.values())
    assert "events only" in warnings(found)["SONG_DATA"].found
    config.write_text(text.replace(f"{tmp_path}/songs", "").replace(f"{tmp_path}/logs", ""))
    failed = {name for name, check in checks(load_settings(config)).items() if not check.ok}
    assert failed == {"LOG_DATA", "SONG_DATA"}


def test_what_duckdb_has_no_use_for_is_not_asked_for(tmp_path):
    config = local(tmp_path)
    config.write_text(config.read_text() + "LOG_JSONPATH = s3://nowhere/x.json\nSTAGING = here\n")
    found = checks(load_settings(config))
    assert {check.verdict for check in found.values()} == {"ok"}
    assert "for Redshift" in found["LOG_JSONPATH"].found


def test_a_local_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    """Every one of them, not only the first."""
    config = local(tmp_path)
    (tmp_path / "logs" / "z.json").write_text("{}")
    ours = os.access  # root may read everything
    monkeypatch.setattr(
        os, "access", lambda path, mode: not str(path).endswith("z.json") and ours(path, mode)
    )
    found = checks(load_settings(config))
    assert {name for name, check in found.items() if not check.ok} == {"LOG_DATA"}
    assert found["LOG_DATA"].found == f"{tmp_path}/logs/z.json may not be read: Permission denied."


def test_the_command_exits_by_what_it_found(tmp_path, capsys):
    config = local(tmp_path)
    assert run(["doctor", "--config", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert run(["doctor", "--config", str(config), "--log-data", "nowhere", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_a_database_that_is_not_there_is_an_engine_error(settings):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    nowhere = replace(settings.cluster, host="127.0.0.1", db_port=port)
    with pytest.raises(EngineError) as caught:
        log_in(nowhere, "dwhuser", "Passw0rd")
    assert "Passw0rd" not in caught.value.message


def test_without_a_password_aws_gives_a_temporary_one(script, settings):
    script.answer(
        "redshift",
        "get_cluster_credentials",
        {"DbUser": "IAM:dwhuser", "DbPassword": "temporary"},
        {"ClusterIdentifier": "dwhcluster", "DbUser": "dwhuser", "DbName": "dwh"},
    )
    open_to_aws = replace(settings, cluster=replace(settings.cluster, db_password=Secret("")))
    assert database_credentials(script.aws, open_to_aws) == ("IAM:dwhuser", "temporary")
    # The administrator of this workgroup is another, or has a password that AWS does not keep.
    serverless = replace(open_to_aws, dwh=replace(open_to_aws.dwh, dwh_cluster_type="serverless"))
    workgroup = {"workgroupName": "dwhcluster", "namespaceName": "theirs"}
    for namespace in (
        {"adminUsername": "root", "adminPasswordSecretArn": "arn"},
        {"adminUsername": "dwhuser"},
    ):
        script.answer("redshift-serverless", "get_workgroup", {"workgroup": workgroup})
        script.answer(
            "redshift-serverless", "get_namespace", {"namespace": namespace}, {"namespaceName": "theirs"}
        )
        _temporary(script, serverless)


def _temporary(script, serverless: Settings) -> None:
    script.answer(
        "redshift-serverless",
        "get_credentials",
        {"dbUser": "IAM:ann", "dbPassword": "temporary"},
        {"workgroupName": "dwhcluster", "dbName": "dwh"},
    )
    assert database_credentials(script.aws, serverless) == ("IAM:ann", "temporary")


def test_a_staging_in_another_region_than_the_logs_is_told(config, lake, moto):
    """A COPY names one region for all it reads: `etl` refuses it in the same words."""
    other = raw_client(moto, "s3", "eu-west-1")
    other.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    config.write_text(config.read_text().replace("s3://sparkify-test/staging", "s3://far/staging"))
    found = checks(theirs(config), UP)["STAGING"]
    assert not found.ok
    assert "LOG_DATA in us-west-2, LOG_JSONPATH in us-west-2, STAGING in eu-west-1" in found.found
    assert "in the region of LOG_DATA" in found.remedy


def test_a_host_in_another_region_than_the_cluster_is_looked_for_is_told(config, lake):
    """The login tells whether a run succeeds; what AWS says of the cluster is another's."""
    found = checks(theirs(config, "dwhcluster.c1.eu-west-1.redshift.amazonaws.com"), UP)["cluster"]
    assert found.verdict == "warn"
    assert "dwhcluster in eu-west-1, and REGION leads to us-west-2" in found.found
    assert "REGION = eu-west-1" in found.remedy
