"""`sparkify doctor`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import (
    json_option,
    open_warehouse,
    settings_from,
    source_options,
    warehouse_options,
)
from sparkify.cli.screen import Screen
from sparkify.errors import FAILED, OK, Hint

if TYPE_CHECKING:
    from sparkify.settings import Settings
    from sparkify.warehouse.engine import Engine

# Where what was found begins: after the verdict and the name.
_HANG = 21


@click.command(cls=Subcommand)
@source_options
@warehouse_options
@json_option
def doctor(as_json: bool, **options: Any) -> int:
    """Check what a run will need, before it runs; leave nothing behind.

    Each line is ok, a warning that a run may do without, or a failure; the last two say what to do. Exits 1
    when something fails.

    \b
    Example:
      sparkify doctor
      sparkify doctor --engine redshift
    """
    from sparkify.cluster.credentials import connect
    from sparkify.doctor.examine import Instruments, examine

    def opened(settings: Settings) -> Engine:
        return open_warehouse(settings, options)

    screen = Screen(as_json)
    checks = []
    for check in examine(settings_from(options), Instruments(connect, opened)):
        checks.append(check)
        screen.judge(check.verdict, Hint("{:13}  {}", check.name, check.found), hang=_HANG)
        if check.remedy:
            screen.advise(Hint("{:19}  Try: {}", "", check.remedy))
    ok = all(check.ok for check in checks)
    screen.result({"ok": ok, "checks": [asdict(check) for check in checks]})
    return OK if ok else FAILED
