"""Cases for the user's models: given rows, and those that a model or a check must then have.

A case is a folder of CSV files with a line of column names, below ``tests`` in the folder of the models::

    tests/CASE/given/songplays.csv          the rows of a table of ours, or of a model instead of its SELECT
    tests/CASE/expected/marts.daily.csv     the rows a model must have, in any order
    tests/CASE/expected/checks.NAME.csv     those that a check must return; the column names alone: none

A given column that is not named is NULL, and so is an empty value. An expected column that is not named is
not compared. Everything runs on an empty DuckDB warehouse, whatever the engine is; the star is not computed.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from sparkify.custom.building import MADE, execute, statements_to_build
from sparkify.custom.definitions import CHECKS, TESTS, VIEW, Models
from sparkify.errors import EngineError, ModelError
from sparkify.tempfiles import open_temporary_folder
from sparkify.warehouse import tables
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.statements import Statement
from sparkify.warehouse.version import prepare_tables
from sparkify.warehouse.views import view_definitions

GIVEN, EXPECTED = "given", "expected"
# Floating-point numbers are compared to so many digits: a sum depends on its order.
_DIGITS = 9


class CsvRows(NamedTuple):
    """A CSV file: its path, the table that it is named after, its columns and rows."""

    path: Path
    table: str
    columns: list[str]
    rows: list[list[str | None]]

    def wrong(self, what: str, hint: str, line: int = 1) -> ModelError:
        """Return the error about a line of it."""
        return ModelError(f"{self.path}, line {line}: {what}.", hint, path=str(self.path), line=line)


class Case(NamedTuple):
    """A case: its name, what is given and what is expected."""

    name: str
    given: list[CsvRows]
    expected: list[CsvRows]


class CaseResult(NamedTuple):
    """What became of one expected table of a case.

    Attributes:
        case: The case.
        table: The model, or ``checks.NAME``.
        columns: The columns that were compared.
        rows: How many rows are expected.
        missing: Those that are expected and not there.
        unexpected: Those that are there and not expected.
    """

    case: str
    table: str
    columns: list[str]
    rows: int
    missing: list[tuple[Any, ...]]
    unexpected: list[tuple[Any, ...]]

    @property
    def ok(self) -> bool:
        """Whether the rows are the expected ones."""
        return not (self.missing or self.unexpected)


class _Over(Exception):
    """Ends a case: its rows are rolled back."""


def read_cases(models: Models) -> list[Case]:
    """Return the cases of a folder of models, by name.

    Raises:
        ModelError: A file is not as it should be.
    """
    root = Path(models.folder, TESTS)
    found = []
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        given, expected = (
            [_read(path) for path in sorted((folder / part).glob("*.csv"))] for part in (GIVEN, EXPECTED)
        )
        if not expected:
            raise ModelError(
                f"{folder} expects nothing.",
                f"Write the rows of a model to {folder}/{EXPECTED}/SCHEMA.NAME.csv.",
                path=str(folder),
            )
        found.append(Case(folder.name, given, expected))
    return found


def run_cases(models: Models, cases: Sequence[Case], tell: Callable[[CaseResult], None]) -> list[CaseResult]:
    """Build the models and make the checks on empty tables, then run each case.

    Args:
        models: The models.
        cases: The cases.
        tell: Called with each result as soon as it is there.

    Raises:
        ModelError: A model or a check is refused, or a case names what is not there.
    """
    results = []
    with open_temporary_folder() as folder, closing(DuckDBEngine(folder / "cases.duckdb")) as engine:
        with engine.writing():
            prepare_tables(engine)
        for case in (Case("", [], []), *cases):
            with suppress(_Over), engine.writing():
                for result in _run(engine, models, case):
                    tell(result)
                    results.append(result)
                raise _Over
    return results


def _run(engine: Engine, models: Models, case: Case) -> Iterator[CaseResult]:
    ours = {
        **{name.removeprefix("public."): "table" for name in tables.names()},
        **dict.fromkeys(view_definitions(), "view"),
    }
    own = {model.name for model in models.models}
    for each in case.given:
        if each.table in ours:
            _give(engine, each, ours[each.table])
        elif each.table not in own:
            hint = "Name the file after a table of ours or a model."
            raise each.wrong(f"there is no table {each.table}", hint)
    _build(engine, models, {each.table: each for each in case.given})
    relations = {name: name for name in (*ours, *own)} | _queries(models)
    for each in case.expected:
        if each.table not in relations:
            hint = f"Name the file after a model, or {CHECKS}.NAME for a check."
            raise each.wrong(f"there is no model {each.table}", hint)
        yield _compare(engine, case, each, relations[each.table])


def _build(engine: Engine, models: Models, given: Mapping[str, CsvRows]) -> None:
    """Make every model, those with given rows as tables of them, and every check."""
    for schema in dict.fromkeys(model.schema for model in models.models):
        engine.execute(_statement(f"CREATE SCHEMA {schema}"))
    for model in models.models:
        for step in statements_to_build(model, MADE, []):
            execute(engine, step, model.source)
        if model.name in given:
            _give(engine, given[model.name], "view" if model.materialized == VIEW else "table")
    for check in models.checks:
        execute(engine, check.step, check.source)


def _queries(models: Models) -> dict[str, str]:
    """Return the SELECT of each check that is a file, by the name that an expected table has for it."""
    parts = [(*check.name.partition("/"), check.step.text) for check in models.checks]
    return {f"{CHECKS}.{name}": f"(\n{text}\n)" for folder, _, name, text in parts if folder == CHECKS}


def _give(engine: Engine, given: CsvRows, kind: str) -> None:
    """Put a table with these rows in a relation's place; any of its columns may be NULL."""
    schema, _, name = given.table.rpartition(".")
    made = f"{schema}.given_rows" if schema else "given_rows"
    engine.execute(_statement(f"CREATE TABLE {made} AS SELECT * FROM {given.table} LIMIT 0"))
    _insert(engine, made, given)
    engine.execute(_statement(f"DROP {kind.upper()} {given.table}"))
    engine.execute(_statement(f"ALTER TABLE {made} RENAME TO {name}"))


