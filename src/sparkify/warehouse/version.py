"""The version of a warehouse (its tables, rules and models), and the upgrade of an older one.

``etl.meta`` has one row: the number of the last migration (``sql/migrations/0001_….sql``), the version of the
rules for records, and a digest of every model of the star and of every view. A warehouse without ``etl.meta``
has version 0. Every command refuses a warehouse that is newer than the program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sparkify import __version__
from sparkify.errors import ConfigError
from sparkify.warehouse.derived import shared_statements
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import Meta, meta_of, now, read_meta, read_models, record, write_models
from sparkify.warehouse.models import MODELS
from sparkify.warehouse.statements import digest, list_files, read_statements, statement
from sparkify.warehouse.tables import create_tables, drop_tables
from sparkify.warehouse.views import create_views, drop_models, drop_views, view_digests

# Increase it with every change of which records are accepted, or of their values: the next run then reads
# files with rejected records again.
RULES_VERSION = 3


class Upgrade(NamedTuple):
    """The steps that bring an older warehouse up to date.

    Attributes:
        found: The version of the warehouse; None: there is no warehouse.
        migrations: The files below ``sql/migrations`` to run, in order.
        models: The models that have changed since the star was computed.
        views: The views that are others, or no more, with their schema.
        rules: Whether the rules have changed, so that files with rejected records are read again.
    """

    found: Meta | None
    migrations: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    rules: bool = False

    def __bool__(self) -> bool:
        return bool(self.definitions or self.models or self.rules)

    @property
    def definitions(self) -> bool:
        """Whether tables or views are to be changed, before anything else."""
        return bool(self.migrations or self.views)


NO_UPGRADE = Upgrade(None)

# Called with the version of an older warehouse that is opened for reading.
OnOlder = Callable[[Meta], object]


def ignore_older(_meta: Meta) -> None:
    """Do nothing about an older warehouse: the caller upgrades it."""


def schema_version() -> int:
    """Return the number of the latest migration, which is the current version of the tables."""
    return max(map(_number, list_files("migrations")))


def models_digest() -> str:
    """Return a digest of every model and view, in the form stored in ``etl.meta``."""
    return _join({**_model_digests(), **view_digests()})


def today() -> Meta:
    """Return the version of a newly created warehouse."""
    return Meta(schema_version(), RULES_VERSION, models_digest(), __version__)


def find_upgrade(meta: Meta | None) -> Upgrade:
    """Return the steps that bring a warehouse of that version up to date; no steps without a warehouse."""
    if meta is None:
        return Upgrade(None)
    steps = tuple(path for path in list_files("migrations") if _number(path) > meta.schema_version)
    return Upgrade(meta, steps, changed_models(meta), changed_views(meta), meta.rules_version < RULES_VERSION)


def verify(meta: Meta, place: str) -> None:
    """Raise if the warehouse is newer than the program, so that no warehouse mixes two definitions.

    Raises:
        ConfigError: The warehouse is newer.
    """
    if meta.schema_version > schema_version() or meta.rules_version > RULES_VERSION:
        raise ConfigError(
            f"{place} was made by a newer sparkify ({meta.upgraded_by or meta.made_by}): its tables are of "
            f"version {meta.schema_version} with rules {meta.rules_version}, this one knows "
            f"{schema_version()} with {RULES_VERSION}.",
            "Install that version, or a later one, and run again. The warehouse is as it was.",
        )


def verify_open(engine: Engine, on_older: OnOlder) -> None:
    """Verify the version of a warehouse that was opened for reading; every engine calls this once.

    Raises:
        ConfigError: The warehouse is newer than the program.
    """
    meta = read_meta(engine)
    if meta is not None:
        verify(meta, engine.place)
        if find_upgrade(meta):
            on_older(meta)


def changed_models(meta: Meta) -> tuple[str, ...]:
    """Return the names of the models that have changed since the star was last fully computed."""
    return _changed(_model_digests(), _known_digests(meta, views=False))


def changed_views(meta: Meta) -> tuple[str, ...]:
    """Return the names of the views, with their schema, that are others than those of the warehouse."""
    return _changed(view_digests(), _known_digests(meta, views=True))


def existing_views(meta: Meta | None) -> tuple[str, ...]:
    """Return the names of the views that a warehouse of that version has, with their schema."""
    return tuple(_known_digests(meta, views=True)) if meta else ()


def prepare_tables(engine: Engine) -> Meta:
    """Create the missing tables and migrate older ones, make the views; return the version they now have.

    The warehouse must be open for writing: its transaction makes this all or nothing. The star is not
    computed again here, even if models have changed.

    Raises:
        ConfigError: The warehouse is newer than the program.
    """
    tables = engine.tables()
    meta = meta_of(engine, tables)
    if meta is None:
        create_tables(engine, tables)
        create_views(engine)
        meta = today()
        record(engine, "etl.meta", [meta])
        return meta
    verify(meta, engine.place)
    upgrade = find_upgrade(meta)
    if not upgrade.definitions:
        create_tables(engine, tables)
        return meta
    engine.use_all_memory()
    # A table that a view stands on cannot be changed in every way.
    set_models_aside(engine)
    drop_views(engine, _known_digests(meta, views=True))
    for path in upgrade.migrations:
        for step in read_statements(path):
            engine.execute(step)
    create_tables(engine, engine.tables())
    create_views(engine)
    migrated = read_meta(engine)
    assert migrated
    digests = {**_known_digests(migrated, views=False), **view_digests()}
    meta = migrated._replace(schema_version=schema_version(), models_digest=_join(digests))
    write_meta(engine, meta)
    return meta


def set_models_aside(engine: Engine) -> None:
    """Drop the user's views, which may stand on ours, and have all models made again by the next run."""
    models = read_models(engine)
    if models:
        drop_models(engine, [each for each in models if each.relation == "view"])
        write_models(engine, [each._replace(digest="") for each in models])


def drop_warehouse(engine: Engine) -> None:
    """Drop every view and every table, the ledger included; the warehouse must be open for writing.

    The user's models go, too: they say what the tables do.
    """
    drop_models(engine, read_models(engine))
    engine.execute(statement("ledger/drop_models.sql"))
    meta = read_meta(engine)
    if meta is not None:
        drop_views(engine, _known_digests(meta, views=True))
    drop_tables(engine)


def write_meta(engine: Engine, meta: Meta) -> None:
    """Store the version of the open warehouse."""
    engine.execute(
        statement("ledger/upgraded.sql"),
        schema_version=meta.schema_version,
        rules_version=meta.rules_version,
        models_digest=meta.models_digest,
        upgraded_by=__version__,
        upgraded_at=now(),
    )


def _model_digests() -> dict[str, str]:
    written = {_name(path): read_statements(path) for path in MODELS}
    derived = {"absent": [shared_statements().absent]}
    return {name: digest(steps) for name, steps in {**written, **derived}.items()}


def _known_digests(meta: Meta, *, views: bool) -> dict[str, str]:
    """Return the digests of a warehouse's models, or of its views, whose names have their schema."""
    known = dict(each.split("=", 1) for each in meta.models_digest.split())
    return {name: digits for name, digits in known.items() if ("." in name) is views}


def _changed(current: Mapping[str, str], known: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in {**current, **known} if current.get(name) != known.get(name))


def _join(digests: Mapping[str, str]) -> str:
    return " ".join(f"{name}={digits}" for name, digits in digests.items())


def _number(path: str) -> int:
    return int(path.rpartition("/")[2].partition("_")[0])


def _name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".sql")
