"""The file a command writes to: never the warehouse, its configuration or a file of the lake."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    from sparkify.warehouse.ledger import current_files, read_meta

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
    elif (meta := read_meta(engine)) and any(
        _is_same(path, file.uri) for file in current_files(engine, meta) if not is_s3(file.uri)
    ):
        what = "a file of the lake, and its rows are in the warehouse"
    if what:
        raise ConfigError(f"{path} is {what}: it is not written over.", "Name another file.")


def _is_same(path: Path, other: str | Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def make_folder(path: Path) -> None:
    """Make the folder of a file, and those above it, where they are missing.

    Raises:
        ConfigError: It cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise unwritable(path, exc) from exc


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Yield a name beside a file for its new contents; it takes the file's place when the block ends well.

    DuckDB does the same with a name of its own choosing, where a file is there already; a query may write to
    the one file it is told alone. What is no regular file, such as a pipe, is yielded as it is.

    Raises:
        ConfigError: The file cannot be written.
    """
    target = path.resolve()  # a link stays a link
    if target.exists() and not target.is_file():
        yield path
        return
    aside = target.with_name(f".sparkify-{secrets.token_hex(8)}")
    try:
        # To be told now, in our words, and with the mode any new file has.
        aside.touch(exist_ok=False)
        aside.unlink()
        yield aside
        if target.exists():
            aside.chmod(target.stat().st_mode & 0o777)
        os.replace(aside, target)  # noqa: PTH105
    except OSError as exc:
        raise unwritable(path, exc) from exc
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def unwritable(path: Path, exc: OSError) -> ConfigError:
    """Return the error of a file that cannot be written."""
    return ConfigError(f"{path} cannot be written: {exc.strerror}.", "Choose another place.")
