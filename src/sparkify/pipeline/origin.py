"""Where a play came from: the files that delivered it, the runs that loaded them, and the lines in them.

Rows of staging have the number of their file and no line. The files are read again to find it, by this
process and without holding the warehouse; one that is gone, or is no longer what was loaded, is told as that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sparkify.errors import Command, Hint, SourceNotFound, SparkifyError
from sparkify.intake.content import content_of
from sparkify.intake.record_places import RecordPlace, find_places
from sparkify.lake.codec import decompress
from sparkify.lake.stores import open_store
from sparkify.pipeline.near_misses import CatalogueSong
from sparkify.records import EVENTS
from sparkify.settings import AwsSettings
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import CONTENTS_SINCE, Meta, read_meta
from sparkify.warehouse.statements import statement

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the warehouse's times are UTC, without a time zone
# The values of a play that come from one of its deliveries; the others are its identity.
_VALUES = ("level", "song", "artist", "length", "location", "user_agent")

# What a file is now, compared with what was loaded.
SAME, CHANGED, GONE, UNREADABLE = "same", "changed", "gone", "unreadable"


class Play(NamedTuple):
    """A row of songplays; ``song_match`` and ``song_id`` are None where it matched no song."""

    songplay_id: int
    start_time: datetime
    user_id: str
    level: str | None
    session_id: int
    item_in_session: int
    song: str | None
    artist: str | None
    length: float | None
    location: str | None
    user_agent: str | None
    song_match: str | None

    @property
    def identity(self) -> dict[str, Any]:
        """What tells its event from others, by column."""
        ts = (self.start_time - _EPOCH) // timedelta(milliseconds=1)
        return {
            "user_id": self.user_id,
            "session_id": self.session_id,
            "item_in_session": self.item_in_session,
            "ts": ts,
        }

    def has(self, values: Mapping[str, Any]) -> bool:
        """Tell whether a delivery of it has its values; trailing blanks, and empty texts, are as unknown."""
        return all(_known(values[name]) == getattr(self, name) for name in _VALUES)


def _known(value: Any) -> Any:
    return (value.rstrip(" ") or None) if isinstance(value, str) else value


@dataclass(slots=True)
class Delivery:
    """A file that delivered a play, once or several times.

    Attributes:
        uri: The file.
        run_id: The run that loaded it.
        loaded_at: When that run was done (UTC).
        records: How many of its records are this play.
        has_values: Whether one of them has the values that the play has.
        file: What the file is now: :data:`SAME`, :data:`CHANGED`, :data:`GONE` or :data:`UNREADABLE`.
        why: Why the lines are not known, or are those of another version; empty: they are known.
        places: Where the records stand in it now.
    """

    uri: str
    run_id: int
    loaded_at: datetime | None
    records: int
    has_values: bool
    size: int
    version: str
    content: str | None
    file: str = SAME
    why: str = ""
    places: list[RecordPlace] = field(default_factory=list)


def find_play(engine: Engine, songplay_id: int) -> tuple[Play, CatalogueSong | None]:
    """Return a play, and the song it matched, if it matched one; the warehouse must be open.

    Raises:
        SparkifyError: There is none of that id.
    """
    rows = engine.execute(statement("why/play.sql"), songplay_id=songplay_id)
    if not rows:
        ids = (
            '"SELECT songplay_id, start_time, song, artist FROM songplays ORDER BY start_time DESC LIMIT 10"'
        )
        raise SparkifyError(
            f"there is no play {songplay_id}.", Hint("{} shows the latest ones.", Command("query", ids))
        )
    width = len(Play._fields)
    play = Play(*rows[0][:width])
    return play, CatalogueSong(*rows[0][width:]) if play.song_match else None


def find_deliveries(engine: Engine, play: Play) -> list[Delivery]:
    """Return the files that delivered a play, by run; their lines are not known yet.

    The warehouse must be open.
    """
    answer = engine.ask(statement("why/deliveries.sql"), **play.identity)
    by_file: dict[int, list[dict[str, Any]]] = {}
    for row in answer.rows:
        values = dict(zip(answer.columns, row, strict=True))
        by_file.setdefault(values["file_id"], []).append(values)
    kept = (read_meta(engine) or Meta()).schema_version >= CONTENTS_SINCE
    step = statement("why/file.sql" if kept else "why/file_before_contents.sql")
    found = []
    for file_id, rows in by_file.items():
        for uri, size, version, run_id, loaded_at, content in engine.execute(step, file_id=file_id):
            has_values = any(map(play.has, rows))
            found.append(Delivery(uri, run_id, loaded_at, len(rows), has_values, size, version, content))
    return sorted(found, key=lambda each: (each.run_id, each.uri))


def find_lines(deliveries: Sequence[Delivery], play: Play, aws: AwsSettings) -> None:
    """Read the files of a play's deliveries again, and note where in them it stands."""
    for each in deliveries:
        try:
            _find_lines(each, play, aws)
        except SourceNotFound:
            each.file, each.why = GONE, "the file is not there any more, so its line cannot be looked up"
        except SparkifyError as exc:
            each.file, each.why = UNREADABLE, f"the file cannot be read again: {exc.message}"


def _find_lines(delivery: Delivery, play: Play, aws: AwsSettings) -> None:
    store = open_store(delivery.uri, aws)
    item = next((each for each in store.listing().objects if each.uri == delivery.uri), None)
    if item is None:
        raise SourceNotFound(f"{delivery.uri} does not exist.", uri=delivery.uri)
    plain = decompress(store.read(item)).data
    if delivery.content:
        same = content_of(plain) == delivery.content
    else:
        same = (item.size, item.version) == (delivery.size, delivery.version)
    delivery.file = SAME if same else CHANGED
    delivery.places = find_places(plain, EVENTS, play.identity, delivery.records)
    if not same:
        here = (
            "where the play stands now may not be where it stood"
            if delivery.places
            else "the play is not in it any more"
        )
        delivery.why = f"the file has changed since run {delivery.run_id} loaded it: {here}"
    elif not delivery.places:
        delivery.why = "the file is what was loaded, and no record of it is this play by the rules of today"
