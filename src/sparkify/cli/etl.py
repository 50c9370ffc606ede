"""`sparkify etl`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import (
    json_option,
    name_of,
    open_warehouse,
    settings_from,
    source_options,
    warehouse_options,
    yes_option,
)
from sparkify.cli.own_models import confirm_drops, show_built, show_planned
from sparkify.cli.screen import Screen, rolled_back_if_interrupted
from sparkify.cli.typed import again
from sparkify.cli.versions import describe_upgrade, upgrade_object
from sparkify.errors import OK, WANTS_A_LOOK, Command, Hint
from sparkify.records import KINDS
from sparkify.text import counted, name_runs, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkify.pipeline.etl_run import RunOptions, Summary
    from sparkify.pipeline.plan import Plan
    from sparkify.pipeline.retention import FoundOlder
    from sparkify.pipeline.threshold import MaxRejects
    from sparkify.warehouse.engine import Engine
    from sparkify.warehouse.ledger import Ledger

_SHOWN = 10
# Characters of a field's name.
_NAME = 80


@click.command(cls=Subcommand)
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would be done.")
@click.option("--sql", "with_sql", is_flag=True, help="With --plan: print every statement it would send.")
@click.option("--full-refresh", is_flag=True, help="Compute the whole star anew from staging.")
@click.option(
    "--batch-bytes",
    type=click.IntRange(min=1),
    help="Bytes of files one transaction takes in. [default: twice MEMORY on DuckDB, 4 GiB on Redshift]",
)
@click.option(
    "--max-rejects",
    default="1%",
    show_default=True,
    metavar="N|P%",
    help="Records that may be rejected; with more nothing is published (exit 3).",
)
@click.option(
    "--accept",
    multiple=True,
    metavar="FILE",
    help="Load a file however many of its records are rejected; a URI, or the end of one.",
)
@click.option("--strict", is_flag=True, help="Publish nothing when something wants a look (exit 3).")
@click.option("--lenient", is_flag=True, help="Exit 0 although something wants a look.")
@yes_option
@source_options
@warehouse_options
@json_option
def etl(
    only_plan: bool,
    with_sql: bool,
    full_refresh: bool,
    batch_bytes: int | None,
    max_rejects: str,
    accept: tuple[str, ...],
    strict: bool,
    lenient: bool,
    yes: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Load what is new or changed, transform, check, commit.

    One transaction: readers see the old warehouse or the new one. Run it again any time. Exit code 4:
    published, but something wants a look; later runs do not tell it again. Models of yours ([DWH] MODELS)
    are built with it; before one is dropped whose file is gone, you are asked.

    \b
    Example:
      sparkify etl --plan
      sparkify etl --plan --sql > what-it-would-do.sql
      sparkify etl
      sparkify etl --log-data s3://bucket/log_data --song-data s3://bucket/song_data
    """
    from sparkify.pipeline.threshold import MaxRejects

    screen = Screen(as_json)
    if with_sql and not only_plan:
        raise click.UsageError("--sql goes with --plan.")
    if strict and lenient:
        raise click.UsageError("--strict and --lenient do not go together.")
    most = replace(MaxRejects.parse(max_rejects), accept=accept)
    if only_plan:
        from sparkify.pipeline.etl_run import RunOptions

        how = RunOptions(full_refresh, batch_bytes, most)
        _plan(screen, options, how, with_sql=with_sql)
        return OK
    told = load(
        screen,
        options,
        full_refresh=full_refresh,
        batch_bytes=batch_bytes,
        max_rejects=most,
        strict=strict,
        yes=yes,
    )
    screen.result(told)
    return OK if lenient else exit_code(told)


def exit_code(told: dict[str, Any]) -> int:
    """Return the exit code of a load that was published: whether something wants a look."""
    return WANTS_A_LOOK if told["attention"] else OK


