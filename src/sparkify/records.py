"""What each kind of record is made of: the one declaration, from which everything else is derived.

From a :class:`RecordKind` come the DDL of its staging table and of a run's tables, the statements that land
and accept its records on both engines, the counts a parser's word is compared with
(:mod:`sparkify.warehouse.derived`), the rules of the careful reader (:mod:`sparkify.intake.rules`), the key
of dwh.cfg that says where its files are, and the option that overrides it.

How to add a column or a kind: CONTRIBUTING.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

# The key under which a packed record holds its file's number.
FILE_KEY = "sparkify_file"
# The key under which a record that our rules have accepted holds the text of its column ``extra``.
EXTRA_KEY = "sparkify_extra"
# The column of every staging table with the fields that have no column, as a JSON object; NULL: none has a
# value.
EXTRA = "extra"
# The most bytes it holds: the widest text of Redshift.
EXTRA_BYTES = 65_535
# Before the column of an adopted field in records that our rules have accepted.
_ADOPTED_KEY = "sparkify_field_"


class Field(NamedTuple):
    """A JSON key of a record and the column of staging it fills.

    Attributes:
        key: The key as it stands in the file.
        column: The column in staging.
        type: Its type: INTEGER, BIGINT, DOUBLE or VARCHAR; of an adopted field also BOOLEAN.
        width: The most bytes a VARCHAR holds.
        required: A record without it is rejected.
        trimmed: It is compared with others: trailing blanks (U+0020) are removed, since Redshift ignores them
            in comparisons, and a whole number is written in digits (26.0 is 26).
        adopted: The warehouse was given the column later: a value that it does not hold as it stands rejects
            no record, it stays in ``extra`` (:mod:`sparkify.intake.adopted`).
        path: Of an adopted field inside an object: the keys below ``key``. The object as a whole has no
            column, and stays in ``extra``.
    """

    key: str
    column: str
    type: str
    width: int | None = None
    required: bool = False
    trimmed: bool = False
    adopted: bool = False
    path: tuple[str, ...] = ()

    @property
    def accepted_key(self) -> str:
        """Its key in records that our rules have accepted; ``key`` may be that of several adopted fields."""
        return f"{_ADOPTED_KEY}{self.column}" if self.adopted else self.key

    @property
    def name(self) -> str:
        """What people call it: its key, or its path with dots."""
        return ".".join((self.key, *self.path))

    @property
    def is_text(self) -> bool:
        """Whether its column holds text."""
        return self.type == "VARCHAR"


class Between(NamedTuple):
    """A rule: the whole number under ``key`` is at least ``low`` and less than ``high``.

    ``reason`` is the code of a reject; ``detail`` says in words what was expected.
    """

    key: str
    low: int
    high: int
    reason: str
    detail: str


class NeededWhen(NamedTuple):
    """A rule: a record whose ``key`` is ``value`` has a text under ``needed`` that is not empty.

    ``reason`` is the code of a reject; ``detail`` says in words what is missing.
    """

    key: str
    value: str
    needed: str
    reason: str
    detail: str


Rule = Between | NeededWhen


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of record.

    Attributes:
        name: What the ledger calls it, and what its tables are named after: ``staging_<name>``.
        setting: The key of ``[S3]`` that says where its files are, such as ``LOG_DATA``.
        about: What its files are, as `sparkify init` and ``--help`` say it.
        grain: What one record is, for the head of its staging table.
        fields: In the order of the columns.
        rules: Rules across fields, or beyond their types.
        identity: The columns that tell one record's subject from another's, whatever file it came in.
        packed: Whether its files are tiny and many: they are read together and packed before they are parsed.
        jsonpaths: The key of ``[S3]`` of a JSONPaths file for COPY; empty: there is none.
        moment: The column with the time of an event, in ms since 1970; empty: it has none.
        fact: The column and value that make a record a row of the fact table; None: none does.
    """

    name: str
    setting: str
    about: str
    grain: str
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()
    identity: tuple[str, ...] = ()
    packed: bool = False
    jsonpaths: str = ""
    moment: str = ""
    fact: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        """Refuse a declaration that names a field or column it does not have."""
        columns, keys = set(self.columns), set(self.keys)
        named = {*self.identity, *([self.moment] if self.moment else []), *(self.fact or ())[:1]}
        ruled = {rule.key for rule in self.rules}
        ruled |= {rule.needed for rule in self.rules if isinstance(rule, NeededWhen)}
        assert named <= columns, f"{self.name} has no columns {named - columns}"
        assert ruled <= keys, f"{self.name} has no fields {ruled - keys}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its fields, in order."""
        return tuple(field.column for field in self.fields)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that have a column of their own, in order."""
        return tuple(field.key for field in self.fields if not field.path)

    @property
    def built_in(self) -> tuple[Field, ...]:
        """The fields that every warehouse has."""
        return tuple(field for field in self.fields if not field.adopted)

    @property
    def adopted(self) -> tuple[Field, ...]:
        """The fields that a warehouse was given later; they follow the built-in ones."""
        return tuple(field for field in self.fields if field.adopted)

    def adopting(self, fields: Iterable[Field]) -> RecordKind:
        """Return the kind with these adopted fields, and no other ones."""
        return replace(self, fields=(*self.built_in, *fields))

    @property
    def required_keys(self) -> tuple[str, ...]:
        """The keys that every accepted record has, in order."""
        return tuple(field.key for field in self.fields if field.required)

    @property
    def noun(self) -> str:
        """One record of it, in a word."""
        return self.name.removesuffix("s")

    @property
    def staging(self) -> str:
        """The table of its accepted records."""
        return f"staging_{self.name}"

    @property
    def landing(self) -> str:
        """The run's own table, in which its records land."""
        return f"run_{self.name}"

    @property
    def option(self) -> str:
        """The command line's option for its place, such as ``log_data``."""
        return self.setting.lower()


