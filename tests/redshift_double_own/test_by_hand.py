"""The stand-in as a person starts it: a process that prints what dwh.cfg needs."""

from __future__ import annotations

import configparser
import signal
import subprocess
import sys
from pathlib import Path

import redshift_connector
from tests.conftest import S3Server

ROOT = Path(__file__).resolve().parents[2]


def test_it_starts_prints_the_cluster_section_copies_and_ends(s3: S3Server):
    (s3.root / "by-hand").mkdir()
    (s3.root / "by-hand" / "a.json").write_text('{"i": 7}')
    command = [sys.executable, "-m", "tests.redshift_double", "--password", "Secret77", "--log"]
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
