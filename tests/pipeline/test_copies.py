"""Copies of a bucket's files lie on the disk while they are needed, not until the end of the run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sparkify.pipeline import carefully, strictly
from sparkify.pipeline import land as pipeline_land
from sparkify.records import EVENTS, RecordKind
from sparkify.settings import AwsSettings, Secret
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from sparkify.warehouse.engine import Judged, RecordFile, Rows
from tests.conftest import S3Server
from tests.landing import Lander
from tests.records import play

FILES = 30


class Watched(DuckDBEngine):
    """An engine that notes how many files lie beside those it is given."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.surveyed: list[int] = []
        self.landed: list[int] = []

    def survey(self, kind: RecordKind, paths: Sequence[Path]) -> Rows:
        self.surveyed.append(len(list(paths[0].parent.iterdir())))
        return super().survey(kind, paths)

    def land(
        self, kind: RecordKind, files: Sequence[RecordFile], *, flat: bool = False, others: Sequence[str] = ()
    ) -> Mapping[int, Judged]:
        self.landed.append(len(list(files[0].path.parent.iterdir())))
        return super().land(kind, files, flat=flat, others=others)


@pytest.mark.parametrize("bad", [b"", b"no JSON\n"], ids=["surveyed", "read carefully"])
def test_the_spool_does_not_grow_with_the_number_of_files(
    tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch, bad: bytes
):
    files = {
        f"{n}.json": json.dumps(play(sessionId=n, extra=None)).encode() + b"\n" + bad for n in range(FILES)
    }
    few = 3 * len(files["0.json"])
    monkeypatch.setattr(pipeline_land, "CHUNK_BYTES", few)
    monkeypatch.setattr(strictly, "_SURVEYED_BYTES", few)
    monkeypatch.setattr(carefully, "_ACCEPTED_BYTES", few)
    aws = AwsSettings(Secret(s3.key), Secret(s3.secret), "", "", s3.endpoint)
    engine = Watched(tmp_path / "w.duckdb")
    lander = Lander(engine, (s3, aws))
    try:
        outcomes = lander.land(EVENTS, files)
    finally:
        lander.close()
    assert all(each.rows.total() == 1 for each in outcomes.values())
    assert sum((each.unknown for each in outcomes.values()), Counter()) == {"extra": FILES}
    assert max(engine.landed) <= 3 * 3  # what is parsed, what is fetched meanwhile, and songs.json
    if bad:
        assert engine.surveyed == []
        assert len(engine.landed) > FILES / 3 * 2
    else:
        assert len(engine.surveyed) >= FILES / 3
        assert max(engine.surveyed) <= 3


@pytest.mark.parametrize("much", [-1, 1 << 60])
def test_what_is_null_in_a_whole_file_costs_no_second_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, much: int
):
    """Unless it is null under another name: then its fields are counted, and no more."""
    monkeypatch.setattr(pipeline_land, "_MUCH_BYTES", much)
    engine = Watched(tmp_path / "w.duckdb")
    lander = Lander(engine)
    plain = [json.dumps(play(artist=None, sessionId=n), separators=(",", ":")) for n in range(50)]
    files = {"null.json": plain, "renamed.json": [line.replace('"artist"', '"artst"') for line in plain]}
    try:
        for name, unknown in (("null.json", {}), ("renamed.json", {"artst": 50})):
            found = lander.land(EVENTS, {name: "\n".join(files[name]).encode()})[name]
            assert (found.rows.total(), found.unknown, len(engine.surveyed)) == (50, unknown, len(unknown))
    finally:
        lander.close()
    assert len(engine.landed) == 2


@pytest.mark.parametrize("much", [-1, 1 << 60])
@pytest.mark.parametrize("lacks", [["auth"], ["length", "registration", "userAgent"], ["artist", "song"]])
def test_a_file_without_optional_fields_is_parsed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, much: int, lacks: list[str]
):
    """Known fields are values in the table or nulls in the file: the counts tell if there is more."""
    monkeypatch.setattr(pipeline_land, "_MUCH_BYTES", much)
    engine = Watched(tmp_path / "w.duckdb")
    lander = Lander(engine)
    records = [play(sessionId=n, location=None if n % 2 else "London") for n in range(50)]
    records = [{key: value for key, value in record.items() if key not in lacks} for record in records]
    lines = [json.dumps(record, separators=(",", ":")) for record in records]
    unknown = [line[:-1] + ',"deviceType":"phone"}' for line in lines]
    try:
        for name, data, others in (("lacks.json", lines, 0), ("other.json", unknown, 50)):
            found = lander.land(EVENTS, {name: "\n".join(data).encode()})[name]
            assert (found.rows.total(), found.rejects) == (50, [])
            assert found.unknown == ({"deviceType": 50} if others else {})
            if not others:
                assert (engine.surveyed, len(engine.landed)) == ([], 1)
    finally:
        lander.close()
