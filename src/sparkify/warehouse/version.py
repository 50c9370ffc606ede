"""By which tables, rules and models a warehouse was made, and how an older one becomes one of today.

``etl.meta`` has one row: the number of the last migration (``sql/migrations/0001_….sql``), the version of the
rules for records, and a digest of every model of the star. A warehouse without it is of version 0. A newer
one is refused by every command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sparkify import __version__
from sparkify.errors import ConfigError
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import Meta, now, read_meta, record
from sparkify.warehouse.statements import digest, list_files, read_statements, statement
from sparkify.warehouse.tables import create_tables

# Raised by whoever changes which records are accepted, or with which values: files that hold rejects are then
# read again.
RULES_VERSION = 1
# The models of the star, in the order in which they build on each other.
MODELS = (
    "star/songs.sql",
    "star/artists.sql",
    "star/song_matches.sql",
    "star/rematch.sql",  # before songplays: plays of the range are about to be replaced anyway
    "star/songplays.sql",
    "star/users.sql",
    "star/time.sql",
)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What makes an older warehouse one of today.

    Attributes:
        found: The version it has; None: there is no warehouse.
        migrations: The files below ``sql/migrations`` to run, in order.
        models: The models that say something else than those it was made by.
        rules: Whether files that hold rejects are to be read again, by rules that have changed.
    """

    found: Meta | None
    migrations: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    rules: bool = False

    def __bool__(self) -> bool:
        return bool(self.migrations or self.models or self.rules)


NO_UPGRADE = Upgrade(None)

# Told the version of an older warehouse that is opened for reading.
OnOlder = Callable[[Meta], object]


def ignore_older(_meta: Meta) -> None:
    """Say nothing of an older warehouse: whoever reads it also brings it up to date."""


def schema_version() -> int:
    """Return the number of the latest migration: the version of the tables of today."""
    return max(map(_number, list_files("migrations")))


def models_digest() -> str:
    """Return a digest of every model, as ``etl.meta`` holds it."""
    return " ".join(f"{_name(path)}={digest(read_statements(path))}" for path in MODELS)


def today() -> Meta:
    """Return the version of a warehouse that is made now."""
    return Meta(schema_version(), RULES_VERSION, models_digest(), __version__)


def find_upgrade(meta: Meta | None) -> Upgrade:
    """Return what a warehouse of that version lacks; nothing where there is none (None)."""
    if meta is None:
        return Upgrade(None)
    steps = tuple(path for path in list_files("migrations") if _number(path) > meta.schema_version)
    return Upgrade(meta, steps, changed_models(meta), meta.rules_version < RULES_VERSION)


def verify(meta: Meta, place: str) -> None:
    """Refuse a warehouse that is newer than we are: nothing mixes two definitions.

    Raises:
        ConfigError: It is newer.
    """
    if meta.schema_version > schema_version() or meta.rules_version > RULES_VERSION:
        raise ConfigError(
            f"{place} was made by a newer sparkify ({meta.upgraded_by or meta.made_by}): its tables are of "
            f"version {meta.schema_version} with rules {meta.rules_version}, this one knows "
            f"{schema_version()} with {RULES_VERSION}.",
            "Install that version, or a later one, and run again. The warehouse is as it was.",
        )


def verify_open(engine: Engine, on_older: OnOlder) -> None:
    """Look at the version of a warehouse that was opened for reading; every engine does, once.

    Raises:
        ConfigError: It is newer than we are.
    """
    meta = read_meta(engine)
    if meta is not None:
        verify(meta, engine.place)
        if find_upgrade(meta):
            on_older(meta)


def changed_models(meta: Meta) -> tuple[str, ...]:
    """Return the names of the models that say something else than when the star was last computed whole."""
    known = dict(each.split("=", 1) for each in meta.models_digest.split())
    current = dict(each.split("=", 1) for each in models_digest().split())
    return tuple(name for name in {**current, **known} if current.get(name) != known.get(name))


def prepare_tables(engine: Engine) -> Meta:
    """Make the tables that are missing, and bring older ones up to date; return the version they now have.

    The warehouse must be open for writing: all of it is done, or nothing. What changed models say is not
    computed here.

    Raises:
        ConfigError: It is newer than we are.
    """
    meta = read_meta(engine)
    if meta is None:
        create_tables(engine)
        meta = today()
        record(engine, "etl.meta", [meta])
        return meta
    verify(meta, engine.place)
    migrations = find_upgrade(meta).migrations
    for path in migrations:
        for step in read_statements(path):
            engine.execute(step)
    create_tables(engine)
    if migrations:
        migrated = read_meta(engine)
        assert migrated
        meta = replace(migrated, schema_version=schema_version())
        write_meta(engine, meta)
    return meta


def write_meta(engine: Engine, meta: Meta) -> None:
    """Write that the open warehouse is of this version from now on."""
    engine.execute(
        statement("ledger/upgraded.sql"),
        schema_version=meta.schema_version,
        rules_version=meta.rules_version,
        models_digest=meta.models_digest,
        upgraded_by=__version__,
        upgraded_at=now(),
    )


def _number(path: str) -> int:
    return int(path.rpartition("/")[2].partition("_")[0])


def _name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".sql")
