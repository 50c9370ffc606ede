"""A simulation from its options to the events of its days, and to its files where one process writes them.

Several processes: see :mod:`sparkify.simulator.workers`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sparkify.errors import ConfigError
from sparkify.lake.writer import Writer
from sparkify.settings import AwsSettings
from sparkify.simulator.arrivals import DAY, Arrivals
from sparkify.simulator.catalogue import Song, make_catalogue, make_records, read_songs, song_of
from sparkify.simulator.config import Parameters
from sparkify.simulator.day_file import Report, compress
from sparkify.simulator.dirt import Soiler
from sparkify.simulator.encoder import Encoder
from sparkify.simulator.machine import compile_machine
from sparkify.simulator.people import make_people
from sparkify.simulator.simulation import Events, Simulation
from sparkify.simulator.truth import truth_text

# Events of one window: enough to spread the cost of a step over many listeners. With another number, events
# of two listeners in the same millisecond may change places.
_WINDOW = 80_000
_MOST_DAYS = 366
TRUTH = "truth.json"
SUFFIXES = {"none": "", "gzip": ".gz", "zstd": ".zst"}


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    """The input that determines the bytes of a simulation.

    Attributes:
        parameters: The world (:mod:`sparkify.simulator.config`).
        start: The first day, UTC.
        days: How many days.
        users: Listeners on the first day.
        songs: Songs of the catalogue to make; not used with ``song_data``.
        seed: A different seed gives different data.
        growth_rate: Yearly growth of listeners; 0.1 is a tenth more.
        attrition_rate: Share of listeners who leave within a year.
        known_songs: Share of plays whose song is in the catalogue.
        song_data: An existing catalogue to play instead of making one.
        tag: Value of an extra field ``tag``; empty for none.
        compression: ``none``, ``gzip`` or ``zstd``.
        dirty: Whether to add defects and ``truth.json``.
    """

    parameters: Parameters
    start: date = date(2018, 11, 1)
    days: int = 30
    users: int = 100
    songs: int = 500
    seed: int = 42
    growth_rate: float = 0.0
    attrition_rate: float = 0.0
    known_songs: float = 0.8
    song_data: str = ""
    tag: str = ""
    compression: str = "none"
    dirty: bool = False

    def __post_init__(self) -> None:
        """Validate the values before anything is written.

        Raises:
            ConfigError: A value is out of its range.
        """
        last = date(2286, 1, 1)  # ts stays at 13 digits from 2001-09-09 to then
        inside = date(2001, 9, 10) <= self.start and self.days <= (last - self.start).days
        rules = [
            ("--days", self.days, self.days >= 1, "1 or more"),
            ("--start", self.start, inside, "so that the days lie between 2001-09-10 and 2286-01-01"),
            ("--users", self.users, 1 <= self.users <= 50_000_000, "between 1 and 50,000,000"),
            ("--songs", self.songs, 0 <= self.songs <= 5_000_000, "between 0 and 5,000,000"),
            ("--seed", self.seed, self.seed >= 0, "0 or more"),
            ("--growth-rate", self.growth_rate, 0 <= self.growth_rate <= 100, "between 0 and 100"),
            (
                "--attrition-rate",
                self.attrition_rate,
                0 <= self.attrition_rate < 1,
                "at least 0, less than 1",
            ),
            ("--known-songs", self.known_songs, 0 <= self.known_songs <= 1, "a share between 0 and 1"),
            ("--compression", self.compression, self.compression in SUFFIXES, "none, gzip or zstd"),
        ]
        for name, value, good, expected in rules:
            if not good:
                raise ConfigError(f"{name} is {value}.", f"Make it {expected}.")

    @property
    def churn(self) -> bool:
        """Whether listeners have reasons to leave, which ``truth.json`` tells."""
        return self.parameters.leaving is not None

    @property
    def midnight(self) -> int:
        """The start of the first day, ms since 1970."""
        return int(datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC).timestamp()) * 1000

    def log_key(self, day: int) -> str:
        """Return the key of a day's log; ``day`` counts from 0."""
        when = self.start + timedelta(days=day)
        return f"log_data/{when:%Y/%m/%Y-%m-%d}-events.json{SUFFIXES[self.compression]}"


@dataclass(slots=True)
class Counts:
    """What was written."""

    files: int = 0
    rows: int = 0
    size: int = 0

    def __call__(self, *, files: int = 0, rows: int = 0, size: int = 0) -> None:
        """Add to the counts."""
        self.files += files
        self.rows += rows
        self.size += size


