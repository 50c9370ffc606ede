"""Models of the user's in the warehouse: what is new or changed is made, what stands is brought up to date.

All of it is part of a run's transaction, after the star and before the checks.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from sparkify.custom.definitions import INCREMENTAL, VIEW, Model, Models
from sparkify.custom.sql_file import SqlFile
from sparkify.errors import Command, EngineError, Hint, ModelError, TransientEngineError
from sparkify.warehouse.engine import Engine, Rows
from sparkify.warehouse.ledger import ModelRecord, read_models, write_models
from sparkify.warehouse.statements import Statement, statement
from sparkify.warehouse.views import drop_models

NEW, CHANGED, UNCHANGED, BEHIND, GONE = "new", "changed", "unchanged", "behind", "gone"
# How a run brings a model up to date.
MADE, NOTHING, WHOLE, DAYS, KEPT, DROPPED = "made", "nothing", "whole", "days", "kept", "dropped"
# What a database suggests instead, in the lines after the first.
_MEANT = re.compile(r"\n\s*(?:Did you mean (.+)\?|Candidate bindings: (?:: )?(.+))")
_FLOATS = ("DOUBLE", "FLOAT", "REAL")
_EPOCH = date(1970, 1, 1)
_DAY = 86_400_000
_CORRECT = "Nothing was changed. Correct the SELECT: it is SQL in Redshift's dialect."
# What a database refuses: a column, a function, or whatever it names in quotes.
_NAMES = tuple(
    map(re.compile, (r'column (?:named )?"?([\w.]+)', r"(?:name|function) (\w+)", r'"([^"]+)"')),
)


class ModelChange(NamedTuple):
    """A model of the folder, or of the warehouse, and what a run does about it.

    Attributes:
        model: Its name with its schema.
        materialized: view, table or incremental.
        state: new, changed, unchanged, behind (a run that did not know of it came between), or gone: there
            is no file any more.
        build: made (dropped before if it is there), nothing (a view that stands), whole (all its rows), days
            (the rows of the days that the run touches), kept (of one that is gone) or dropped.
    """

    model: str
    materialized: str
    state: str
    build: str

    @property
    def is_news(self) -> bool:
        """Whether there is something to do about it even if no event comes or goes."""
        return self.build in (MADE, DROPPED) or self.state == BEHIND


class DayRange(NamedTuple):
    """Days that follow each other, both ends included."""

    first: date
    last: date

    @classmethod
    def of_moments(cls, ts_from: int, ts_to: int) -> DayRange:
        """Return the UTC days between two moments, in ms since 1970."""
        return cls(*(_EPOCH + timedelta(days=ts // _DAY) for ts in (ts_from, ts_to)))


def find_changes(
    models: Models, known: Sequence[ModelRecord], *, everything: bool = False, drop: Collection[str] = ()
) -> list[ModelChange]:
    """Return what a run does about each model, in the order in which it does it.

    Args:
        models: What the folder holds.
        known: What the warehouse has.
        everything: Whether all rows are computed anew.
        drop: The models to drop whose file is gone.
    """
    before = {each.model: each for each in known}
    there = {each.name for each in models.models}
    changes = []
    for each in known:
        if each.model not in there:
            # The view of one is not there any more if an upgrade has dropped it.
            dropped = each.model in drop or (each.relation == VIEW and not each.digest)
            changes.append(
                ModelChange(each.model, each.materialized, GONE, DROPPED if models and dropped else KEPT)
            )
    for model in models.models:
        former = before.get(model.name)
        if former is None or former.digest != model.digest:
            state, build = NEW if former is None else CHANGED, MADE
        elif model.materialized == VIEW:
            state, build = UNCHANGED, NOTHING
        else:
            state = UNCHANGED if former.upto_run else BEHIND
            by_day = model.materialized == INCREMENTAL and model.by_day and not everything
            build = DAYS if by_day and state != BEHIND else WHOLE
        changes.append(ModelChange(model.name, model.materialized, state, build))
    return changes


def build_models(
    engine: Engine,
    models: Models,
    run_id: int,
    days: Iterable[DayRange] | None,
    drop: Collection[str] = (),
) -> list[ModelChange]:
    """Bring the warehouse's models up to date with the star; it must be open for writing.

    Args:
        engine: The warehouse.
        models: What the folder holds; without a folder nothing is done.
        run_id: The run.
        days: The days of the events that came or went; None: all there are.
        drop: The models to drop whose file is gone.

    Raises:
        ModelError: The database refuses one of them, with its file and line.
    """
    if not models:
        return []
    known = read_models(engine)
    if not (models.models or known):
        return []
    changes = find_changes(models, known, everything=days is None, drop=drop)
    by_name = {model.name: model for model in models.models}
    dropped = {each.model for each in changes if each.build in (MADE, DROPPED)}
    _drop(engine, [each for each in known if each.model in dropped], changes)
    new = [each.model for each in changes if each.build == MADE]
    if new:
        schemas = {row[0] for row in engine.execute(statement("ledger/list_schemas.sql"))}
        for schema in dict.fromkeys(by_name[name].schema for name in new):
            if schema not in schemas:
                engine.execute(Statement(f"CREATE SCHEMA {schema}", "derived/models.sql", 1))
    touched = None if days is None else [*days, *_rematched(engine, changes)]
    for each in changes:
        if each.state != GONE:
            _bring_up_to_date(engine, by_name[each.model], each.build, touched)
    write_models(engine, _records(models, known, new, dropped, run_id))
    return changes


def _drop(engine: Engine, models: Sequence[ModelRecord], changes: Sequence[ModelChange]) -> None:
    """Drop models; on Redshift none may stand on them that is kept."""
    try:
        drop_models(engine, models)
    except TransientEngineError:
        raise
    except EngineError as exc:
        if kept := [each.model for each in changes if each.build == KEPT]:
            exc.hint = Hint(
                "Nothing was changed. A model without a file may stand on it ({}): {} drops those.",
                ", ".join(kept),
                Command("etl", "--yes"),
            )
        raise


def find_differences(engine: Engine, model: Model, most: int) -> Rows:
    """Return rows that a model stores and its SELECT does not give, and the other way round.

    Floating-point numbers are not compared: a sum depends on its order.
    """
    schema, _, name = model.name.partition(".")
    found = engine.execute(statement("ledger/columns_of.sql"), schema_name=schema, table_name=name)
    columns = ", ".join(f'"{column}"' for column, kind in found if not kind.upper().startswith(_FLOATS))
    stored = f"SELECT {columns} FROM {model.name}"
    computed = f"SELECT {columns} FROM (\n{model.source.text}\n) AS computed"
    text = "\nUNION ALL\n".join(
        f"SELECT '{word}' AS found_in, d.* FROM (({one}) EXCEPT ({other})) AS d"
        for word, one, other in (("stored", stored, computed), ("computed", computed, stored))
    )
    step = Statement(f"{text}\nLIMIT {most}", model.source.path, 1, verbatim=True)
    return execute(engine, step, model.source)


def execute(engine: Engine, step: Statement, source: SqlFile) -> Rows:
    """Run a statement with SQL of the user's.

    Raises:
        ModelError: The database refuses it: with the file, and the line as far as it can be told.
        EngineError: Something else fails.
    """
    try:
        return engine.execute(step)
    except EngineError as exc:
        _, refused, why = exc.message.partition(f" refused {step.path}, line {step.line}: ")
        if not refused:
            raise
        line = _line_of(why, source)
        meant = _MEANT.search(str(exc.__cause__))
        hint = f"{_CORRECT} Did you mean {meant[1] or meant[2]}?" if meant else _CORRECT
        raise ModelError(
            f"{source.path}, line {line}: {why.rstrip('.')}.", hint, path=source.path, line=line
        ) from exc


def _line_of(why: str, source: SqlFile) -> int:
    """Return the line of what the database names in its refusal; the first line of the SELECT without it."""
    lines = [line.partition("--")[0] for line in source.text.splitlines()]
    for found in (each for pattern in _NAMES for each in pattern.findall(why)):
        name = found.rpartition(".")[2]
        for number, line in enumerate(lines, 1):
            if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line, re.IGNORECASE):
                return number
    return next((number for number, line in enumerate(lines, 1) if line.strip()), 1)


def _rematched(engine: Engine, changes: Iterable[ModelChange]) -> list[DayRange]:
    """Return the days of plays of earlier runs that have been written anew."""
    if not any(each.build == DAYS for each in changes):
        return []
    return [DayRange(day, day) for (day,) in engine.execute(statement("run/rematched_days.sql"))]


def _bring_up_to_date(engine: Engine, model: Model, build: str, days: Sequence[DayRange] | None) -> None:
    if build == DAYS and not days:
        return
    for step in statements_to_build(model, build, days or []):
        execute(engine, step, model.source)


def statements_to_build(model: Model, build: str, days: Sequence[DayRange]) -> list[Statement]:
    """Return the statements that make a model or its rows; without days, those of an example."""
    name = model.name
    if build == MADE:
        kind = "VIEW" if model.materialized == VIEW else "TABLE"
        return [model.statement(f"CREATE {kind} {name} AS")]
    if build == WHOLE:
        return [_delete(model), model.statement(f"INSERT INTO {name}")]
    if build == DAYS:
        days = days or [DayRange(_EPOCH, _EPOCH)]
        within = _within(f"m.{model.day}", days)
        return [
            _delete(model, f"\nWHERE {_within(model.day, days)}"),
            model.statement(f"INSERT INTO {name}\nSELECT m.*\nFROM (", f") AS m\nWHERE {within}"),
        ]
    return []


def _delete(model: Model, where: str = "") -> Statement:
    delete = f"DELETE FROM {model.name}{where}"
    return Statement(delete, model.source.path, 1, verbatim=True)


def _within(column: str, days: Iterable[DayRange]) -> str:
    """Return the condition that a day, or a time, lies on one of these days."""
    # Not BETWEEN: of a time, the last day is meant to its end.
    ranges = (
        f"({column} >= '{each.first}'::DATE AND {column} < '{each.last}'::DATE + 1)"
        for each in dict.fromkeys(days)
    )
    return f"({' OR '.join(ranges)})"


def _records(
    models: Models, known: Sequence[ModelRecord], new: Collection[str], dropped: Collection[str], run_id: int
) -> list[ModelRecord]:
    """Return which models the warehouse has now: those of the folder, then those that are gone and kept."""
    before = {each.model: each for each in known}
    there = {model.name for model in models.models}
    made = [
        ModelRecord(model.name, model.materialized, model.digest, 0, run_id, run_id)
        if model.name in new
        else before[model.name]._replace(upto_run=run_id)
        for model in models.models
    ]
    kept = [each for each in known if each.model not in dropped and each.model not in there]
    return [each._replace(build_order=order) for order, each in enumerate([*made, *kept])]
