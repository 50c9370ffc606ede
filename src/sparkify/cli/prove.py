"""`sparkify prove`: whether a real cluster is what we take Redshift for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import json_option, logins_of, settings_from, wide_option, yes_option
from sparkify.cli.output import write_whole
from sparkify.cli.screen import Screen, as_json
from sparkify.cli.stopping import answering, interrupting
from sparkify.errors import CHECKS_FAILED, OK, Command, Hint
from sparkify.text import counted, duration, visible

if TYPE_CHECKING:
    from sparkify.proof.prove import Proof

_EVENTS = 20_000
_STATEMENTS_SHOWN = 5
# Characters of an answer that is not shown twice.
_LONG = 20


@click.command(cls=Subcommand)
@click.option(
    "--events",
    type=click.IntRange(min=0),
    default=_EVENTS,
    show_default=True,
    help="About how many events the month has; 0 asks the probes only.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the proof to a file, as JSON.")
@click.option("--config", metavar="FILE", help="The configuration. [default: dwh.cfg, if there]")
@yes_option
@wide_option
@json_option
def prove(events: int, output: Path | None, yes: bool, wide: bool, as_json: bool, **options: Any) -> int:
    """Ask a real cluster what documentation leaves open, and load a month on it, compared with DuckDB.

    In a database and a folder below [S3] STAGING of its own, which are removed again; your warehouse is not
    looked at. It takes the right to make a database, a few minutes and what these cost. The file of -o has
    no name of a host, user, role or bucket: whoever has no cluster can learn from it.

    Exit code 0: what was asked is as expected; with --events 0 that is not all ("complete" in the file). 3:
    something is not; the summary says what, and what it means.

    \b
    Example:
      sparkify prove -o proof.json
      sparkify prove --events 0 --yes
    """
    from sparkify.proof.prove import as_object
    from sparkify.proof.prove import prove as carry_out
    from sparkify.proof.scratch import Scratch, verify_settings

    screen = Screen(as_json)
    settings = settings_from(options)
    verify_settings(settings)
    scratch = Scratch.drawn(settings)
    for line in (
        f"On {settings.cluster_shown}, as {settings.cluster.db_user or 'whoever AWS says'}:",
        f"  1. make the database {scratch.database}, which takes the right CREATEDB",
        "  2. ask some 35 questions there; COPY reads one small file from below STAGING",
        f"  3. load a simulated month of about {counted(events, 'event')}, adopt, undo, refresh, erase; "
        "compare each step with DuckDB"
        if events
        else "  3. (no month: --events 0)",
        f"  4. remove the database, and {scratch.folder}, to which alone it writes",
    ):
        screen.say(line)
    if not screen.confirm("Go ahead?", yes=yes):
        screen.say("Nothing was done.")
        screen.result({"ok": None})
        return OK
    started = time.monotonic()
    with (
        screen.progress("beginning") as progress,
        answering("removing the database and what was written"),
    ):
        proof = carry_out(settings, scratch, logins_of, events, progress, interrupting)
    seconds = time.monotonic() - started
    told = as_object(proof, settings, seconds)
    _show(screen, proof, seconds, wide=wide)
    if output is not None:
        _write(output, told)
        screen.say(f"Wrote {output}.")
    screen.result(told)
    return OK if proof.ok else CHECKS_FAILED


def _write(path: Path, told: dict[str, Any]) -> None:
    import json

    write_whole(path, json.dumps(json.loads(as_json(told)), indent=1, ensure_ascii=False) + "\n")


def _show(screen: Screen, proof: Proof, seconds: float, *, wide: bool) -> None:
    screen.say(proof.version)
    good = sum(each.ok for each in proof.probes)
    screen.say(f"{good} of {counted(len(proof.probes), 'question')} answered as expected.")
    answer = ""
    for each in proof.probes:
        if not each.ok:
            screen.judge("FAIL", f"{each.name}: {each.question}", hang=6)
            same = len(each.answer) > _LONG and each.answer == answer
            answer = each.answer
            screen.say(f"      answer    {'the same' if same else visible(answer)}", hang=10)
            screen.say(f"      expected  {visible(each.expected)}", hang=10)
            screen.say(f"      so        {each.otherwise}", hang=10)
    if proof.steps:
        screen.table(
            ["step", "seconds", "statements", "result"],
            [
                [
                    step.name,
                    step.seconds,
                    step.statements,
                    ", ".join(f"{each.table} differs" for each in step.differences) or "as on DuckDB",
                ]
                for step in proof.steps
            ],
            wide=wide,
        )
    if proof.failure:
        screen.judge("FAIL", proof.failure, hang=6)
    if proof.explained:
        refused = proof.explained.refused
        screen.say(f"{counted(proof.explained.statements, 'statement')} planned, {len(refused):,} refused.")
        for sql, error in refused[:_STATEMENTS_SHOWN]:
            screen.judge("FAIL", visible(error), hang=6)
            screen.show(f"      {_first_code(sql)} …")
    verdict = "Something is not as expected"
    if proof.ok:
        verdict = "All is as expected" if proof.complete else "What was asked is as expected"
    screen.say(
        f"{verdict}: {counted(proof.statements, 'statement')}, {duration(seconds)}. Nothing is left behind."
    )
    if not proof.complete:
        screen.advise(
            Hint("No month was loaded and nothing planned: {} does both.", Command("prove"))
            if not proof.events
            else "The month and the plans were not finished."
        )
    if proof.others:
        there = f"{counted(len(proof.others), 'database')} of other proofs: {', '.join(proof.others)}"
        screen.note(
            f"{there}. They are under way, or were killed. "
            f"If none is, remove it in a SQL client (DROP DATABASE {proof.others[0]}), and below STAGING the "
            "folder whose name ends in the same letters."
        )


def _first_code(sql: str) -> str:
    return next((line for line in sql.splitlines() if not line.startswith("--")), sql)
