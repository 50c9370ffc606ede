"""The file a command writes to: never the warehouse, its configuration or a file of the lake."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
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
    verify_outputs([path], settings, engine)


def verify_outputs(paths: Sequence[Path], settings: Settings, engine: Engine) -> None:
    """Raise where writing to one of several files would destroy what the warehouse is made of.

    Raises:
        ConfigError: One is the warehouse, the configuration, or a file that was loaded.
    """
    from sparkify.lake.uri import is_s3
    from sparkify.warehouse.ledger import current_files, read_meta

    ours: list[tuple[str | Path, str]] = []
    if settings.dwh.engine == "duckdb":
        log = f"{settings.dwh.database}.wal"  # there only while something is written
        ours = [
            (settings.dwh.database, "the warehouse itself"),
            (log, "the write-ahead log of the warehouse"),
        ]
        for path in paths:
            if path.absolute() == Path(log).absolute():
                raise _not_written_over(path, ours[1][1])
    there = {known: path for path in paths if path.is_file() and (known := _identity(path))}
    if not there:
        return
    if settings.path is not None:
        ours.append((settings.path, "the configuration"))
    if meta := read_meta(engine):
        what = "a file of the lake, and its rows are in the warehouse"
        ours += [(file.uri, what) for file in current_files(engine, meta) if not is_s3(file.uri)]
    for other, what in ours:
        if found := there.get(_identity(other) or (0, 0)):
            raise _not_written_over(found, what)


def _not_written_over(path: Path, what: str) -> ConfigError:
    return ConfigError(f"{path} is {what}: it is not written over.", "Name another file.")


def _identity(path: str | Path) -> tuple[int, int] | None:
    """Return what is the same of all names of a file; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a name of the ledger may be any text
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def verify_apart(out: str, settings: Settings) -> None:
    """Raise where a place to write to lies in the lake.

    Raises:
        ConfigError: It does.
    """
    from sparkify.lake.uri import is_s3, parse_s3
    from sparkify.settings import expand_home

    for kind, place in settings.s3.places.items():
        if is_s3(out) != is_s3(place):
            continue
        if is_s3(out):
            inside = parse_s3(place).holds(parse_s3(out))
        else:
            inside = Path(out).resolve().is_relative_to(Path(expand_home(place)).resolve())
        if inside:
            raise ConfigError(
                f"{out} lies in {place}, [S3] {kind.setting}.", "Name a place outside the lake."
            )


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


def write_whole(path: Path, text: str) -> None:
    """Write a text to a file, which is the old one or has all of it.

    Raises:
        ConfigError: The file cannot be written.
    """
    with written_aside(path) as aside:
        try:
            aside.write_text(text, encoding="utf-8")
        except OSError as exc:
            raise unwritable(path, exc) from exc


def unwritable(path: Path, exc: OSError) -> ConfigError:
    """Return the error of a file that cannot be written."""
    return ConfigError(f"{path} cannot be written: {exc.strerror}.", "Choose another place.")
