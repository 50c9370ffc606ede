"""A proof from beginning to end: the database, the probes, the month, and what came of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sparkify import __version__
from sparkify.errors import SparkifyError
from sparkify.pipeline.progress import ShowProgress
from sparkify.proof.hiding import hide_names
from sparkify.proof.month import Explained, MonthStep, explain_statements, live_a_month, write_month
from sparkify.proof.probes import TRANSACTIONS, ProbeAnswer, ask_probes
from sparkify.proof.scratch import LoginsFor, Scratch, scratch_database
from sparkify.settings import Settings
from sparkify.tempfiles import open_temporary_folder
from sparkify.warehouse.connect import open_engine, open_session, ways_to_s3
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from sparkify.warehouse.redshift.session import RedshiftSession
from sparkify.warehouse.statements import statement


@dataclass(slots=True)
class Proof:
    """What a cluster was asked and did.

    Attributes:
        version: What it says it is.
        probes: Its answers.
        events: How many events the month has; 0: there was none.
        steps: The month.
        explained: The statements it was to plan.
        failure: Why the month ended early; empty: it did not.
        statements: How many statements were sent in all.
        others: Databases of other proofs, which are under way or were killed.
    """

    version: str = ""
    probes: list[ProbeAnswer] = field(default_factory=list)
    events: int = 0
    steps: list[MonthStep] = field(default_factory=list)
    explained: Explained | None = None
    failure: str = ""
    statements: int = 0
    others: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all was asked: the month, too, and the plans."""
        return bool(self.events and self.explained and not self.failure)

    @property
    def ok(self) -> bool:
        """Whether the cluster is what we take it for, as far as it was asked."""
        return (
            all(each.ok for each in self.probes)
            and not any(step.differences for step in self.steps)
            and not (self.explained and self.explained.refused)
            and not self.failure
        )


def prove(
    settings: Settings,
    scratch: Scratch,
    logins: LoginsFor,
    events: int,
    progress: ShowProgress,
    watch: Callable[[Callable[[], None]], object] = lambda _interrupt: None,
) -> Proof:
    """Ask the probes, and live a month, in a database that is removed afterwards.

    Args:
        settings: Those of the user, which lead to a cluster.
        scratch: The names of what is made there.
        logins: Gives what asks AWS for a way in, for some settings.
        events: About how many events the month has; 0: there is none.
        progress: Told what is done.
        watch: Called with what ends DuckDB's statement under way.

    Raises:
        SparkifyError: The database cannot be made or removed.
    """
    proof = Proof()
    sessions: list[RedshiftSession] = []
    progress(label="making the database")
    with scratch_database(settings, scratch, logins) as (inside, proof.others):

        def opened() -> RedshiftSession:
            session = open_session(inside, logins(inside))
            sessions.append(session)
            return session

        try:
            _probe(proof, opened, inside, progress)
            sound = {each.name for each in proof.probes if each.ok}
            if events and not sound.issuperset(probe.name for probe in TRANSACTIONS):
                proof.failure = "the month was left out: transactions are not what a run relies on"
            elif events:
                _live(proof, opened, inside, logins, events, progress, watch)
        finally:
            proof.statements += sum(session.sent for session in sessions)
            for session in sessions:
                session.close()
    return proof


def _probe(
    proof: Proof, opened: Callable[[], RedshiftSession], inside: Settings, progress: ShowProgress
) -> None:
    first = opened()
    ((version,),) = first.send(statement("redshift/proof/version.sql").text, "the version")[1]
    proof.version = str(version)
    first.close()
    reading, area = ways_to_s3(inside)
    assert area
    try:
        for answer in ask_probes(opened, reading, area, lambda name: progress(label=f"asking {name}")):
            proof.probes.append(answer)
    finally:
        area.close()


def _live(
    proof: Proof,
    opened: Callable[[], RedshiftSession],
    inside: Settings,
    logins: LoginsFor,
    events: int,
    progress: ShowProgress,
    watch: Callable[[Callable[[], None]], object],
) -> None:
    with open_temporary_folder() as folder:
        progress(label="simulating a month")
        proof.events = write_month(folder / "lake", events, inside, progress)
        cluster = open_engine(inside, logins=logins(inside))
        try:
            duckdb = DuckDBEngine(folder / "beside.duckdb")
            watch(duckdb.interrupt)
            try:
                for step in live_a_month(cluster, duckdb, folder / "lake", inside, progress):
                    proof.steps.append(step)
            finally:
                duckdb.close()
            progress(label="planning every statement")
            proof.explained = explain_statements(opened(), folder / "lake", inside)
        except SparkifyError as exc:
            proof.failure = exc.message
        finally:
            proof.statements += cluster.statements_sent
            cluster.close()


def as_object(proof: Proof, settings: Settings, seconds: float) -> dict[str, Any]:
    """Return a proof for others to read: without the names of hosts, users, buckets, databases and roles."""
    hide = hide_names(settings)
    explained = proof.explained
    return {
        "sparkify": __version__,
        "redshift": proof.version,
        "ok": proof.ok,
        "complete": proof.complete,
        "seconds": round(seconds, 1),
        "statements": proof.statements,
        "probes": [
            {**each._asdict(), "answer": each.answer if each.ok else hide(each.answer), "ok": each.ok}
            for each in proof.probes
        ],
        "events": proof.events,
        "month": [
            {
                "step": step.name,
                "seconds": step.seconds,
                "statements": step.statements,
                "rows": step.rows,
                "equal": not step.differences,
                "differences": [
                    {
                        **{part: getattr(each, part) for part in ("table", "rows_a", "rows_b")},
                        **{part: getattr(each, part) for part in ("only_a", "only_b", "changed", "columns")},
                        "types": each.types,
                    }
                    for each in step.differences
                ],
            }
            for step in proof.steps
        ],
        "failure": hide(proof.failure) or None,
        "planned": explained.statements if explained else 0,
        "refused": [
            {"statement": hide(sql), "error": hide(error)}
            for sql, error in (explained.refused if explained else [])
        ],
    }
