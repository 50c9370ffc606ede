"""No secret shows anywhere: not in logs (everybody's, at DEBUG), errors, tracebacks, SQL or output."""

from __future__ import annotations

import gc
import io
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import click
import pytest

from sparkify.cli.app import COMMANDS, run, sparkify
from tests.conftest import S3Server
from tests.records import play, song, write_records
from tests.warehouses import OnRedshift, Warehouses
from tools.redshift_double import Fault

CANARY = "Canary-Passw0rd-4711"
# Of a workgroup whose administrator is somebody else than DB_USER.
_SERVERLESS = {
    "GetWorkgroup": json.dumps({"workgroup": {"workgroupName": "sparkify", "namespaceName": "sparkify"}}),
    "GetNamespace": json.dumps({"namespace": {"namespaceName": "sparkify", "adminUsername": "somebody"}}),
    "GetCredentials": json.dumps({"dbUser": "IAM:awsuser", "dbPassword": CANARY}),
}
_PROVISIONED = f"""<GetClusterCredentialsResponse xmlns="http://redshift.amazonaws.com/doc/2012-12-01/">
<GetClusterCredentialsResult><DbUser>IAM:awsuser</DbUser><DbPassword>{CANARY}</DbPassword>
<Expiration>2099-01-01T00:00:00Z</Expiration></GetClusterCredentialsResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetClusterCredentialsResponse>"""


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """Everything anybody logs, at DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    levels = [(logger, logger.level) for logger in (root, *loggers)]
    for logger, _ in levels:
        logger.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield stream.getvalue
    root.removeHandler(handler)
    for logger, level in levels:
        logger.setLevel(level)
    caplog.clear()  # its records hold the error of a login that was refused, and so the driver's open socket
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def place(warehouses: Warehouses, tmp_path: Path) -> Iterator[OnRedshift]:
    """A warehouse whose password is the canary."""
    place = warehouses.new("redshift", tmp_path)
    assert isinstance(place, OnRedshift)
    server = place.server
    real = server.options.password
    place.config.write_text(place.config.read_text().replace(real, CANARY))
    server.passwords[server.options.user] = CANARY
    yield place
    server.passwords[server.options.user] = real
    server.faults.clear()


@pytest.fixture
def lake(tmp_path: Path) -> list[str]:
    log = write_records(tmp_path / "lake" / "log_data" / "1.json", play())
    log.write_text(log.read_text() + "no JSON\n")
    write_records(tmp_path / "lake" / "song_data" / "1.json", song())
    sources = [f"--{kind}-data={tmp_path / 'lake' / f'{kind}_data'}" for kind in ("log", "song")]
    return [*sources, "--max-rejects=5"]


Attempt = Callable[..., tuple[int, str]]


@pytest.fixture
def attempt(capfd: pytest.CaptureFixture[str]) -> Attempt:
    """Run a command with --debug; return its exit code and all it shows, tracebacks included."""

    def call(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        code = run([*arguments, "--debug"])
        return code, "".join(capfd.readouterr())

    return call


def test_neither_password_nor_key_shows(
    place: OnRedshift,
    lake: list[str],
    s3: S3Server,
    heard: Callable[[], str],
    attempt: Attempt,
):
    config = ["--config", str(place.config)]
    place.server.statements.clear()
    shown = [attempt("etl", *lake, *config)]
    place.server.faults.arm(Fault("drop_before", match="songplays", times=99))
    shown.append(attempt("check", *config))
    place.server.faults.clear()
    shown.append(attempt("query", "SELECT nonsense", *config))
    shown.append(attempt("query", "DELETE FROM songplays", *config))
    sent = [entry.sql for entry in place.server.statements]
    place.server.passwords[place.server.options.user] = "another"
    shown.append(attempt("runs", *config))
    place.config.write_text(place.config.read_text().replace("localhost", "wrong.invalid"))
    shown.append(attempt("runs", *config))
    assert [code for code, _ in shown] == [0, 1, 1, 1, 1, 1]
    assert ["Traceback" in text for _, text in shown] == [False, True, True, True, True, True]
    for secret in (CANARY, s3.secret):
        for text in (*(text for _, text in shown), *sent, heard()):
            assert secret not in text
    assert "redshift_connector" in shown[1][1]
    assert heard()  # the driver has logged, only not this


@pytest.fixture
def aws() -> Iterator[str]:
    """The one service of AWS that hands out passwords; both of its kinds."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = self.headers.get("X-Amz-Target", "")
            body = next(
                (text for end, text in _SERVERLESS.items() if asked.endswith(end)), _PROVISIONED
            ).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", ["multi-node", "serverless"])
def test_temporary_passwords_let_in_and_do_not_show(
    kind: str,
    warehouses: Warehouses,
    aws: str,
    tmp_path: Path,
    heard: Callable[[], str],
    attempt: Attempt,
):
    """Without DB_PASSWORD AWS is asked for one at every connect, and a lost connection asks again."""
    place = warehouses.new("redshift", tmp_path, staging=False)
    assert isinstance(place, OnRedshift)
    assert run(["create-tables", "--config", str(place.config)]) == 0  # and the administrator is known
    text = place.config.read_text().replace(f"DB_PASSWORD = {place.server.options.password}\n", "")
    place.config.write_text(
        "".join(
            line for line in text.splitlines(keepends=True) if not line.startswith("ENDPOINT_URL")
        ).replace("[AWS]\n", f"[AWS]\nREGION = us-west-2\nENDPOINT_URL = {aws}\n")
        + f"[DWH]\nDWH_CLUSTER_TYPE = {kind}\nDWH_CLUSTER_IDENTIFIER = sparkify\n"
    )
    write_records(tmp_path / "song_data" / "1.json", song())
    place.server.passwords["IAM:awsuser"] = CANARY
    place.server.statements.clear()
    place.server.faults.arm(Fault("drop_before", match="CREATE TEMP TABLE"))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sparkify.pipeline.retry.PAUSES", (0.0,) * 4)
            songs = f"--song-data={tmp_path / 'song_data'}"
            code, shown = attempt("etl", songs, "--config", str(place.config))
        assert code == 0
    finally:
        place.server.faults.clear()
        del place.server.passwords["IAM:awsuser"]
    entries = list(place.server.statements)
    assert {entry.user for entry in entries} == {"IAM:awsuser"}
    assert len({entry.session for entry in entries}) == 2
    for text in (*(entry.sql for entry in entries), shown, heard()):
        assert CANARY not in text


def test_no_command_takes_a_secret_as_an_argument():
    """What stands in a process's arguments, every user of the machine can read."""
    names = []
    for name in COMMANDS:
        command = sparkify.get_command(click.Context(sparkify), name)
        assert command
        commands = command.commands.values() if isinstance(command, click.Group) else [command]
        names += [option for each in commands for param in each.params for option in param.opts]
    assert len(names) > 40
    assert not [
        name for name in names if any(word in name for word in ("password", "secret", "key", "token"))
    ]
