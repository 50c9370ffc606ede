"""A small dirty lake, and pages made of it."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sparkify.cli.app import run
from tests.loading import etl
from tests.records import TS, play, song, write_records
from tests.report.chromium import PROGRAM, Chromium, open_chromium
from tests.warehouses import Place, options_of

# What a page must show as text and never carry out.
HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 1">',
    "{{style}} ${1} `'\"&amp;",
    '=HYPERLINK("http://example.com")',
    "\u202eright to left\u202c שלום",
    "line\u2028separator 🎧 Zoë",
)
_DAY = 86_400_000


class Lake(NamedTuple):
    """Folders of logs and songs, and the records in them that our rules accept."""

    root: Path
    events: list[dict[str, Any]]
    songs: list[dict[str, Any]]


def make_lake(root: Path, *, days: int = 45, number: int = 500) -> Lake:
    """Write events of a dozen people: duplicates, unknown values, other levels, hostile names, rejects."""
    chance = random.Random(7)
    songs = [
        song(),
        song(song_id="SO2", title="Other", artist_id="AR2", artist_name="Artist 2", duration=99.0),
    ]
    titles: list[tuple[str | None, str | None, float]] = [
        ("Title", "Artist", 200.5),
        ("Title", "Artist", 201.0),
        ("Other", "Artist 2", 99.0),
    ]
    titles += [(text, f"Artist {text}", 10.0) for text in HOSTILE] + [
        (None, "Artist", 1.0),
        ("Lonely", None, 1.0),
    ]
    agents = [
        "Mozilla (iPhone; x)",
        "Mozilla (iPad)",
        "Windows NT",
        "Macintosh",
        "X11; Linux",
        "Android; Linux",
        None,
    ]
    pages = [
        "Home",
        "Upgrade",
        "Submit Upgrade",
        "Downgrade",
        "Submit Downgrade",
        "Cancel",
        "Cancellation Confirmation",
    ]
    events = []
    for item in range(number):
        user = chance.randrange(12)
        title, artist, length = chance.choice(titles)
        events.append(
            play(
                userId=str(user),
                gender="FM"[user % 2] if user else None,
                level=chance.choice(["free", "paid", "paid"]) if chance.random() < 0.98 else None,
                ts=TS + chance.randrange(int(days * _DAY)) // (1 + user),
                sessionId=chance.randrange(9),
                itemInSession=item,
                song=title,
                artist=artist,
                length=length,
                location=chance.choice(["Boise City, ID", "Paris, FR", HOSTILE[0], None]),
                userAgent=chance.choice(agents),
                registration=TS - chance.randrange(3) * 7.0 * _DAY if user != 3 else None,
                page="NextSong" if chance.random() < 0.7 else chance.choice(pages),
            )
        )
    events += [play(userId="", page="Login", ts=TS + 1), *chance.sample(events, 20)]
    half = len(events) // 2
    first = write_records(root / "log_data" / "1.json", *events[:half])
    with first.open("a") as log:
        log.write("no JSON\n")
    second = write_records(root / "log_data" / "2.json", *events[half:], play(userId=""))
    write_records(second.with_name("3.json"), *[{"page": "NextSong"}] * 12)  # set aside whole
    for place, each in enumerate(songs):
        write_records(root / "song_data" / f"{place}.json", each)
    return Lake(root, events, songs)


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return make_lake(tmp_path_factory.mktemp("report"))


def load(place: Place, lake: Lake) -> None:
    songs = lake.root / "song_data" if lake.songs else None
    assert etl(place, lake.root / "log_data", songs, "--max-rejects", "1000", "--lenient") == 0


def report(place: Place, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """Return what `sparkify report --json` prints."""
    capsys.readouterr()
    code = run(["report", *options_of(place), "--json", *options])
    said = capsys.readouterr()
    assert code == 0, said.err
    told: dict[str, Any] = json.loads(said.out)
    return told


@pytest.fixture(scope="session")
def page(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the small dirty lake."""
    folder = tmp_path_factory.mktemp("page with a blank")
    place = folder / "w.duckdb"
    load(place, lake)
    assert run(["report", *options_of(place), "-o", str(folder / "report.html")]) == 0
    return folder / "report.html"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser; without one a test is skipped, and in CI it fails."""
    if PROGRAM is None:
        assert os.environ.get("CI") != "true", "CI must have Chromium"
        pytest.skip("there is no Chromium on PATH")
    with open_chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser
