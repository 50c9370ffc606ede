"""Who and what was erased: how a person is known again without being named, in records of any sort.

A person is known by a keyed hash of the user id; the key is random, one a warehouse, and stands beside the
hashes. Records that were accepted have an id. Of those that were rejected the bytes are looked at: for an id,
and where none can be read, for names and places, each of which must be the person's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import TYPE_CHECKING

from sparkify.pipeline.landing import LandedFile, Landing
from sparkify.records import EVENTS, Between
from sparkify.warehouse.ledger import ErasedRecord

if TYPE_CHECKING:
    from sparkify.intake.reader import Reject

USER = "user_id"
MOMENT = "ts"
# The fields that tell who somebody is, by their keys in a record.
NAMING = {"firstName": "first_name", "lastName": "last_name", "location": "location"}
# A time that is none (seconds, say) tells nothing about a record's age.
_TIMES = next(rule for rule in EVENTS.rules if isinstance(rule, Between) and rule.key == MOMENT)
# A value of so many characters is found wherever it stands.
_LONG = 6
_STRING = r'"(?:[^"\\]|\\.)*"'
# As JSON has it, and as a JSON text inside a text has it.
_VALUE = re.compile(
    r"""\\*["'](userId|ts|firstName|lastName|location)\\*["']\s*[:=]\s*"""
    rf"""({_STRING}|\\+"[^"\\]*\\+"|'[^']*'|[^\s,"'{{}}\[\]\\]+)"""
)
# What may be an id where none stands as it should: what follows the word.
_NEAR = re.compile(r"user[\s_-]?(?:id)?\W{1,6}([\w.@+-]+)", re.IGNORECASE)
# A number that may be an id written otherwise: 2.6e1, 2_6.
_ODD_NUMBER = re.compile(r"""userId["']\s*[:=]\s*[^\s,"']*[eE_]""")
_WORD = re.compile(r"\w[\w'-]*")
# Characters of a word that may be a name.
_LONGEST_WORD = 64


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What can be read in a record's bytes, whole or damaged.

    Attributes:
        users: The ids of people.
        named: Names and places, each with the column of its field.
        moments: Times of events.
        near: Where no id can be read, what follows the word user.
        words: Where no id can be read, the words, and those that follow each other in pairs.
    """

    users: frozenset[str] = frozenset()
    named: frozenset[tuple[str, str]] = frozenset()
    moments: frozenset[int] = frozenset()
    near: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


def readable(content: str, encoding: str) -> str:
    """Return the text of a rejected record, as well as it can be read."""
    data = base64.b64decode(content) if encoding == "base64" else content.encode()
    # UTF-16 that holds plain letters reads as they do once its zeros are gone.
    return data.replace(b"\0", b"").decode(errors="replace")


def may_hold(text: str, values: Collection[str]) -> bool:
    """Tell whether a record may have one of these values; no is certain, and cheaper than a glimpse.

    A value is written as it is, but for escapes, numbers with an exponent, and digits of other scripts.
    """
    return (
        not text.isascii()
        or "\\" in text
        or any(value in text for value in values)
        or _ODD_NUMBER.search(text) is not None
    )


def glimpse(content: str, encoding: str) -> Glimpse:
    """Read what a rejected record tells of a person and of time."""
    return look_at(readable(content, encoding))


def look_at(text: str) -> Glimpse:
    """Read what the text of a rejected record tells of a person and of time."""
    users, named, moments = set(), set(), set()
    for key, token in _VALUE.findall(text):
        value = _plain(token)
        if key == "userId":
            users.add(value)
        elif key == MOMENT:
            if value.isascii() and value.isdigit() and _TIMES.low <= int(value[:20]) < _TIMES.high:
                moments.add(int(value))
        else:
            named.add((NAMING[key], value))
    users -= {"", "null"}
    near, words = (set(_NEAR.findall(text)), _words(text)) if not users else (set(), set())
    return Glimpse(
        frozenset(users),
        frozenset(each for each in named if each[1]),
        frozenset(moments),
        frozenset(near),
        frozenset(words),
    )


def _words(text: str) -> set[str]:
    words = [word for word in _WORD.findall(text) if len(word) <= _LONGEST_WORD]
    return {*words, *(" ".join(pair) for pair in pairwise(words))}


def _plain(token: str) -> str:
    """Return a value as staging keeps it, without trailing blanks."""
    if token[0] in "'\\":
        return token.strip("\\")[1:-1].strip("\\").rstrip(" ")
    if token[0] == '"':
        try:
            return str(json.loads(token, strict=False)).rstrip(" ")
        except ValueError:
            return token[1:-1].rstrip(" ")
    try:
        number = Decimal(token)
        if number.is_finite() and abs(number.adjusted()) < 64 and number == number.to_integral_value():
            return str(int(number))
    except InvalidOperation:
        pass
    return token


def new_key() -> str:
    """Return a random key to hash with."""
    return secrets.token_hex(16)


def hashed(key: str, value: str, column: str = USER) -> str:
    """Return the hash of a value; of a user id it is what ``SHA2(key || user_id, 256)`` gives."""
    text = value if column == USER else f"{column}={value}"
    return hashlib.sha256(f"{key}{text}".encode(errors="replace")).hexdigest()


def anonymous_id(person: str) -> str:
    """Return the id under which the plays of a forgotten person stay."""
    return f"anonymous-{person[:32]}"


@dataclass(frozen=True, slots=True)
class Erased:
    """What the warehouse has erased, and keeps out.

    Attributes:
        key: What is hashed before every value; empty: nobody was forgotten yet.
        people: The hashes of their ids, and whether their plays stay.
        named: The people who have a name or a place, by its hash.
        before: Events before it are erased, in ms since 1970; None: none for their age.
    """

    key: str = ""
    people: Mapping[str, bool] = field(default_factory=dict)
    named: Mapping[str, frozenset[str]] = field(default_factory=dict)
    before: int | None = None

    @classmethod
    def of(cls, records: Iterable[ErasedRecord]) -> Erased:
        """Return what the rows of ``etl.erased`` say."""
        key = ""
        people: dict[str, bool] = {}
        named: dict[str, set[str]] = {}
        bounds = []
        for each in records:
            if each.person is None:
                bounds.append(each.before_ts or 0)
                continue
            key = each.hash_key or key
            if each.field == USER:
                people[each.person] = bool(each.keeps_plays)
            else:
                named.setdefault(each.digest or "", set()).add(each.person)
        return cls(
            key,
            people,
            {digest: frozenset(persons) for digest, persons in named.items()},
            max(bounds, default=None),
        )

    def __bool__(self) -> bool:
        return bool(self.people) or self.before is not None

    def not_before(self, bound: int | None) -> Erased:
        """Return the same with a later bound, if that is one."""
        if bound is None or (self.before is not None and bound <= self.before):
            return self
        return replace(self, before=bound)

    def persons_in(self, seen: Glimpse) -> frozenset[str]:
        """Return the forgotten people whom a rejected record holds.

        By their id; where it has none that can be read, those whose id follows the word user, who have every
        name and place in it, or whose first and last name are among its words.
        """
        if not self.people:
            return frozenset()
        if seen.users:
            return frozenset(hashed(self.key, user) for user in seen.users) & self.people.keys()
        found: frozenset[str] | None = None
        for column, value in seen.named:
            having = self.named.get(hashed(self.key, value, column), frozenset())
            found = having if found is None else found & having
        near = {hashed(self.key, each) for each in seen.near} & self.people.keys()
        return (found or frozenset()) | near | self._having(seen.words)

    def _having(self, words: Collection[str]) -> frozenset[str]:
        """Return the people whose first and last name are among words."""
        first, last = (
            {
                person
                for word in words
                for person in self.named.get(hashed(self.key, word, column), frozenset())
            }
            for column in (NAMING["firstName"], NAMING["lastName"])
        )
        return frozenset(first & last)

    def is_older(self, seen: Glimpse) -> bool:
        """Tell whether all times that a rejected record has lie before the bound."""
        return self.before is not None and bool(seen.moments) and max(seen.moments) < self.before


# Nothing was erased.
NOTHING = Erased()


def drop_rejects(landing: Landing, erased: Erased) -> None:
    """Take rejected records out of what has landed that hold a forgotten person, or are too old."""
    if erased:
        for files in (landing.files, landing.aside, landing.waiting):
            files[:] = [_without_rejects(each, erased) for each in files]


def _without_rejects(file: LandedFile, erased: Erased) -> LandedFile:
    if file.file.source.kind.name != EVENTS.name:
        return file
    seen = [glimpse(each.content, each.encoding) for each in file.rejects]
    newest = max([ts for each in seen for ts in each.moments] + [file.ts_to or 0])
    expired = erased.before is not None and 0 < newest < erased.before
    if expired:
        kept: list[Reject] = []
    else:
        kept = [
            reject
            for reject, what in zip(file.rejects, seen, strict=True)
            if not (erased.persons_in(what) or erased.is_older(what))
        ]
    gone = len(file.rejects) - len(kept)
    return file._replace(rejects=kept, weight=_weight(file, kept), erased=file.erased + gone, expired=expired)


def _weight(file: LandedFile, kept: Sequence[Reject]) -> int:
    """Return how many records the rejects that are left may be."""
    if len(kept) == len(file.rejects):
        return file.weight
    whole = sum(each.whole for each in file.rejects)
    parts = sum(each.size for each in file.rejects if not each.whole)
    share = sum(each.size for each in kept if not each.whole) / parts if parts else 0.0
    return sum(each.whole for each in kept) + round((file.weight - whole) * share)


def names_in(text: str, names: Collection[str]) -> bool:
    """Tell whether a text of the ledger shows one of these values, as messages show values."""
    return any(
        (len(name) >= _LONG and name in text)
        or re.search(rf"""(?:['"(=]|, |is ){re.escape(name)}(?:['"),.;]|$)""", text)
        for name in names
    )
