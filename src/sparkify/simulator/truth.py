"""``truth.json``: of each file the records that a correct load accepts and rejects; who leaves, and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record begins: the file's key, and the line from 1."""

    file: str
    line: int


@dataclass(slots=True)
class FileTruth:
    """What one file holds.

    Attributes:
        kind: ``events`` or ``songs``.
        form: The form of the file as a whole; ``plain`` if it is not unusual.
        accepted: Number of records that a correct load accepts, including duplicates.
        rejected: Line and reason of each record it rejects, by line.
        duplicates: Line of each accepted record whose identity stands earlier, and where, by line.
        late: Lines of accepted events that belong to an earlier day's file.
        unknown_fields: Fields of accepted records that are not in the layout, and their counts.
    """

    kind: str
    form: str
    accepted: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    duplicates: list[tuple[int, Place]] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    unknown_fields: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Return the file's entry in ``truth.json``."""
        return {
            "kind": self.kind,
            "form": self.form,
            "read": self.accepted + len(self.rejected),
            "accepted": self.accepted,
            "rejected": [{"line": line, "reason": reason} for line, reason in sorted(self.rejected)],
            "duplicates": [
                {"line": line, "of": {"file": of.file, "line": of.line}}
                for line, of in sorted(self.duplicates, key=lambda found: found[0])
            ],
            "late": sorted(self.late),
            "unknown_fields": dict(sorted(self.unknown_fields.items())),
        }


@dataclass(slots=True)
class Truth:
    """The truth of a whole simulation; filled while its files are made."""

    files: dict[str, FileTruth] = field(default_factory=dict)
    songplays: int = 0
    users: set[str] = field(default_factory=set)
    songs: set[str] = field(default_factory=set)

    def _totals(self) -> dict[str, Any]:
        events = [truth for truth in self.files.values() if truth.kind == "events"]
        songs = [truth for truth in self.files.values() if truth.kind == "songs"]
        reasons = Counter(reason for truth in self.files.values() for _, reason in truth.rejected)
        return {
            "read": sum(truth.accepted + len(truth.rejected) for truth in self.files.values()),
            "rejected": dict(sorted(reasons.items())),
            "duplicates": sum(len(truth.duplicates) for truth in events),
            "staging_events": sum(truth.accepted for truth in events),
            "songplays": self.songplays,
            "users": len(self.users),
            "staging_songs": sum(truth.accepted for truth in songs),
            "songs": len(self.songs),
        }

    def as_json(self) -> dict[str, Any]:
        """Return ``totals`` and ``files`` of ``truth.json``."""
        files = {key: self.files[key].as_json() for key in sorted(self.files)}
        return {"totals": self._totals(), "files": files}


def truth_text(truth: Mapping[str, Any], people: Iterable[str]) -> bytes:
    """Return ``truth.json``: the ``truth`` and, where there are any, the ``people``, each on a line."""
    text = json.dumps(truth, indent=1)
    lines = ",\n  ".join(people)
    if lines:
        text = f'{text.removesuffix("}").rstrip()},\n "people": {{\n  {lines}\n }}\n}}'
    return text.encode() + b"\n"
