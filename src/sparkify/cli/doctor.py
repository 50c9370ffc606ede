"""`sparkify doctor`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from sparkify.cli.options import json_option, settings_from, source_options, warehouse_options
from sparkify.cli.screen import Screen
from sparkify.errors import FAILED, OK


@click.command()
@source_options
@warehouse_options
@json_option
def doctor(as_json: bool, **options: Any) -> int:
    """Check what a run will need, before it runs; change nothing.

    Each line is ok, or says what to do. Exits 1 when something is to be done.

    \b
    Example:
      sparkify doctor
      sparkify doctor --engine redshift
    """
    import socket

    from sparkify.cluster.credentials import connect
    from sparkify.cluster.doctor import Instruments, examine
    from sparkify.warehouse.redshift.login import log_in

    def reach(host: str, port: int) -> None:
        socket.create_connection((host, port), timeout=5).close()

    screen = Screen(as_json)
    checks = []
    for check in examine(settings_from(options), Instruments(connect, reach, log_in)):
        checks.append(check)
        screen.say(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:13}  {check.found}")
        if not check.ok:
            screen.say(f"      {'':13}  Try: {check.remedy}")
    ok = all(check.ok for check in checks)
    screen.result({"ok": ok, "checks": [asdict(check) for check in checks]})
    return OK if ok else FAILED
