"""`sparkify query`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.layout import aligned, terminal_width
from sparkify.cli.options import open_warehouse, settings_from, warehouse_options, wide_option
from sparkify.cli.output import make_folder, unwritable, verify_output, written_aside
from sparkify.cli.screen import as_json
from sparkify.cli.streams import copy, is_unread
from sparkify.errors import ConfigError
from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.warehouse.engine import Answer

# An answer beyond this is held on the disk and not in memory.
_HELD_BYTES = 64 * 1024 * 1024
_FORMATS = ("table", "csv", "json", "jsonl", "parquet")
_SUFFIXES = {"": "table", "txt": "table", "ndjson": "jsonl"}


@click.command(cls=Subcommand)
@click.argument("sql", required=False)
@click.option(
    "-f", "--file", "script", type=click.File(encoding="utf-8"), help="Read the SQL there; - is stdin."
)
@click.option("--format", "style", type=click.Choice(_FORMATS), help="[default: table, or by FILE's suffix]")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to FILE; - is stdout.")
@wide_option
@warehouse_options
def query(
    sql: str | None,
    script: IO[str] | None,
    style: str | None,
    as_json: bool,
    output: Path | None,
    wide: bool,
    **options: Any,
) -> None:
    """Run read-only SQL in the warehouse's own dialect.

    \b
    Example:
      sparkify query "SELECT level, COUNT(*) AS plays FROM songplays GROUP BY level"
      sparkify query "SELECT * FROM songplays" -o plays.parquet
      sparkify query -f levels.sql --format csv
    """
    from sparkify.warehouse.connect import require

    if (sql is None) == (script is None):
        raise click.UsageError("Give SQL, or a file with it with -f FILE.")
    sql = _read(script) if script else str(sql)
    if as_json and style not in (None, "json"):
        raise click.UsageError(f"--json is --format json, and --format {style} was given.")
    if output == Path("-"):
        output = None
    style = style or ("json" if as_json else _style_of(output))
    settings = settings_from(options)
    engine = open_warehouse(settings, options)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
            if output is not None:
                verify_output(output, settings, engine)
                make_folder(output)
            if style == "parquet":
                if output is None:
                    raise ConfigError("parquet goes to a file.", "Name one with -o FILE.")
                with written_aside(output) as aside:
                    rows = engine.write_parquet(sql, aside)
            else:
                answer = engine.query(sql)
                width = None if output or wide else terminal_width(sys.stdout)
                writers: dict[str, Callable[[Answer, IO[str]], int]] = {
                    "csv": _write_csv,
                    "json": _write_json,
                    "jsonl": _write_lines,
                    "table": partial(_write_table, width=width),
                }
                # Lines are of use before the last one is there.
                at_once = style == "jsonl" and output is None
                with nullcontext(sys.stdout) if at_once else _opened(output) as file:
                    rows = writers[style](answer, file)
    finally:
        engine.close()
    if output is not None:
        # What is no regular file, such as /dev/stdout, has no size.
        size = f" ({counted(output.stat().st_size, 'byte')})" if output.is_file() else ""
        click.echo(f"Wrote {counted(rows, 'row')} to {output}{size}.", err=True)


def _read(script: IO[str]) -> str:
    try:
        return script.read()
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{script.name} is not UTF-8: {exc.reason}.", "Save it as UTF-8.") from exc


def _style_of(output: Path | None) -> str:
    suffix = output.suffix.lstrip(".").lower() if output else ""
    style = _SUFFIXES.get(suffix, suffix)
    if style not in _FORMATS:
        raise ConfigError(
            f"{output} ends in .{suffix}, which is none of {', '.join(_FORMATS)}.",
            "Say --format, or name a file that ends in .csv, .json, .jsonl or .parquet.",
        )
    return style


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    """Yield a place for the answer; it goes to its file or to stdout when it is whole."""
    with SpooledTemporaryFile(_HELD_BYTES, "w+", encoding="utf-8", newline="") as answer:
        yield answer
        answer.seek(0)
        if output is None:
            copy(answer, sys.stdout)
            return
        try:
            with output.open("w", encoding="utf-8", newline="") as file:
                copy(answer, file)
        except OSError as exc:
            raise unwritable(output, exc) from exc


def _write_table(answer: Answer, file: IO[str], width: int | None) -> int:
    # Numbers as they are: an id is to be pasted into the next query.
    count = 0

    def rows() -> Iterator[Sequence[Any]]:
        nonlocal count
        for count, row in enumerate(answer.rows, 1):  # noqa: B007 - the last one is the count
            yield row

    for line in aligned(answer.columns, rows(), separators=False, width=width, data=True):
        file.write(line + "\n")
    return count


def _write_csv(answer: Answer, file: IO[str]) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(answer.columns)
    count = 0
    for count, row in enumerate(answer.rows, 1):  # noqa: B007 - the last one is the count
        writer.writerow(row)
    return count


def _write_json(answer: Answer, file: IO[str]) -> int:
    """Write ``{"columns": […], "rows": [{…}, …]}``; of columns of one name the second is ``name_2``."""
    columns = _told_apart(answer.columns)
    file.write(json.dumps({"columns": columns})[:-1] + ', "rows": [')
    count = 0
    for count, row in enumerate(answer.rows, 1):
        record = dict(zip(columns, row, strict=True))
        file.write((",\n" if count > 1 else "\n") + as_json(record))
    file.write("\n]}\n")
    return count


def _write_lines(answer: Answer, file: IO[str]) -> int:
    """Write one object a line, with the names of :func:`_write_json`, until nobody reads them any more."""
    columns = _told_apart(answer.columns)
    count = 0
    for count, row in enumerate(answer.rows, 1):  # noqa: B007 - the last one is the count
        file.write(as_json(dict(zip(columns, row, strict=True))) + "\n")
        if is_unread(file):
            break
    return count


def _told_apart(columns: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in columns:
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return found
