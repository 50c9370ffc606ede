"""Which engine the settings choose."""

from __future__ import annotations

from pathlib import Path

from sparkify.cli.app import run


def test_a_warehouse_on_redshift_is_never_quietly_loaded_into_a_file(tmp_path: Path):
    """HOST chooses Redshift; until its engine is there, that is an error and no DuckDB file."""
    config = tmp_path / "dwh.cfg"
    database = tmp_path / "w.duckdb"
    (tmp_path / "log_data").mkdir()
    (tmp_path / "log_data" / "1.json").write_text("{}\n")
    config.write_text(f"[CLUSTER]\nHOST = example.invalid\n[DWH]\nDATABASE = {database}\n")
    for command in (["etl", "--log-data", str(tmp_path / "log_data")], ["check"], ["create-tables"]):
        assert run([*command, "--config", str(config)]) == 2, command
    assert not database.exists()
