"""The file a command writes to: never the warehouse, its configuration or a file of the lake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sparkify.errors import ConfigError

if TYPE_CHECKING:
    from sparkify.settings import Settings
    from sparkify.warehouse.engine import Engine


def verify_output(path: Path, settings: Settings, engine: Engine) -> None:
    """Raise where writing to a file would destroy what the warehouse is made of.

    Args:
        path: Where to write.
        settings: Those of the command.
        engine: The warehouse, open for reading.

    Raises:
        ConfigError: It is the warehouse, the configuration, or a file that was loaded.
    """
    from sparkify.lake.uri import is_s3
    from sparkify.warehouse.ledger import current_files

    log = f"{settings.dwh.database}.wal"  # there only while something is written
    if settings.dwh.engine == "duckdb" and path.absolute() == Path(log).absolute():
        raise ConfigError(f"{path} is the write-ahead log of the warehouse.", "Name another file.")
    if not path.is_file():
        return
    what = ""
    if settings.dwh.engine == "duckdb" and _is_same(path, settings.dwh.database):
        what = "the warehouse itself"
    elif settings.path is not None and _is_same(path, settings.path):
        what = "the configuration"
    elif any(_is_same(path, file.uri) for file in current_files(engine) if not is_s3(file.uri)):
        what = "a file of the lake, and its rows are in the warehouse"
    if what:
        raise ConfigError(f"{path} is {what}: it is not written over.", "Name another file.")


def _is_same(path: Path, other: str | Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def unwritable(path: Path, exc: OSError) -> ConfigError:
    """Return the error of a file that cannot be written."""
    return ConfigError(f"{path} cannot be written: {exc.strerror}.", "Choose another place.")
