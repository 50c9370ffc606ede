"""`sparkify fields`: which fields the files have, and a column for those that have none."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand, Subgroup
from sparkify.cli.options import json_option, open_warehouse, settings_from, warehouse_options, wide_option
from sparkify.cli.screen import Screen, rolled_back_if_interrupted
from sparkify.errors import Command, Hint
from sparkify.records import KINDS
from sparkify.text import counted, shortened

if TYPE_CHECKING:
    from sparkify.pipeline.adopting import Adoption

_SAMPLE = 40
_COLUMNS = ("kind", "field", "state", "column", "recent", "types", "sample", "records")


@click.group(cls=Subgroup)
def fields() -> None:
    """Show the fields of the files, and give those a column that have none; their values are kept.

    \b
    Example:
      sparkify fields list
      sparkify fields adopt deviceType
    """


@fields.command("list", cls=Subcommand)
@click.option("--all", "everything", is_flag=True, help="Those that have a column too.")
@wide_option
@warehouse_options
@json_option
def list_(everything: bool, wide: bool, as_json: bool, **options: Any) -> None:
    """List the fields that have no column, or were given one.

    Their values are in the column extra of the staging table, as JSON. "recent" is the share of the events of
    the last seven days, or of all songs, that have a value; "records" is how often records of files had
    the field. With --json the first file is named, and fields that have a column are listed too.

    \b
    Example:
      sparkify fields list
    """
    from sparkify.pipeline.fields import BUILT_IN, list_fields
    from sparkify.warehouse.connect import require

    screen = Screen(as_json)
    engine = open_warehouse(settings_from(options), options)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
            found = list_fields(engine)
    finally:
        engine.close()
    rows = [
        (
            each.kind,
            each.name,
            each.state,
            each.column,
            None if each.share is None else f"{each.share:.1%}",
            (each.type or "").lower() or ", ".join(each.types) or None,
            each.sample and shortened(each.sample, _SAMPLE),
            each.records,
        )
        for each in found
        if everything or each.state != BUILT_IN
    ]
    if rows:
        screen.table(_COLUMNS, rows, data=True, wide=wide)
    else:
        screen.say("Every field of the files has a column.")
    screen.result({"fields": [asdict(each) for each in found]})


_kind_option = click.option(
    "--kind", type=click.Choice([kind.name for kind in KINDS]), default=None, help="The kind of its records."
)
_plan_option = click.option("--plan", "only_plan", is_flag=True, help="Only say what would be done.")


@fields.command(cls=Subcommand)
@click.argument("name", metavar="FIELD")
@click.option("--type", "type_", metavar="TYPE", help="The type of the column; else what the values need.")
@click.option("--as", "column", metavar="COLUMN", help="The name of the column; else made of the field's.")
@_kind_option
@click.option(
    "--strict", is_flag=True, help="Change nothing if there is a value that the type does not hold."
)
@_plan_option
@warehouse_options
@json_option
def adopt(
    name: str,
    type_: str | None,
    column: str | None,
    kind: str | None,
    strict: bool,
    only_plan: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Give a field a column in staging, filled for all that was ever loaded.

    A value that the type does not hold stays in the column extra, and so does one that the column has in
    another form, such as 12 as 12.0. A field inside an object is named with dots: context.os. Types are
    BOOLEAN, INTEGER, BIGINT, DOUBLE and VARCHAR(n).

    \b
    Example:
      sparkify fields adopt deviceType
      sparkify fields adopt context.os --type "VARCHAR(32)" --as os
    """
    from sparkify.custom.definitions import read_folder
    from sparkify.pipeline.adopting import adopt as adopt_field
    from sparkify.pipeline.adopting import plan_adoption

    screen = Screen(as_json)
    settings = settings_from(options)
    models = read_folder(settings.dwh.models)
    engine = open_warehouse(settings, options, writes=not only_plan)
    try:
        done = plan_adoption(engine, name, kind, type_, column)
        if not (only_plan or done.there):
            with (
                screen.progress("adopting") as progress,
                rolled_back_if_interrupted("the column is committed"),
            ):
                done = adopt_field(engine, done, progress, models, strict=strict)
    finally:
        engine.close()
    _show_adoption(screen, done)


def _show_adoption(screen: Screen, done: Adoption) -> None:
    from sparkify.warehouse.derived import column_type

    field, seen = done.field, done.seen
    place = f"{done.kind.staging}.{field.column} {column_type(field)}"
    if done.there:
        screen.say(f"Nothing to do: {field.name} has the column {place}.")
    elif done.run is None:
        types = ", ".join(f"{count:,} {type_}" for type_, count in seen.types.most_common())
        screen.say(f"{field.name} would get the column {place}; values so far: {types or 'none'}.")
    else:
        screen.say(f"{field.name} has the column {place} (run {done.run.run_id}).")
        screen.say(f"{counted(done.filled, 'row')} of before have a value in it.")
        if done.converted:
            screen.say(
                f"{done.converted:,} of these were written in another form: extra keeps them as they were."
            )
        if done.misfits:
            screen.say(
                f"{counted(done.misfits, 'value')} did not fit and stay in extra: {', '.join(done.samples)}."
            )
        if done.unread:
            screen.say(
                f"{counted(len(done.unread), 'file')} of an older version kept no such values, "
                f"{done.unread[0]} first."
            )
            screen.advise(Hint("{} reads them again, if the lake still has them.", Command("etl")))
    screen.result(
        {
            "kind": done.kind.name,
            "field": field.name,
            "column": field.column,
            "type": column_type(field),
            "already": done.there,
            "run_id": done.run and done.run.run_id,
            "seen": dict(seen.types),
            "filled": done.filled,
            "converted": done.converted,
            "misfits": done.misfits,
            "samples": list(done.samples),
            "unread": list(done.unread),
        }
    )


@fields.command(cls=Subcommand)
@click.argument("name", metavar="FIELD")
@_kind_option
@_plan_option
@warehouse_options
@json_option
def drop(name: str, kind: str | None, only_plan: bool, as_json: bool, **options: Any) -> None:
    """Take an adopted field's column away again; its values go back into extra, as they were.

    FIELD is the field's name, or its column's.

    \b
    Example:
      sparkify fields drop deviceType
    """
    from sparkify.custom.definitions import read_folder
    from sparkify.pipeline.adopting import drop as drop_field
    from sparkify.pipeline.adopting import plan_drop

    screen = Screen(as_json)
    settings = settings_from(options)
    models = read_folder(settings.dwh.models)
    engine = open_warehouse(settings, options, writes=not only_plan)
    try:
        done = plan_drop(engine, name, kind)
        if not only_plan:
            with (
                screen.progress("dropping") as progress,
                rolled_back_if_interrupted("the column is dropped"),
            ):
                done = drop_field(engine, done, progress, models)
    finally:
        engine.close()
    column = f"{done.kind.staging}.{done.field.column}"
    if done.run is None:
        screen.say(
            f"{column} would go; the values of {counted(done.records, 'row')} would be in extra again."
        )
    else:
        screen.say(f"{column} is gone (run {done.run.run_id}); extra has the values again.")
    screen.result(
        {
            "kind": done.kind.name,
            "field": done.field.name,
            "column": done.field.column,
            "records": done.records,
            "run_id": done.run and done.run.run_id,
        }
    )
