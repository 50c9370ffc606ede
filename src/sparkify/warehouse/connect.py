"""From the settings to the engine they choose."""

from __future__ import annotations

from pathlib import Path

from sparkify.errors import ConfigError, EngineError
from sparkify.settings import Settings
from sparkify.warehouse.engine import Engine


def open_engine(settings: Settings, *, wait: float = 5.0) -> Engine:
    """Return the engine the settings choose; nothing is contacted yet.

    Args:
        settings: Where the warehouse is.
        wait: Seconds to wait for another process that holds the warehouse.

    Raises:
        ConfigError: The engine is one this version does not have.
    """
    if settings.dwh.engine != "duckdb":
        raise ConfigError(
            f"the engine is {settings.dwh.engine}, and this version loads into DuckDB only.",
            "Say --engine duckdb (or [DWH] ENGINE = duckdb) to load into a DuckDB file.",
        )
    from sparkify.warehouse.duckdb_engine import DuckDBEngine

    return DuckDBEngine(Path(settings.dwh.database), wait=wait)


def require(engine: Engine, *, exists: bool) -> None:
    """Raise unless there is a warehouse with our tables; it must be open, if it exists.

    Raises:
        EngineError: There is none.
    """
    if not exists or not engine.has_table("etl", "runs") or not engine.has_table("", "songplays"):
        raise EngineError(
            "there is no warehouse yet: the tables are missing.",
            "Load something with `sparkify etl`, or name the warehouse with --database or --config.",
        )
