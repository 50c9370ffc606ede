"""What a run does in DuckDB, as a script that DuckDB can run: our statements, with their values in them.

It differs from what the engine executes in four ways: songs are read from where they lie, and not packed
before; new warehouses are not built aside; the range of the events' times is a variable, and the counts of
the ledger are set afterwards, since only the files tell them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from sparkify.lake.uri import is_s3
from sparkify.warehouse.duckdb.duckdb_engine import SET_UP
from sparkify.warehouse.duckdb.parsing import events_sql, literal, song_files_sql
from sparkify.warehouse.engine import Answer, LogFile, ProbeStep, Rows
from sparkify.warehouse.script import TS_FROM, TS_TO, Answers, SongFile, Told, between
from sparkify.warehouse.statements import Statement, statement
from sparkify.warehouse.tables import names, run_tables

# A literal, or a parameter; only the latter is replaced.
_PARAMETER = re.compile(r"'(?:[^']|'')*'|\$([a-z_]+)")
_FILES = "getvariable('files')"
_REMOVED = "(SELECT {function}(ts) FROM staging_events WHERE file_id IN (SELECT file_id FROM run_files))"
_COUNT_FILES = """-- What only the files tell.
UPDATE etl.files SET
    rows_read = landed.read,
    rows_loaded = landed.read,
    plays_loaded = landed.plays
FROM (
    SELECT file_id, COUNT(*) AS read, COUNT(CASE WHEN page = 'NextSong' THEN 1 END) AS plays
    FROM run_events
    GROUP BY file_id
    UNION ALL
    SELECT file_id, COUNT(*), 0
    FROM run_songs
    GROUP BY file_id
) AS landed
WHERE etl.files.file_id = landed.file_id AND etl.files.run_id = {run}"""
_COUNT_RUN = """-- What only the files tell.
UPDATE etl.runs SET
    rows_read = loaded.read,
    rows_loaded = loaded.read,
    plays_loaded = loaded.plays,
    duplicates = star.staged - star.songplays,
    songplays = star.songplays,
    plays_matched = star.matched
