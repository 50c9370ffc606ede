"""Files whose objects follow each other without line breaks land on the fast path, wherever they lie."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import zstandard

from sparkify.intake import joints
from sparkify.pipeline import carefully
from sparkify.pipeline import land as pipeline_land
from sparkify.records import EVENTS
from sparkify.settings import AwsSettings, Secret
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from tests.conftest import S3Server
from tests.landing import Lander, read
from tests.records import play

RECORDS = [json.dumps(play(itemInSession=n, sessionId=n), separators=(",", ":")) for n in range(300)]
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


@pytest.fixture(params=["folder", "bucket"])
def lander(request: pytest.FixtureRequest, tmp_path: Path, s3: S3Server) -> Iterator[Lander]:
    aws = AwsSettings(Secret(s3.key), Secret(s3.secret), "", "", s3.endpoint)
    place = (s3, aws) if request.param == "bucket" else None
    lander = Lander(DuckDBEngine(tmp_path / "w.duckdb"), place)
    yield lander
    lander.close()


@pytest.fixture(params=[-1, 2**60], ids=["much", "little"])
def only_fast(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be read carefully; blocks end within records."""

    def refuse(*_: object) -> NoReturn:
        pytest.fail("it was read record by record")

    monkeypatch.setattr(carefully, "read_carefully", refuse)
    monkeypatch.setattr(pipeline_land, "_MUCH_BYTES", request.param)
    monkeypatch.setattr(joints, "_BLOCK", 100)


@pytest.mark.parametrize("suffix", COMPRESSORS)
@pytest.mark.parametrize(
    ("between", "breaks"),
    [("", 0), ("\r", 0), (" ", 0), ("", 1), ("", 250)],
    ids=["none", "CR", "blank", "1", "250"],
)
@pytest.mark.usefixtures("only_fast")
def test_a_sound_file_without_line_breaks_is_read_fast(
    lander: Lander, suffix: str, between: str, breaks: int
):
    """Also where its first records are on lines, and beside files that are."""
    text = "".join(record + ("\n" if number < breaks else between) for number, record in enumerate(RECORDS))
    data = text.encode()
    landed = lander.land(
        EVENTS,
        {f"a.json{suffix}": COMPRESSORS[suffix](data), "b.json": "\n".join(RECORDS).encode(), "c.json": data},
    )
    for outcome in landed.values():
        assert outcome == read(EVENTS, data)
    assert landed["c.json"].rows.total() == len(RECORDS)


@pytest.mark.usefixtures("only_fast")
def test_fields_without_a_column_are_counted_in_a_file_without_line_breaks(lander: Lander):
    data = "".join(record[:-1] + ',"tag":"A"}' for record in RECORDS).encode()
    outcome = lander.land(EVENTS, {"a.json": data})["a.json"]
    assert outcome == read(EVENTS, data)
    assert outcome.unknown == {"tag": len(RECORDS)}


def test_a_bad_record_is_found_at_its_place_in_the_file(lander: Lander):
    """Also where a text looks like the end of a record: no copy tells where it is, the file does."""
    bad = RECORDS[0].replace('"ts":1', '"ts":"x')
    texts = [RECORDS[1], json.dumps(play(song="}{")), bad, RECORDS[2]]
    data = "".join(texts).encode()
    outcome = lander.land(EVENTS, {"a.json": data})["a.json"]
    assert outcome == read(EVENTS, data)
    assert [each.byte_offset for each in outcome.rejects] == [len(texts[0]) + len(texts[1])]
