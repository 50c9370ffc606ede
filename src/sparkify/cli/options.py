"""The options many commands share, and how they become :class:`~sparkify.settings.Settings`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sparkify.cli.stopping import interrupting
from sparkify.cli.typed import remember_places
from sparkify.errors import Command, ConfigError, Hint
from sparkify.records import KINDS
from sparkify.settings import Settings, load_settings

if TYPE_CHECKING:
    from sparkify.warehouse.engine import Engine
    from sparkify.warehouse.ledger import Meta
    from sparkify.warehouse.redshift.transport import Logins

F = TypeVar("F", bound=Callable[..., Any])

# Seconds; a run that publishes some millions of events holds the file for as long.
_WAIT = 30.0

# Where click's contexts keep that the settings' notice was printed.
_NOTICED = "sparkify.noticed"

# option → key of dwh.cfg it overrides
_FLAGS = {
    "database": "DWH.DATABASE",
    "memory": "DWH.MEMORY",
    "engine": "DWH.ENGINE",
    **{kind.option: f"S3.{kind.setting}" for kind in KINDS},
}


def warehouse_options(command: F) -> F:
    """Add ``--config``, ``--database``, ``--engine``, ``--memory`` and ``--wait``."""
    for decorate in (
        click.option(
            "--wait",
            type=click.FloatRange(min=0),
            default=_WAIT,
            show_default=True,
            metavar="SECONDS",
            help="Wait for another process that holds the DuckDB file.",
        ),
        click.option("--memory", metavar="SIZE", help="Memory the process may take, such as 2GB (DuckDB)."),
        click.option("--engine", type=click.Choice(["duckdb", "redshift"]), help="Where the warehouse is."),
        click.option("--database", metavar="FILE", help="The DuckDB file. [default: sparkify.duckdb]"),
        click.option("--config", metavar="FILE", help="The configuration. [default: dwh.cfg, if there]"),
    ):
        command = decorate(command)
    return command


def source_options(command: F) -> F:
    """Add an option for the place of each kind of records: ``--log-data`` and ``--song-data``."""
    for kind in KINDS:
        what = f"{kind.about.partition(':')[0]}: a folder or s3:// prefix."
        command = click.option(f"--{kind.option.replace('_', '-')}", metavar="URI", help=what)(command)
    return command


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
wide_option = click.option(
    "--wide", is_flag=True, help="Show every value whole, however wide the terminal is."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def open_warehouse(settings: Settings, options: dict[str, Any], *, writes: bool = False) -> Engine:
    """Return the engine the settings choose; without a password it asks AWS for temporary credentials.

    A command that only reads says when the warehouse is of an older version; one that writes brings it up to
    date.
    """
    from sparkify.cli.screen import Screen
    from sparkify.warehouse.connect import open_engine
    from sparkify.warehouse.version import ignore_older

    wait = options.get("wait", _WAIT)

    @contextmanager
    def tell(holder: str) -> Iterator[None]:
        what, limit = settings.dwh.database, f" up to {wait:g} s"
        if settings.dwh.engine == "redshift":  # there a run queues up, however long
            what, limit = f"etl.runs on {settings.cluster_shown}", ""
        click.echo(f"Waiting{limit} for {holder}, which holds {what}.", err=True)
        yield
        click.echo(f"{what} is free: going on.", err=True)

    def note(meta: Meta) -> None:
        version = f"version {meta.schema_version}" if meta.schema_version else "no version yet"
        plan, upgrade = Command("upgrade", "--plan"), Command("upgrade")
        Screen().note(Hint("this warehouse has {}: see {}, then run {}.", version, plan, upgrade))

    on_older = ignore_older if writes else note
    if "duckdb" not in sys.modules:
        # What is there by now stays to the end and is not looked through for cycles any more: 0.02 s of every
        # command. DuckDB's library, once it is loaded, would miss its objects in the last look.
        gc.freeze()
    engine = open_engine(settings, wait=wait, on_wait=tell, on_older=on_older, logins=logins_of(settings))
    try:
        interrupting(engine.interrupt)
    except BaseException:
        engine.close()
        raise
    return engine


def logins_of(settings: Settings) -> Logins:
    """Return what asks AWS for a way into a database on Redshift; it is not asked before that is needed."""
    from sparkify.warehouse.redshift.transport import DataApiLogin, Logins

    def password() -> tuple[str, str]:
        from sparkify.cluster import credentials, database_login

        return database_login.database_credentials(credentials.connect(settings), settings)

    def data_api() -> DataApiLogin:
        from sparkify.cluster import credentials, database_login

        return database_login.data_api_login(credentials.connect(settings), settings)

    return Logins(password, data_api)


def settings_from(options: dict[str, Any]) -> Settings:
    """Resolve the settings from a command's options; those not given are None or absent.

    What the configuration was read as, where it uses other names than ours, is said once.

    Raises:
        ConfigError: The settings are wrong, or --database names a file where none is used.
    """
    remember_places(options)
    _verify_working_folder()
    config = options.get("config")
    settings = load_settings(
        Path(config) if config else None,
        os.environ,
        {key: options.get(option) for option, key in _FLAGS.items()},
    )
    context = click.get_current_context(silent=True)
    if settings.notice and not (context and context.meta.get(_NOTICED)):
        click.echo(f"Note: {settings.notice}", err=True)
        if context:
            context.meta[_NOTICED] = True
    if options.get("database") is not None and settings.dwh.engine == "redshift":
        where = f" ({settings.cluster.host})" if settings.cluster.host else ""
        raise ConfigError(
            f"--database names a DuckDB file, and the warehouse is on Redshift{where}.",
            "Leave --database out, or say --engine duckdb to use the file.",
        )
    return settings


def _verify_working_folder() -> None:
    try:
        os.getcwd()  # noqa: PTH109 - only whether it is there
    except FileNotFoundError:
        raise ConfigError(
            "the folder this command was started in does not exist any more.",
            "Change to one that does (`cd`), then run it again.",
        ) from None


def name_of(settings: Settings, engine: Engine) -> str:
    """Return which warehouse a command works on, for people: its place and its engine."""
    return f"{engine.place} ({'Redshift' if settings.dwh.engine == 'redshift' else 'DuckDB'})"
