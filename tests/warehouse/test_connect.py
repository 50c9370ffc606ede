"""Which engine the settings choose."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sparkify import warehouse
from sparkify.cli.app import run


def test_a_warehouse_on_redshift_is_never_quietly_loaded_into_a_file(tmp_path: Path):
    """HOST chooses Redshift: what it cannot reach is an error and no DuckDB file."""
    config = tmp_path / "dwh.cfg"
    database = tmp_path / "w.duckdb"
    (tmp_path / "log_data").mkdir()
    (tmp_path / "log_data" / "1.json").write_text("{}\n")
    cluster = "[CLUSTER]\nHOST = localhost\nDB_PORT = 1\nDB_PASSWORD = none\n"
    config.write_text(f"{cluster}[DWH]\nDATABASE = {database}\n")
    for command in (["etl", "--log-data", str(tmp_path / "log_data")], ["check"], ["create-tables"]):
        assert run([*command, "--config", str(config)]) == 1, command
    assert not database.exists()


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ("[DWH]\nENGINE = redshift\n", "HOST"),
        ("[CLUSTER]\nHOST = localhost\nDB_PASSWORD = x\n[S3]\nSTAGING = here\n", "STAGING"),
        (
            "[CLUSTER]\nHOST = x\nDB_PASSWORD = x\n[S3]\nLOG_DATA = s3://b/log\nSTAGING = s3://b/log/tmp/\n",
            "lies below LOG_DATA",
        ),
    ],
)
def test_settings_that_cannot_work_say_so_before_anything_is_contacted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], config: str, named: str
):
    (tmp_path / "dwh.cfg").write_text(config)
    assert run(["check", "--config", str(tmp_path / "dwh.cfg")]) == 2
    assert named in capsys.readouterr().err


def test_without_awss_driver_the_error_says_how_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    # Afterwards its package is again the one that the other tests have imported parts of.
    monkeypatch.setattr(warehouse, "redshift", getattr(warehouse, "redshift", None), raising=False)
    for name in [name for name in sys.modules if name.startswith("sparkify.warehouse.redshift")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("redshift_connector", "redshift_connector.error"):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "dwh.cfg").write_text("[CLUSTER]\nHOST = localhost\nDB_PASSWORD = x\n")
    assert run(["check", "--config", str(tmp_path / "dwh.cfg")]) == 2
    assert "pip install '.[aws]'" in capsys.readouterr().err
