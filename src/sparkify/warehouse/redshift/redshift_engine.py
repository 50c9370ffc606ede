"""The engine for Amazon Redshift, provisioned or Serverless.

Our SQL is sent verbatim, one statement at a time, with parameters as literals. A run reads in read-only
transactions, lands in temporary tables, and publishes in one transaction that begins with a lock that every
run takes.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from threading import Timer
from typing import Any

from sparkify.errors import EngineError, TransientEngineError
from sparkify.records import KINDS, RecordKind
from sparkify.warehouse.derived import statements_of
from sparkify.warehouse.duckdb.parquet import add_rows, write_rows
from sparkify.warehouse.duckdb.survey import survey_files
from sparkify.warehouse.engine import Answer, Judged, OnWait, ProbeStep, RecordFile, Rows
from sparkify.warehouse.redshift.copying import CopyLoader
from sparkify.warehouse.redshift.literals import fill, inserts
from sparkify.warehouse.redshift.session import LABEL, RedshiftSession
from sparkify.warehouse.statements import Statement, statement
from sparkify.warehouse.tables import clear_run_tables, names, run_tables
from sparkify.warehouse.version import OnOlder, ignore_older, prepare_tables, verify_open

_log = logging.getLogger(__name__)
# The words a user's query may begin with; the transaction is read-only in any case.
_LOOKS = ("select", "with", "show", "explain", "(")
# The table that a run locks: if it exists, all tables exist.
LOCKED = "etl.runs"
# Without another run, the lock is granted in less time.
_SECONDS_TO_LOCK = 1.0
_COMMENT = re.compile(r"\s*(--[^\n]*\n|/\*.*?\*/)", re.DOTALL)


class RedshiftEngine:
    """A warehouse in one database on Redshift.

    Args:
        session: The session; opened when it is first used.
        database: The name of the database, for messages.
        landing: Loads records into the run's tables.
        on_wait: Context entered with the holder's name after one second of waiting; left when the wait ends.
        on_older: Called when a warehouse opened for reading has an older version.
    """

    name = "redshift"
    reads_lake = True
    parses = False

    def __init__(
        self,
        session: RedshiftSession,
        database: str,
        landing: CopyLoader,
        on_wait: OnWait = nullcontext,
        on_older: OnOlder = ignore_older,
    ) -> None:
        self.place = f"{database} on {session.host}"
        self._database = database
        self._on_wait = on_wait
        self._on_older = on_older
        self._verified = False
        # The session that has the run's tables, and for which kinds.
        self._prepared: tuple[int, Sequence[RecordKind]] = (-1, ())
        self._session = session
        self._landing = landing

    @property
    def batch_bytes(self) -> tuple[int, int]:
        return 4 * 1024**3, 4 * 1024**3

    @property
    def statements_sent(self) -> int:
        return self._session.sent

    def probe(self, schemas: Collection[str] = ()) -> Sequence[ProbeStep]:
        def log_in() -> str:
            user = self._session.open()
            self._session.verify()
            return f"database {self._database} lets {user} in"

        return [
            ProbeStep(self._session.way, self._session.reach),
            ProbeStep("login", log_in),
            ProbeStep("privileges", lambda: self._verify_privileges(schemas)),
        ]

    def _verify_privileges(self, schemas: Collection[str]) -> str:
        """Raise where the user may not do what a run does, which makes models in these schemas."""
        with self._session.transaction("redshift/begin_read_only.sql", keep=False):
            tables = self.tables()
            made = tables.issuperset(names())
            rows = self.execute(statement("doctor/missing_privileges.sql"), to_create=int(not made))
            missing = [row[0] for row in rows if row[0]]
            if schemas:
                places = [*sorted(schemas), *([] if "etl.models" in tables else ["etl"])]
                missing += [each for each in self._missing_for_models(places) if each not in missing]
        if missing:
            raise EngineError("; ".join(missing), "Have the owner GRANT it.")
        return "read and write" if made and not schemas else "create, read and write"

    def _missing_for_models(self, schemas: Iterable[str]) -> Iterator[str]:
        """Yield what the user may not do to make models in these schemas, or their list in ``etl``."""
        rows = self.execute(statement("doctor/may_create.sql"))
        may_create = {schema: in_schema for schema, in_schema, _ in rows}
        for schema in schemas:
            if schema in may_create:
                if not may_create[schema]:
                    yield f"CREATE on schema {schema} (for your models)"
            elif not rows[0][2] and schema != "etl":  # that one is asked for with the tables
                yield f"CREATE on the database (for the schema {schema} of your models)"

    def interrupt(self) -> None:
        """Do nothing: a signal ends the wait for an answer, and the session then cancels the statement."""

    def share_done(self) -> None:
        """Return None: a cluster says nothing before its answer."""

    def recover(self) -> None:
        """Do nothing: the cluster rolls back the transaction of a killed process."""

    def name_run(self, run_id: int) -> None:
        self._session.relabel(f"{LABEL} run {run_id}")

    def analyze(self, tables: Collection[str]) -> None:
        lasting = any("." in name for name in tables)
        try:
            owned = (
                {row[0] for row in self.execute(statement("redshift/owned_tables.sql"))} if lasting else ()
            )
            for name in tables:
                if "." in name and name not in owned:
                    _log.debug("ANALYZE %s is left to its owner.", name)
                    continue
                self._session.send(f"ANALYZE {name}", f"ANALYZE {name}")
        except TransientEngineError:
            raise
        except EngineError as exc:  # without them statements are right, and may be slower
            _log.debug("ANALYZE was refused: %s", exc.message)

    def prepare(self, kinds: Sequence[RecordKind] = KINDS) -> None:
        self._session.open()
        number, before = self._prepared
        new = number != self._session.number  # a session begins without temporary tables
        if not new and before != kinds:  # with other columns
            for kind in kinds:
                self._session.send(f"DROP TABLE IF EXISTS {kind.landing}", "DROP TABLE")
                self.execute(statements_of(kind).run_table)
            self._landing.forget_tables()
        for step in run_tables(kinds) if new else clear_run_tables():
            self.execute(step)
        self._prepared = self._session.number, kinds

    @contextmanager
    def reading(self) -> Iterator[bool]:
        with self._session.transaction("redshift/begin_read_only.sql", keep=False):
            if not self._verified:
                verify_open(self, self._on_older)
                self._verified = True
            yield True

    @contextmanager
    def holding(
        self, views: Collection[str], queries: Iterable[Statement], **parameters: Any
    ) -> Iterator[bool]:
        # No temporary tables: a READ ONLY transaction makes none, and a reader may lack TEMP.
        yield False

    @contextmanager
    def writing(self) -> Iterator[None]:
        # Before the transaction, because the lock has to be its first statement.
        if not self._is_made():
            self._make_tables()
        with self._session.transaction("redshift/begin.sql", keep=True):
            with self._telling("another run"):
                self.execute(statement("redshift/lock.sql"))
            yield

    @contextmanager
    def _telling(self, holder: str) -> Iterator[None]:
        """Call ``on_wait`` if the statement inside, which may wait for a lock, takes longer than a second."""
        with ExitStack() as waiting:
            timer = Timer(_SECONDS_TO_LOCK, lambda: waiting.enter_context(self._on_wait(holder)))
            timer.daemon = True
            timer.start()
            try:
                yield
            finally:
                timer.cancel()
                timer.join()

    def _is_made(self) -> bool:
        return LOCKED in self.tables()

    def _make_tables(self) -> None:
        """Create all tables in one transaction: other processes infer from one table that all exist."""
        try:
            with self._session.transaction("redshift/begin.sql", keep=True):
                prepare_tables(self)
        except TransientEngineError:
            raise  # the session, and the landed rows, may be lost
        except EngineError:
            if not self._is_made():  # else another run has created them in the meantime
                raise

    def use_all_memory(self) -> None:
        """Do nothing: the cluster has memory of its own."""

    def tables(self) -> set[str]:
        return {row[0] for row in self.execute(statement("redshift/our_tables.sql"))}

    def translate(self, step: Statement) -> str:
        return step.text

    def execute(self, step: Statement, **parameters: Any) -> Rows:
        return self._send(step, parameters)[1]

    def _send(self, step: Statement, parameters: dict[str, Any]) -> tuple[list[tuple[str, int]], Rows]:
        sql = step.text if step.verbatim else fill(step.text, step.pick(parameters))
        return self._session.send(sql, f"{step.path}, line {step.line}")

    def ask(self, step: Statement, **parameters: Any) -> Answer:
        columns, rows = self._send(step, parameters)
        return Answer([name for name, _ in columns], iter(rows))

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        if self._landing.copies(rows):
            self._landing.copy_rows(table, columns, rows)
            return
        for sql in inserts(table, columns, rows, self._session.insert_bytes):
            self._session.send(sql, f"INSERT INTO {table}")

    def keys_read(self, kind: RecordKind) -> frozenset[str]:
        # COPY reads every value as text: it does not tell 12 from "12".
        return frozenset(field.key for field in kind.built_in)

    def land(
        self, kind: RecordKind, files: Sequence[RecordFile], *, flat: bool = False, others: Sequence[str] = ()
    ) -> Mapping[int, Judged]:
        delivered = [file for file in files if file.file_id is not None]
        judged = self._landing.land_files(kind, delivered) if delivered else {}
        for file in files:
            if file.file_id is None:
                self._landing.land_packed(kind, file.path, accepted=file.accepted)
        return judged

    def accept(self, kind: RecordKind) -> None:
        self.execute(statements_of(kind).accept)

    def survey(self, kind: RecordKind, paths: Sequence[Path]) -> Rows:
        return survey_files(paths, self.keys_read(kind))

    def query(self, sql: str) -> Answer:
        columns, rows = self._look(sql)
        return Answer([name for name, _ in columns], rows)

    def write_parquet(self, sql: str, path: Path) -> int:
        columns, rows = self._look(sql)
        return write_rows(columns, rows, path)

    def write_file(self, sql: str, path: Path, form: str) -> int:
        columns, rows = self._session.stream(sql, "the export")
        return write_rows(columns, rows, path, form)

    def add_table(self, sql: str, path: Path, name: str) -> int:
        columns, rows = self._session.stream(sql, "the export")
        return add_rows(columns, rows, path, name)

    def _look(self, sql: str) -> tuple[list[tuple[str, int]], Iterator[tuple[Any, ...]]]:
        """Run a user's own SQL in the open read-only transaction."""
        if not _without_comments(sql).lower().startswith(_LOOKS):
            raise EngineError(
                "the query does not only look: it begins with none of SELECT, WITH, SHOW and EXPLAIN.",
                "Ask with SELECT; use another client to change what is not the pipeline's.",
            )
        return self._session.stream(sql, "the query")

    def close(self) -> None:
        self._landing.close()
        self._session.close()


def _without_comments(sql: str) -> str:
    while found := _COMMENT.match(sql):
        sql = sql[found.end() :]
    return sql.lstrip()
