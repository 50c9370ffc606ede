"""Count the fields in files of JSON lines with an in-memory DuckDB, for every engine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import duckdb

from sparkify.warehouse.duckdb.parsing import literal, survey_sql
from sparkify.warehouse.engine import Rows


def survey_files(paths: Sequence[Path], known: Collection[str]) -> Rows:
    """Return (path, key, count) for every key in every file, as :meth:`Engine.survey` does.

    The key None also counts what COPY may read differently than our rules do: a key that is repeated in a
    record, a key that differs from a known one only by case, and a file that does not parse.
    """
    folded = {key.lower() for key in known}
    found: Rows = []
    with duckdb.connect(":memory:") as connection:
        for path in paths:
            try:
                counts = connection.execute(survey_sql([str(path)])).fetchall()
                twice = connection.execute(_twice_sql(path)).fetchall()
            except (duckdb.Error, UnicodeDecodeError):
                found.append((str(path), None, 1))
                continue
            found += counts
            found += [(str(path), None, count) for (count,) in twice if count]
            found += [
                (str(path), None, count)
                for _, key, count in counts
                if key is not None and key not in known and key.lower() in folded
            ]
    return found


def _twice_sql(path: Path) -> str:
    objects = f"read_ndjson_objects([{literal(str(path))}], hive_partitioning = false)"
    return (
        f"SELECT COUNT(*) FROM (SELECT json_keys(json) AS keys FROM {objects}) "  # noqa: S608 - a path of our own
        "WHERE len(keys) <> len(list_distinct(keys))"
    )
