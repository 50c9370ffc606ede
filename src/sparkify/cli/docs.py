"""`sparkify docs`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, settings_from
from sparkify.cli.output import make_folder, write_whole
from sparkify.cli.screen import Screen
from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.custom.definitions import Models
    from sparkify.report.dictionary import DescribedTable

_FOLDER = Path("sparkify-docs")


@click.command(cls=Subcommand)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=_FOLDER,
    show_default=True,
    metavar="FOLDER",
    help="Write the pages there.",
)
@click.option("--config", metavar="FILE", help="The configuration. [default: dwh.cfg, if there]")
@json_option
def docs(output: Path, as_json: bool, **options: Any) -> None:
    """Write the data dictionary: every table, view and column, what it means and where it comes from.

    FOLDER gets index.html (with the star's diagram; it needs no network) and dictionary.md. No warehouse is
    needed: they are made from the models themselves, and from yours in [DWH] MODELS.

    \b
    Example:
      sparkify docs
      sparkify docs -o dictionary
    """
    from sparkify.custom.definitions import read_folder
    from sparkify.report.dictionary import describe_warehouse, write_dictionary_page, write_markdown

    screen = Screen(as_json)
    models = read_folder(settings_from(options).dwh.models)
    with screen.progress("tracing the columns"):
        tables = [*describe_warehouse(), *_describe(models)]
    pages = {"index.html": write_dictionary_page(tables), "dictionary.md": write_markdown(tables)}
    paths = [output / name for name in pages]
    make_folder(paths[0])
    for path, text in zip(paths, pages.values(), strict=True):
        write_whole(path, text)
    columns = sum(len(table.columns) for table in tables)
    size = f"{counted(len(tables), 'table')}, {counted(columns, 'column')}"
    screen.say(f"Wrote {' and '.join(map(str, paths))}: {size}.")
    screen.result(
        {
            "files": [str(path) for path in paths],
            "tables": [
                {**table._asdict(), "columns": [each._asdict() for each in table.columns]} for table in tables
            ],
        }
    )


def _describe(models: Models) -> Iterator[DescribedTable]:
    """Yield what the files of the user's own models say: no types, and no meaning of single columns."""
    from sparkify.custom.parsed import parse
    from sparkify.report.dictionary import Column, DescribedTable

    for each in models.models:
        parsed = parse(each.source)
        about = f"Your own {each.materialized}, of {', '.join(parsed.references)}. {each.source.description}"
        if parsed.columns is None:
            about += " Only the database can tell its columns."
        columns = [Column(name, "", "", None, [], []) for name in parsed.columns or ()]
        yield DescribedTable(each.name, about.strip(), each.source.value("grain"), columns, [])
