"""Commands whose output nobody reads, and what they leave behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import duckdb

from sparkify.cli.app import sparkify
from tests.cli.conftest import command, environment

Words = tuple[str, ...]
# Streams whose reader is gone before the command starts.
STDOUT, BOTH = ("stdout",), ("stdout", "stderr")


def leaves(parent: click.Group = sparkify, path: Words = ()) -> Iterator[Words]:
    """Yield the words of every command that is no group."""
    context = click.Context(parent)
    for name in parent.list_commands(context):
        child = parent.get_command(context, name)
        if isinstance(child, click.Group):
            yield from leaves(child, (*path, name))
        else:
            yield (*path, name)


def run_unread(arguments: Words, folder: Path, gone: Words) -> int:
    """Run a command in a process of its own, some of whose streams nobody reads; return its exit code."""
    read, write = os.pipe()
    os.close(read)
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    streams |= dict.fromkeys(gone, write)
    try:
        done = subprocess.run(
            command(*arguments),
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
            **streams,
        )
    finally:
        os.close(write)
    return done.returncode


def contents(folder: Path) -> dict[str, Any]:
    """Return what there is in a folder: the bytes of its files, and the rows of its warehouses."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".duckdb":
            found |= {f"{name} {table}": rows for table, rows in _rows(path).items()}
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def _rows(path: Path) -> dict[str, Any]:
    listed = (
        "SELECT table_schema || '.' || table_name FROM information_schema.tables "
        "WHERE table_type = 'BASE TABLE'"
    )
    told = {"etl.runs": "run_id, mode, status", "etl.files": "uri, state"}  # without times
    with duckdb.connect(str(path), read_only=True) as warehouse:
        return {
            name: warehouse.execute(
                f"SELECT {told.get(name, 'COUNT(*)')} FROM {name} ORDER BY ALL"
            ).fetchall()
            for (name,) in warehouse.execute(listed).fetchall()
        }
