"""The ledger (schema ``etl``): which version of each file is loaded, and how many lines were accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import starmap
from typing import NamedTuple

from sparkify.records import KINDS, Field, RecordKind
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.statements import Statement, statement

# The version of the tables from which on the ledger has the contents of files.
CONTENTS_SINCE = 2
# … and from which on rejected records have a kind, and are resolved.
KINDS_SINCE = 4
# … and from which on staging keeps the values of fields without a column.
EXTRA_SINCE = 7
# … and from which on the ledger counts erased records.
ERASED_SINCE = 8
# The version of the rules from which on these values are kept of every record.
EXTRA_RULES = 3


# Why a file is set aside: too many of its records are rejected, it cannot be read, or it is being written.
REJECTS, UNREADABLE, GROWING = "rejects", "unreadable", "growing"


class LedgerFile(NamedTuple):
    """A file as the warehouse knows it now: one row of ``etl.files`` that no other has superseded.

    Attributes:
        file_id: Its number.
        kind: The kind of its records.
        uri: Where it lies.
        size: Bytes, as stored.
        version: Its ETag, or the time of its last change.
        state: ``loaded``: its rows are in staging. ``retracted`` or ``set_aside``: no run loads them.
            ``copy``: another file has the same content, and stands for both. ``expired``: it held nothing
            but what is older than the warehouse keeps.
        run_id: The run that read it.
        rows_read: How many records it has.
        rows_rejected: How many of them were rejected.
        content: The hash of its plain contents; None: it was read before hashes were kept, or has none.
        reason: Why it is set aside, or why a later version of it is.
    """

    file_id: int
    kind: str
    uri: str
    size: int
    version: str
    state: str
    run_id: int
    rows_read: int = 0
    rows_rejected: int = 0
    content: str | None = None
    reason: str | None = None

    def is_version(self, size: int, version: str) -> bool:
        """Tell whether what is listed under its name is what was read."""
        return (self.size, self.version) == (size, version)


class FileRecord(NamedTuple):
    """One row of ``etl.files``: a version of a file and the counts of its lines."""

    file_id: int
    run_id: int
    kind: str
    uri: str
    size: int
    version: str
    state: str
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    plays_loaded: int
    content: str | None = None
    reason: str | None = None
    detail: str | None = None
    rows_erased: int = 0


class RunRecord(NamedTuple):
    """One row of ``etl.runs``. ``songplays`` and ``plays_matched`` are those in the run's time range.

    ``mode`` is incremental, full-refresh, replay, models, upgrade, retract, retract --back, forget, retain,
    or undo and the number of a run.
    Undo and retract count what they removed as negative numbers, from ``files_loaded`` to ``plays_loaded``;
    forget and retain count what was loaded or rejected, and is erased now, below zero.
    """

    run_id: int
    mode: str
    status: str
    started_at: datetime
    finished_at: datetime
    files_loaded: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    plays_loaded: int
    duplicates: int
    songplays: int
    plays_matched: int
    version: str
    error: str | None = None
    rows_erased: int = 0


class RejectRecord(NamedTuple):
    """One row of ``etl.rejects``: a record that was not loaded."""

    run_id: int
    file_id: int
    uri: str
    line: int
    byte_offset: int
    reason: str
    detail: str
    content: str
    encoding: str
    size: int | None = None
    resolved_by: int | None = None
    kind: str | None = None


class UnknownField(NamedTuple):
    """One row of ``etl.unknown_fields``: a field of the files that has no column."""

    run_id: int
    kind: str
    field: str
    occurrences: int
    first_uri: str


class CheckRecord(NamedTuple):
    """One row of ``etl.checks``: ``sample`` shows some of the failing rows.

    A check of severity warn has a row for each ``subject`` (a day or a file) it names.
    """

    run_id: int
    check_name: str
    failing_rows: int
    sample: str | None
    severity: str
    subject: str | None = None


class Meta(NamedTuple):
    """The row of ``etl.meta``: the versions of tables, rules and models; version 0 by default."""

    schema_version: int = 0
    rules_version: int = 1
    models_digest: str = ""
    made_by: str = ""
    upgraded_by: str | None = None


class ModelRecord(NamedTuple):
    """One row of ``etl.models``: a model of the user's as it stands in the warehouse.

    Attributes:
        model: Its name with its schema.
        materialized: view, table or incremental.
        digest: Of its text and of what it stands on, when it was made; empty: it is to be made again.
        build_order: Its place among the models; each stands on those before it.
        run_id: The run that made it.
        upto_run: The run that brought its rows up to date; 0: one since has not.
    """

    model: str
    materialized: str
    digest: str
    build_order: int
    run_id: int
    upto_run: int

    @property
    def relation(self) -> str:
        """What it is for the database: a view or a table."""
        return "view" if self.materialized == "view" else "table"


class AdoptedField(NamedTuple):
    """One row of ``etl.fields``: a field that staging was given a column for.

    Attributes:
        kind: The kind of record.
        field: Its name: :attr:`sparkify.records.Field.name`.
        path: The keys that lead to it, as a JSON array.
        column_name: Its column.
        column_type: The type of that, as :class:`sparkify.records.Field` has it.
        column_width: The most bytes of a VARCHAR.
        run_id: The run that adopted it.
    """

    kind: str
    field: str
    path: str
    column_name: str
    column_type: str
    column_width: int | None
    run_id: int

    @classmethod
    def of(cls, kind: RecordKind, field: Field, run_id: int) -> AdoptedField:
        """Return the row of a field."""
        path = json.dumps([field.key, *field.path], ensure_ascii=False)
        return cls(kind.name, field.name, path, field.column, field.type, field.width, run_id)

    @property
    def declared(self) -> Field:
        """The field as records of its kind have it."""
        key, *path = json.loads(self.path)
        of_column = self.column_name, self.column_type, self.column_width
        return Field(key, *of_column, adopted=True, path=tuple(path))


class ErasedRecord(NamedTuple):
    """One row of ``etl.erased``: a hashed value of a person who is forgotten, or a bound of time.

    Attributes:
        person: The hash of the person's id; None: a bound.
        field: Which field the value is of.
        digest: The hash of the value.
        keeps_plays: Whether the plays stay under another id.
        hash_key: What is hashed before every value.
        before_ts: Of a bound: events before it are erased, in ms since 1970.
    """

    person: str | None
    field: str
    digest: str | None = None
    keeps_plays: bool | None = None
    hash_key: str | None = None
    before_ts: int | None = None


class Ledger(NamedTuple):
    """The ledger's content at the time of reading.

    Attributes:
        latest_run: The number of the latest run.
        files: The files as they are known now.
        meta: The version of the warehouse; None: there is none.
        lost_fields: The runs, with a kind, of which some file had values of fields without a column that an
            older version did not keep.
        models: The user's models as they were built.
        adopted: The adopted fields.
        erased: Who and what was erased.
    """

    latest_run: int
    files: list[LedgerFile]
    meta: Meta | None = None
    lost_fields: frozenset[tuple[int, str]] = frozenset()
    models: Sequence[ModelRecord] = ()
    adopted: Sequence[AdoptedField] = ()
    erased: Sequence[ErasedRecord] = ()

    @property
    def kinds(self) -> tuple[RecordKind, ...]:
        """What the records are made of in this warehouse."""
        return with_adopted(self.adopted)


def with_adopted(fields: Sequence[AdoptedField]) -> tuple[RecordKind, ...]:
    """Return all kinds of records, with the fields that a warehouse has adopted."""
    return tuple(kind.adopting(each.declared for each in fields if each.kind == kind.name) for kind in KINDS)


def now() -> datetime:
    """Return the current time as the ledger stores it: UTC, without a time zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def read_ledger(engine: Engine) -> Ledger:
    """Return the ledger; an empty one where there is no warehouse yet."""
    with engine.reading() as exists:
        tables = engine.tables() if exists else set()
        meta = meta_of(engine, tables)
        if meta is None:
            return Ledger(0, [])
        lost: frozenset[tuple[int, str]] = frozenset()
        if meta.rules_version < EXTRA_RULES:
            rows = engine.execute(statement("ledger/runs_with_other_fields.sql"))
            lost = frozenset((run, kind) for run, kind in rows)
        models, adopted = _models_of(engine, tables), _adopted_in(engine, tables)
        erased = read_erased(engine) if "etl.erased" in tables else []
        return Ledger(latest_run(engine), current_files(engine, meta), meta, lost, models, adopted, erased)


