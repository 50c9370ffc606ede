"""The warehouse under test: a DuckDB file, or a database of the stand-in for Redshift.

A test that is to hold on both engines takes a :data:`Place` and hands it to ``tests.loading`` and
``tests.contents``; the fixture ``warehouses`` makes empty ones.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
from psycopg import sql as composed

from sparkify.settings import Settings, load_settings
from sparkify.warehouse.connect import open_engine
from sparkify.warehouse.duckdb.parsing import literal
from sparkify.warehouse.engine import Engine
from tools.redshift_double import Options, RedshiftDouble
from tools.redshift_double.fixtures import ROLE

if TYPE_CHECKING:
    from tests.conftest import S3Server

ENGINES = ("duckdb", "redshift")
STAGING = "staging"
_TRUST = "SSL_CERT_FILE"


@dataclass(frozen=True)
class OnRedshift:
    """A database of the stand-in, and the dwh.cfg that leads to it."""

    server: RedshiftDouble
    name: str
    config: Path

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Ask PostgreSQL itself, past the stand-in: no statement is counted, no fault is met."""
        with self.connect() as connection:
            return [tuple(row) for row in connection.execute(sql.encode(), parameters or None).fetchall()]

    def execute(self, sql: str) -> None:
        with self.connect() as connection:
            connection.execute(sql.encode())

    def connect(self) -> psycopg.Connection[Any]:
        return self.server.postgres._connect(self.name)

    def settings(self) -> Settings:
        return load_settings(self.config)


Place = Path | OnRedshift


def options_of(place: Place) -> list[str]:
    """Return the options that lead a command to the warehouse; no dwh.cfg lying about is read."""
    if isinstance(place, OnRedshift):
        return ["--config", str(place.config)]
    return ["--config", os.devnull, "--database", str(place)]


def open_place(place: Place) -> Engine:
    """Return an engine on the warehouse, as the commands open it."""
    if isinstance(place, OnRedshift):
        return open_engine(place.settings())
    return open_engine(load_settings(None, {}, {"DWH.DATABASE": str(place), "DWH.ENGINE": "duckdb"}))


def engine_of(place: Place) -> str:
    """Return the engine a warehouse is on."""
    return "redshift" if isinstance(place, OnRedshift) else "duckdb"


def execute(place: Place, sql: str) -> None:
    """Change a warehouse behind the pipeline's back."""
    if isinstance(place, OnRedshift):
        place.execute(sql)
        return
    with duckdb.connect(str(place)) as connection:
        connection.execute(sql)


def rows(place: Place, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of a query in the words both engines know; parameters are ``%s`` and in order."""
    if isinstance(place, OnRedshift):
        return place.rows(sql, parameters)
    # A connection of its own for each query would cost more than the query.
    connection = _reader()
    connection.execute(f"ATTACH {literal(str(place))} AS place (READ_ONLY, TYPE duckdb)")
    try:
        connection.execute("USE place")
        if parameters:
            return connection.execute(sql.replace("%s", "?"), list(parameters)).fetchall()
        return connection.execute(sql).fetchall()
    finally:
        connection.execute("USE memory")
        connection.execute("DETACH place")


@cache
def _reader() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def exists(place: Place) -> bool:
    """Tell whether there is a warehouse with our tables."""
    if not isinstance(place, OnRedshift) and not place.exists():
        return False
    found = rows(place, "SELECT 1 FROM information_schema.tables WHERE table_name = 'songplays'")
    return bool(found)


class Warehouses:
    """Makes warehouses; the stand-in starts when the first on Redshift is asked for."""

    def __init__(self, s3: S3Server) -> None:
        self._s3 = s3
        self._server: RedshiftDouble | None = None
        self._trusted: str | None = None
        self._made = 0
        self._free: list[str] = []

    @property
    def server(self) -> RedshiftDouble:
        if self._server is None:
            options = Options(
                s3_endpoint=self._s3.endpoint, s3_key=self._s3.key, s3_secret=self._s3.secret, tls=True
            )
            self._server = RedshiftDouble(options)
            self._server.start()
            (self._s3.root / STAGING).mkdir()
            # Where the driver looks for whom to trust.
            self._trusted = os.environ.get(_TRUST)
            os.environ[_TRUST] = str(self._server.certificate)
        return self._server

    def close(self) -> None:
        if self._server is not None:
            os.environ.pop(_TRUST)
            if self._trusted is not None:
                os.environ[_TRUST] = self._trusted
            self._server.stop()

    def new(self, engine: str, folder: Path, *, staging: bool = True) -> Place:
        """Return an empty warehouse; its file, or its dwh.cfg, lies in ``folder``."""
        if engine == "duckdb":
            folder.mkdir(parents=True, exist_ok=True)
            return folder / "w.duckdb"
        if self._free:
            name = self._free.pop()
            self.server.reset_database(name)
            # What a killed run has left below STAGING goes with the tables.
            shutil.rmtree(self._s3.root / STAGING / name, ignore_errors=True)
        else:
            self._made += 1
            name = f"w{self._made}"
            self.server.create_database(name)
        return self._place(name, folder, staging=staging)

    @contextmanager
    def temporary(self, engine: str, folder: Path) -> Iterator[Place]:
        """An empty warehouse whose database is used again afterwards."""
        place = self.new(engine, folder)
        yield place
        self.release(place)

    def release(self, place: Place) -> None:
        """Give a warehouse back that nobody will look at any more."""
        if isinstance(place, OnRedshift):
            self._free.append(place.name)

    def clone(self, place: Place, folder: Path) -> Place:
        """Return a copy of a warehouse, to do anything with."""
        if not isinstance(place, OnRedshift):
            return Path(shutil.copy(place, folder / "w.duckdb"))
        self._made += 1
        name = f"w{self._made}"
        with self.server.postgres._connect("postgres") as connection:
            ends = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(ends, [place.name])
            connection.execute(
                composed.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    composed.Identifier(name), composed.Identifier(place.name)
                )
            )
        return self._place(name, folder, staging=True)

    def _place(self, name: str, folder: Path, *, staging: bool) -> OnRedshift:
        folder.mkdir(parents=True, exist_ok=True)
        options = self.server.options
        config = folder / f"{name}.cfg"
        config.write_text(
            f"[AWS]\nKEY = {self._s3.key}\nSECRET = {self._s3.secret}\nENDPOINT_URL = {self._s3.endpoint}\n"
            f"[CLUSTER]\nHOST = localhost\nDB_NAME = {name}\nDB_USER = {options.user}\n"
            f"DB_PASSWORD = {options.password}\nDB_PORT = {self.server.port}\n"
            f"[IAM_ROLE]\nARN = {ROLE}\n" + (f"[S3]\nSTAGING = s3://{STAGING}/{name}\n" if staging else "")
        )
        config.chmod(0o600)
        return OnRedshift(self.server, name, config)
