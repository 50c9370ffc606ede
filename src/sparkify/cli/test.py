"""`sparkify test`: the user's models on given rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand, session
from sparkify.cli.options import json_option, settings_from
from sparkify.cli.screen import Screen
from sparkify.errors import CheckError, Command, ConfigError, Hint
from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.custom.cases import CaseResult

_SHOWN = 20


@click.command(cls=Subcommand)
@click.argument("names", metavar="[CASE]...", nargs=-1)
@click.option("--config", metavar="FILE", help="The configuration. [default: dwh.cfg, if there]")
@json_option
def test(names: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Run your models and checks on given rows and compare with expected ones; exit 3 when they differ.

    They run on an empty DuckDB warehouse, not on yours, whatever the engine is. A case is a folder
    tests/CASE in [DWH] MODELS, with CSV files in given and expected; without a case, that all of it can be
    built is tested.

    \b
    Example:
      sparkify test
    """
    from sparkify.custom.cases import read_cases, run_cases
    from sparkify.custom.definitions import read_folder

    screen = Screen(as_json)
    settings = settings_from(options)
    models = read_folder(settings.dwh.models)
    if not models:
        raise ConfigError(
            "[DWH] MODELS names no folder: there is nothing to test.",
            "Put your models into a folder, and name it in dwh.cfg.",
        )
    cases = read_cases(models)
    unknown = sorted(set(names) - {case.name for case in cases})
    if unknown:
        raise ConfigError(
            f"there is no case {', '.join(unknown)}.",
            f"There {'are' if cases else 'is none in'} "
            f"{', '.join(case.name for case in cases) or models.folder}.",
        )
    chosen = [case for case in cases if not names or case.name in names]
    results = run_cases(models, chosen, lambda result: _show(screen, result))
    failed = [result for result in results if not result.ok]
    told = {
        "ok": not failed,
        "models": [model.name for model in models.models],
        "cases": [{**result._asdict(), "ok": result.ok} for result in results],
    }
    built = (
        f"{counted(len(models.models), 'model')} and {counted(len(models.checks), 'check')} work on empty "
        f"tables; {counted(len(chosen), 'case')}"
    )
    if failed:
        session().beside_error = told
        which = ", ".join(dict.fromkeys(result.case for result in failed))
        raise CheckError(
            f"{len(failed)} of {counted(len(results), 'expected table')} "
            f"{'differs' if len(failed) == 1 else 'differ'} ({which}).",
            Hint(
                "Correct the model, or what is expected of it; {} runs these alone.",
                Command("test", *dict.fromkeys(result.case for result in failed)),
            ),
        )
    screen.say(f"{built}, {counted(len(results), 'table')} as expected.")
    screen.result(told)


def _show(screen: Screen, result: CaseResult) -> None:
    rows = counted(result.rows, "row")
    if result.ok:
        screen.judge("ok", f"{result.case}: {result.table}: {rows}")
        return
    missing, unexpected = len(result.missing), len(result.unexpected)
    screen.judge("FAIL", f"{result.case}: {result.table}: {missing:,} missing, {unexpected:,} not expected")
    differing = sorted(
        [("expected", *row) for row in result.missing] + [("computed", *row) for row in result.unexpected],
        key=lambda row: ([str(value) for value in row[1:]], row[0]),
    )
    screen.table(["row", *result.columns], differing[:_SHOWN], data=True)
    if len(differing) > _SHOWN:
        screen.say(f"… and {len(differing) - _SHOWN:,} more")
