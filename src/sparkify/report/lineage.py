"""From which columns a column is computed, read out of the models and views themselves.

The only module besides the translation that imports sqlglot.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from sparkify.warehouse.statements import Statement, read_statements
from sparkify.warehouse.tables import STAR, table_definitions
from sparkify.warehouse.views import view_definitions

# The model that fills a table, or one of a run's own.
_MODELS = {
    **{name: f"star/{name}.sql" for name in STAR},
    "run_song_matches": "star/song_matches.sql",
    "run_played": "star/played.sql",
    "run_users": "star/users.sql",
}
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")
# It tells of subqueries in conditions, from which no value comes.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def table_columns() -> dict[str, dict[str, str]]:
    """Return the columns of every table with their types, in order."""
    return dict(map(_columns, table_definitions()))


def view_columns() -> dict[str, list[str]]:
    """Return the columns of every view, in order."""
    return {name: _parse(step).expression.named_selects for name, step in view_definitions().items()}


def origins(table: str) -> dict[str, list[str]]:
    """Return from which columns of staging and star each column of a table or view comes.

    Views are traced to what they stand on, tables of the star to staging and to other tables of the star. A
    column that only counts rows, or is a constant, comes from none.

    Args:
        table: A table of the star, or a view with its schema.
    """
    columns, query = _query(table)
    sources: dict[str, Any] = {name: _query(name)[1] for name in _MODELS if name.startswith("run_")}
    sources |= {name: _query(name)[1] for name in view_definitions() if name != table}
    known: dict[str, Any] = {name: types for name, types in table_columns().items() if "." not in name}
    known |= _run_tables()
    expanded = exp.expand(query.copy(), sources, dialect="redshift")
    qualified = qualify(
        expanded, dialect="redshift", schema=known, validate_qualify_columns=False, identify=False
    )
    scope = build_scope(qualified)
    assert scope
    found = {}
    for column, selected in zip(columns, query.named_selects, strict=True):
        root = lineage(selected, qualified, schema=known, dialect="redshift", scope=scope, copy=False)
        leaves = [node for node in root.walk() if not node.downstream]
        names = {
            f"{node.expression.name}.{node.name.rpartition('.')[2].strip(chr(34))}"
            for node in leaves
            if isinstance(node.expression, exp.Table)
        }
        found[column] = sorted(names - {f"{table}.{column}"})
    return found


def tables_with_origins() -> list[str]:
    """Return the tables and views that :func:`origins` knows."""
    return [*STAR, *view_definitions()]


@cache
def _run_tables() -> dict[str, dict[str, str]]:
    return dict(map(_columns, read_statements("run/run_scope.sql")))


def _columns(step: Statement) -> tuple[str, dict[str, str]]:
    """Return the name of the table that a statement creates, and its columns with their types."""
    definition = _parse(step).this
    return definition.this.sql("redshift"), {
        column.name: column.args["kind"].sql("redshift")
        for column in definition.expressions
        if isinstance(column, exp.ColumnDef)
    }


@cache
def _query(table: str) -> tuple[list[str], exp.Query]:
    """Return the columns of a table or view, and the query that fills it."""
    views: Mapping[str, Statement] = view_definitions()
    if table in views:
        query = _parse(views[table]).expression
        return query.named_selects, query
    columns, query = next(_inserts(table, read_statements(_MODELS[table])))
    return columns, query


def _inserts(table: str, steps: Iterable[Statement]) -> Iterator[tuple[list[str], exp.Query]]:
    for step in steps:
        tree = _parse(step)
        target = tree.this if isinstance(tree, exp.Insert) else None
        if isinstance(target, exp.Schema) and target.this.name == table:
            columns = [column.name for column in target.expressions]
            # What is selected takes the name of the column that it fills.
            query = tree.expression
            selected = [
                exp.alias_(each.unalias(), column)
                for each, column in zip(query.selects, columns, strict=True)
            ]
            query.set("expressions", selected)
            yield columns, query


def _parse(step: Statement) -> exp.Expr:
    return sqlglot.parse_one(_PARAMETER.sub("1", step.text), read="redshift")
