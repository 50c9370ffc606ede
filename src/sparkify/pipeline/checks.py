"""The data checks: each is a query that returns the rows that break a rule.

They are the files of ``sql/checks``, and those that follow from the kinds of records. The head of each says
what it looks at and when::

    -- Every primary key is unique.
    -- scope: run | moments | days | warehouse
    -- when: last batch                       (without this line: in every run)
    -- severity: warn                         (without this line: error)

``run`` are the files of the run, ``moments`` the events at its moments (:mod:`sparkify.pipeline.scope`) and
what they and its songs belong to, ``days`` their days; the command `check` looks at everything in any case.

The user's own checks (:mod:`sparkify.custom`) look at the whole warehouse; of each, at most 1,000 failing
rows are read.

A failing check of severity error publishes nothing. Checks of severity warn look at days and files that the
load touched, after its last batch, in the tables of the ledger alone; each row they return is a subject (a
day, a time or a file) and what is wrong with it (:mod:`sparkify.pipeline.attention`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sparkify.custom.building import execute, find_differences
from sparkify.custom.definitions import INCREMENTAL, NO_MODELS, Models, OwnCheck
from sparkify.errors import CheckError, Command, Hint
from sparkify.pipeline.scope import NOTHING, Scope, parameters
from sparkify.text import counted, shortened
from sparkify.warehouse.derived import shared_statements
from sparkify.warehouse.engine import Engine, Rows
from sparkify.warehouse.statements import ERASED, FEW, TOUCHED, Statement, list_files, statement

ERROR, WARN = "error", "warn"
_SAMPLE_ROWS = 5
# Of a check of the user's: so many failing rows are read, so many warnings are told one by one.
_MOST_ROWS = 1000
_MOST_WARNINGS = 20
# Characters of a row that is a warning's subject.
_SUBJECT = 200
_HEAD = re.compile(r"^-- (scope|when|severity): (.+)$", re.MULTILINE)


class Check(NamedTuple):
    """A check, as its head describes it.

    Attributes:
        name: Its name.
        step: The query.
        description: The rule, in one sentence.
        scope: What it looks at: run, moments, days or warehouse.
        last_batch: Whether it is made only when the last batch of a load is in.
        severity: error or warn.
    """

    name: str
    step: Statement
    description: str
    scope: str
    last_batch: bool
    severity: str = ERROR

    @property
    def by_piece(self) -> bool:
        """Whether it looks at one piece of the scope after the other."""
        return self.scope in {"moments", "days"}


class CheckResult(NamedTuple):
    """One check's failing rows; none means it holds."""

    name: str
    description: str
    failing: Rows
    severity: str = ERROR

    @property
    def is_warning(self) -> bool:
        """Whether its failing rows are warnings."""
        return self.severity == WARN

    @property
    def sample(self) -> str | None:
        """Some of the failing rows, as text."""
        return "; ".join(str(row) for row in self.failing[:_SAMPLE_ROWS]) or None


@cache
def all_checks() -> tuple[Check, ...]:
    """Return every check, by name."""
    shared = shared_statements()
    derived = {
        "conservation": shared.conservation,
        "owned_rows": shared.owned_rows,
        "vanished_field": shared.vanished_field,
    }
    written = {(step := statement(path)).name: step for path in list_files("checks")}
    return tuple(_read(name, step) for name, step in sorted({**written, **derived}.items()))


def _read(name: str, step: Statement) -> Check:
    head = dict(_HEAD.findall(step.text))
    description = step.text.split("\n", 1)[0].removeprefix("-- ")
    return Check(
        name, step, description, head["scope"], head.get("when") == "last batch", head.get("severity", ERROR)
    )