def _plan(screen: Screen, options: dict[str, Any], how: RunOptions, *, with_sql: bool) -> None:
    from sparkify.custom.definitions import read_folder
    from sparkify.pipeline.dry_run import list_models, record_statements
    from sparkify.pipeline.plan import make_plan, open_sources
    from sparkify.warehouse.ledger import read_ledger

    settings = settings_from(options)
    models = read_folder(settings.dwh.models)
    how = replace(how, models=models)
    sources = open_sources(settings)
    engine = open_warehouse(settings, options, writes=True)
    try:
        ledger = read_ledger(engine)
        accepts = how.max_rejects.accepts
        plan = make_plan(sources, ledger, accepts=accepts, models=models, full_refresh=how.full_refresh)
        older = _find_older(engine, settings.dwh.retain, ledger, how)
    finally:
        engine.close()
    screen.say(f"{'-- ' if with_sql else ''}Warehouse: {name_of(settings, engine)}")
    if not with_sql:
        _show_plan(screen, plan, how, older)
        erased = older and {
            "before": older.first_kept,
            "events": older.events,
            "rejects": older.rejects,
            "files": older.files,
        }
        screen.result({"plan": {**_plan_object(plan), "erased": erased}})
        return
    if engine.name == "redshift":
        head = [
            "What would be sent, if all files are as they should be; one that needs re-reading adds a few",
            "statements. Counts, times and values that only the files tell are shown as 0 or NULL.",
        ]
        statements = record_statements(settings, ledger, plan, how)
    else:
        head = ["The models and checks of a run in DuckDB's dialect, in order. $name is a parameter."]
        statements = list_models(engine, how, plan.models)
    for line in head:
        screen.show(f"-- {line}")
    screen.show(f"-- {counted(len(statements), 'statement')}.")
    for sql in statements:
        screen.show(f"\n{sql};")
    screen.result({"plan": _plan_object(plan), "statements": statements})


def _find_older(engine: Engine, days: int | None, ledger: Ledger, how: RunOptions) -> FoundOlder | None:
    """Return what RETAIN of dwh.cfg erases; None: nothing that is there."""
    from sparkify.pipeline.retention import bound_of, find_older, has_older
    from sparkify.warehouse.ledger import ERASED_SINCE

    if days is None or ledger.meta is None or ledger.meta.schema_version < ERASED_SINCE:
        return None
    before = bound_of(days, how.clock().date())
    return find_older(engine, before, how.models) if has_older(engine, before) else None


def load(
    screen: Screen,
    options: dict[str, Any],
    *,
    full_refresh: bool = False,
    batch_bytes: int | None = None,
    max_rejects: MaxRejects | None = None,
    reload: frozenset[str] = frozenset(),
    only_upgrade: bool = False,
    strict: bool = False,
    yes: bool = False,
) -> dict[str, Any]:
    """Run the pipeline, show what it did, and return that for a script."""
    from sparkify.custom.definitions import read_folder
    from sparkify.lake.stores import is_gone
    from sparkify.pipeline.etl_run import RunOptions, run_etl
    from sparkify.pipeline.plan import open_sources
    from sparkify.pipeline.retry import persist
    from sparkify.pipeline.threshold import MaxRejects

    started = time.monotonic()
    how = RunOptions(full_refresh, batch_bytes, max_rejects or MaxRejects(), reload, only_upgrade, strict)
    settings = settings_from(options)
    how = replace(how, retain=settings.dwh.retain)
    models = read_folder(settings.dwh.models)
    sources = open_sources(settings) if not only_upgrade or settings.s3.places else []
    engine = open_warehouse(settings, options, writes=True)
    try:
        if models:
            drop = confirm_drops(screen, engine, models, yes=yes)
            how = replace(how, models=models, drop_models=drop)
        with screen.progress("looking for what is new", share_done=engine.share_done) as progress:
            with rolled_back_if_interrupted("what was loaded is committed"):
                summary = run_etl(
                    engine, sources, progress, how, is_gone=lambda root: is_gone(root, settings.aws)
                )
            counts = persist(lambda: _count_tables(engine), progress)
    finally:
        engine.close()
    seconds = time.monotonic() - started
    sent = engine.statements_sent
    screen.say(f"Warehouse: {name_of(settings, engine)}")
    _show_summary(screen, summary, counts, seconds)
    if summary.expired:
        gone = counted(summary.expired.rows_erased, "record is", "records are")
        kept = counted(settings.dwh.retain or 0, "day")
        screen.say(f"{gone} older than {kept} and erased (run {summary.expired.run_id})")
    if sent:
        screen.say(f"{counted(sent, 'statement was', 'statements were')} sent to {settings.cluster_shown}")
    return {
        "plan": {**_plan_object(summary.plan), "gone": summary.gone},
        "runs": [run._asdict() for run in summary.runs],
        "expired": summary.expired._asdict() if summary.expired else None,
        "checks": {each.name: len(each.failing) for each in summary.checks},
        "attention": [each._asdict() for each in summary.attention],
        "known": [each._asdict() for each in summary.known],
        "unknown_fields": [
            {"kind": kind, "field": name, "occurrences": count}
            for (kind, name), count in summary.unknown.items()
        ],
        "moved": [{"from": former, "to": uri} for former, uri in summary.found.moved],
        "corrected": [{"from": former, "to": uri} for former, uri in summary.found.corrected],
        "copies": [{"uri": uri, "of": of} for uri, of in summary.found.copies],
        "same_keys": len(summary.found.unproven),
        "tables": counts,
        "seconds": round(seconds, 3),
        "statements_sent": sent,
    }


