"""The warehouse under test: a DuckDB file, or a database of the stand-in for Redshift.

A test that is to hold on both engines takes a :data:`Place` and hands it to ``tests.loading`` and
``tests.contents``; the fixture ``warehouses`` makes empty ones.

With ``SPARKIFY_TEST_USER=etl`` those on Redshift have an owner, who makes the tables and grants what
docs/redshift.md lists, and every command runs as a user who owns nothing. A test that takes more says so by a
mark (:data:`MARKS`).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
from psycopg import sql as composed

from sparkify.cli.app import run
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

USERS = ("owner", "etl")
# Who the commands of the tests are on Redshift.
USER = os.environ.get("SPARKIFY_TEST_USER", "owner")
assert USER in USERS, f"SPARKIFY_TEST_USER is {USER}, not one of {', '.join(USERS)}"
# Marks of a test whose commands need more than the rights of who runs `etl`, and what they need. Each has a
# sentence that says why.
MARKS = {
    "as_owner": "to own the tables, as for adopting a field or an upgrade",
    "may_create": "what the page lists for models of one's own",
    "may_forget": "what it lists for `forget`",
    "may_report": "what it lists for `report`",
}
_BEGINS = {
    "": "GRANT TEMP ",
    "may_create": "GRANT CREATE ",
    "may_forget": "GRANT UPDATE ON etl.checks",
    "may_report": "GRANT USAGE ON SCHEMA analytics",
}
# Those of docs/redshift.md, to be carried out as they stand.
ETL_USER = "etl_user"
_PAGE = Path(__file__).resolve().parents[1] / "docs" / "redshift.md"
_OWNED = "granted"  # the database with tables and grants that each warehouse of an ETL user begins as


@dataclass(frozen=True)
class OnRedshift:
    """A database of the stand-in, and the dwh.cfg that leads to it."""

    server: RedshiftDouble
    name: str
    config: Path
    owner: Path  # the dwh.cfg of who owns the tables; the same, unless the commands own nothing

    @property
    def owns(self) -> bool:
        """Whether the commands are the owner's."""
        return self.config == self.owner

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


def granted(name: str, *marks: str) -> list[str]:
    """Return the statements of docs/redshift.md by which the owner of a database lets others load it."""
    page = _PAGE.read_text()
    grants = []
    for begins in [_BEGINS[""], *(_BEGINS[mark] for mark in marks if mark in _BEGINS)]:
        (block,) = re.findall(rf"^```\n({begins}.*?)^```", page, re.DOTALL | re.MULTILINE)
        grants += block.strip().replace("DATABASE dwh", f"DATABASE {name}").splitlines()
    return grants


def by_owner(place: Place) -> list[str]:
    """Return the options of a command that only the owner of the tables may run; see :func:`options_of`."""
    return ["--config", str(place.owner)] if isinstance(place, OnRedshift) else options_of(place)