def run_checks(
    engine: Engine,
    scope: Scope,
    *,
    run_from: int,
    first_run: int | None = None,
    last_batch: bool = True,
    models: Models = NO_MODELS,
    counts_erased: bool = True,
    few_files: bool = True,
) -> list[CheckResult]:
    """Make every check of severity error that applies.

    Args:
        engine: The warehouse, open.
        scope: What is looked at.
        run_from: The first of the runs whose files are looked at.
        first_run: The run of the first batch of this load, if another than ``run_from``.
        last_batch: Whether no batch of this load follows.
        models: The user's, with checks of their own.
        counts_erased: Whether the warehouse counts erased records; an older one does not.
        few_files: Whether the files are few, beside those of the warehouse.

    Raises:
        ModelError: The database refuses a check of the user's.
    """
    without = [] if counts_erased else [ERASED]
    if scope.everything or not few_files:
        without.append(FEW)
    runs = {"run_from": run_from, "first_run": run_from if first_run is None else first_run}
    return [
        CheckResult(each.name, each.description, _failing(engine, each, scope, runs, *without))
        for each in all_checks()
        if each.severity == ERROR and (last_batch or not each.last_batch)
    ] + [
        CheckResult(each.name, each.description, _failing_of_own(engine, each))
        for each in models.checks_of(ERROR)
    ]


def _failing(engine: Engine, check: Check, scope: Scope, values: dict[str, Any], *without: str) -> Rows:
    """Return the rows that break a rule, of every piece of the scope, each once.

    Lines with a mark of ``without`` are left out.
    """
    found: dict[tuple[Any, ...], None] = {}
    pieces = scope.pieces or (NOTHING,)
    for piece in pieces if check.by_piece else pieces[:1]:
        step = check.step.without(*piece.left_out, *([TOUCHED] if scope.everything else []), *without)
        found.update(dict.fromkeys(map(tuple, engine.execute(step, **values, **parameters(piece)))))
    return list(found)


def _failing_of_own(engine: Engine, check: OwnCheck) -> Rows:
    text = f"SELECT *\nFROM (\n{check.step.text}\n) AS failing\nLIMIT {_MOST_ROWS}"
    return execute(engine, check.step._replace(text=text), check.source)


def compare_incremental(engine: Engine, models: Models) -> list[CheckResult]:
    """Compare what is stored of each model that is computed by day with what its SELECT gives of all days.

    Args:
        engine: The warehouse, open.
        models: Models that are in it, as they stand there.
    """
    what = "What is stored by day is what a full build gives."
    return [
        CheckResult(f"{model.name}:by_day", what, find_differences(engine, model, _MOST_ROWS))
        for model in models.models
        if model.materialized == INCREMENTAL and model.by_day
    ]


def _warnings_of_own(engine: Engine, check: OwnCheck) -> Rows:
    """Return failing rows as warnings: the row is the subject, the rule what is wrong with it."""
    found = sorted({shortened(", ".join(map(str, row)), _SUBJECT) for row in _failing_of_own(engine, check)})
    more = [f"{len(found) - _MOST_WARNINGS:,} more"] if len(found) > _MOST_WARNINGS else []
    return [(subject, check.description) for subject in found[:_MOST_WARNINGS] + more]


def run_warnings(
    engine: Engine, scope: Scope, *, first_run: int, now: datetime, models: Models = NO_MODELS
) -> list[CheckResult]:
    """Make every check of severity warn.

    Args:
        engine: The warehouse, open.
        scope: The events that the load brought or took; their days are looked at.
        first_run: The run of the first batch of the load; files are looked at from it on.
        now: The time it is, UTC without a zone: a day is judged when it is over.
        models: The user's, with checks of their own.

    Raises:
        ModelError: The database refuses a check of the user's.
    """
    return [
        CheckResult(
            each.name,
            each.description,
            _failing(engine, each, scope.days(), {"first_run": first_run, "now": now}),
            WARN,
        )
        for each in all_checks()
        if each.severity == WARN
    ] + [
        CheckResult(each.name, each.description, _warnings_of_own(engine, each), WARN)
        for each in models.checks_of(WARN)
    ]


def raise_failures(results: Sequence[CheckResult]) -> None:
    """Raise when a check has failing rows.

    Raises:
        CheckError: Naming the checks and some of their rows.
    """
    failed = [result for result in results if result.failing and not result.is_warning]
    if failed:
        listed = "; ".join(
            f"{each.name}: {counted(len(each.failing), 'row')}, like {each.sample}" for each in failed
        )
        raise CheckError(
            f"{len(failed)} of {counted(len(results), 'data check')} failed ({listed}).",
            Hint(
                "Nothing was published. Look at these rows' files with {}, mend them, run again.",
                Command("files"),
            ),
        )