def read_erased(engine: Engine) -> list[ErasedRecord]:
    """Return who and what was erased from the open warehouse."""
    return list(starmap(ErasedRecord, engine.execute(statement("ledger/list_erased.sql"))))


def read_meta(engine: Engine) -> Meta | None:
    """Return the version of the open warehouse; None where it has no tables yet."""
    return meta_of(engine, engine.tables())


def meta_of(engine: Engine, tables: set[str]) -> Meta | None:
    """Return the version of the open warehouse, which has these tables."""
    if "etl.runs" not in tables:
        return None
    rows = engine.execute(statement("ledger/read_meta.sql")) if "etl.meta" in tables else []
    return Meta(*rows[0]) if rows else Meta()


def read_models(engine: Engine) -> list[ModelRecord]:
    """Return the user's models in the open warehouse, each after those it stands on."""
    return _models_of(engine, engine.tables())


def _models_of(engine: Engine, tables: set[str]) -> list[ModelRecord]:
    if "etl.models" not in tables:  # made with the first of them
        return []
    return list(starmap(ModelRecord, engine.execute(statement("ledger/list_models.sql"))))


def read_adopted(engine: Engine) -> list[AdoptedField]:
    """Return the adopted fields of the open warehouse, in the order in which they were adopted."""
    return _adopted_in(engine, engine.tables())