def _show_plan(screen: Screen, plan: Plan, how: RunOptions, older: FoundOlder | None) -> None:
    rows = []
    for kind in KINDS:
        files = [file for file in plan.files if file.source.kind.name == kind.name]
        for change in dict.fromkeys(map(plan.change_of, files)):
            some = [file for file in files if plan.change_of(file) == change]
            rows.append([kind.name, change, len(some), sum(file.item.size for file in some)])
    screen.table(["kind", "state", "files", "bytes"], rows)
    screen.say(f"{counted(plan.unchanged, 'file is', 'files are')} unchanged.")
    _show_exceptions(screen, plan, plan.gone)
    if plan.taken_over:
        screen.say(
            f"{counted(len(plan.taken_over), 'file is', 'files are')} not in the lake any more, but a copy "
            "is, which would take the rows over."
        )
    for line in describe_upgrade(plan.upgrade, plan.read_again, would=True, keeps_rules=plan.keeps_rules):
        screen.say(line)
    show_planned(screen, plan)
    if older:
        screen.say(
            f"[DWH] RETAIN would erase what is before {older.first_kept}: {counted(older.events, 'event')}, "
            f"{counted(older.rejects, 'rejected record')}."
        )
    if how.full_refresh:
        screen.say("The whole star would be computed anew.")
    elif not (plan.files or plan.upgrade or plan.taken_over or plan.new_models or older):
        screen.say("Nothing to do.")
        return
    command = again(without=("only_plan", "as_json"))
    screen.say(f"Nothing was changed. To {'load them' if plan.files else 'do it'}:", command)


def _show_exceptions(screen: Screen, plan: Plan, gone: Sequence[str]) -> None:
    for names, one, several in (
        (
            gone,
            "is not in the lake any more; its rows stay",
            "are not in the lake any more; their rows stay",
        ),
        (plan.retracted, "was retracted and stays out", "were retracted and stay out"),
        (plan.set_aside, "was set aside and waits", "were set aside and wait"),
        (plan.ignored, "is not a data file and is ignored", "are not data files and are ignored"),
    ):
        if names:
            what = counted(len(names), f"file {one}", f"files {several}")
            screen.say(f"{what}: {', '.join(names[:_SHOWN])}{' …' * (len(names) > _SHOWN)}")


def _show_summary(screen: Screen, summary: Summary, counts: dict[str, int], seconds: float) -> None:
    plan = summary.plan
    for line in describe_upgrade(plan.upgrade, plan.read_again, would=False, keeps_rules=plan.keeps_rules):
        screen.say(line)
    show_built(screen, plan, published=bool(summary.runs))
    if not summary.runs and summary.plan.upgrade:
        return
    if not summary.runs:
        if summary.plan.files:
            loaded = counted(len(summary.plan.files), "file")
            screen.say(f"Nothing to do: another run has loaded {loaded} meanwhile.")
        else:
            known = summary.plan.unchanged
            every = "all " if known > 1 else ""
            screen.say(f"Nothing to do: {every}{counted(known, 'file is', 'files are')} loaded already.")
        _show_exceptions(screen, summary.plan, summary.gone)
        return
    runs = summary.runs
    last = runs[-1]

    def total(name: str) -> int:
        return sum(getattr(run, name) for run in runs)

    screen.table(["table", "rows"], list(counts.items()))
    screen.say()
    several = len(runs) > 1
    which = name_runs([run.run_id for run in runs])
    screen.say(f"{counted(summary.found.files_read, 'file')} read in {seconds:.2f} s ({which})")
    screen.say(
        f"{counted(total('rows_read'), 'row')} read = {total('rows_loaded'):,} loaded "
        f"+ {total('rows_rejected'):,} rejected"
        + (f" + {total('rows_erased'):,} erased" if total("rows_erased") else "")
    )
    plays = f"{counted(total('plays_loaded'), 'NextSong row')} loaded"
    if not several:  # the times of several may be the same: `sparkify runs` has the numbers of each
        plays += (
            f"; at {'its time' if last.plays_loaded == 1 else 'their times'} "
            f"{counted(last.songplays, 'play')} (+ {counted(last.duplicates, 'duplicate')}), "
            f"{counted(last.plays_matched, 'of them matches', 'of them match')} a song"
        )
    screen.say(plays)
    screen.say(_verdict(summary))
    if any(run.rows_rejected for run in runs):
        screen.advise(Hint("Why records were rejected: {}", Command("rejects", "list")))
    _show_unknown(screen, summary.unknown)
    _show_contents(screen, summary)
    _show_exceptions(screen, summary.plan, summary.gone)
    _show_attention(screen, summary)


