"""Translate DuckDB's exceptions into our errors."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from sparkify.errors import Command, EngineError, Hint, SparkifyError, WarehouseLocked
from sparkify.warehouse.duckdb.holder import find_holder

# The name of a user's own SQL in messages.
THE_QUERY = "the query"
# Messages of the operating system about a full disk, quota or limit.
_FULL = r"No space left on device|File too large|Disk quota exceeded"
_LOG_DENIED = r'"[^"\n]*\.wal": (Permission denied|Read-only file system)'
# DuckDB's suggestions of names: `Did you mean "a"?`, `Candidate bindings: "a", "b"`.
_MEANT = re.compile(r"Did you mean (.+)\?|Candidate \w+: (?:: )?(.+)")
_FUNCTIONS = re.compile(r"Candidate functions:\n((?:\t.+\n?)+)")
_SHOWN = 5
_NAME_ANOTHER = "Name another file with --database or [DWH] DATABASE"
_OR_NAME = "Or name another file with --database or [DWH] DATABASE"


def explain(exc: Exception, what: str, path: Path) -> SparkifyError:
    """Return an error of DuckDB or of the operating system as one of ours.

    Args:
        exc: The exception.
        what: Name of the failed operation for the message.
        path: The file of the warehouse.
    """
    text = str(exc)
    first = text.split("\n", 1)[0]
    if "Could not set lock" in text:
        holder = find_holder(text)
        return WarehouseLocked(
            f"{path} is held by {holder.words}.",
            "Run again when it has finished (--wait SECONDS waits longer for it), or stop it.",
            pid=holder.pid,
        )
    if isinstance(exc, duckdb.OutOfMemoryException):
        return EngineError(
            f"DuckDB ran out of memory at {what}: {first}.",
            f"{'Ask for less' if what == THE_QUERY else 'Take in less at once with --batch-bytes'}, or give "
            "it more with --memory: nothing was changed.",
        )
    if unwritable := _about_writing(text, path):
        return unwritable
    if what == THE_QUERY:
        return _about_query(exc)
    if what == str(path):
        return _about_file(exc, path)
    return EngineError(
        f"DuckDB refused {what}: {first}",
        "Run again: nothing was changed. If it stays so, report it with what --debug shows.",
    )


def _about_writing(text: str, path: Path) -> EngineError | None:
    """Return why the warehouse file cannot be written; None if the error is about something else."""
    full = re.search(_FULL, text)
    if full:
        return EngineError(
            f"{path} cannot be written: {full[0]}.",
            "Make room on its disk, or name another place with --database; then run again: nothing was "
            "changed.",
        )
    if re.search(_LOG_DENIED, text):
        return EngineError(
            f"{path} cannot be changed: DuckDB keeps its log beside it, and the folder "
            f"{path.absolute().parent} may not be written.",
            "Ask for write permission on that folder, or name a place you may write with --database.",
        )
    return None


def _about_file(exc: Exception, path: Path) -> SparkifyError:
    """Return why a file cannot be created or opened as a warehouse."""
    if isinstance(exc, OSError):
        return EngineError(
            f"{path} cannot be made: {exc.strerror}.",
            "Check that you may write in its folder, or name another place with --database.",
        )
    if path.is_dir():
        return EngineError(
            f"{path} is a folder, not a DuckDB database.",
            f"{_NAME_ANOTHER}, such as {path / 'sparkify.duckdb'}.",
        )
    return _about_contents(str(exc), path)


def _about_contents(text: str, path: Path) -> EngineError:
    """Return why an existing file cannot be read as a warehouse."""
    first = text.split("\n", 1)[0]
    if "not a valid DuckDB database file" in text:
        if not path.stat().st_size:
            return EngineError(
                f"{path} is an empty file, not a DuckDB database.",
                Hint(
                    "Remove it: {} or {} makes it anew. {}.",
                    Command("etl"),
                    Command("create-tables"),
                    _OR_NAME,
                ),
            )
        return EngineError(
            f"{path} is not a DuckDB database.",
            f"{_NAME_ANOTHER}: etl or create-tables makes it.",
        )
    newer = re.search(r"database file with version number (\d+)", text)
    if newer:
        return EngineError(
            f"{path} was written by a newer DuckDB than the {duckdb.__version__} installed here: its format "
            f"{newer[1]} is not known to it.",
            "It is not damaged: leave it where it is, and upgrade DuckDB (`pip install -U duckdb`).",
        )
    if "Cannot open file" in text:
        return EngineError(
            f"{path} cannot be opened: {first.rpartition(': ')[2]}.",
            "Check that its folder exists and that you may write there.",
        )
    return EngineError(
        f"{path} cannot be read: {first}",
        Hint("If it is damaged, move it away: {} loads the lake anew. {}.", Command("etl"), _OR_NAME),
    )


def _about_query(exc: Exception) -> EngineError:
    """Return why a user's own SQL was refused, with DuckDB's suggestion as the hint."""
    text = str(exc)
    first = text.split("\n", 1)[0]
    if "read-only mode" in first:
        return EngineError(
            f"the query does not only look: {first}",
            "Ask with SELECT; use DuckDB itself to change what is not the pipeline's.",
        )
    meant = _meant(text)
    if meant:
        hint = f"{', '.join(meant[:-1])}{' or ' if meant[1:] else ''}{meant[-1]}, if that was meant."
    elif isinstance(exc, duckdb.PermissionException):
        hint = (
            "Ask for what is in the warehouse: a query uses no other file. -o FILE writes the answer to one."
        )
    elif isinstance(exc, duckdb.CatalogException):
        hint = "Correct the name; SHOW ALL TABLES lists the tables and columns there are."
    else:
        hint = "Correct the query: it is SQL in DuckDB's own dialect."
    return EngineError(f"DuckDB refused the query: {first}", hint)


def _meant(text: str) -> list[str]:
    """Return the names that DuckDB suggests, the most likely first."""
    functions = _FUNCTIONS.search(text)
    if functions:
        return [line.strip() for line in functions[1].splitlines()][:_SHOWN]
    names = _MEANT.search(text)
    return re.split(r", | or ", names[1] or names[2])[:_SHOWN] if names else []
