"""What a run would have DuckDB execute: our statements as they were translated."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

from sparkify.warehouse.duckdb.landing import events_sql, songs_sql
from sparkify.warehouse.duckdb.translation import to_duckdb
from sparkify.warehouse.engine import Answer, LogFile, Rows
from sparkify.warehouse.script import Answers, between
from sparkify.warehouse.statements import Statement, statement
from sparkify.warehouse.tables import run_tables


class DuckDBScript:
    """A DuckDB warehouse that is never opened. Parameters stay as they are written, ``$name``."""

    name = "duckdb"
    place = "a script"
    reads_lake = False
    statements_sent = 0

    def __init__(self, answers: Answers) -> None:
        self._statements: list[str] = []
        self._answers = answers

    @property
    def statements(self) -> list[str]:
        return self._statements

    def recover(self) -> None:
        pass

    def prepare(self) -> None:
        for step in run_tables():
            self.execute(step)

    def reading(self) -> AbstractContextManager[bool]:
        return between([], "", "")

    def writing(self) -> AbstractContextManager[None]:
        return between(self.statements, "BEGIN", "COMMIT")

    def has_table(self, schema: str, name: str) -> bool:
        return self._answers.exists

    def execute(self, step: Statement, **parameters: Any) -> Rows:
        self.statements.append(to_duckdb(step))
        return self._answers.to(step.path)

    def ask(self, step: Statement, **parameters: Any) -> Answer:
        return Answer([], iter(self.execute(step)))

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            values = ", ".join(f"unnest(${column})" for column in columns)
            self.statements.append(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}")

    def land_events(self, files: Sequence[LogFile], *, plain: bool) -> None:
        paths = [str(file.path) for file in files]
        self.insert("run_paths", ("path", "file_id"), [(str(file.path), file.file_id) for file in files])
        self.statements.append(events_sql(paths, plain=plain))

    def accept_events(self) -> None:
        self.execute(statement("staging/staging_events.sql"))

    def land_songs(self, packed: Path, file_key: str, *, accepted: bool = False) -> None:
        self.statements.append(songs_sql(packed.name, file_key))

    def survey(self, paths: Sequence[Path]) -> Rows:
        return []

    def query(self, sql: str) -> NoReturn:
        raise NotImplementedError

    def write_parquet(self, sql: str, path: Path) -> NoReturn:
        raise NotImplementedError

    def close(self) -> None:
        pass