def _show_contents(screen: Screen, summary: Summary) -> None:
    """Say which files have moved, which are copies, and of how many neither could be shown."""
    found = summary.found
    if found.moved:
        screen.say(
            f"{counted(len(found.moved), 'file')} moved, known by "
            f"{'its new name' if len(found.moved) == 1 else 'their new names'} from now on: "
            f"{_listed([f'{former} → {uri}' for former, uri in found.moved], 1)}"
        )
    if found.corrected:
        screen.say(
            f"{counted(len(found.corrected), 'file')} changed when the lake moved, and replaced what was in: "
            f"{_listed([f'{former} → {uri}' for former, uri in found.corrected], 1)}"
        )
    if found.copies:
        screen.say(
            f"{counted(len(found.copies), 'file is a copy', 'files are copies')} of another, loaded once: "
            f"{_listed([f'{uri} of {of}' for uri, of in found.copies], 1)}"
        )
    if found.unproven:
        count = len(found.unproven)
        roots = sorted({former for _, (_, former, _) in found.unproven.values()})
        screen.advise(
            Hint(
                "{} of the same {} {} below another place ({}), and the rows of both are loaded. If they are "
                "former versions of one lake, take them out with {}; {} names them.",
                counted(count, "loaded file"),
                "key" if count == 1 else "keys",
                "lies" if count == 1 else "lie",
                _listed(roots, 2),
                Command("retract", "URI"),
                Command("files"),
            )
        )


def _listed(names: Sequence[str], most: int) -> str:
    return ", ".join(names[:most]) + " …" * (len(names) > most)


def _show_unknown(screen: Screen, unknown: Mapping[tuple[str, str], int]) -> None:
    """Name the commonest fields without a column, and how many others there are."""
    commonest = sorted(unknown.items(), key=lambda each: (-each[1], each[0]))
    for (kind, name), count in sorted(commonest[:_SHOWN]):
        rows = counted(count, f"{kind.removesuffix('s')} has", f"{kind} have")
        field = repr(shortened(name, _NAME))
        screen.say(f"{rows} a field {field} that the warehouse has no column for; extra keeps its values")
    others = len(unknown) - _SHOWN
    if others > 0:
        fields = counted(others, "other field has", "other fields have")
        screen.advise(Hint("{} no column either: {}", fields, Command("fields", "list")))


def _show_attention(screen: Screen, summary: Summary) -> None:
    from sparkify.warehouse.ledger import GROWING

    for each in summary.known:
        how = "left for the next run" if each.kind == GROWING else "still so, and told before"
        screen.say(f"{how}: {each}")
    for each in summary.attention:
        screen.warn(str(each))


def _verdict(summary: Summary) -> str:
    warning = sum(bool(each.failing) for each in summary.checks)
    holding = len(summary.checks) - warning
    verdict = f"{holding} data checks hold, {warning} warn" if warning else f"all {holding} data checks hold"
    return f"{verdict}, for {'the whole warehouse' if summary.checked_all else 'what this run touched'}"


def _count_tables(engine: Engine) -> dict[str, int]:
    from sparkify.warehouse.tables import count_rows

    with engine.reading() as exists:
        return count_rows(engine) if exists else {}


def _plan_object(plan: Plan) -> dict[str, Any]:
    return {
        "files": [
            {
                "kind": file.source.kind.name,
                "uri": file.item.uri,
                "bytes": file.item.size,
                "state": plan.change_of(file),
            }
            for file in plan.files
        ],
        "unchanged": plan.unchanged,
        "retracted": plan.retracted,
        "set_aside": plan.set_aside,
        "gone": plan.gone,
        "taken_over": [{"from": former, "to": uri} for former, uri in plan.taken_over],
        "ignored": plan.ignored,
        "upgrade": upgrade_object(plan.upgrade),
        "models": [each._asdict() for each in plan.models],
    }
