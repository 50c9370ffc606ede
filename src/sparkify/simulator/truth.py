"""``truth.json``: the records of each file that a correct load accepts and rejects, and the totals."""

from __future__ import annotations

import json
from collections import Counter
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

    def text(self) -> bytes:
        """Return ``truth.json``."""
        events = [truth for truth in self.files.values() if truth.kind == "events"]
        songs = [truth for truth in self.files.values() if truth.kind == "songs"]
        reasons = Counter(reason for truth in self.files.values() for _, reason in truth.rejected)
        totals = {
            "read": sum(truth.accepted + len(truth.rejected) for truth in self.files.values()),
            "rejected": dict(sorted(reasons.items())),
            "duplicates": sum(len(truth.duplicates) for truth in events),
            "staging_events": sum(truth.accepted for truth in events),
            "songplays": self.songplays,
            "users": len(self.users),
            "staging_songs": sum(truth.accepted for truth in songs),
            "songs": len(self.songs),
        }
        files = {key: self.files[key].as_json() for key in sorted(self.files)}
        return json.dumps({"totals": totals, "files": files}, indent=1).encode() + b"\n"