class Warehouses:
    """Makes warehouses; the stand-in starts when the first on Redshift is asked for.

    Attributes:
        marks: Those of :data:`MARKS` that the test under way has.
    """

    marks: frozenset[str] = frozenset()

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

    def new(self, engine: str, folder: Path, *, staging: bool = True, user: str = "") -> Place:
        """Return an empty warehouse; its file, or its dwh.cfg, lies in ``folder``.

        Args:
            engine: One of :data:`ENGINES`.
            folder: Where the file is to lie.
            staging: Whether there is a STAGING.
            user: One of :data:`USERS`; empty: as the environment and the test's marks have it.
        """
        if engine == "duckdb":
            folder.mkdir(parents=True, exist_ok=True)
            return folder / "w.duckdb"
        owns = user == "owner" if user else USER == "owner" or "as_owner" in self.marks
        if self._free:
            name = self._free.pop()
            # What a killed run has left below STAGING goes with the tables.
            shutil.rmtree(self._s3.root / STAGING / name, ignore_errors=True)
            self._empty(name, owns=owns)
        else:
            self._made += 1
            name = f"w{self._made}"
            if owns:
                self.server.create_database(name)
            else:
                self._copy(self._owned, name, owns=False)
        return self._place(name, folder, staging=staging, owns=owns)

    @contextmanager
    def temporary(self, engine: str, folder: Path, *, user: str = "") -> Iterator[Place]:
        """An empty warehouse whose database is used again afterwards."""
        place = self.new(engine, folder, user=user)
        yield place
        self.release(place)

    def release(self, place: Place) -> None:
        """Give a warehouse back that nobody will look at any more."""
        if isinstance(place, OnRedshift):
            self._free.append(place.name)

    def empty(self, place: Place) -> None:
        """Make a warehouse what it was when it was new."""
        if isinstance(place, OnRedshift):
            self._empty(place.name, owns=place.owns)
        else:
            place.unlink(missing_ok=True)

    def clone(self, place: Place, folder: Path) -> Place:
        """Return a copy of a warehouse, to do anything with."""
        if not isinstance(place, OnRedshift):
            return Path(shutil.copy(place, folder / "w.duckdb"))
        self._made += 1
        name = f"w{self._made}"
        self._copy(place.name, name, owns=place.owns)
        return self._place(name, folder, staging=True, owns=place.owns)

    @cached_property
    def _owned(self) -> str:
        """A database whose owner has made the tables and granted what the page lists."""
        self.server.passwords[ETL_USER] = self.server.options.password
        self.server.user_id(ETL_USER)
        self.server.create_database(_OWNED)
        with TemporaryDirectory() as folder:
            place = self._place(_OWNED, Path(folder), staging=False, owns=True)
            assert run(["create-tables", *options_of(place)]) == 0
            place.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            for grant in granted(_OWNED):
                place.execute(grant)
        return _OWNED

    def _empty(self, name: str, *, owns: bool) -> None:
        if owns:
            self.server.reset_database(name)
            return
        with self.server.postgres._connect("postgres") as connection:
            drop = composed.SQL("DROP DATABASE {} WITH (FORCE)")
            connection.execute(drop.format(composed.Identifier(name)))
        shutil.rmtree(self.server.postgres.log_folder(name), ignore_errors=True)
        self._copy(self._owned, name, owns=False)

    def _copy(self, template: str, name: str, *, owns: bool) -> None:
        """Make a database of another one; what was granted on that itself does not come along."""
        with self.server.postgres._connect("postgres") as connection:
            ends = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(ends, [template])
            connection.execute(
                composed.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    composed.Identifier(name), composed.Identifier(template)
                )
            )
        if owns:
            return
        with self.server.postgres._connect(name) as connection:
            connection.execute(f"REVOKE TEMP ON DATABASE {name} FROM PUBLIC".encode())
            for grant in granted(name, *sorted(self.marks)):
                connection.execute(grant.encode())

    def _place(self, name: str, folder: Path, *, staging: bool, owns: bool) -> OnRedshift:
        folder.mkdir(parents=True, exist_ok=True)
        options = self.server.options
        configs: list[Path] = []
        for user in (options.user, *([] if owns else [ETL_USER])):
            config = folder / (f"{name}_{user}.cfg" if configs else f"{name}.cfg")
            config.write_text(
                f"[AWS]\nKEY = {self._s3.key}\nSECRET = {self._s3.secret}\n"
                f"ENDPOINT_URL = {self._s3.endpoint}\n"
                f"[CLUSTER]\nHOST = localhost\nDB_NAME = {name}\nDB_USER = {user}\n"
                f"DB_PASSWORD = {options.password}\nDB_PORT = {self.server.port}\n"
                f"[IAM_ROLE]\nARN = {ROLE}\n"
                + (f"[S3]\nSTAGING = s3://{STAGING}/{name}\n" if staging else "")
            )
            config.chmod(0o600)
            configs.append(config)
        return OnRedshift(self.server, name, configs[-1], configs[0])