class World:
    """The simulation and the encoder of a plan. The same plan always gives the same world.

    Args:
        plan: What to simulate.
        aws: How to reach an existing catalogue on S3.
        known: The songs of that catalogue where they have been read already.
    """

    def __init__(self, plan: SimulationPlan, aws: AwsSettings, known: list[Song] | None = None) -> None:
        parameters = plan.parameters
        machine = compile_machine(parameters)
        self.plan = plan
        self.records = [] if plan.song_data else make_records(parameters.songs, plan.seed, plan.songs)
        if plan.song_data and known is None:
            known = read_songs(plan.song_data, aws)
        self.known = known or [song_of(record) for _, record in self.records]
        self.people = make_people(
            parameters,
            plan.seed,
            users=plan.users,
            days=plan.days,
            growth_rate=plan.growth_rate,
            attrition_rate=plan.attrition_rate,
        )
        catalogue = make_catalogue(parameters.songs, plan.seed, self.known, plan.known_songs)
        arrivals = Arrivals(parameters.sessions, plan.start, plan.days)
        self.simulation = Simulation(parameters, machine, self.people, catalogue, arrivals)
        self.encoder = Encoder(
            machine,
            catalogue,
            self.people,
            first_id=parameters.users.first_id,
            start=plan.midnight,
            tag=plan.tag,
        )

    def days(self) -> Iterator[tuple[int, Iterable[Events]]]:
        """Yield (day, the day's events in parts); the caller has to consume every part."""
        for unit in self.units():
            yield from unit

    def units(self) -> Iterator[list[tuple[int, Iterable[Events]]]]:
        """Yield the days of :meth:`days` in units; the caller has to consume one before the next.

        A unit is several quiet days simulated at once, or one busy day in several windows. How busy the
        last unit was decides the next; so the units depend on the simulation alone.
        """
        a_day = 3.0 * len(self.people)
        day = 0
        while day < self.plan.days:
            span = min(max(int(_WINDOW / max(a_day, 1.0)), 1), _MOST_DAYS, self.plan.days - day)
            if a_day >= _WINDOW:
                counts: list[int] = []
                yield [(day, self._windows(day, math.ceil(a_day / _WINDOW), counts))]
                count = sum(counts)
            else:
                events = self.simulation.advance((day + span) * DAY)
                yield [
                    (each, [events.between(each * DAY, (each + 1) * DAY)]) for each in range(day, day + span)
                ]
                count = len(events)
            a_day, day = count / span, day + span

    def _windows(self, day: int, windows: int, counts: list[int]) -> Iterator[Events]:
        for window in range(1, windows + 1):
            events = self.simulation.advance(day * DAY + DAY * window // windows)
            counts.append(len(events))
            yield events


def write_songs(world: World, writer: Writer, report: Report) -> None:
    """Write the song files."""
    for start in range(0, len(world.records), 1000):
        batch = [(key, json.dumps(record).encode()) for key, record in world.records[start : start + 1000]]
        writer.put_all(batch)
        report(files=len(batch), size=sum(len(data) for _, data in batch))


def write_dirty(world: World, writer: Writer, report: Report) -> None:
    """Write every file with defects, and ``truth.json`` at the end.

    One day's lines and the pending late events are held in memory.
    """
    plan = world.plan
    soiler = Soiler(plan.parameters.dirt, plan.days, plan.seed)
    songs = list(soiler.songs(world.records))
    writer.put_all(songs)
    report(files=len(songs), size=sum(len(data) for _, data in songs))
    for day, parts in world.days():
        lines = [line for events in parts if len(events) for line in world.encoder.lines(events)]
        for key, data in soiler.day(day, plan.log_key(day), lines):
            writer.put(key, compress([data], plan.compression))
            report(files=1, rows=len(lines) if key == plan.log_key(day) else 0, size=len(data))
    write_truth(world, writer, soiler.truth.as_json(), report)


def write_truth(world: World, writer: Writer, truth: dict[str, Any], report: Report) -> None:
    """Write ``truth.json``, with what the simulation knows of its listeners; every day has been simulated."""
    churn = world.simulation.churn
    people: Iterable[str] = ()
    if churn is not None:
        truth["totals"] |= {"people": len(world.people), "left": churn.left()}
        people = churn.truth(world.plan.parameters.users.first_id, world.plan.midnight)
    writer.put(TRUTH, truth_text(truth, people))
    report(files=1)


def users_for(events: int, plan: SimulationPlan, aws: AwsSettings) -> int:
    """Return the number of listeners that gives about ``events`` events.

    A small simulation of the plan's days measures the number of events per listener.

    Raises:
        ConfigError: ``events`` is less than 1.
    """
    if events < 1:
        raise ConfigError(f"--events is {events}.", "Make it 1 or more.")
    few = max(50, min(3000, 300_000 // (3 * plan.days)))
    world = World(replace(plan, users=few), aws)
    found = sum(len(part) for _, parts in world.days() for part in parts)
    return max(1, round(events * few / max(found, 1)))