# Event times are accepted from 2000-01-01 up to, not including, 2100-01-01 (UTC, in ms): a time in seconds
# or in microseconds falls outside.
_TIMES = Between(
    "ts",
    946_684_800_000,
    4_102_444_800_000,
    "event_time_out_of_range",
    "which is not a time in ms between 2000 and 2100",
)

EVENTS = RecordKind(
    name="events",
    setting="LOG_DATA",
    about="Activity logs: JSON lines, plain, gzip or zstd.",
    grain="One row per accepted line of every current file.",
    fields=(
        Field("artist", "artist", "VARCHAR", 1024),
        Field("auth", "auth", "VARCHAR", 64),
        Field("firstName", "first_name", "VARCHAR", 1024),
        Field("gender", "gender", "VARCHAR", 16),
        Field("itemInSession", "item_in_session", "INTEGER", required=True),
        Field("lastName", "last_name", "VARCHAR", 1024),
        Field("length", "length", "DOUBLE"),
        Field("level", "level", "VARCHAR", 16),
        Field("location", "location", "VARCHAR", 1024),
        Field("method", "method", "VARCHAR", 16),
        Field("page", "page", "VARCHAR", 64, required=True, trimmed=True),
        Field("registration", "registration", "DOUBLE"),
        Field("sessionId", "session_id", "BIGINT", required=True),
        Field("song", "song", "VARCHAR", 1024),
        Field("status", "status", "INTEGER"),
        Field("ts", "ts", "BIGINT", required=True),
        Field("userAgent", "user_agent", "VARCHAR", 1024),
        Field("userId", "user_id", "VARCHAR", 64, trimmed=True),
    ),
    rules=(
        _TIMES,
        NeededWhen("page", "NextSong", "userId", "play_without_user", "a NextSong event without a userId"),
    ),
    identity=("user_id", "session_id", "item_in_session", "ts"),
    jsonpaths="LOG_JSONPATH",
    moment="ts",
    fact=("page", "NextSong"),
)

SONGS = RecordKind(
    name="songs",
    setting="SONG_DATA",
    about="Song records: JSON objects.",
    grain="One row per accepted record of every current file.",
    fields=(
        Field("num_songs", "num_songs", "INTEGER"),
        Field("artist_id", "artist_id", "VARCHAR", 64, required=True, trimmed=True),
        Field("artist_latitude", "artist_latitude", "DOUBLE"),
        Field("artist_longitude", "artist_longitude", "DOUBLE"),
        Field("artist_location", "artist_location", "VARCHAR", 1024),
        Field("artist_name", "artist_name", "VARCHAR", 1024),
        Field("song_id", "song_id", "VARCHAR", 64, required=True, trimmed=True),
        Field("title", "title", "VARCHAR", 1024),
        Field("duration", "duration", "DOUBLE"),
        Field("year", "year", "INTEGER"),
    ),
    identity=("song_id",),
    packed=True,
)

# In the order in which they are loaded: songs first, so that plays find them.
KINDS: tuple[RecordKind, ...] = (SONGS, EVENTS)


def kind_named(name: str) -> RecordKind:
    """Return the kind of that name."""
    return next(kind for kind in KINDS if kind.name == name)
