"""What can be wrong, or merely unusual, with one record: each flaw by the reason a correct load gives.

A rejected record is made of a good one and broken in exactly one way; an unusual one keeps its identity and
is accepted.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

Record = dict[str, Any]
Change = Callable[[Record], bytes]
Flaw = tuple[str, Change]

_BEYOND = 10**19  # more than 64 bits hold
_Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
_UNICODE = "Ångström ﬁancé ½ Ⅷ 한국 ǆ Ω"
_WIDTH = 1024


def dump(record: Record) -> bytes:
    """Return a record as the app writes it, but without escaping non-ASCII letters."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


def _set(**values: Any) -> Change:
    return lambda record: dump(record | values)


def _without(key: str) -> Change:
    return lambda record: dump({k: v for k, v in record.items() if k != key})


def _cut(record: Record) -> bytes:
    """Return a line truncated inside its first half, which is never valid JSON."""
    text = json.dumps(record).encode()
    return text[: 2 + record["sessionId"] * 37 % (len(text) // 2)].rstrip(b",:{[ ")


def _edit(old: bytes, new: bytes) -> Change:
    return lambda record: dump(record).replace(old, new, 1)


def _trailing_comma(record: Record) -> bytes:
    return dump(record)[:-1] + b",}"


def _single_quotes(record: Record) -> bytes:
    return b"{'page':'NextSong','ts':%d}" % int(record.get("ts", 0))


def _raw(data: bytes) -> Change:
    return lambda _: data


def _scaled(factor: float) -> Change:
    return lambda record: dump(record | {"ts": int(record["ts"] * factor)})


def _bad_bytes(key: str, data: bytes) -> Change:
    return lambda record: dump(record | {key: "@@"}).replace(b"@@", b"Bj" + data + b"rk", 1)


# The reasons alternate, so that even a small simulation has all of them.
EVENT_FLAWS: Sequence[Flaw] = (
    ("malformed_json", _cut),
    ("wrong_type", _set(ts="yesterday")),
    ("missing_field", _without("ts")),
    ("not_an_object", _raw(b"42")),
    ("out_of_range", _set(sessionId=_BEYOND)),
    ("too_long", _set(artist="x" * (_WIDTH + 1))),
    ("invalid_utf8", _bad_bytes("artist", b"\xf6")),  # ISO 8859-1
    ("event_time_out_of_range", _scaled(0.001)),  # seconds
    ("play_without_user", _set(userId="")),
    ("malformed_json", _trailing_comma),
    ("wrong_type", _set(sessionId={"id": 5})),
    ("missing_field", _set(ts=None)),
    ("not_an_object", _raw(b'"NextSong"')),
    ("out_of_range", _set(itemInSession=-_BEYOND)),
    ("too_long", _set(song="é" * (_WIDTH // 2 + 1))),  # 513 letters, 1,026 bytes
    ("invalid_utf8", _bad_bytes("song", b"\xc3")),  # the first half of a letter
    ("event_time_out_of_range", _scaled(1000)),  # microseconds
    ("malformed_json", _edit(b'"page":', b"page:")),
    ("wrong_type", _set(itemInSession="third")),
    ("missing_field", _without("sessionId")),
    ("not_an_object", _raw(b"null")),
    ("out_of_range", _set(status=_BEYOND)),
    ("too_long", _set(userAgent="\U0001f3b5" * (_WIDTH // 4 + 1))),  # 257 signs, 1,028 bytes
    ("invalid_utf8", _bad_bytes("lastName", b"\xed\xa0\x80")),  # half a surrogate pair
    ("event_time_out_of_range", _set(ts=0)),
    ("malformed_json", _single_quotes),
    ("wrong_type", _set(length="long")),
    ("missing_field", _without("itemInSession")),
    ("not_an_object", _raw(b"true")),
    ("too_long", _set(lastName="y" * 5000)),
    ("invalid_utf8", _bad_bytes("artist", b"\xc0\xaf")),  # an overlong slash
    ("event_time_out_of_range", _set(ts=-1)),
    ("malformed_json", _raw(b"<html><body>503 Service Unavailable</body></html>")),
    ("wrong_type", _set(artist={"name": "x"})),
    ("missing_field", _without("page")),
    ("too_long", _set(firstName="z" * (_WIDTH + 1))),
    ("wrong_type", _set(status=[200])),
    ("missing_field", _set(page=None)),
    ("play_without_user", _set(userId=None)),
)

# What breaks off inside an object at the end of a file counts as cut off, and each of these is a file.
SONG_FLAWS: Sequence[Flaw] = (
    ("malformed_json", _raw(b"<html><body>503 Service Unavailable</body></html>")),
    ("missing_field", _without("song_id")),
    ("wrong_type", _set(duration="long")),
    ("too_long", _set(title="x" * (_WIDTH + 1))),
    ("out_of_range", _set(year=_BEYOND)),
    ("not_an_object", _raw(b"42")),
    ("invalid_utf8", _bad_bytes("title", b"\xf6")),
)


def _unknown_fields(record: Record) -> bytes:
    return dump(record | {"experiment": {"name": "Ω", "arm": "B"}, "clientVersion": "2.1"})


def _other_order(record: Record) -> bytes:
    return json.dumps(dict(reversed(record.items()))).encode()


def _normal_form(form: _Form) -> Change:
    def odd(record: Record) -> bytes:
        text = unicodedata.normalize(form, _UNICODE)
        return dump(record | {"artist": text, "song": text})

    return odd


def _surrogates(record: Record) -> bytes:
    return json.dumps(record | {"artist": "\U0001f3b5 Ω"}).encode()


def _blanks_around(record: Record) -> bytes:
    return b" \t" + dump(record) + b"  "


# Of songs only where they change artist or song; each keeps identity, page and user.
ODDITIES: Sequence[Change] = (
    _unknown_fields,
    _other_order,
    *(_normal_form(form) for form in get_args(_Form)),
    _set(artist="x" * _WIDTH),
    _set(song="é" * (_WIDTH // 2)),
    _surrogates,
    _blanks_around,
)
UNKNOWN_FIELDS = ("clientVersion", "experiment")


def is_unknown(odd: Change) -> bool:
    """Return whether a change adds unknown fields."""
    return odd is _unknown_fields
