"""What `sparkify export` gives to others: which tables, as which files, read by which statements.

Where the files go, and that they take their places whole, is the command's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sparkify.errors import ConfigError
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import read_models
from sparkify.warehouse.statements import statement
from sparkify.warehouse.tables import STAR
from sparkify.warehouse.views import SCHEMA

# Tables that may be cut into months: those that have a start_time.
_DATED = ("songplays", "time")


class Extract(NamedTuple):
    """A table, or a month of one, that becomes a file of its own.

    Attributes:
        table: Its name, with the schema if that is not the default one.
        key: The file's place below the folder or prefix of all.
        sql: The statement that reads it, in words both engines know.
    """

    table: str
    key: str
    sql: str


def choose_tables(engine: Engine, names: Sequence[str]) -> list[str]:
    """Return the tables and views to export, models of the user's too: those that were named, or all.

    Args:
        engine: The warehouse, open for reading.
        names: Names with or without their schema.

    Raises:
        ConfigError: There is none of a name.
    """
    ours = [*STAR, *(f"{SCHEMA}.{name}" for (name,) in engine.execute(statement("export/views.sql")))]
    there = [*ours, *(each.model for each in read_models(engine))]
    # A short name that several have is ours.
    known = {short: name for name in reversed(there) for short in (name, name.rpartition(".")[2])}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(
            f"there is no table {' or '.join(unknown)} to export.", f"There are {', '.join(there)}."
        )
    return list(dict.fromkeys(known[name] for name in names)) or there


def cut(engine: Engine, tables: Iterable[str], form: str, *, by_month: bool) -> list[Extract]:
    """Return the files that tables become: one each, or one a month for those that have a time.

    Args:
        engine: The warehouse, open for reading.
        tables: Their names.
        form: The suffix of the files.
        by_month: Whether to cut the tables that have a time into months (UTC).
    """
    months = engine.execute(statement("export/months.sql")) if by_month else []
    extracts = []
    for table in tables:
        if by_month and table in _DATED:
            extracts += [_month(table, year, month, form) for year, month in months]
        else:
            extracts.append(Extract(table, f"{table.replace('.', '/')}.{form}", read_all(table)))
    return extracts


def read_all(table: str) -> str:
    """Return the statement that reads a table."""
    return f"SELECT * FROM {table}"  # noqa: S608 - a name of ours, or of the catalogue


def _month(table: str, year: int, month: int, form: str) -> Extract:
    after = (year + month // 12, month % 12 + 1)
    since, until = (f"TIMESTAMP '{y:04}-{m:02}-01 00:00:00'" for y, m in ((year, month), after))
    sql = f"{read_all(table)} WHERE start_time >= {since} AND start_time < {until}"
    return Extract(table, f"{table}/year={year}/month={month}/part.{form}", sql)


def outdated(keys: Iterable[str], extracts: Sequence[Extract], form: str) -> list[str]:
    """Return those of the keys that are months of an earlier export which the warehouse does not have now.

    Whoever reads all files of a table's folder would find their rows among the others.
    """
    tables = "|".join(_DATED)
    part = re.compile(rf"({tables})/year=\d+/month=\d+/part\.{form}")
    written = {extract.key for extract in extracts}
    return [key for key in keys if part.fullmatch(key) and key not in written]


def folders_of_months(tables: Iterable[str]) -> list[str]:
    """Return the folders that hold the months of tables."""
    return [table for table in tables if table in _DATED]
