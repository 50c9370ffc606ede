"""`sparkify check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand, session
from sparkify.cli.options import (
    json_option,
    name_of,
    open_warehouse,
    settings_from,
    warehouse_options,
)
from sparkify.cli.screen import Screen
from sparkify.errors import CheckError, Command, Hint
from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.custom.definitions import Models
    from sparkify.pipeline.checks import CheckResult
    from sparkify.warehouse.engine import Engine

_SAMPLE_ROWS = 5
_HINT = Hint(
    "Nothing was changed. {} computes the star anew from staging, which mends what is wrong there. "
    "If a check fails again, see {} for the files that its rows come from.",
    Command("etl", "--full-refresh"),
    Command("files"),
)


@click.command(cls=Subcommand)
@warehouse_options
@json_option
def check(as_json: bool, **options: Any) -> None:
    """Run every data check against the whole warehouse, your own too; exit 3 when one fails.

    Checks of severity warn are shown with the days and files they name; they do not change the exit code.

    \b
    Example:
      sparkify check
    """
    from sparkify.custom.definitions import read_folder
    from sparkify.pipeline.checks import compare_incremental, raise_failures, run_checks, run_warnings
    from sparkify.pipeline.scope import Scope
    from sparkify.warehouse.connect import require
    from sparkify.warehouse.ledger import ERASED_SINCE, Meta, now, read_meta

    screen = Screen(as_json)
    settings = settings_from(options)
    models = read_folder(settings.dwh.models)
    engine = open_warehouse(settings, options)
    try:
        with engine.reading() as exists:
            require(engine, exists=exists)
            models = _there(screen, engine, models)
            counts_erased = (read_meta(engine) or Meta()).schema_version >= ERASED_SINCE
            results = run_checks(engine, Scope.all(), run_from=0, models=models, counts_erased=counts_erased)
            results += compare_incremental(engine, models)
            if "etl.days" in engine.tables():  # else it is an older warehouse, not upgraded yet
                results += run_warnings(engine, Scope.all(), first_run=0, now=now(), models=models)
    finally:
        engine.close()
    screen.say(f"Warehouse: {name_of(settings, engine)}")
    screen.table(
        ["check", "result", "failing rows", "description"],
        [[each.name, _verdict(each), len(each.failing), each.description] for each in results],
    )
    for each in results:
        for subject, found in each.failing if each.is_warning else ():
            screen.warn(f"{each.name}: {subject}: {found}")
    told = {
        "ok": not any(each.failing for each in results if not each.is_warning),
        "checks": [
            {
                "name": each.name,
                "severity": each.severity,
                "description": each.description,
                "failing_rows": len(each.failing),
                "sample": each.failing[:_SAMPLE_ROWS],
            }
            for each in results
        ],
    }
    try:
        raise_failures(results)
    except CheckError as exc:
        session().beside_error = told
        raise CheckError(exc.message, _HINT) from None
    screen.result(told)


def _there(screen: Screen, engine: Engine, models: Models) -> Models:
    """Return the models that the warehouse has as they are; name the others, which cannot be checked."""
    from sparkify.warehouse.ledger import read_models

    if not models:
        return models
    known = {each.model: each.digest for each in read_models(engine) if each.upto_run}
    there = models.there(model.name for model in models.models if known.get(model.name) == model.digest)
    missing = [model.name for model in models.models if model not in there.models]
    if missing:
        left_out = len(models.checks) - len(there.checks)
        screen.note(
            Hint(
                "{} not in the warehouse as in [DWH] MODELS ({}), and {} left out: {} builds them.",
                counted(len(missing), "model is", "models are"),
                ", ".join(missing),
                counted(left_out, "check of yours is", "checks of yours are"),
                Command("etl"),
            )
        )
    return there


def _verdict(result: CheckResult) -> str:
    if not result.failing:
        return "ok"
    return "warn" if result.is_warning else "FAIL"
