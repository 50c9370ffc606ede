"""Warehouses of older schema versions, each with its lake, restored from tests/fixtures/warehouses.

``python -m tools.make_fixture`` makes them (its docstring says how, and what a fixture holds)::

    old = restore_on(engine, 0, tmp_path, warehouses, s3)  # or, on DuckDB alone, restore(0, tmp_path)
    assert etl(old.place, old.log_data, old.song_data) == 0
    assert describe(old.place, expected(0)["tables"]) == expected(0)["tables"]

The ledger knows a file by its URI and its time of last change or ETag, so restoring sets both right: to a
run, no file of the lake is new or changed.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import redshift_connector
from psycopg import sql as composed

from sparkify.lake.bucket import Bucket
from tests.contents import hash_rows
from tests.warehouses import OnRedshift, Place, Warehouses, rows

if TYPE_CHECKING:
    from tests.conftest import S3Server

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = Path(__file__).with_name("fixtures") / "warehouses"
VERSIONS = sorted(int(folder.name.removeprefix("v")) for folder in FIXTURES.glob("v*"))

# What differs between two places or two builds that hold the same: where files lie, and moments.
_OF_THE_PLACE = {"uri", "first_uri", "version", "error"}
# A record's own bytes, which may name any path.
_NOT_OURS = {"content"}

Tables = dict[str, dict[str, Any]]


class Restored(NamedTuple):
    """A warehouse of an older version, and the folders or ``s3://`` prefixes it was loaded from."""

    place: Place
    log_data: str
    song_data: str

    @property
    def lake(self) -> str:
        """The root that both kinds of files lie below."""
        return self.log_data.removesuffix("/log_data")


def expected(version: int) -> dict[str, Any]:
    """Return what the warehouse of a version holds: ``tables`` and ``plan``."""
    found: dict[str, Any] = json.loads((FIXTURES / f"v{version}" / "expected.json").read_text("utf-8"))
    return found


def restore(version: int, folder: Path) -> Restored:
    """Restore a warehouse on DuckDB and its lake, both in ``folder``, never in the repository."""
    folder = folder.resolve()
    assert not folder.is_relative_to(ROOT), f"{folder} is in the repository"
    fixture = FIXTURES / f"v{version}"
    lake = folder / "lake"
    _unpack(fixture / "lake.tar.gz", lake)
    warehouse = folder / "w.duckdb"
    with gzip.open(fixture / "warehouse.duckdb.gz") as packed, warehouse.open("xb") as file:
        shutil.copyfileobj(packed, file)
    built_at = json.loads((fixture / "meta.json").read_text("utf-8"))["lake"]
    _move(warehouse, built_at, str(lake))
    return Restored(warehouse, str(lake / "log_data"), str(lake / "song_data"))


def restore_on_redshift(version: int, folder: Path, place: OnRedshift, s3: S3Server) -> Restored:
    """Restore a warehouse on the stand-in, its lake in a bucket of its own.

    Args:
        version: The schema version.
        folder: An empty folder outside the repository, to work in.
        place: An empty database.
        s3: The server the stand-in reads from.
    """
    local = restore(version, folder)
    assert isinstance(local.place, Path)
    bucket = f"lake-{place.name}"
    shutil.rmtree(s3.root / bucket, ignore_errors=True)  # of a test that had this database before
    shutil.copytree(local.lake, s3.root / bucket)
    uri = f"s3://{bucket}"
    listed = [
        item
        for kind in ("log_data", "song_data")
        for item in Bucket(f"{uri}/{kind}", place.settings().aws).listing().objects
    ]
    etags = {}
    for item in listed:
        path = Path(local.lake) / item.uri.removeprefix(f"{uri}/")
        etags[item.uri, str(path.stat().st_mtime_ns)] = item.version
    _move(local.place, local.lake, uri, etags)
    _create_tables(place, FIXTURES / f"v{version}" / "tables.sql")
    _copy_rows(local.place, place)
    return Restored(place, f"{uri}/log_data", f"{uri}/song_data")


def restore_on(engine: str, version: int, folder: Path, warehouses: Warehouses, s3: S3Server) -> Restored:
    """Restore a warehouse on either engine; the lake is a folder with DuckDB and a bucket with Redshift."""
    if engine == "duckdb":
        return restore(version, folder)
    place = warehouses.new(engine, folder)
    assert isinstance(place, OnRedshift)
    return restore_on_redshift(version, folder, place, s3)