def _adopted_in(engine: Engine, tables: set[str]) -> list[AdoptedField]:
    if "etl.fields" not in tables:  # an older warehouse
        return []
    return list(starmap(AdoptedField, engine.execute(statement("fields/adopted.sql"))))


def write_models(engine: Engine, models: Sequence[ModelRecord]) -> None:
    """Write which models of the user's the warehouse has now; it must be open for writing."""
    if "etl.models" not in engine.tables():
        engine.execute(statement("tables/models.sql"))
    engine.execute(statement("ledger/forget_models.sql"))
    record(engine, "etl.models", models)


def current_files(engine: Engine, meta: Meta) -> list[LedgerFile]:
    """Return the files as they are known now; the warehouse, of that version, must be open."""
    kept = meta.schema_version >= CONTENTS_SINCE
    path = "ledger/current_files.sql" if kept else "ledger/current_files_before_contents.sql"
    return list(starmap(LedgerFile, engine.execute(statement(path))))


def files_of_run(engine: Engine, meta: Meta, run_id: int) -> list[LedgerFile]:
    """Return those of :func:`current_files` that a run loaded."""
    if meta.schema_version < CONTENTS_SINCE:
        return [file for file in current_files(engine, meta) if file.run_id == run_id]
    return list(starmap(LedgerFile, engine.execute(statement("ledger/files_of_run.sql"), run_id=run_id)))


def files_like(engine: Engine, meta: Meta, uri: str) -> list[LedgerFile]:
    """Return that of :func:`current_files` which has a URI, and those of the same content."""
    if meta.schema_version < CONTENTS_SINCE:
        return [file for file in current_files(engine, meta) if file.uri == uri]
    return list(starmap(LedgerFile, engine.execute(statement("ledger/files_like.sql"), uri=uri)))


def files_below(engine: Engine, meta: Meta, prefix: str) -> list[LedgerFile]:
    """Return those of :func:`current_files` whose URIs begin with a prefix."""
    if meta.schema_version < CONTENTS_SINCE:
        files = current_files(engine, meta)
    else:
        rows = engine.execute(statement("ledger/files_below.sql"), pattern=_pattern(prefix))
        files = list(starmap(LedgerFile, rows))
    return [file for file in files if file.uri.startswith(prefix)]


def counts_below(engine: Engine, prefix: str, state: str) -> dict[int, tuple[int, int]]:
    """Return of each file of a state how many rows and plays it has, by its number.

    Args:
        engine: The warehouse, open.
        prefix: What the URIs of the files begin with; there may be others among them.
        state: ``loaded`` or ``retracted``; of the latter it is what they had.
    """
    rows = engine.execute(statement("ledger/counts_below.sql"), pattern=_pattern(prefix), state=state)
    return {file_id: (loaded, plays) for file_id, loaded, plays in rows}


def _pattern(prefix: str) -> str:
    """Return a pattern of LIKE that matches what begins with a prefix, and perhaps more.

    An underscore stands in for what escapes in some dialects, and for what no text of a warehouse has.
    """
    return re.sub(r"[\\\0\ud800-\udfff]", "_", prefix) + "%"


def about_rejects(engine: Engine, question: str) -> Statement:
    """Return the query of that name for the open warehouse, which may be older."""
    meta = read_meta(engine) or Meta()
    before = "" if meta.schema_version >= KINDS_SINCE else "_before_kinds"
    return statement(f"ledger/{question}{before}.sql")


def latest_run(engine: Engine) -> int:
    """Return the number of the latest run, 0 before the first; the warehouse must be open."""
    ((number,),) = engine.execute(statement("ledger/latest_run.sql"))
    return int(number)


Record = (
    FileRecord | RunRecord | RejectRecord | UnknownField | CheckRecord | Meta | ModelRecord | AdoptedField
)


def record(engine: Engine, table: str, rows: Sequence[Record]) -> None:
    """Append rows to a table of the ledger."""
    if rows:
        engine.insert(table, rows[0]._fields, rows)
