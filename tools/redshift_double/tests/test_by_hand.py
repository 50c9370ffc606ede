"""The stand-in as a person starts it: a process that prints what dwh.cfg needs."""

from __future__ import annotations

import configparser
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import redshift_connector

from tests.conftest import S3Server

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def test_the_page_is_right_as_it_stands(tmp_path: Path):
    """Each command of `Start one by hand`, in its order, with other ports and another folder."""
    page = (ROOT / "docs" / "redshift-double.md").read_text(encoding="utf-8")
    page = page.partition("## Start one by hand")[2].partition("## In tests")[0]
    changed = {"9000": str(free_port()), "5439": str(free_port()), "/tmp/s3": f"{tmp_path}/s3"}
    for written, meant in {**changed, ".venv/bin": str(Path(sys.executable).parent)}.items():
        page = page.replace(written, meant)
    data, stand_in, config, use = page.split("```\n")[1::2]
    *make, serve = data.splitlines()
    (tmp_path / "dwh.cfg").write_text(config)
    for line in make:
        subprocess.run(line, shell=True, check=True, cwd=tmp_path, capture_output=True)
    with ExitStack() as running:

        def start(command: str, end: signal.Signals) -> subprocess.Popen[str]:
            process = running.enter_context(
                subprocess.Popen(
                    shlex.split(command.replace("\\\n", "")),
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            )
            running.callback(process.send_signal, end)
            return process

        start(serve, signal.SIGKILL)
        printed = start(stand_in, signal.SIGINT).stdout
        assert printed is not None
        section = [printed.readline() for _ in range(6)]
        assert "".join(section).replace("=", " = ") in config
        exported = printed.readline().removeprefix("# ")
        done = subprocess.run(
            ["bash", "-ec", exported + use], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert "FAIL" not in done.stdout
    assert "13 data checks hold" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("paid")


def test_it_starts_prints_the_cluster_section_copies_and_ends(s3: S3Server):
    (s3.root / "by-hand").mkdir()
    (s3.root / "by-hand" / "a.json").write_text('{"i": 7}')
    command = [sys.executable, "-m", "tools.redshift_double", "--password", "Secret77", "--log"]
    command += ["--s3-endpoint", s3.endpoint, "--s3-key", s3.key, "--s3-secret", s3.secret]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        printed = "".join(process.stdout.readline() for _ in range(6))
        section = configparser.ConfigParser()
        section.read_string(printed)
        cluster = section["CLUSTER"]
        try:
            with redshift_connector.connect(
                host=cluster["HOST"],
                port=int(cluster["DB_PORT"]),
                database=cluster["DB_NAME"],
                user=cluster["DB_USER"],
                password=cluster["DB_PASSWORD"],
                ssl=False,
            ) as connection:
                cursor = connection.cursor()
                cursor.execute("CREATE TABLE t (i INT)")
                cursor.execute("COPY t FROM 's3://by-hand/' IAM_ROLE default JSON 'auto'")
                cursor.execute("SELECT i FROM t")
                assert cursor.fetchone() == [7]
        finally:
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=30)
        assert process.returncode == 0
    assert "ok COPY t FROM" in log
    assert "Secret77" not in log
