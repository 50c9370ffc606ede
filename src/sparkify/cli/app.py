"""The `sparkify` command: its sub-commands, loaded only when used, and the one place errors become exits."""

from __future__ import annotations

import errno
import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import click

from sparkify import __version__
from sparkify.cli import stopping
from sparkify.cli.commands import Session, Subgroup
from sparkify.cli.streams import close_streams, open_streams
from sparkify.errors import FAILED, INTERRUPTED, OK, TERMINATED, USAGE, SparkifyError

# name → (module, one line for `sparkify --help`): no command's module is imported to list them.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("sparkify.cli.demo", "Simulate a small month, load it, ask it, write the report."),
    "simulate": ("sparkify.cli.simulate", "Write songs and activity logs of any size."),
    "init": ("sparkify.cli.init", "Write a commented dwh.cfg."),
    "create-tables": ("sparkify.cli.create_tables", "Create, or reset, every table of the warehouse."),
    "etl": ("sparkify.cli.etl", "Load what is new, transform, check, commit."),
    "upgrade": ("sparkify.cli.upgrade", "Bring an older warehouse to this version."),
    "compact": ("sparkify.cli.compact", "Rewrite a DuckDB warehouse without the space of what is gone."),
    "check": ("sparkify.cli.check", "Run every data check against the warehouse."),
    "test": ("sparkify.cli.test", "Run your own models and checks on given rows."),
    "query": ("sparkify.cli.query", "Run read-only SQL."),
    "export": ("sparkify.cli.export", "Write the star for others: Parquet, CSV or DuckDB files."),
    "diff": ("sparkify.cli.diff", "Compare what two warehouses hold."),
    "why": ("sparkify.cli.why", "Show where a play came from and why it matches or not."),
    "report": ("sparkify.cli.report", "Write a dashboard as one HTML file."),
    "docs": ("sparkify.cli.docs", "Write the data dictionary: columns, meanings, lineage."),
    "runs": ("sparkify.cli.history", "Show the history of runs."),
    "files": ("sparkify.cli.history", "Show the ledger of files."),
    "fields": ("sparkify.cli.fields", "Show the fields of the files, with a column or without."),
    "rejects": ("sparkify.cli.rejects", "Show, export and replay records that were not loaded."),
    "undo": ("sparkify.cli.takeout", "Remove the files of a run from the warehouse."),
    "retract": ("sparkify.cli.takeout", "Remove files from the warehouse."),
    "forget": ("sparkify.cli.forget", "Erase a person."),
    "retain": ("sparkify.cli.retain", "Erase what is older than so many days."),
    "cluster": ("sparkify.cli.cluster", "Create, watch, open, pause and destroy the Redshift cluster."),
    "prove": ("sparkify.cli.prove", "On a real cluster: is it what we take Redshift for?"),
    "doctor": ("sparkify.cli.doctor", "Check what a run will need; change nothing."),
}


class LazyGroup(Subgroup):
    """A group whose commands are imported when they are called, so that `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="sparkify")
def sparkify() -> None:
    """Sparkify's data warehouse: activity logs and songs in, a star schema out.

    \b
    Start here:
      sparkify demo                 see it work, on data of its own making
      sparkify init                 write dwh.cfg, then fill in where the files are
      sparkify etl --plan           see what would be loaded
      sparkify etl                  load it
      sparkify query "SELECT level, COUNT(*) FROM songplays GROUP BY level"
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code (see :mod:`sparkify.errors`)."""
    # Before numpy is imported: nothing of ours multiplies matrices, and the threads it would start for that
    # spin for a tenth of a second, in every worker too.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A run makes many objects and hardly a cycle: looking for those after every 700 takes 7 % of the load of
    # 30,000 songs.
    gc.set_threshold(50_000)
    open_streams()
    stopping.listen()
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # while an error was told
        code = _exit_code_of_signal()
    written = close_streams()
    stopping.ignore()
    if stopping.heard() and code in (INTERRUPTED, TERMINATED):
        stopping.end(code)
    # Python looks for cycles among all objects once more at its end, for 0.02 s after --help and 0.2 s after
    # boto3. DuckDB's library needs that: it complains of objects that are left.
    if "duckdb" not in sys.modules:
        gc.freeze()
    sys.exit(code if written else code or FAILED)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are printed, never raised."""
    session = Session()
    try:
        result = sparkify.main(args=list(arguments), prog_name="sparkify", standalone_mode=False, obj=session)
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except click.UsageError as exc:
        command = exc.ctx.command_path if exc.ctx else "sparkify"
        if isinstance(exc, click.exceptions.NoArgsIsHelpError):
            click.echo(exc.format_message(), err=True)
        else:
            _fail(session, exc.format_message(), f"See `{command} --help`.", USAGE, "UsageError")
        return USAGE
    except (click.Abort, KeyboardInterrupt) as exc:
        return _fail_interrupted(session, exc)
    except Exception as exc:  # noqa: BLE001 - the one place where every error becomes an exit
        if session.debug:
            import traceback

            with suppress(OSError):
                click.echo("".join(traceback.format_exception(exc)), err=True, nl=False)
        return _fail_interrupted(session, exc) if stopping.heard() else _fail_with(session, exc)
    return result if isinstance(result, int) else OK


def _fail_interrupted(session: Session, exc: BaseException) -> int:
    """Say that the command was interrupted, and what became of its work."""
    code = _exit_code_of_signal()
    how = "terminated" if code == TERMINATED else "interrupted"
    # click makes an Abort of a KeyboardInterrupt.
    became = _noted(session, exc.__cause__ if isinstance(exc, click.Abort) else exc)
    _fail(session, f"{how}{became}.", "", code, how.capitalize())
    return code


def _exit_code_of_signal() -> int:
    return TERMINATED if stopping.heard() == signal.SIGTERM else INTERRUPTED


def _noted(session: Session, exc: BaseException | None) -> str:
    """Return what those who know have noted on an exception: what it meant for their work."""
    notes = getattr(exc, "__notes__", []) or [session.done] * bool(session.done)
    return "".join(f" {note}" if note.startswith("while ") else f"; {note}" for note in notes)


def _fail_with(session: Session, exc: Exception) -> int:
    from sparkify.cli.typed import typed

    if isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT):
        where = exc.filename or "what was written"
        message = f"there is no room for {where}: {exc.strerror}{_noted(session, exc)}."
        exc = SparkifyError(message, "Make room, then run again.")
    kind = type(exc).__name__
    if isinstance(exc, SparkifyError):
        _fail(session, exc.message, typed(exc.hint, sparkify, session.places), exc.exit_code, kind)
        return exc.exit_code
    hint = "This is a fault of sparkify: run it again with --debug and report what it shows."
    _fail(session, f"{kind}: {exc}{_noted(session, exc)}", hint, FAILED, kind)
    return FAILED


def _fail(session: Session, message: str, hint: str, code: int, kind: str) -> None:
    from sparkify.cli.screen import as_json, complain  # not needed for --help

    # To write may be what failed, or fail as well: the code still tells.
    with suppress(OSError):
        complain("Error:", message)
        if hint:
            complain("Try:", hint)
    if session.as_json:
        error = {"kind": kind, "message": message, "hint": hint, "exit_code": code}
        with suppress(OSError):
            click.echo(as_json(session.beside_error | {"error": error}))
