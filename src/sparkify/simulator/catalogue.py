"""The songs: a catalogue with song files, and played songs that are in no file."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sparkify.errors import SourceError
from sparkify.lake.store import read_all
from sparkify.lake.stores import open_store
from sparkify.settings import AwsSettings
from sparkify.simulator.config import Songs
from sparkify.simulator.draws import Floats, Integers
from sparkify.simulator.people import words

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Song(NamedTuple):
    """A song as the log contains it; ``length`` in seconds."""

    artist: str
    title: str
    length: float


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every song that may be played: first the known ones, then the others, each by falling popularity.

    Attributes:
        songs: All songs.
        known: How many of them have a song file.
        popularity: Running sum of the shares of plays; ends at 1.
    """

    songs: Sequence[Song]
    known: int
    popularity: Floats

    def milliseconds(self) -> Integers:
        """Return each song's length in whole seconds, as ms: when the next one begins."""
        return np.array([max(int(song.length), 1) * 1000 for song in self.songs], np.int64)


def make_records(parameters: Songs, seed: int, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Make ``count`` song records, as (key of the file, record), with MSD's fields and shapes of ids."""
    rng = random.Random(f"{seed} catalogue")  # noqa: S311 - a simulation, not a secret
    artists = _artists(rng, max(1, count * 2 // 3))
    titles = _titles(rng)
    lengths = _lengths(rng, parameters, count)
    used: set[tuple[str, str]] = set()
    records = []
    for i in range(count):
        artist = artists[int(len(artists) * rng.random() ** 1.5)]
        name = artist["artist_name"]
        if rng.random() < 0.04:
            name += " feat. " + artists[int(len(artists) * rng.random())]["artist_name"]
        title = next(t for t in titles if (name, t) not in used)
        used.add((name, title))
        track = f"TRA{_letters(rng, 4)}12{i & 0xFFFF:04X}{rng.getrandbits(20):05X}"
        record = {
            "num_songs": 1,
            "artist_id": artist["artist_id"],
            "artist_latitude": artist["artist_latitude"],
            "artist_longitude": artist["artist_longitude"],
            "artist_location": artist["artist_location"],
            "artist_name": name,
            "song_id": f"SO{_letters(rng, 6)}12{i & 0xFFF:03X}{rng.getrandbits(20):05X}",
            "title": title,
            "duration": lengths[i],
            "year": 0 if rng.random() < 0.6 else max(1922, int(2010 - rng.expovariate(1 / 9))),
        }
        records.append((f"song_data/{track[2]}/{track[3]}/{track[4]}/{track}.json", record))
    return records


def song_of(record: dict[str, Any]) -> Song:
    """Return the song of a song record, as the log contains it."""
    return Song(str(record["artist_name"]), str(record["title"]), float(record["duration"]))


def read_songs(uri: str, aws: AwsSettings) -> list[Song]:
    """Return the songs of an existing catalogue.

    Raises:
        SourceError: The catalogue cannot be read, or contains something that is not a song record.
    """
    store = open_store(uri, aws)
    songs = []
    for item, data in read_all(store, store.listing().objects):
        try:
            songs.append(song_of(json.loads(data)))
        except (ValueError, KeyError, TypeError) as exc:
            raise SourceError(
                f"{item.uri} is not a song record: {exc}.",
                "Each file holds one object with artist_name, title and duration.",
                uri=item.uri,
            ) from exc
    return songs


def make_catalogue(parameters: Songs, seed: int, known: Sequence[Song], known_share: float) -> Catalogue:
    """Add songs that are in no file, and assign a popularity to every song.

    Args:
        parameters: The distribution of popularity, and the number of other songs.
        seed: Seed of the simulation.
        known: Songs with a file; if empty, only the others are played.
        known_share: Share of plays whose song is in ``known``.
    """
    rng = random.Random(f"{seed} others")  # noqa: S311 - a simulation, not a secret
    share = known_share if known else 0.0
    taken = {(song.artist, song.title) for song in known}
    names = _artist_names(rng, max(1, parameters.others * 2 // 3))
    titles = _titles(rng)
    lengths = _lengths(rng, parameters, parameters.others)
    others = []
    for length in lengths:
        artist = names[int(len(names) * rng.random() ** 1.5)]
        while (artist, title := next(titles)) in taken:
            pass
        taken.add((artist, title))
        others.append(Song(artist, title, length))
    edges = [_zipf(parameters, len(known)) * share, share + _zipf(parameters, len(others)) * (1 - share)]
    popularity = np.concatenate(edges if known else edges[1:])
    popularity[-1] = 1.0
    return Catalogue([*known, *others], len(known), popularity)


def _zipf(parameters: Songs, count: int) -> Floats:
    weights = (np.arange(count) + 1 + parameters.offset) ** -parameters.exponent
    return np.asarray(np.cumsum(weights / weights.sum()))


def _lengths(rng: random.Random, parameters: Songs, count: int) -> list[float]:
    points = np.linspace(0, 1, len(parameters.lengths))
    chances = [rng.random() for _ in range(count)]
    values: list[float] = np.round(np.interp(chances, points, parameters.lengths), 5).tolist()
    return values


def _titles(rng: random.Random) -> Iterator[str]:
    lists = words()["music"]
    # Of an adjective, two nouns and an accented word. Each shape is as frequent as it is in this list.
    shapes: list[Callable[[str, str, str, str], str]] = [
        *[lambda a, n, _, __: f"{a} {n}"] * 8,
        *[lambda a, n, _, __: f"The {a} {n}"] * 3,
        *[lambda _, n, m, __: f"{n} of {m}"] * 5,
        *[lambda _, n, m, __: f"{n} and {m}"] * 4,
        *[lambda a, n, _, __: f"My {a} {n}"] * 3,
        *[lambda _, n, __, ___: n] * 4,
        lambda a, _, __, ___: a,
        lambda _, n, __, u: f"{u} {n}",
    ]
    adjectives, nouns, accented = lists["adjectives"], lists["nouns"], lists["accented"]
    # By hand and not by _pick: there are twenty thousand titles at every start.
    draw, count, a, n, u = rng.random, len(shapes), len(adjectives), len(nouns), len(accented)
    while True:
        title = shapes[int(count * draw())](
            adjectives[int(a * draw())],
            nouns[int(n * draw())],
            nouns[int(n * draw())],
            accented[int(u * draw())],
        )
        yield title + (_pick(rng, lists["endings"]) if draw() < 0.12 else "")


def _artist_names(rng: random.Random, count: int) -> list[str]:
    """Make names of artists; no two of one call are the same."""
    lists, people = words()["music"], words()["people"]
    names: dict[str, None] = {}
    while len(names) < count:
        kind = rng.random()
        adjective, noun = _pick(rng, lists["adjectives"]), _pick(rng, lists["nouns"])
        family = _pick(rng, people["family"])
        if kind < 0.4:
            name = f"{_pick(rng, people['women' if rng.random() < 0.5 else 'men'])} {family}"
        elif kind < 0.65:
            name = f"The {adjective} {noun}"
        elif kind < 0.85:
            name = f"{adjective} {noun}"
        elif kind < 0.92:
            name = f"{family} & {_pick(rng, people['family'])}"
        elif kind < 0.97:
            name = f"{_pick(rng, people['women'])} {family}/The {noun}"
        else:
            name = f"{_pick(rng, lists['accented'])} {family}"
        # A repeated name gets a number.
        if name in names:
            name = f"{name} {len(names)}"
        names[name] = None
    return list(names)


def _artists(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Make artists with MSD's keys; no two of one call share a name."""
    lists = words()["music"]
    artists = []
    for i, name in enumerate(_artist_names(rng, count)):
        located, mapped = rng.random() < 0.55, rng.random() < 0.4
        artists.append(
            {
                "artist_id": f"AR{_letters(rng, 5)}1187{i & 0xFFFFFF:06X}{rng.getrandbits(4):X}",
                "artist_latitude": round(rng.uniform(-45, 65), 5) if mapped else None,
                "artist_longitude": round(rng.uniform(-160, 160), 5) if mapped else None,
                "artist_location": _pick(rng, lists["places"]) if located else "",
                "artist_name": name,
            }
        )
    return artists


def _pick(rng: random.Random, choices: Sequence[str]) -> str:
    return choices[int(len(choices) * rng.random())]


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(_LETTERS, k=count))
