"""`sparkify rejects`: the quarantine."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
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
    wide_option,
)
from sparkify.cli.output import unwritable, verify_output
from sparkify.cli.screen import Screen
from sparkify.errors import Command, ConfigError, Hint
from sparkify.intake.rules import KEPT_BYTES
from sparkify.records import KINDS
from sparkify.text import counted, shortened, visible

if TYPE_CHECKING:
    from sparkify.warehouse.engine import Answer

_ALL = 2**31
# Characters of a record that `show` shows.
_GLIMPSE = 300
_KEPT = f"the first {counted(KEPT_BYTES, 'byte')}"
# Places that `export` names.
_SHOWN = 10


_kind_option = click.option(
    "--kind", type=click.Choice([kind.name for kind in KINDS]), default=None, help="Only those of one kind."
)
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
@wide_option
@warehouse_options
@json_option
def list_rejects(wide: bool, as_json: bool, **options: Any) -> None:
    """Count the rejects by kind and reason: those that nothing has resolved yet.

    One is resolved when its file is loaded anew, or taken out.

    \b
    Example:
      sparkify rejects list
    """
    screen = Screen(as_json)
    answer = _ask("rejects_by_reason", options)
    rows = list(answer.rows)
    screen.table(answer.columns, rows, data=True, wide=wide)
    if rows:
        if not all(row[answer.columns.index("published")] for row in rows):
            screen.say("Not published: the latest run failed, and nothing it read is in the warehouse.")
        screen.advise(Hint("One by one: {}", Command("rejects", "show", "--reason", "REASON")))
    screen.result({"rejects": [dict(zip(answer.columns, row, strict=True)) for row in rows]})


@rejects.command()
@_kind_option
@_reason_option
@_file_option
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@warehouse_options
@json_option
def show(kind: str | None, reason: str, uri: str, limit: int, as_json: bool, **options: Any) -> None:
    """Show rejects one by one: file, line, reason and the record itself.

    \b
    Example:
      sparkify rejects show --reason wrong_type --limit 5
    """
    screen = Screen(as_json)
    answer = _ask("rejects_in_full", options, kind=kind or "", reason=reason, uri=uri, most=limit)
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    for row in rows:
        screen.say(f"{row['uri']}, line {row['line']:,} (byte {row['byte_offset']:,})")
        failed = "" if row["published"] else ", which failed and published nothing"
        screen.say(f"  of run {row['run_id']:,}{failed}")
        screen.say(f"  {row['reason']}: {row['detail']}")
        screen.show(f"  {_glimpse(row)}")
    if any(len(row["content"]) > _GLIMPSE and not _is_cut(row) for row in rows):
        screen.advise(
            Hint("The records that are cut off here, in full: {}", Command("rejects", "export", "FILE"))
        )
    if any(map(_is_cut, rows)):
        screen.say(f"Of a record {_KEPT} are kept; the rest lies in its file, at the byte that is named.")
    if not rows:
        screen.say("There are no such rejects.")
    screen.result({"rejects": rows})


@rejects.command()
@click.argument("output", type=click.Path(path_type=Path))
@_kind_option
@_reason_option
@_file_option
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@warehouse_options
@json_option
def export(
    output: Path, kind: str | None, reason: str, uri: str, force: bool, as_json: bool, **options: Any
) -> None:
    """Write the rejected records' own bytes to a file, one a line, to be mended there.

    Of one kind, so that the mended file can be loaded. Of a record the first 16 KiB are kept; of a longer one
    is said where the rest lies.

    \b
    Example:
      sparkify rejects export bad.json --reason too_long
    """
    screen = Screen(as_json)
    if output.is_file() and not force:
        raise ConfigError(
            f"{output} is there already.", "Name another file, or say --force to write over this one."
        )
    chosen = {"kind": kind or "", "reason": reason, "uri": uri}
    answer = _ask("rejects_in_full", options, output=output, **chosen, most=_ALL)
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    kinds = sorted({row["kind"] for row in rows if row["kind"]})
    if len(kinds) > 1:
        raise ConfigError(
            f"there are rejects of {' and '.join(kinds)}: in one file they could not be loaded again.",
            f"Choose with --kind {kinds[0]}, and write the others to a file of their own.",
        )
    try:
        with output.open("wb") as file:
            file.writelines(_decoded(row["content"], row["encoding"]) + b"\n" for row in rows)
    except OSError as exc:
        raise unwritable(output, exc) from exc
    screen.say(f"Wrote {counted(len(rows), 'record')} to {output}.")
    cut = [row for row in rows if _is_cut(row)]
    if cut:
        are = "is not whole" if len(cut) == 1 else "are not whole"
        screen.say(f"{len(cut):,} of them {are}: of a record {_KEPT} are kept. The rest lies in")
        for row in cut[:_SHOWN]:
            screen.say(f"  {row['uri']}, from byte {row['byte_offset'] + KEPT_BYTES:,} on")
        if len(cut) > _SHOWN:
            screen.say(f"  … and {len(cut) - _SHOWN:,} more; --json has them all")
    screen.result({"records": len(rows), "path": str(output), "cut": [_place(row) for row in cut]})


@rejects.command()
@click.argument("names", nargs=-1, metavar="[FILE]...")
@click.option(
    "--max-rejects",
    metavar="N|P%",
    help="As with etl.  [default: those there are, and 1% of what is read]",
)
@source_options
@warehouse_options
@json_option
def replay(names: tuple[str, ...], max_rejects: str | None, as_json: bool, **options: Any) -> int:
    """Read files with rejects again, those that were set aside too; changed ones any `etl` reads.

    FILE is a URI, or the end of one. Without any, all of them are read.

    \b
    Example:
      sparkify rejects replay
      sparkify rejects replay 2018-11-07-events.json --max-rejects 50%
    """
    from sparkify.cli.etl import exit_code, load
    from sparkify.pipeline.threshold import MaxRejects, is_named

    rejected = [uri for (uri,) in _ask("files_with_rejects", options).rows]
    chosen = [uri for uri in rejected if not names or is_named(uri, names)]
    if names and not chosen:
        raise ConfigError(
            f"no file with rejects ends in {' or '.join(names)}.",
            Hint("{} names them.", Command("rejects", "list")),
        )
    screen = Screen(as_json)
    # What was accepted of a whole lake may be any share of the few files it is in.
    most = replace(MaxRejects.parse(max_rejects), as_before=False) if max_rejects else MaxRejects()
    told = load(screen, options, max_rejects=most, reload=frozenset(chosen))
    screen.result(told)
    return exit_code(told)


def _is_cut(row: Mapping[str, Any]) -> bool:
    """Tell whether a record is longer than what is kept of it; of old ones that is not known exactly."""
    if row["size"] is not None:
        return bool(row["size"] > KEPT_BYTES)
    return len(_decoded(row["content"], row["encoding"])) == KEPT_BYTES


def _place(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("uri", "line", "byte_offset", "size")}


def _glimpse(row: Mapping[str, Any]) -> str:
    """Return a record's beginning, and how long it is where that is not all of it."""
    content, encoding = row["content"], row["encoding"]
    size = row["size"] or len(_decoded(content, encoding))
    notes = ["in base64"] if encoding == "base64" else []
    if len(content) > _GLIMPSE:
        notes.append(f"{counted(size, 'byte')} long{f', {_KEPT} are kept' if _is_cut(row) else ''}")
    return visible(shortened(content, _GLIMPSE)) + (f" ({', '.join(notes)})" if notes else "")


def _decoded(content: str, encoding: str) -> bytes:
    return base64.b64decode(content) if encoding == "base64" else content.encode()


def _ask(question: str, options: dict[str, Any], *, output: Path | None = None, **parameters: Any) -> Answer:
    """Ask the ledger; where the answer goes to a file, that is one which may be written over."""
    from sparkify.warehouse.connect import require
    from sparkify.warehouse.engine import Answer
    from sparkify.warehouse.ledger import about_rejects

    settings = settings_from(options)
    engine = open_warehouse(settings, options)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
            if output is not None:
                verify_output(output, settings, engine)
            answer = engine.ask(about_rejects(engine, question), **parameters)
            return Answer(answer.columns, iter(list(answer.rows)))
    finally:
        engine.close()
