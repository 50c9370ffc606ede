"""`sparkify diff`: two warehouses compared by what they hold."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, name_of, open_warehouse, wide_option
from sparkify.cli.screen import Screen
from sparkify.cli.stopping import interrupting
from sparkify.errors import CHECKS_FAILED, OK, Command, ConfigError, EngineError, Hint
from sparkify.settings import Settings, load_settings
from sparkify.text import counted, shortened, visible

if TYPE_CHECKING:
    from sparkify.pipeline.diff import RowDifference, TableDifference
    from sparkify.warehouse.engine import Engine

# Bytes 8 to 11 of every DuckDB file.
_DUCKDB = b"DUCK"
# They say in the environment which warehouse is meant; here the two arguments do.
_WHICH = ("DWH_ENGINE", "DWH_DATABASE", "CLUSTER_HOST", "CLUSTER_DB_NAME", "CLUSTER_DB_PORT")
_SHOWN_CHARACTERS = 60


@click.command(cls=Subcommand)
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Rows to show of each table that differs.",
)
@click.option("--memory", metavar="SIZE", help="Memory for each of two DuckDB files, such as 2GB.")
@wide_option
@json_option
def diff(a: str, b: str, limit: int, memory: str | None, wide: bool, as_json: bool) -> int:
    """Compare two warehouses, A and B: equal or not per table, then which rows.

    Each is a DuckDB file, or a dwh.cfg that leads to a warehouse on any engine. Compared is what they hold:
    staging, the star, the ledger's files and rejected records. Numbers of files and runs do not count, nor
    how files are named: a row belongs to the content of its file.

    Exit code 0: they hold the same. 3: they do not. 2: one is no warehouse.

    \b
    Example:
      sparkify diff sparkify.duckdb sparkify.duckdb
      sparkify diff yesterday.duckdb dwh.cfg --limit 3
    """
    from sparkify.pipeline.diff import find_table_differences

    screen = Screen(as_json)
    with _opened(a, memory) as (one, name_a), _opened(b, memory) as (other, name_b):

        def interrupt() -> None:
            one.interrupt()
            other.interrupt()

        interrupting(interrupt)
        with screen.progress("comparing") as progress, _read(one, a), _read(other, b):
            found = list(
                find_table_differences(one, other, limit, lambda name: progress(label=f"comparing {name}"))
            )
    _show(screen, found, name_a, name_b, wide=wide)
    equal = all(each.equal for each in found)
    screen.result(
        {
            "a": name_a,
            "b": name_b,
            "equal": equal,
            "tables": [{**each._asdict(), "rows": [row._asdict() for row in each.rows]} for each in found],
        }
    )
    return OK if equal else CHECKS_FAILED


@contextmanager
def _opened(place: str, memory: str | None) -> Iterator[tuple[Engine, str]]:
    settings = _settings_of(place, memory)
    engine = open_warehouse(settings, {})
    try:
        yield engine, name_of(settings, engine)
    finally:
        engine.close()


@contextmanager
def _read(engine: Engine, place: str) -> Iterator[None]:
    """Open a warehouse for reading.

    Raises:
        ConfigError: There is none.
    """
    from sparkify.warehouse.connect import require

    with engine.reading() as exists:
        try:
            require(engine, exists=exists)
        except EngineError as exc:
            raise _no_warehouse(place, exc.message.rstrip(".")) from exc
        yield


def _settings_of(place: str, memory: str | None) -> Settings:
    """Return the settings that lead to a warehouse that is named by a DuckDB file or a dwh.cfg.

    Raises:
        ConfigError: It is neither.
    """
    path = Path(place)
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as exc:
        raise _no_warehouse(place, f"it cannot be read: {exc.strerror}") from exc
    environ = {name: os.environ[name] for name in os.environ if name.removeprefix("SPARKIFY_") not in _WHICH}
    flags: dict[str, str | None] = {"DWH.MEMORY": memory}
    if head[8:] == _DUCKDB:
        return load_settings(
            Path(os.devnull), environ, flags | {"DWH.DATABASE": place, "DWH.ENGINE": "duckdb"}
        )
    try:
        settings = load_settings(path, environ, flags)
    except ConfigError as exc:
        raise _no_warehouse(place, f"as a dwh.cfg it is wrong: {exc.message.rstrip('.')}") from exc
    if settings.notice:
        click.echo(f"Note: {settings.notice}", err=True)
    return settings


def _no_warehouse(place: str, why: str) -> ConfigError:
    return ConfigError(
        f"{place} is no warehouse: {why}.",
        Hint("Name a DuckDB file that {} has made, or a dwh.cfg.", Command("etl")),
    )


def _show(screen: Screen, found: Sequence[TableDifference], name_a: str, name_b: str, *, wide: bool) -> None:
    screen.say(f"A: {name_a}")
    screen.say(f"B: {name_b}")
    screen.table(
        ["table", "rows in A", "rows in B", "result"],
        [[each.table, each.rows_a, each.rows_b, _verdict(each)] for each in found],
        wide=wide,
    )
    for each in found:
        if each.rows:
            screen.say()
            screen.say(_described(each))
            for row in each.rows:
                screen.show(f"  {_row(row, wide=wide)}")
    different = sum(not each.equal for each in found)
    screen.say()
    screen.say(
        f"They differ in {different} of {counted(len(found), 'table')}."
        if different
        else "They hold the same."
    )
    screen.say(
        "Not compared: numbers of files and runs, the history of runs, and how files are named and stored."
    )


def _verdict(each: TableDifference) -> str:
    if each.rows_a is None or each.rows_b is None:
        return f"only in {'B' if each.rows_a is None else 'A'}"
    parts = [
        f"{', '.join(columns)} only in {where}"
        for columns, where in ((each.columns_only_a, "A"), (each.columns_only_b, "B"))
        if columns
    ]
    parts += [f"{column} is {one} in A, {other} in B" for column, (one, other) in each.types.items()]
    counts = ((each.only_a, "only in A"), (each.only_b, "only in B"), (each.changed, "changed"))
    more = "" if each.complete else "at least "
    parts += [f"{more}{number:,} {what}" for number, what in counts if number]
    return "; ".join(parts) or ("equal" if each.equal else "different")


def _described(each: TableDifference) -> str:
    columns = ", ".join(f"{name} {number:,}" for name, number in each.columns.items())
    return f"{each.table}, by {', '.join(each.key)}{f'; columns that changed: {columns}' if columns else ''}"


def _row(row: RowDifference, *, wide: bool) -> str:
    key = ", ".join(_value(value, wide=wide) for value in row.key.values())
    if row.a is None or row.b is None:
        return f"{key}: only in {'B' if row.a is None else 'A'}"
    changes = (
        f"{name} {_value(row.a[name], wide=wide)} in A, {_value(row.b[name], wide=wide)} in B"
        for name in row.columns
    )
    return f"{key}: {'; '.join(changes)}"


def _value(value: Any, *, wide: bool) -> str:
    if value is None:
        return "NULL"
    text = visible(str(value))
    text = text if wide else shortened(text, _SHOWN_CHARACTERS)
    return f'"{text}"' if isinstance(value, str) else text
