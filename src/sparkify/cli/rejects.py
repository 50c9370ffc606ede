"""`sparkify rejects`: the quarantine."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subgroup
from sparkify.cli.options import (
    json_option,
    open_warehouse,
    settings_from,
    source_options,
    warehouse_options,
)
from sparkify.cli.output import unwritable, verify_output
from sparkify.cli.screen import Screen
from sparkify.errors import Command, ConfigError, Hint
from sparkify.text import counted, shortened, visible

if TYPE_CHECKING:
    from sparkify.warehouse.engine import Answer

_ALL = 2**31
# Characters of a record that `show` shows.
_GLIMPSE = 300


_reason_option = click.option("--reason", default="", help="Only those of one reason.")
_file_option = click.option(
    "--file", "uri", default="", metavar="URI", help="Only those of one file, or name's end."
)


@click.group(cls=Subgroup)
def rejects() -> None:
    """Show, export and replay records that were not loaded.

    \b
    Example:
      sparkify rejects list
      sparkify rejects show --reason too_long
      sparkify rejects export bad.json
      sparkify rejects replay
    """


@rejects.command("list")
@warehouse_options
@json_option
def list_rejects(as_json: bool, **options: Any) -> None:
    """Count the rejects by reason.

    \b
    Example:
      sparkify rejects list
    """
    screen = Screen(as_json)
    answer = _ask("ledger/rejects_by_reason.sql", options)
    rows = list(answer.rows)
    screen.table(answer.columns, rows)
    if rows:
        if not all(row[answer.columns.index("published")] for row in rows):
            screen.say("Not published: the latest run failed, and nothing it read is in the warehouse.")
        screen.advise(Hint("One by one: {}", Command("rejects", "show", "--reason", "REASON")))
    screen.result({"rejects": [dict(zip(answer.columns, row, strict=True)) for row in rows]})


@rejects.command()
@_reason_option
@_file_option
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@warehouse_options
@json_option
def show(reason: str, uri: str, limit: int, as_json: bool, **options: Any) -> None:
    """Show rejects one by one: file, line, reason and the record itself.

    \b
    Example:
      sparkify rejects show --reason wrong_type --limit 5
    """
    screen = Screen(as_json)
    answer = _ask("ledger/rejects_in_full.sql", options, reason=reason, uri=uri, most=limit)
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    for row in rows:
        screen.say(f"{row['uri']}, line {row['line']:,} (byte {row['byte_offset']:,})")
        failed = "" if row["published"] else ", which failed and published nothing"
        screen.say(f"  of run {row['run_id']:,}{failed}")
        screen.say(f"  {row['reason']}: {row['detail']}")
        screen.show(f"  {_glimpse(row['content'], row['encoding'])}")
    if any(len(row["content"]) > _GLIMPSE for row in rows):
        screen.advise(
            Hint("The records that are cut off here, in full: {}", Command("rejects", "export", "FILE"))
        )
    if not rows:
        screen.say("There are no such rejects.")
    screen.result({"rejects": rows})


@rejects.command()
@click.argument("output", type=click.Path(path_type=Path))
@_reason_option
@_file_option
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@warehouse_options
@json_option
def export(output: Path, reason: str, uri: str, force: bool, as_json: bool, **options: Any) -> None:
    """Write the rejected records' own bytes to a file, one a line, to be mended there.

    \b
    Example:
      sparkify rejects export bad.json --reason too_long
    """
    from sparkify.intake.reader import KEPT_BYTES

    screen = Screen(as_json)
    if output.is_file() and not force:
        raise ConfigError(
            f"{output} is there already.", "Name another file, or say --force to write over this one."
        )
    answer = _ask("ledger/rejects_in_full.sql", options, output=output, reason=reason, uri=uri, most=_ALL)
    count = cut = 0
    try:
        with output.open("wb") as file:
            for row in answer.rows:
                content, encoding = row[-1], row[-2]
                record = _decoded(content, encoding)
                file.write(record + b"\n")
                count += 1
                cut += len(record) == KEPT_BYTES
    except OSError as exc:
        raise unwritable(output, exc) from exc
    screen.say(f"Wrote {counted(count, 'record')} to {output}.")
    if cut:
        screen.say(
            f"{cut:,} of them may be longer: only the first {counted(KEPT_BYTES, 'byte')} "
            "of a record are kept."
        )
    screen.result({"records": count, "path": str(output)})


@rejects.command()
@click.option(
    "--max-rejects",
    metavar="N|P%",
    help="As with etl.  [default: those there are, and 1% of what is read]",
)
@source_options
@warehouse_options
@json_option
def replay(max_rejects: str | None, as_json: bool, **options: Any) -> None:
    """Read the files with rejects again, after a rule was mended; changed files any `etl` reads.

    \b
    Example:
      sparkify rejects replay
    """
    from sparkify.cli.etl import load
    from sparkify.pipeline.threshold import MaxRejects

    rejected = dict(_ask("ledger/files_with_rejects.sql", options).rows)
    screen = Screen(as_json)
    # What was accepted of a whole lake may be any share of the few files it is in.
    most = MaxRejects.parse(max_rejects) if max_rejects else MaxRejects(known=rejected)
    told = load(screen, options, max_rejects=most, reload=frozenset(rejected))
    screen.result(told)


def _glimpse(content: str, encoding: str) -> str:
    """Return a record's beginning, and how long it is where that is not all of it."""
    from sparkify.intake.reader import KEPT_BYTES

    size = len(_decoded(content, encoding))
    notes = ["in base64"] if encoding == "base64" else []
    if len(content) > _GLIMPSE:
        length = counted(size, "byte")
        notes.append(f"the first {length} are kept" if size == KEPT_BYTES else f"{length} long")
    return visible(shortened(content, _GLIMPSE)) + (f" ({', '.join(notes)})" if notes else "")


def _decoded(content: str, encoding: str) -> bytes:
    return base64.b64decode(content) if encoding == "base64" else content.encode()


def _ask(path: str, options: dict[str, Any], *, output: Path | None = None, **parameters: Any) -> Answer:
    """Ask the ledger; where the answer goes to a file, that is one which may be written over."""
    from sparkify.warehouse.connect import require
    from sparkify.warehouse.engine import Answer
    from sparkify.warehouse.statements import statement

    settings = settings_from(options)
    engine = open_warehouse(settings, options)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
            if output is not None:
                verify_output(output, settings, engine)
            answer = engine.ask(statement(path), **parameters)
            return Answer(answer.columns, iter(list(answer.rows)))
    finally:
        engine.close()
