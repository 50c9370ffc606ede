"""The data checks: every file of sql/checks is a query that returns the rows that break a promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sparkify.errors import CheckError, Command, Hint
from sparkify.pipeline.scope import Scope
from sparkify.text import counted
from sparkify.warehouse.engine import Engine, Rows
from sparkify.warehouse.statements import list_files, statement

_SAMPLE_ROWS = 5


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check's failing rows; none means it holds."""

    name: str
    promise: str
    failing: Rows

    @property
    def sample(self) -> str | None:
        """Some of the failing rows, as text."""
        return "; ".join(str(row) for row in self.failing[:_SAMPLE_ROWS]) or None


def run_checks(
    engine: Engine, scope: Scope, *, run_from: int, plays_from: int | None = None
) -> list[CheckResult]:
    """Run every check.

    Args:
        engine: The warehouse, open.
        scope: The time range of the events that are looked at.
        run_from: The first of the runs whose files are looked at.
        plays_from: The first of the runs whose logs must have given plays, if another than ``run_from``.
    """
    since = {"run_from": run_from, "plays_from": run_from if plays_from is None else plays_from}
    results = []
    for path in list_files("checks"):
        step = statement(path)
        promise = step.text.split("\n", 1)[0].removeprefix("-- ")
        rows = engine.execute(step, **since, **scope.parameters())
        results.append(CheckResult(step.name, promise, rows))
    return results


def raise_failures(results: Sequence[CheckResult]) -> None:
    """Raise when a check has failing rows.

    Raises:
        CheckError: Naming the checks and some of their rows.
    """
    failed = [result for result in results if result.failing]
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
