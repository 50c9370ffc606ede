"""Add defects to the clean files of a simulation, and record the truth about every line.

Days are processed one at a time, in order; late events wait in memory until their day. Good records are never
damaged: bad ones are added, made from good ones in separate sessions, so that a load that wrongly accepts one
has wrong counts everywhere.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from sparkify.simulator.config import Dirt
from sparkify.simulator.flaws import (
    EVENT_FLAWS,
    ODDITIES,
    SONG_FLAWS,
    UNKNOWN_FIELDS,
    Flaw,
    Record,
    is_unknown,
)
from sparkify.simulator.truth import FileTruth, Place, Truth

_BOM = b"\xef\xbb\xbf"
# Files without records, in the folder of a log.
_EMPTY = {"empty": b"", "blank": b"\n \n", "bom": _BOM}
_LATEST = 3
# Session numbers of bad lines, far above those of any simulation.
_NO_SESSION = 10**15
# Forms of whole files, in turn.
_FORMS = ("bom", "crlf", "array", "truncated", "pretty", "bom and crlf")


@dataclass(slots=True, eq=False)
class _Line:
    """One line to write: an accepted record, a rejected record, or no record.

    Attributes:
        text: Without its line break.
        reason: Why a correct load rejects it; empty for an accepted record.
        blank: Whether it is not a record.
        late: Whether it belongs to an earlier day.
        unknown: Whether it has unknown fields.
        copy_of: The record it repeats.
        place: The file and line where it was written.
    """

    text: bytes
    reason: str = ""
    blank: bool = False
    late: bool = False
    unknown: bool = False
    copy_of: _Line | None = None
    place: Place | None = None


@dataclass(slots=True)
class Soiler:
    """Adds defects to the files of one simulation.

    Args:
        rates: Rates of the defects (``[dirt]`` of the configuration).
        days: Length of the simulation.
        seed: Seed of the simulation.
    """

    rates: Dirt
    days: int
    seed: int
    truth: Truth = field(default_factory=Truth)
    _rng: random.Random = field(init=False)
    _coming: dict[int, list[_Line]] = field(init=False, default_factory=dict)
    _flaws: Iterator[Flaw] = field(init=False)
    _odd: Iterator[int] = field(init=False)
    _forms: Iterator[str] = field(init=False)
    _bad: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._rng = random.Random(f"{self.seed} dirt")  # noqa: S311 - a simulation, not a secret
        self._flaws = cycle(EVENT_FLAWS)
        self._odd = cycle(range(len(ODDITIES)))
        self._forms = cycle(_FORMS)

    def songs(self, records: Sequence[tuple[str, Record]]) -> Iterator[tuple[str, bytes]]:
        """Yield the song files: the good ones, some in another format, and additional bad ones."""
        for index, (key, record) in enumerate(records):
            form, text = "plain", json.dumps(record).encode()
            if self._rng.random() < self.rates.odd_lines:
                form = ("pretty", "bom", "array")[index % 3]
                pretty = json.dumps(record, indent=2).encode()
                text = {"pretty": pretty, "bom": _BOM + text, "array": b"[" + text + b"]"}[form]
            self._song(key, form, str(record["song_id"]))
            yield key, text
            if self._rng.random() < self.rates.duplicates:
                self._song(_beside(key, "COPY"), "plain", str(record["song_id"]))
                yield _beside(key, "COPY"), json.dumps(record).encode()
        if records and self.rates.bad_lines:
            for reason, break_it in SONG_FLAWS:
                key, record = self._rng.choice(records)
                self._bad += 1
                key = _beside(key, f"BAD{self._bad}")
                self.truth.files[key] = FileTruth("songs", "plain", rejected=[(1, reason)])
                yield key, break_it(record | {"song_id": f"SOBAD{self._bad:013d}"})

    def _song(self, key: str, form: str, song_id: str) -> None:
        self.truth.files[key] = FileTruth("songs", form, accepted=1)
        self.truth.songs.add(song_id)

    def day(self, day: int, key: str, texts: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
        """Yield the files of one day.

        Args:
            day: Number of the day, from 0; days are in order, including days without events.
            key: Key of the day's log file.
            texts: The day's lines, each with its line break.
        """
        parsed = [(text[:-1], json.loads(text)) for text in texts]
        for _, record in parsed:
            self.truth.songplays += record["page"] == "NextSong"
            if record["userId"]:
                self.truth.users.add(record["userId"])
        lines = [self._oddly(text, record) for text, record in parsed]
        lines = [line for line in lines if not self._sent_later(line, day)]
        form = next(self._forms) if lines and self._rng.random() < self.rates.odd_files else "plain"
        self._insert(lines, self._coming.pop(day, []))
        self._insert_copies(lines)
        good = [record for _, record in parsed if record["page"] == "NextSong"]
        if good and form not in ("array", "pretty"):
            self._insert(lines, self._refused(good, len(lines)))
            blanks = int(len(lines) * self.rates.odd_lines / 2)
            self._insert(lines, [_Line((b"", b"  ")[i % 2], blank=True) for i in range(blanks)])
            if form == "truncated":
                text = json.dumps(self._in_separate_session(good)).encode()
                lines.append(_Line(text[: self._rng.randrange(2, len(text) - 1)], "truncated_file"))
        if lines:
            yield key, self._laid_out(key, form, lines)
        if form == "pretty":
            yield from self._empty(key)

    def _empty(self, key: str) -> Iterator[tuple[str, bytes]]:
        for name, data in _EMPTY.items():
            other = _added(key, name)
            self.truth.files[other] = FileTruth("events", "empty")
            yield other, data

    def _oddly(self, text: bytes, record: Record) -> _Line:
        if record["page"] != "NextSong" or self._rng.random() >= self.rates.odd_lines:
            return _Line(text)
        odd = ODDITIES[next(self._odd)]
        return _Line(odd(record), unknown=is_unknown(odd))

    def _sent_later(self, line: _Line, day: int) -> bool:
        """Decide whether a record goes to a later day's file, as well or instead."""
        then = min(day + self._rng.randint(1, _LATEST), self.days - 1)
        chance = self._rng.random()
        if then == day or chance >= self.rates.late + self.rates.duplicates_elsewhere:
            return False
        instead = chance < self.rates.late
        sent = line if instead else _Line(line.text, unknown=line.unknown, copy_of=line)
        sent.late = True
        self._coming.setdefault(then, []).append(sent)
        return instead

    def _insert(self, lines: list[_Line], others: Sequence[_Line]) -> None:
        """Insert lines anywhere but at the end, where a bad line would look like a truncated file."""
        for other in others:
            lines.insert(self._rng.randrange(len(lines)) if lines else 0, other)

    def _insert_copies(self, lines: list[_Line]) -> None:
        originals = [line for line in lines if self._rng.random() < self.rates.duplicates]
        for line in originals:
            at = self._rng.randrange(lines.index(line), len(lines)) + 1
            # A duplicate event may have different bytes.
            text = line.text if self._rng.random() < 0.5 else json.dumps(json.loads(line.text)).encode()
            lines.insert(at, _Line(text, unknown=line.unknown, late=line.late, copy_of=line.copy_of or line))

    def _refused(self, good: Sequence[Record], count: int) -> list[_Line]:
        wanted = max(1, round(count * self.rates.bad_lines)) if self.rates.bad_lines else 0
        found = []
        for _ in range(wanted):
            reason, break_it = next(self._flaws)
            found.append(_Line(break_it(self._in_separate_session(good)), reason))
        return found

    def _in_separate_session(self, good: Sequence[Record]) -> Record:
        """Return a copy of a good record in a separate session, which a correct load never contains."""
        self._bad += 1
        return self._rng.choice(good) | {"sessionId": _NO_SESSION + self._bad}

    def _laid_out(self, key: str, form: str, lines: Sequence[_Line]) -> bytes:
        """Join the lines in the file's form, and record the place of each."""
        truth = self.truth.files.setdefault(key, FileTruth("events", form))
        texts = [line.text for line in lines]
        if form == "pretty":
            texts = [json.dumps(json.loads(text), indent=2, ensure_ascii=False).encode() for text in texts]
        number = 2 if form == "array" else 1
        for line, text in zip(lines, texts, strict=True):
            line.place = Place(key, number)
            number += text.count(b"\n") + 1
            self._note(truth, line, line.place.line)
        if form == "array":
            return b"[\n" + b",\n".join(texts) + b"\n]"
        joined = (b"\r\n" if "crlf" in form else b"\n").join(texts)
        return _BOM + joined if "bom" in form else joined

    def _note(self, truth: FileTruth, line: _Line, number: int) -> None:
        if line.blank:
            return
        if line.reason:
            truth.rejected.append((number, line.reason))
            return
        truth.accepted += 1
        if line.late:
            truth.late.append(number)
        if line.unknown:
            truth.unknown_fields += Counter(UNKNOWN_FIELDS)
        if line.copy_of is not None:
            assert line.copy_of.place is not None
            truth.duplicates.append((number, line.copy_of.place))


def beside_log(key: str) -> list[str]:
    """Return the keys of the additional files that may be in the folder of a log."""
    return [_added(key, name) for name in _EMPTY]


def _added(key: str, name: str) -> str:
    return key.replace("-events.json", f"-{name}.json")


def _beside(key: str, name: str) -> str:
    return key.removesuffix(".json") + f"-{name}.json"
