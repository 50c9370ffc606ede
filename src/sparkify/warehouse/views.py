"""The views for analysts: one file below ``sql/analytics`` each, made anew when its text changes.

Views hold no rows: to make one again costs nothing, and loses nothing. A view may stand on others. What
orders and drops them serves the user's own models, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter

from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import ModelRecord
from sparkify.warehouse.statements import Statement, digest, list_files, split_statements, statement

SCHEMA = "analytics"
_NAMED = re.compile(rf"\b{SCHEMA}\.(\w+)")


@cache
def view_definitions() -> dict[str, Statement]:
    """Return the CREATE statement of each view by its name with its schema, each after those it stands on."""
    found = {f"{SCHEMA}.{step.name}": step for step in map(statement, list_files(SCHEMA))}
    return {name: found[name] for name in in_order({name: _stands_on(step) for name, step in found.items()})}


def in_order(stands_on: Mapping[str, Iterable[str]]) -> list[str]:
    """Return names so that each follows those it stands on, the same way every time.

    Raises:
        graphlib.CycleError: Some stand on each other; its second argument names them.
    """
    return list(TopologicalSorter(stands_on).static_order())


def view_digests() -> dict[str, str]:
    """Return a digest of each view, by its name with its schema."""
    return {name: digest([step]) for name, step in sorted(view_definitions().items())}


def create_views(engine: Engine) -> None:
    """Create every view, and their schema; the warehouse must be open for writing, and have none."""
    engine.execute(statement("tables/analytics_schema.sql"))
    for step in view_definitions().values():
        engine.execute(step)


def drop_views(engine: Engine, names: Iterable[str]) -> None:
    """Drop these views, which exist; the warehouse must be open for writing."""
    for step in dropping(names):
        engine.execute(step)


def dropping(names: Iterable[str]) -> Iterator[Statement]:
    """Yield the DROP statements of views: first of those we do not know, each before what it stands on."""
    left = set(names)
    known = [name for name in reversed(view_definitions()) if name in left]
    for name in [*sorted(left - set(known)), *known]:
        yield drop_statement("view", name)


def drop_statement(kind: str, name: str) -> Statement:
    """Return the statement that drops a view or a table, if it is there."""
    return split_statements(f"DROP {kind.upper()} IF EXISTS {name};", f"derived/{name}.sql")[0]


def drop_models(engine: Engine, models: Iterable[ModelRecord]) -> None:
    """Drop models of the user's, each before what it stands on; the warehouse must be open for writing."""
    for each in sorted(models, key=lambda model: model.build_order, reverse=True):
        engine.execute(drop_statement(each.relation, each.model))


def _stands_on(step: Statement) -> list[str]:
    return sorted({f"{SCHEMA}.{name}" for name in _NAMED.findall(step.code)} - {f"{SCHEMA}.{step.name}"})
