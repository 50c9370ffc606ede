"""A small dirty month, loaded by the real pipeline on a cluster and on DuckDB, compared after each step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from sparkify.errors import EngineError
from sparkify.pipeline.adopting import adopt, drop, plan_adoption, plan_drop
from sparkify.pipeline.diff import TableDifference, find_table_differences
from sparkify.pipeline.dry_run import record_statements
from sparkify.pipeline.erasure import find_people, forget_people
from sparkify.pipeline.etl_run import RunOptions, run_etl
from sparkify.pipeline.plan import make_plan, open_sources
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.removal import UNDO, find_files_of_run, take_out
from sparkify.pipeline.retention import bound_of, find_older, retain
from sparkify.pipeline.threshold import MaxRejects
from sparkify.records import EVENTS, KINDS
from sparkify.report.panels import spell_out
from sparkify.settings import Settings
from sparkify.simulator.config import load_parameters
from sparkify.simulator.workers import simulate
from sparkify.simulator.world import SimulationPlan, users_for
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import Ledger, latest_run
from sparkify.warehouse.redshift.literals import fill
from sparkify.warehouse.redshift.session import RedshiftSession
from sparkify.warehouse.statements import list_files, read_statements
from sparkify.warehouse.version import today
from sparkify.warehouse.views import view_definitions

_DAYS = 30
_SONGS = 300
_SEED = 11
# The days that come with the first load.
_FIRST = 15
# Lines that a file loses when it is replaced.
_LOST = 5
# Fields without a column, which some lines of every other log get, and the columns they are then given. Some
# values do not fit, and some a column holds in another form.
_FLAG, _DEVICE = "offline", "deviceType"
_ADOPTED = ((_FLAG, "BOOLEAN"), (_DEVICE, "VARCHAR(16)"))
_VALUES = (
    {_FLAG: True, _DEVICE: "phone"},
    {_FLAG: False, _DEVICE: "Zoë  "},
    {_FLAG: None, _DEVICE: ""},
    {_FLAG: "yes", _DEVICE: 12},
    {_DEVICE: "longer than sixteen bytes"},
)
_EXPLAINED = ("select", "with", "insert", "update", "delete")
# Folders of statements that ask, and how their parameters are told apart.
_ASKED = ("report", "why", "fields", "questions", "checks", "features", "ledger")
_MOMENTS = {"now", "since", "until", "days_since", "cohorts_since", "started_at", "upgraded_at"}
_NUMBERS = {"title_length", "artist_length"}
_TEXTS = (
    *("title", "artist", "user_id", "reason", "detail", "kind", "field", "uri", "state", "models_digest"),
    *("upgraded_by", "schema_name", "table_name", "column_name", "accented", "plain", "after", "pattern"),
)


class MonthStep(NamedTuple):
    """A step of the month on both engines.

    Attributes:
        name: What was done.
        seconds: How long the cluster took.
        statements: How many statements it was sent.
        rows: How many rows each table has there.
        differences: The tables that are others on DuckDB.
    """

    name: str
    seconds: float
    statements: int
    rows: dict[str, int | None]
    differences: list[TableDifference]


class Explained(NamedTuple):
    """How many statements of a run the cluster can plan, and which it refuses, with its words."""

    statements: int
    refused: list[tuple[str, str]]


class _Labels:
    """Tells what a step is at; each counts files and bytes anew, so the counts are kept back."""

    def __init__(self, progress: ShowProgress) -> None:
        self._progress = progress
        self.step = ""

    def expect(self, *, files: int, size: int) -> None: ...

    def __call__(
        self, *, files: int = 0, rows: int = 0, size: int = 0, reading: int = 0, label: str | None = None
    ) -> None:
        self._progress(label=f"{self.step}: {label}" if label else None)


def write_month(folder: Path, events: int, settings: Settings, progress: ShowProgress) -> int:
    """Simulate a month with everything that goes wrong; return how many events it has."""
    plan = SimulationPlan(
        parameters=load_parameters(None), days=_DAYS, songs=_SONGS, seed=_SEED, users=1, dirty=True
    )
    plan = replace(plan, users=users_for(events, plan, settings.aws))
    return simulate(plan, str(folder), settings.aws, workers=1, report=progress).rows


def _add_fields(path: Path) -> None:
    """Give every third record of a log fields that have no column; other lines stay as they are."""
    lines = path.read_bytes().splitlines(keepends=True)
    values = cycle(_VALUES)
    for number in range(0, len(lines), 3):
        line = lines[number].strip()
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and line.endswith(b"}"):
            more = json.dumps(next(values), ensure_ascii=False).encode()
            lines[number] = line[:-1] + b"," + more[1:] + b"\n"
    path.write_bytes(b"".join(lines))


def _somebody(logs: Sequence[Path]) -> str:
    """Return the last user of the first of these logs that has one in lines of records."""
    for path in logs:
        for line in reversed(path.read_bytes().splitlines()):
            try:
                user = json.loads(line)["userId"]
            except (ValueError, LookupError, TypeError):
                continue
            if user and isinstance(user, str):
                return user.rstrip(" ")
    raise EngineError("no log of the month has a user.", "Prove with more --events.")


def live_a_month(
    cluster: Engine, duckdb: Engine, folder: Path, settings: Settings, progress: ShowProgress
) -> Iterator[MonthStep]:
    """Yield each step, once both engines have done it.

    Args:
        cluster: The warehouse that is proven; empty.
        duckdb: The one it is compared with; empty.
        folder: The simulated lake; its files are moved, and one is changed.
        settings: Those of the scratch database.
        progress: Told what is done.
    """
    lake, told = at(folder, settings), _Labels(progress)
    logs = sorted((folder / EVENTS.option).rglob("*-events.json*"))
    aside = folder / "aside"
    aside.mkdir()
    for path in logs[::2]:
        _add_fields(path)
    for path in logs[_FIRST:]:
        path.rename(aside / path.name)
    forgotten = _somebody(logs[_FIRST // 2 :])
    kept_from = bound_of(0, date.fromisoformat(logs[_FIRST // 2].name[:10]))
    do = _Acts(lake, told, forgotten, kept_from)

    def step(name: str, act: Callable[[Engine], int]) -> MonthStep:
        progress(label=name)
        told.step = name
        begun, sent = time.monotonic(), cluster.statements_sent
        done = act(cluster)
        seconds, sent = time.monotonic() - begun, cluster.statements_sent - sent
        told.step = f"{name}, on DuckDB"
        if act(duckdb) != done:
            raise EngineError(
                f"{name}: one engine did more than the other.", "Report it with what --debug shows."
            )
        progress(label=f"{name}: comparing")
        with cluster.reading(), duckdb.reading():
            found = list(find_table_differences(cluster, duckdb, 0))
        rows = {each.table: each.rows_a for each in found}
        return MonthStep(name, round(seconds, 1), sent, rows, [each for each in found if not each.equal])

    yield step("half of the month", do.load)
    yield step("two fields adopted", do.adopt)
    for path in logs[_FIRST:]:
        (aside / path.name).rename(path)
    replaced = logs[_FIRST // 2]
    replaced.write_bytes(b"".join(replaced.read_bytes().splitlines(keepends=True)[:-_LOST]))
    yield step("the rest, and a file that was replaced", do.load)
    yield step("the same again", do.load)
    yield step("a person forgotten", do.forget)
    yield step("what is old erased", do.expire)
    yield step("the last load undone", do.undo)
    yield step("its files again, and a full refresh", do.refresh)
    yield step("the fields dropped", do.drop)


class _Acts:
    """What is done to each engine, by the functions that the commands call; each returns how much it was.

    Args:
        lake: Settings that lead to the month.
        progress: Told what is done.
        forgotten: The user who is forgotten.
        kept_from: The moment before which all is erased, in ms since 1970.
    """

    def __init__(self, lake: Settings, progress: ShowProgress, forgotten: str, kept_from: int) -> None:
        self._lake = lake
        self._progress = progress
        self._forgotten = forgotten
        self._kept_from = kept_from
        self._loaded: dict[str, int] = {}

    def load(self, engine: Engine, *, full_refresh: bool = False) -> int:
        options = RunOptions(full_refresh=full_refresh, max_rejects=MaxRejects.parse("100%"))
        runs = run_etl(engine, open_sources(self._lake), self._progress, options).runs
        if runs:
            with engine.reading():
                self._loaded[engine.name] = latest_run(engine)
        return len(runs)

    def refresh(self, engine: Engine) -> int:
        return self.load(engine, full_refresh=True)

    def undo(self, engine: Engine) -> int:
        run_id = self._loaded[engine.name]
        files = find_files_of_run(engine, run_id).files
        take_out(engine, files, "undone", f"{UNDO} {run_id}", self._progress)
        return len(files)

    def adopt(self, engine: Engine) -> int:
        found = [
            adopt(engine, plan_adoption(engine, name, EVENTS.name, type_, None), self._progress)
            for name, type_ in _ADOPTED
        ]
        return sum(each.filled + each.misfits for each in found)

    def drop(self, engine: Engine) -> int:
        found = [drop(engine, plan_drop(engine, name, EVENTS.name), self._progress) for name, _ in _ADOPTED]
        return sum(each.records for each in found)

    def forget(self, engine: Engine) -> int:
        found = find_people(engine, [self._forgotten])
        forget_people(engine, [self._forgotten], self._progress)
        return sum(found.events.values()) + found.rejects

    def expire(self, engine: Engine) -> int:
        found = find_older(engine, self._kept_from)
        retain(engine, self._kept_from, self._progress)
        return found.events + found.rejects


def explain_statements(session: RedshiftSession, folder: Path, settings: Settings) -> Explained:
    """Have the cluster plan what commands send, on the tables of the month: a run, questions, checks, views.

    Args:
        session: A session in which nothing else is done; it gets a run's temporary tables.
        folder: The lake.
        settings: Those of the scratch database.
    """
    refused = []
    count = 0
    for sql in _statements(folder, settings):
        word = _first_word(sql)
        try:
            if word == "create" and " TEMP " in sql:
                session.send(sql, "CREATE TEMP TABLE")
            elif word in _EXPLAINED:
                count += 1
                session.send(f"EXPLAIN {sql}", "EXPLAIN")
        except EngineError as exc:
            refused.append((sql, exc.message))
    return Explained(count, refused)


def _statements(folder: Path, settings: Settings) -> Iterator[str]:
    lake = at(folder, settings)
    ledger = Ledger(0, [], today())
    yield from record_statements(lake, ledger, make_plan(open_sources(lake), ledger), RunOptions())
    for path in (path for folder in _ASKED for path in list_files(folder) if "_before_" not in path):
        for step in read_statements(path):
            if "etl.models" in step.code:
                continue  # made with the first model of the user's
            alone = spell_out(step)  # as a panel of the report shows it
            yield fill(alone.text, {name: _value(name) for name in alone.parameters})
    for name in view_definitions():
        yield f"SELECT * FROM {name}"  # noqa: S608 - a name of ours


def at(folder: Path, settings: Settings) -> Settings:
    """Return settings whose data lie below a folder."""
    data = {kind.option: str(folder / kind.option) for kind in KINDS}
    return replace(settings, s3=replace(settings.s3, data=data))


def _value(name: str) -> object:
    """Return a value that a parameter of this name takes; which one does not matter to a plan."""
    if name in _NUMBERS:
        return 1
    if name in _MOMENTS:
        return datetime(2018, 11, 1)  # noqa: DTZ001 - the warehouse's times carry no zone
    return "text" if name.startswith(_TEXTS) else 1


def _first_word(sql: str) -> str:
    code = " ".join(line for line in sql.splitlines() if not line.startswith("--"))
    return code.split()[0].lower()
