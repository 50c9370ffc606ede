"""`python -m tools.make_fixture N`: build by committed code, pack, describe."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import duckdb

import tools.make_fixture
from tests.old_warehouses import FIXTURES, ROOT, VERSIONS, describe_all, restore
from tools.make_fixture.history import History, run_sparkify
from tools.redshift_double import Options, RedshiftDouble
from tools.redshift_double.fixtures import ROLE

# The ledger names files by where they lay; this is the same on every machine.
_BUILT_AT = Path("/tmp/sparkify-fixture")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.make_fixture",
        description=tools.make_fixture.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("version", type=int, metavar="N", help="the schema version the code has")
    parser.add_argument("--commit", default="HEAD", help="the commit whose code builds [default: HEAD]")
    arguments = parser.parse_args()
    target = FIXTURES / f"v{arguments.version}"
    if arguments.version in VERSIONS:
        parser.error(f"{target.relative_to(ROOT)} is there, and no other code may make it again")
    if _BUILT_AT.exists():
        parser.error(f"{_BUILT_AT} is there: another fixture is being made, or remove it")
    _BUILT_AT.mkdir()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            _make(arguments.version, arguments.commit, target, Path(scratch))
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(_BUILT_AT)
    size = sum(path.stat().st_size for path in target.iterdir())
    print(f"{target.relative_to(ROOT)}: {size:,} bytes")  # noqa: T201 - what whoever started it waits for


def _make(version: int, commit: str, target: Path, scratch: Path) -> None:
    source = _check_out(commit, scratch / "code")
    history = History(source, _BUILT_AT)
    history.make()
    found = _schema_version(history.warehouse)
    if found != version:
        raise SystemExit(f"the code of {commit} makes schema version {found}, not {version}")
    plan = history.plan()
    tables_sql = _tables_sql(source, scratch)
    about = {
        "schema_version": version,
        "commit": _git("rev-parse", commit).decode().strip(),
        "sparkify": run_sparkify(source, "--version", exit_code=0).split()[-1],
        "duckdb": duckdb.__version__,
        "lake": str(history.lake),
        "history": history.commands,
    }
    target.mkdir(parents=True)
    _pack_warehouse(history.warehouse, target / "warehouse.duckdb.gz")
    _pack_lake(history.lake, target / "lake.tar.gz")
    (target / "tables.sql").write_text(tables_sql, encoding="utf-8")
    _write_json(target / "meta.json", about)
    restored = restore(version, scratch / "restored")
    assert isinstance(restored.place, Path)
    _write_json(target / "expected.json", {"tables": describe_all(restored.place), "plan": plan})


def _check_out(commit: str, folder: Path) -> Path:
    """Write the code of a commit to a folder and return its ``src``."""
    with tarfile.open(fileobj=io.BytesIO(_git("archive", commit, "src"))) as tar:
        tar.extractall(folder, filter="data")
    return folder / "src"


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


def _schema_version(warehouse: Path) -> int:
    """Return what ``etl.meta`` says; warehouses before version 1 have no such table."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        named = "SELECT 1 FROM information_schema.tables WHERE table_schema = 'etl' AND table_name = 'meta'"
        if not connection.execute(named).fetchall():
            return 0
        ((version,),) = connection.execute("SELECT schema_version FROM etl.meta").fetchall()
        return int(version)


def _tables_sql(source: Path, scratch: Path) -> str:
    """Return the CREATE statements that `sparkify create-tables` sends to Redshift, as they are sent."""
    with RedshiftDouble(Options(tls=True)) as server:
        options = server.options
        config = scratch / "dwh.cfg"
        config.write_text(
            f"[CLUSTER]\nHOST = localhost\nDB_NAME = {options.database}\nDB_USER = {options.user}\n"
            f"DB_PASSWORD = {options.password}\nDB_PORT = {server.port}\n[IAM_ROLE]\nARN = {ROLE}\n"
        )
        config.chmod(0o600)
        trusted = {"SSL_CERT_FILE": str(server.certificate)}
        run_sparkify(source, "create-tables", "--config", str(config), exit_code=0, **trusted)
        # The tables are made before the lock can be taken, and once more under it.
        sent = dict.fromkeys(entry.sql.strip() for entry in server.statements if entry.status == "ok")
    return "\n\n".join(f"{sql.removesuffix(';')};" for sql in sent if _creates(sql)) + "\n"


def _creates(sql: str) -> bool:
    code = [line for line in sql.splitlines() if not line.startswith("--")]
    return bool(code) and code[0].startswith("CREATE ") and not code[0].startswith("CREATE TEMP")


def _pack_warehouse(warehouse: Path, target: Path) -> None:
    beside = [path.name for path in warehouse.parent.glob(f"{warehouse.name}.*")]
    assert not beside, f"the warehouse is not in one file: {beside}"
    target.write_bytes(gzip.compress(warehouse.read_bytes(), mtime=0))


def _pack_lake(lake: Path, target: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(lake.rglob("*")):
            if path.is_file():
                member = tarfile.TarInfo(path.relative_to(lake).as_posix())
                status = path.stat()
                assert status.st_mtime_ns % 10**9 == 0, f"{path} changed in mid-second"
                member.size, member.mtime = status.st_size, status.st_mtime_ns // 10**9
                with path.open("rb") as file:
                    tar.addfile(member, file)
    target.write_bytes(gzip.compress(packed.getvalue(), mtime=0))


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