def _compare(engine: Engine, case: Case, expected: CsvRows, relation: str) -> CaseResult:
    """Compare rows as those of the type that they are computed in."""
    columns = engine.ask(_statement(f"SELECT * FROM {relation} AS computed LIMIT 0")).columns
    _verify_columns(expected, columns)
    listed = ", ".join(expected.columns)
    select = f"SELECT {listed} FROM {relation} AS computed"
    engine.execute(_statement("DROP TABLE IF EXISTS expected_rows"))
    engine.execute(_statement(f"CREATE TABLE expected_rows AS {select} LIMIT 0"))
    _insert(engine, "expected_rows", expected)
    wanted = _counted(engine.execute(_statement(f"SELECT {listed} FROM expected_rows")))
    found = _counted(engine.execute(_statement(select)))
    missing, unexpected = list((wanted - found).elements()), list((found - wanted).elements())
    return CaseResult(case.name, expected.table, expected.columns, len(expected.rows), missing, unexpected)


def _insert(engine: Engine, table: str, rows: CsvRows) -> None:
    _verify_columns(rows, engine.ask(_statement(f"SELECT * FROM {table} LIMIT 0")).columns)
    try:
        engine.insert(table, rows.columns, rows.rows)
    except EngineError as exc:
        why = exc.message.partition(": ")[2] or exc.message
        raise rows.wrong(
            f"a value does not fit into {rows.table}: {why.rstrip('.')}", "Correct the value."
        ) from exc


def _verify_columns(rows: CsvRows, columns: Sequence[str]) -> None:
    unknown = sorted(set(rows.columns) - set(columns))
    if unknown:
        raise rows.wrong(f"{rows.table} has no column {', '.join(unknown)}", f"It has {', '.join(columns)}.")


def _counted(rows: Sequence[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    return Counter(
        tuple(float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value for value in row)
        for row in rows
    )


def _read(path: Path) -> CsvRows:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, line) for line in reader if line]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise ModelError(f"{path} cannot be read: {exc}.", "Mend the file.", path=str(path)) from exc
    columns = [name.strip().lower() for name in lines[0][1]] if lines else []
    found = CsvRows(path, path.stem.lower(), columns, [])
    if not all(name.isidentifier() for name in columns) or not columns or len(set(columns)) < len(columns):
        raise found.wrong("its first line does not name columns", "Write their names, a comma between them.")
    for number, values in lines[1:]:
        if len(values) != len(columns):
            raise found.wrong(
                f"{len(values)} values for {len(columns)} columns", "Write one value for each.", number
            )
        found.rows.append([value or None for value in values])
    return found


def _statement(sql: str) -> Statement:
    return Statement(sql, "derived/cases.sql", 1, verbatim=True)