FROM (
    SELECT COALESCE(SUM(rows_loaded), 0) AS read, COALESCE(SUM(plays_loaded), 0) AS plays
    FROM etl.files
    WHERE run_id = {run}
) AS loaded
CROSS JOIN (
{star}
) AS star
WHERE etl.runs.run_id = {run}"""


class DuckDBScript:
    """A DuckDB warehouse that is never opened."""

    name = "duckdb"
    place = "a script"
    reads_lake = False
    statements_sent = 0

    def __init__(self, answers: Answers) -> None:
        self._statements: list[str] = list(SET_UP)
        self._answers = answers
        self._on_s3 = False
        self._star_totals = ""

    @property
    def head(self) -> list[str]:
        return [
            "What `sparkify etl` would do, if all files are as they should be. It can be run on a copy of",
            "the warehouse, `duckdb COPY < THIS`, and gives the same tables. With other files it does not:",
            "one that does not parse ends it, rows marked suspect are loaded as they are, and a check shows",
            "its failing rows and stops nothing. It needs DuckDB 1.5 or later.",
            *["DuckDB needs its extension httpfs, and a secret, to read s3:// itself."] * self._on_s3,
        ]

    @property
    def statements(self) -> list[str]:
        return self._statements

    def probe(self) -> Sequence[ProbeStep]:
        return []

    def recover(self) -> None:
        pass

    def prepare(self) -> None:
        for step in run_tables():
            self.execute(step)

    def reading(self) -> AbstractContextManager[bool]:
        return between([], "", "")

    def writing(self) -> AbstractContextManager[None]:
        return between(self.statements, "BEGIN", "COMMIT")

    def tables(self) -> set[str]:
        return set(names()) if self._answers.exists else set()

    def execute(self, step: Statement, **parameters: Any) -> Rows:
        sql = _written(step, parameters)
        self.statements.append(_comment_of(step) + sql)
        if step.path == "ledger/landed_events.sql":
            self._set_times("(SELECT {function}(ts) FROM run_events)")
        elif step.path == "ledger/removed_range.sql":
            self._set_times("{choice}(getvariable('{name}'), " + _REMOVED + ")")
        elif step.path == "ledger/star_totals.sql":
            self._star_totals = sql
        return self._answers.to(step.path)

    def _set_times(self, value: str) -> None:
        """Have the variables of a run's range say what is NULL where there is no event: nothing is in it."""
        for told, function, choice in ((TS_FROM, "MIN", "LEAST"), (TS_TO, "MAX", "GREATEST")):
            filled = value.format(function=function, choice=choice, name=told.name)
            self.statements.append(f"SET VARIABLE {told.name} = {filled}")

    def ask(self, step: Statement, **parameters: Any) -> Answer:
        return Answer([], iter(self.execute(step, **parameters)))

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        values = ",\n    ".join(f"({', '.join(map(_literal, row))})" for row in rows)
        self.statements.append(f"INSERT INTO {table} ({', '.join(columns)}) VALUES\n    {values}")
        if table in ("etl.files", "etl.runs"):
            run = rows[0][columns.index("run_id")]
            counts = _COUNT_FILES if table == "etl.files" else _COUNT_RUN
            self.statements.append(counts.format(run=run, star=self._star_totals))

    def land_events(self, files: Sequence[LogFile], *, plain: bool) -> None:
        self._name([(str(file.uri), file.file_id) for file in files])
        self.statements.append(events_sql(_FILES, plain=False))

    def accept_events(self) -> None:
        self.execute(statement("staging/staging_events.sql"))

    def land_song_files(self, files: Sequence[SongFile]) -> None:
        self._name([(file.uri, file.file_id) for file in files])
        self.statements.append(song_files_sql(_FILES))

    def _name(self, files: Sequence[tuple[str, int]]) -> None:
        """Say which file_id each path has; the list of them is a variable, since reading wants one."""
        self._on_s3 = self._on_s3 or any(is_s3(uri) for uri, _ in files)
        self.statements.append(
            "CREATE TEMPORARY TABLE IF NOT EXISTS run_paths (path VARCHAR, file_id BIGINT)"
        )
        self.statements.append("DELETE FROM run_paths")
        self.insert("run_paths", ("path", "file_id"), files)
        # What stands for other characters in a pattern stands for itself in brackets.
        quoted = "regexp_replace(path, '([*?\\[])', '[\\1]', 'g')"
        self.statements.append(f"SET VARIABLE files = (SELECT LIST({quoted}) FROM run_paths)")  # noqa: S608

    def land_songs(self, packed: Path, file_key: str, *, accepted: bool = False) -> NoReturn:
        raise NotImplementedError

    def survey(self, paths: Sequence[Path]) -> NoReturn:
        raise NotImplementedError

    def query(self, sql: str) -> NoReturn:
        raise NotImplementedError

    def write_parquet(self, sql: str, path: Path) -> NoReturn:
        raise NotImplementedError

    def close(self) -> None:
        pass


def _written(step: Statement, parameters: dict[str, Any]) -> str:
    """Return a statement on several lines, its parameters as literals."""
    from sparkify.warehouse.duckdb.dialect import transpile

    values = step.pick(parameters)

    def replaced(found: re.Match[str]) -> str:
        return _literal(values[found[1]]) if found[1] else found[0]

    return _PARAMETER.sub(replaced, transpile(step, pretty=True))


def _comment_of(step: Statement) -> str:
    """Return the comment a statement begins with, if it does, and where it stands."""
    lines = [f"-- {step.path}:{step.line}\n"]
    for line in step.text.splitlines(keepends=True):
        if not line.startswith("--"):
            break
        lines.append(line)
    return "".join(lines)


def _literal(value: Any) -> str:
    if isinstance(value, Told):
        return f"getvariable('{value.name}')"
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, datetime):
        return "CAST(now() AS TIMESTAMP)"  # the moment it is run
    return "NULL" if value is None else str(value)
