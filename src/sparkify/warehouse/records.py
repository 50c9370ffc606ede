"""The fields of the files and the columns they land in, in the order of the tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A JSON key of a file and the column of staging it fills.

    Attributes:
        key: The key as it stands in the file.
        column: The column in staging.
        type: Its SQL type: INTEGER, BIGINT, DOUBLE or VARCHAR.
        width: The most bytes a VARCHAR holds; as in sql/tables.
        required: A record without it is rejected.
        trimmed: Trailing blanks (U+0020) are taken off: it is compared with others, and Redshift ignores them
            in comparisons.
    """

    key: str
    column: str
    type: str
    width: int | None = None
    required: bool = False
    trimmed: bool = False


EVENT_FIELDS: tuple[Field, ...] = (
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
)

SONG_FIELDS: tuple[Field, ...] = (
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
)

# Event times are accepted from 2000-01-01 up to, not including, 2100-01-01 (UTC, in ms): a time in seconds
# or in microseconds falls outside.
TS_FROM = 946_684_800_000
TS_TO = 4_102_444_800_000
