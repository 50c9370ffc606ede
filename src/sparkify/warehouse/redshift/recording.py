"""Record what a run would send to Redshift: the real engine, on a session and a STAGING that only record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sparkify.records import FILE_KEY, KINDS, RecordKind
from sparkify.settings import ClusterSettings
from sparkify.tempfiles import open_temporary_folder
from sparkify.warehouse.derived import statements_of, table_statements
from sparkify.warehouse.engine import Rows
from sparkify.warehouse.ledger import AdoptedField, ErasedRecord, Meta, ModelRecord
from sparkify.warehouse.redshift.copying import CopyLoader, CopySource
from sparkify.warehouse.redshift.literals import fill
from sparkify.warehouse.redshift.packing import Packed
from sparkify.warehouse.redshift.prescan import Seen
from sparkify.warehouse.redshift.redshift_engine import RedshiftEngine
from sparkify.warehouse.redshift.session import STATEMENT_TIMEOUT, RedshiftSession, settings
from sparkify.warehouse.redshift.staging import StagingArea
from sparkify.warehouse.redshift.transport import Columns, Transport
from sparkify.warehouse.statements import Statement, statement
from sparkify.warehouse.tables import STAGING, STAR, all_tables, names
from sparkify.warehouse.version import today

_COPIED = 10**9  # at least as many as were sent


class Answers:
    """The answers of a warehouse without errors.

    Args:
        latest_run: The number of its latest run.
        meta: Its version; None: it has no tables yet.
        models: The user's models in it.
        adopted: Its adopted fields.
        erased: Who and what was erased from it.
        brings_events: Whether what is loaded has events.
        changes_songs: Whether songs come or go, or all are looked at.
        rematches: Whether songs that arrive have titles that were played.
    """

    def __init__(
        self,
        *,
        latest_run: int,
        meta: Meta | None,
        models: Sequence[ModelRecord] = (),
        adopted: Sequence[AdoptedField] = (),
        erased: Sequence[ErasedRecord] = (),
    ) -> None:
        self.latest_run = latest_run
        self.meta = meta
        self.models = models
        self.adopted = adopted
        self.erased = erased
        self.brings_events = True
        self.changes_songs = True
        self.rematches = False

    def to(self, step: str) -> Rows:
        """Return the rows of one of our statements, given by file and line."""
        path = step.partition(",")[0]
        rows = self.meta and (
            self.meta.schema_version,
            self.meta.rules_version,
            self.meta.models_digest,
            self.meta.made_by,
            self.meta.upgraded_by,
        )
        answers: dict[str, Rows] = {
            "redshift/our_tables.sql": [
                (name,) for name in [*names(), *(["etl.models"] if self.models else [])] if self.meta
            ],
            "ledger/list_models.sql": [tuple(each) for each in self.models],
            "fields/adopted.sql": [tuple(each) for each in self.adopted],
            "redshift/slices.sql": [(1,)],
            "ledger/list_erased.sql": [tuple(each) for each in self.erased],
            "ledger/latest_run.sql": [(self.latest_run,)],
            "ledger/star_totals.sql": [(0, 0, 0)],
            "run/played_range.sql": [(0, 0) if self.rematches else (None, None)],
            "run/changes.sql": [(int(self.changes_songs), 0)],
            "run/touched_days.sql": [(0, 1, 0, 0, 0)] if self.brings_events else [],
            "ledger/read_meta.sql": [rows] if rows else [],
            **{_place(statements_of(kind).count_copied): [(_COPIED,)] for kind in KINDS},
            _place(table_statements(all_tables())[0]): [(name, 0) for name in STAGING + STAR],
        }
        return answers.get(path, answers.get(step, []))


@dataclass(frozen=True)
class _NoTransport:
    """What a session asks of its transport that never opens it."""

    host: str
    insert_bytes: int

    def close(self) -> None:
        pass


class _Notes(RedshiftSession):
    """A session that records statements and is never opened."""

    def __init__(self, host: str, insert_bytes: int, answers: Answers) -> None:
        super().__init__(cast("Transport", _NoTransport(host, insert_bytes)))
        self.statements: list[str] = []
        self._answers = answers
        for sql in settings(STATEMENT_TIMEOUT, self.label):
            self.send(sql, "SET")

    def open(self) -> str:
        return ""

    def send(self, sql: str, what: str) -> tuple[Columns, Rows]:
        self.statements.append(sql)
        return [], self._answers.to(what)

    def relabel(self, label: str) -> None:
        self.send(fill(statement("redshift/query_group.sql").text, {"label": label}), "SET")

    @contextmanager
    def transaction(self, begin: str, *, keep: bool) -> Iterator[None]:
        self.send(statement(begin).text, "BEGIN")
        yield
        self.send(statement(f"redshift/{'commit' if keep else 'rollback'}.sql").text, "")


class _Nowhere(StagingArea):
    """A staging area that returns URIs and writes nothing."""

    def put_all(self, objects: Sequence[tuple[str, bytes]]) -> list[str]:
        return [f"{self.uri}{self._next():06d}-{name}" for name, _ in objects]

    def put_file(self, name: str, path: Path) -> list[str]:
        return self.put_all([(name, b"")])

    def remove(self, uris: Sequence[str]) -> None:
        pass


class RedshiftRecording(RedshiftEngine):
    """A Redshift engine that never connects."""

    def __init__(
        self,
        cluster: ClusterSettings,
        reading: CopySource,
        area: StagingArea | None,
        answers: Answers,
        *,
        insert_bytes: int,
    ) -> None:
        self._answers = answers
        self._notes = _Notes(cluster.host, insert_bytes, answers)
        nowhere = _Nowhere(area.writer) if area else None
        loader = CopyLoader(self._notes, reading, nowhere, look=_well_formed, pack=_one_line)
        super().__init__(self._notes, cluster.db_name, loader)

    @property
    def statements(self) -> list[str]:
        """The statements recorded so far."""
        return self._notes.statements

    def _make_tables(self) -> None:
        super()._make_tables()
        self._answers.meta = today()

    def land_unread(self, kind: RecordKind, files: Sequence[tuple[int, int]]) -> None:
        """Land packed records, one a file, that are not read: their files' numbers and sizes in bytes."""
        with open_temporary_folder() as folder:
            packed = folder / "records.json"
            with packed.open("w") as out:
                for file_id, size in files:
                    # As large as the record, because the size decides the number of pieces.
                    out.write(json.dumps({FILE_KEY: file_id})[:-1] + " " * size + "}\n")
            self._landing.land_packed(kind, packed, accepted=False)


def _place(step: Statement) -> str:
    return f"{step.path}, line {step.line}"


def _well_formed(path: Path, keys: Sequence[str], *, exact: bool) -> Seen:  # noqa: ARG001 - the file is not read
    """Return the result for a well-formed file, without reading it."""
    return Seen(1, nested=False)


def _one_line(path: Path, number: int, kind: RecordKind, packed: Packed) -> Iterator[bytes]:  # noqa: ARG001 - the file is not read
    """Yield one packed line for a file, without reading it."""
    yield b'{"%s": %d}\n' % (FILE_KEY.encode(), number)
