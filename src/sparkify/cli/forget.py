"""`sparkify forget`: a person out of the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparkify.cli.commands import Subcommand
from sparkify.cli.options import (
    json_option,
    name_of,
    open_warehouse,
    settings_from,
    warehouse_options,
    yes_option,
)
from sparkify.cli.screen import Screen, rolled_back_if_interrupted
from sparkify.cli.typed import again
from sparkify.errors import OK, Command, ConfigError, Hint, SparkifyError
from sparkify.text import counted

if TYPE_CHECKING:
    from sparkify.pipeline.erasure import FoundPeople
    from sparkify.warehouse.engine import Engine

_SHOWN = 10


@click.command(cls=Subcommand)
@click.argument("user_ids", nargs=-1, metavar="[USER_ID]...")
@click.option(
    "-f",
    "--file",
    "names",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with a user id a line.",
)
@click.option("--keep-plays", is_flag=True, help="Their plays stay, under an id that says nothing of them.")
@click.option("--plan", "only_plan", is_flag=True, help="Only say what would be erased.")
@yes_option
@warehouse_options
@json_option
def forget(
    user_ids: tuple[str, ...],
    names: Path | None,
    keep_plays: bool,
    only_plan: bool,
    yes: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Erase people: from staging, the star, your models and the rejected records.

    Keyed hashes of them stay, so that no file that is loaded later, and none that is read again, brings them
    back. The files of the lake that hold them are named: they are not ours to change. A DuckDB file is
    written anew, since deleted rows leave their bytes in it; on Redshift VACUUM clears them. Who is forgotten
    already, and of whom nothing has come since, costs nothing again.

    \b
    Example:
      sparkify forget 26 --plan
      sparkify forget 26 83
      sparkify forget -f who-asked.txt --keep-plays
    """
    from sparkify.custom.definitions import read_folder
    from sparkify.pipeline.erasure import find_people, forget_people

    screen = Screen(as_json)
    ids = _read_ids(user_ids, names)
    settings = settings_from(options)
    models = read_folder(settings.dwh.models)
    engine = open_warehouse(settings, options, writes=True)
    try:
        found = find_people(engine, ids, models)
        screen.say(f"Warehouse: {name_of(settings, engine)}")
        _show(screen, found, keep_plays=keep_plays)
        told: dict[str, Any] = {
            "events": found.events,
            "plays": found.plays,
            "rejects": found.rejects,
            "files": found.files,
            "already_forgotten": list(found.forgotten),
            "nobody": found.nobody,
        }
        if found.is_done(keep_plays=keep_plays):
            screen.say("Nothing to do: forgotten already, and nothing has come since.")
            screen.result({**told, "erased": False})
            return OK
        if only_plan:
            screen.say("Nothing was changed. To do it:", again(without=("only_plan", "as_json")))
            screen.result({**told, "erased": False})
            return OK
        if not screen.confirm(f"Erase {counted(len(ids), 'person', 'people')}, for good?", yes=yes):
            screen.say("Nothing was changed.")
            screen.result({**told, "erased": False})
            return OK
        with (
            screen.progress("removing rows") as progress,
            rolled_back_if_interrupted("what was erased is committed"),
        ):
            run = forget_people(engine, ids, progress, models, keep_plays=keep_plays)
            progress(label="writing the file anew")
            clear_bytes(engine, run.run_id)
    finally:
        engine.close()
    rows = counted(-run.rows_loaded, "record")
    kept = f" Kept under another id: {counted(found.plays, 'play')}." if keep_plays and found.plays else ""
    screen.say(
        f"Done: {rows} of staging and {-run.rows_rejected:,} rejected are erased (run {run.run_id}).{kept} "
        "What arrives later stays out."
    )
    say_vacuum(screen, engine)
    screen.result(
        {
            **told,
            "erased": True,
            "run_id": run.run_id,
            "rows": -run.rows_loaded,
            "rows_rejected": -run.rows_rejected,
        }
    )
    return OK


def _read_ids(given: tuple[str, ...], names: Path | None) -> list[str]:
    """Return the ids, each once, as staging has them: without trailing blanks."""
    lines = list(given)
    if names is not None:
        try:
            lines += names.read_text(encoding="utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError(
                f"{names} cannot be read: {exc}.", "Name a text file with a user id a line."
            ) from exc
    ids = list(dict.fromkeys(line.strip("\t\r").rstrip(" \t\r") for line in lines if line.strip()))
    if not ids:
        raise ConfigError(
            "there is no user id: nobody is to be forgotten.", "Name one as it stands in users.user_id."
        )
    return ids


def _show(screen: Screen, found: FoundPeople, *, keep_plays: bool) -> None:
    """Say what there is of people, and where else."""
    rows = [[user, events] for user, events in list(found.events.items())[:_SHOWN]]
    screen.table(["user_id", "events"], rows)
    if len(found.events) > _SHOWN:
        screen.say(f"… and {len(found.events) - _SHOWN:,} more")
    stay = ", which stay without their name" if keep_plays else ""
    screen.say(
        f"{counted(sum(found.events.values()), 'event')}, {counted(found.plays, 'play')} among them{stay}; "
        f"{counted(found.rejects, 'rejected record')}."
    )
    if found.files:
        files = counted(len(found.files), "file of the lake holds", "files of the lake hold")
        screen.say(f"{files} them, and cannot be changed from here:")
        for uri in found.files[:_SHOWN]:
            screen.say(f"  {uri}")
        if len(found.files) > _SHOWN:
            screen.say(f"  … and {len(found.files) - _SHOWN:,} more; --json has them all")
    if found.unknown:
        logs = counted(found.unknown, "log that is", "logs that are")
        screen.say(f"Of {logs} retracted or set aside it is not known.")
    if found.nobody:
        ids = ", ".join(found.nobody[:_SHOWN]) + (", …" if len(found.nobody) > _SHOWN else "")
        screen.warn(f"nothing here is of {ids}: is that the id? It is kept out from now on all the same.")


def clear_bytes(engine: Engine, run_id: int) -> None:
    """Write a DuckDB file anew, without the bytes of what was erased.

    Raises:
        SparkifyError: That failed; the rows are gone all the same.
    """
    from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine

    if not isinstance(engine, DuckDBEngine):
        return
    try:
        engine.compact()
    except SparkifyError as exc:
        raise SparkifyError(
            f"the rows are erased (run {run_id}), but their bytes are still in the file: {exc.message}",
            Hint("{} clears them.", Command("compact")),
        ) from exc


def say_vacuum(screen: Screen, engine: Engine) -> None:
    """Say, of Redshift, when the bytes of what was erased go."""
    if engine.name == "redshift":
        screen.advise(
            "Redshift clears the bytes in the background; `VACUUM DELETE ONLY` in a SQL client does it at "
            "once, for staging_events, songplays, users, time and etl.rejects. Snapshots keep them."
        )
