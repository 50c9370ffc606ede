"""The `sparkify` command: its sub-commands, loaded only when used, and the one place errors become exits."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import click

from sparkify import __version__
from sparkify.errors import FAILED, INTERRUPTED, OK, USAGE, SparkifyError

# name → (module, one line for `sparkify --help`): no command's module is imported to list them.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("sparkify.cli.demo", "Simulate a small month, load it, ask it five questions."),
    "simulate": ("sparkify.cli.simulate", "Write songs and activity logs of any size."),
    "init": ("sparkify.cli.init", "Write a commented dwh.cfg."),
    "create-tables": ("sparkify.cli.create_tables", "Create, or reset, every table of the warehouse."),
    "etl": ("sparkify.cli.etl", "Load what is new, transform, check, commit."),
    "upgrade": ("sparkify.cli.upgrade", "Bring an older warehouse to this version."),
    "check": ("sparkify.cli.check", "Run every data check against the warehouse."),
    "query": ("sparkify.cli.query", "Run read-only SQL."),
    "runs": ("sparkify.cli.history", "Show the history of runs."),
    "files": ("sparkify.cli.history", "Show the ledger of files."),
    "rejects": ("sparkify.cli.rejects", "Show, export and replay records that were not loaded."),
    "undo": ("sparkify.cli.takeout", "Take the files of a run out of the warehouse again."),
    "retract": ("sparkify.cli.takeout", "Take one file out of the warehouse."),
    "cluster": ("sparkify.cli.cluster", "Create, watch, open, pause and destroy the Redshift cluster."),
    "doctor": ("sparkify.cli.doctor", "Check what a run will need; change nothing."),
}


class LazyGroup(click.Group):
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            meant = get_close_matches(args[0].replace("_", "-"), COMMANDS, n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {meant[0]!r}?" if meant else ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # what is left in the buffer would fail when Python exits
        except BrokenPipeError:
            # The reader of our output (head, less) has left: not an error, and nothing more can be said.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return OK
        except SparkifyError as exc:
            from sparkify.cli.typed import with_places

            exc.hint = with_places(exc.hint)
            raise
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="sparkify")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
def sparkify(debug: bool) -> None:
    """Sparkify's data warehouse: activity logs and songs in, a star schema out.

    \b
    Start here:
      sparkify demo                 see it work, on data of its own making
      sparkify init                 write dwh.cfg, then fill in where the files are
      sparkify etl --plan           see what would be loaded
      sparkify etl                  load it
      sparkify query "SELECT level, COUNT(*) FROM songplays GROUP BY level"
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code (see :mod:`sparkify.errors`)."""
    # Before numpy is imported: nothing of ours multiplies matrices, and the threads it would start for that
    # spin for a tenth of a second, in every worker too.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    # A run makes many objects and hardly a cycle: looking for those after every 700 takes 7 % of the load of
    # 30,000 songs.
    gc.set_threshold(50_000)
    signal.signal(signal.SIGINT, _interrupt)
    _open_streams()
    _leave(run(arguments, debug=debug))


def _open_streams() -> None:
    """Have every standard stream be one, in UTF-8: Python has None for those that were closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - to the end
    for stream in (sys.stdout, sys.stderr):
        # The data is, whatever the locale; half a name may be no UTF-8.
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _leave(code: int) -> NoReturn:
    """End the process as it stands, everything of ours being closed.

    To take interpreter and libraries apart takes 0.03 s, and frees what the system frees by itself.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or FAILED
    os._exit(code)


_interrupts: list[int] = []


def _interrupt(number: int, _frame: object) -> NoReturn:
    """Note the interrupt, then raise it: a library that runs our query may make an error of its own of it."""
    _interrupts.append(number)
    raise KeyboardInterrupt


def run(arguments: Sequence[str], *, debug: bool = False) -> int:
    """Run one command and return its exit code; errors are printed, never raised, unless ``debug``."""
    as_json = "--json" in arguments
    try:
        result = sparkify.main(args=list(arguments), prog_name="sparkify", standalone_mode=False)
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except click.UsageError as exc:
        command = exc.ctx.command_path if exc.ctx else "sparkify"
        if isinstance(exc, click.exceptions.NoArgsIsHelpError):
            click.echo(exc.format_message(), err=True)
        else:
            _fail(exc.format_message(), f"See `{command} --help`.", USAGE, "UsageError", as_json=as_json)
        return USAGE
    except (click.Abort, KeyboardInterrupt) as exc:
        return _fail_interrupted(exc, as_json=as_json)
    except Exception as exc:
        if _interrupts:
            return _fail_interrupted(exc, as_json=as_json)
        if debug:
            raise
        return _fail_with(exc, as_json=as_json)
    return result if isinstance(result, int) else OK


def _fail_interrupted(exc: BaseException, *, as_json: bool) -> int:
    """Say what was interrupted, and what became of it."""
    # click makes an Abort of a KeyboardInterrupt.
    became = _noted(exc.__cause__ if isinstance(exc, click.Abort) else exc)
    _fail(f"interrupted{became}.", "", INTERRUPTED, "Interrupted", as_json=as_json)
    return INTERRUPTED


def _noted(exc: BaseException | None) -> str:
    """Return what those who know have noted on an exception: what it meant for their work."""
    notes = getattr(exc, "__notes__", [])
    return "".join(f" {note}" if note.startswith("while ") else f"; {note}" for note in notes)


def _fail_with(exc: Exception, *, as_json: bool) -> int:
    if isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT):
        where = exc.filename or "what was written"
        message = f"there is no room for {where}: {exc.strerror}{_noted(exc)}."
        exc = SparkifyError(message, "Make room, then run again.")
    kind = type(exc).__name__
    if isinstance(exc, SparkifyError):
        _fail(exc.message, exc.hint, exc.exit_code, kind, as_json=as_json)
        return exc.exit_code
    hint = "This is a mistake of ours: run it again with --debug and report what it shows."
    _fail(f"{kind}: {exc}{_noted(exc)}", hint, FAILED, kind, as_json=as_json)
    return FAILED


def _fail(message: str, hint: str, code: int, kind: str, *, as_json: bool) -> None:
    # To write may be what failed, or fail as well: the code still tells.
    with suppress(OSError):
        click.echo(f"Error: {message}", err=True)
        if hint:
            click.echo(f"Try: {hint}", err=True)
    if as_json:
        error: dict[str, Any] = {"kind": kind, "message": message, "hint": hint, "exit_code": code}
        with suppress(OSError):
            click.echo(json.dumps({"error": error}))