def describe(place: Place, tables: Mapping[str, Mapping[str, Any]]) -> Tables:
    """Return the rows and a hash of each table, by the columns that ``tables`` (see :func:`expected`) names.

    Columns and tables that came later do not count, so an upgraded warehouse can be described too.
    """
    described = {}
    for name, table in tables.items():
        columns = table["columns"]
        ((count,),) = rows(place, f"SELECT COUNT(*) FROM {name}")
        digest = hash_rows(place, f"SELECT {', '.join(columns)} FROM {name}")
        described[name] = {"rows": count, "columns": columns, "hash": digest}
    return described


def describe_all(warehouse: Path) -> Tables:
    """Return the rows and a hash of every table of a DuckDB warehouse, without what a place decides."""
    return describe(
        warehouse,
        {
            name: {
                "columns": [
                    column
                    for column, kind in columns.items()
                    if not (
                        name.startswith("etl.") and (column in _OF_THE_PLACE or kind.startswith("TIMESTAMP"))
                    )
                ]
            }
            for name, columns in _tables(warehouse).items()
        },
    )


def plan_below(plan: Mapping[str, Any], lake: str) -> dict[str, Any]:
    """Return what a plan (of ``etl --plan --json``) names, with URIs from the lake's root."""

    def names(uris: Sequence[str]) -> list[str]:
        return sorted(uri.removeprefix(f"{lake}/") for uri in uris)

    return {
        "files": names([file["uri"] for file in plan["files"]]),
        "unchanged": plan["unchanged"],
        "retracted": names(plan["retracted"]),
        "gone": names(plan["gone"]),
    }


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = tar.extractfile(member)
            assert data is not None
            path.write_bytes(data.read())
            moment = int(member.mtime) * 10**9
            os.utime(path, ns=(moment, moment))


def _tables(warehouse: Path) -> dict[str, dict[str, str]]:
    """Return the type of each column of each table; those of the ledger are named with their schema."""
    found: dict[str, dict[str, str]] = {}
    columns = (
        "SELECT t.table_schema, t.table_name, c.column_name, c.data_type FROM information_schema.tables AS t"
        " INNER JOIN information_schema.columns AS c"
        " ON t.table_schema = c.table_schema AND t.table_name = c.table_name"
        " WHERE t.table_type = 'BASE TABLE' ORDER BY 1, 2, c.ordinal_position"
    )
    for schema, table, column, kind in rows(warehouse, columns):
        name = table if schema == "main" else f"{schema}.{table}"
        found.setdefault(name, {})[column] = kind
    return found


def _move(warehouse: Path, old: str, new: str, etags: Mapping[tuple[str, str], str] | None = None) -> None:
    """Have the ledger of a DuckDB warehouse name files at another place.

    Args:
        warehouse: The DuckDB file.
        old: The lake's root in the ledger.
        new: The root it is to name.
        etags: A new version for a URI (the new one) and its version.
    """
    tables = {name: columns for name, columns in _tables(warehouse).items() if name.startswith("etl.")}
    with duckdb.connect(str(warehouse)) as connection:
        for name, columns in tables.items():
            for column, kind in columns.items():
                if kind == "VARCHAR" and column not in _NOT_OURS:
                    connection.execute(
                        f"UPDATE {name} SET {column} = replace({column}, ?, ?) WHERE contains({column}, ?)",
                        [f"{old}/", f"{new}/", f"{old}/"],
                    )
        for (uri, version), etag in (etags or {}).items():
            connection.execute(
                "UPDATE etl.files SET version = ? WHERE uri = ? AND version = ?", [etag, uri, version]
            )


def _create_tables(place: OnRedshift, path: Path) -> None:
    """Send the statements of a file, each of which ends with a line that ends with a semicolon."""
    connection = redshift_connector.connect(**place.server.connection_arguments(place.name))
    try:
        connection.autocommit = True
        pending: list[str] = []
        for line in path.read_text("utf-8").splitlines():
            pending.append(line)
            if line.endswith(";") and not line.startswith("--"):
                connection.cursor().execute("\n".join(pending).strip().removesuffix(";"))
                pending = []
    finally:
        connection.close()


def _copy_rows(warehouse: Path, place: OnRedshift) -> None:
    """Copy every row past the stand-in, whose COPY reads from S3 only."""
    with place.connect() as connection, connection.cursor() as cursor:
        for name, columns in _tables(warehouse).items():
            into = composed.SQL("COPY {} ({}) FROM STDIN").format(
                composed.Identifier(*name.split(".")),
                composed.SQL(", ").join(map(composed.Identifier, columns)),
            )
            with cursor.copy(into) as copy:
                for row in rows(warehouse, f"SELECT {', '.join(columns)} FROM {name}"):
                    copy.write_row(row)
