"""The probes: questions to a cluster that its documentation leaves open, or that everything here rests on.

Each has the answer that the product and the stand-in rely on, and what it means if the cluster gives another
one. Those in SQL are files of ``sql/redshift/probes``; those of COPY are the values below; those of
transactions take two sessions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import NamedTuple

from sparkify.errors import EngineError, SparkifyError
from sparkify.warehouse.redshift.copying import CopySource
from sparkify.warehouse.redshift.literals import Word, fill
from sparkify.warehouse.redshift.packing import paths_of
from sparkify.warehouse.redshift.session import RedshiftSession
from sparkify.warehouse.redshift.staging import StagingArea
from sparkify.warehouse.statements import Statement, list_files, read_statements, statement

# Seconds in which a statement that waits for nobody has been answered, on a cluster that is not busy.
_SOON = 20.0
# Seconds for which another transaction is left waiting for a lock.
_WAITS = 1.0
_REREAD = "a file with such a value is read again record by record: right, but slower"
_WRONG = "texts differ from those on DuckDB"


class ProbeAnswer(NamedTuple):
    """A probe and what the cluster answered.

    Attributes:
        name: Its name.
        question: What was asked.
        expected: The answer that the product relies on.
        answer: The cluster's; an error's words, if it has refused.
        otherwise: What another answer means.
    """

    name: str
    question: str
    expected: str
    answer: str
    otherwise: str

    @property
    def ok(self) -> bool:
        """Whether it is the expected answer."""
        return self.answer == self.expected


class CopiedValue(NamedTuple):
    """A value of a JSON file that COPY loads into a column of texts.

    Attributes:
        name: The probe's name.
        json: The value as it stands in the file; empty: its key is absent.
        expected: The text that is loaded; None: NULL.
        otherwise: What another one means.
        loads: Whether it is loaded at all.
    """

    name: str
    json: str
    expected: str | None
    otherwise: str = _WRONG
    loads: bool = True


COPIED = (
    CopiedValue("copy_decimal", "1.50", "1.50", _REREAD),
    CopiedValue("copy_exponent", "1e3", "1e3", _REREAD),
    CopiedValue("copy_integer", "12345678901234567890", "12345678901234567890"),
    CopiedValue("copy_negative_zero", "-0", "-0"),
    CopiedValue("copy_true", "true", "true"),
    CopiedValue("copy_false", "false", "false"),
    CopiedValue("copy_nested", '{"a": [1, 2.50,"x"]}', '{"a": [1, 2.50,"x"]}', _REREAD),
    CopiedValue("copy_accent", '"Zo\\u00eb"', "Zoë"),
    CopiedValue("copy_surrogates", '"\\ud83d\\ude00"', "😀"),
    CopiedValue(
        "copy_half_surrogate", '"\\ud83d"', None, "nothing: a file with one is not left to COPY", loads=False
    ),
    CopiedValue("copy_nul", '"a\\u0000b"', "a", "nothing: a file with a NUL is not left to COPY"),
    CopiedValue("copy_escapes", '"\\"\\\\\\/\\n\\t"', '"\\/\n\t'),
    CopiedValue("copy_blanks", '"x  "', "x  "),
    CopiedValue("copy_empty", '""', ""),
    CopiedValue("copy_null", "null", None),
    CopiedValue("copy_absent", "", None),
)

_NOT_LOADED = "not loaded"


class TransactionProbe(NamedTuple):
    """A probe of transactions: what two sessions do, and what comes of it."""

    name: str
    question: str
    expected: str
    otherwise: str
    attempt: Callable[[RedshiftSession, RedshiftSession], str]


def ask_probes(
    sessions: Callable[[], RedshiftSession],
    reading: CopySource,
    area: StagingArea,
    tell: Callable[[str], object] = lambda _name: None,
) -> Iterator[ProbeAnswer]:
    """Yield the answer of each probe.

    Args:
        sessions: Returns a new session in the scratch database; its tables are made here.
        reading: How the cluster reads S3.
        area: Where the file for COPY is written.
        tell: Called with the name of each probe before it is asked.
    """
    one, other = sessions(), sessions()
    try:
        for step in read_statements("redshift/proof/make_tables.sql"):
            one.send(step.text, "CREATE TABLE")
        for path in list_files("redshift/probes"):
            step = statement(path)
            tell(step.name)
            yield _ask(one, step)
        tell("copy")
        yield from _ask_copy(one, reading, area)
        for probe in TRANSACTIONS:
            tell(probe.name)
            yield _attempt(probe, one, other)
    finally:
        one.close()
        other.close()


def _ask(session: RedshiftSession, step: Statement) -> ProbeAnswer:
    question, expected, otherwise = _head(step)
    try:
        rows = session.send(step.text, step.path)[1]
        answer = "; ".join(str(row[0]) for row in rows)
    except EngineError as exc:
        answer = exc.message
    return ProbeAnswer(step.name, question, expected, answer, otherwise)


def _head(step: Statement) -> tuple[str, str, str]:
    """Return a probe's question, the expected answer, and what another one means, from the file's head."""
    lines = [line.removeprefix("-- ") for line in step.text.splitlines() if line.startswith("-- ")]
    text = " ".join(lines)
    question, _, rest = text.partition(" expected: ")
    expected, _, otherwise = rest.partition(" otherwise: ")
    return question, expected, otherwise


def _ask_copy(session: RedshiftSession, reading: CopySource, area: StagingArea) -> Iterator[ProbeAnswer]:
    lines = (
        f'{{"name":"{each.name}"' + (f',"value":{each.json}' if each.json else "") + "}\n" for each in COPIED
    )
    loaded: dict[str, str] = {}
    failed = _NOT_LOADED
    try:
        (file,) = area.put_all([("values.json", "".join(lines).encode())])
        (manifest,) = area.put_all([("manifest.json", area.manifest([file]))])
        region = reading.region() if reading.region else ""
        step = statement("redshift/proof/copy_values.sql")
        parameters = {
            "source": manifest,
            "role": reading.role or Word("default"),
            "jsonpaths": area.keep("jsonpaths_proof.json", paths_of(["name", "value"])),
            "region": region,
        }
        session.send(fill(step.text + " REGION :region" * bool(region), parameters), "COPY")
        rows = session.send(statement("redshift/proof/copied_values.sql").text, "the copied values")[1]
        loaded = {name: _shown(value) for name, value in rows}
    except SparkifyError as exc:
        failed = exc.message
    for each in COPIED:
        question = f"What does COPY load of {each.json or 'an absent key'} into a column of texts?"
        expected = _shown(each.expected) if each.loads else _NOT_LOADED
        yield ProbeAnswer(each.name, question, expected, loaded.get(each.name, failed), each.otherwise)


def _shown(value: str | None) -> str:
    return "NULL" if value is None else json.dumps(value, ensure_ascii=False)


def _attempt(probe: TransactionProbe, one: RedshiftSession, other: RedshiftSession) -> ProbeAnswer:
    try:
        answer = probe.attempt(one, other)
    except EngineError as exc:
        answer = exc.message
    for session in (one, other):
        with suppress(EngineError):
            session.send(statement("redshift/rollback.sql").text, "ROLLBACK")
    with suppress(EngineError):
        _send(one, "clear_numbers")
    return ProbeAnswer(probe.name, probe.question, probe.expected, answer, probe.otherwise)


def _send(session: RedshiftSession, name: str) -> Sequence[tuple[object, ...]]:
    step = statement(f"redshift/proof/{name}.sql")
    return session.send(step.text, step.path)[1]


def _count(session: RedshiftSession) -> str:
    return str(_send(session, "count_numbers")[0][0])


def _commit_keeps(one: RedshiftSession, other: RedshiftSession) -> str:
    with one.transaction("redshift/begin.sql", keep=True):
        _send(one, "add_number")
    return _count(other)


def _rollback_undoes(one: RedshiftSession, _other: RedshiftSession) -> str:
    with one.transaction("redshift/begin.sql", keep=False):
        _send(one, "make_other")
        _send(one, "add_number")
    return f"{_count(one)} rows, {len(_send(one, 'find_other'))} tables"


def _readers_pass(one: RedshiftSession, other: RedshiftSession) -> str:
    with (
        # Left last: a reader that waits goes on when the transaction has ended.
        ThreadPoolExecutor(1, thread_name_prefix="sparkify-proof") as pool,
        one.transaction("redshift/begin.sql", keep=False),
    ):
        _send(one, "add_number")
        asked = pool.submit(_count, other)
        return _within(asked, _SOON)


def _lock_waits_for_writers(one: RedshiftSession, other: RedshiftSession) -> str:
    """Have a second transaction lock the table while the first has it, and look at what it sees then."""

    def second() -> str:
        with other.transaction("redshift/begin.sql", keep=False):
            _send(other, "lock_numbers")
            return _count(other)

    with ThreadPoolExecutor(1, thread_name_prefix="sparkify-proof") as pool:
        with one.transaction("redshift/begin.sql", keep=True):
            _send(one, "lock_numbers")
            asked = pool.submit(second)
            early = _within(asked, _WAITS)
            _send(one, "add_number")
        if early != _LATE:
            return f"did not wait, and saw {early}"
        return _within(asked, _SOON)


_LATE = "no answer in time"


def _within(asked: Future[str], seconds: float) -> str:
    try:
        return asked.result(timeout=seconds)
    except NotYet:
        return _LATE


TRANSACTIONS = (
    TransactionProbe(
        "commit_keeps",
        "How many rows does another session see of one that was committed?",
        "1",
        "what is published is lost",
        _commit_keeps,
    ),
    TransactionProbe(
        "rollback_undoes",
        "What is left of a transaction that was rolled back?",
        "0 rows, 0 tables",
        "a run that fails leaves something behind",
        _rollback_undoes,
    ),
    TransactionProbe(
        "readers_pass",
        "How many rows does a reader see while another session has written one and goes on?",
        "0",
        "readers wait for runs",
        _readers_pass,
    ),
    TransactionProbe(
        "lock_before_snapshot",
        "How many rows does a transaction see whose LOCK had to wait for the one that wrote a row?",
        "1",
        "of two runs at a time, the second works on what the first has changed, and ends with a conflict",
        _lock_waits_for_writers,
    ),
)
