"""Every kind of bad or odd file comes to what ``tests/corpus/expected.toml`` says, whichever way it is read.

Alone or among all the others, by the fast path or by the careful reader. ``HYPOTHESIS_PROFILE=release``
gives each a whole `etl` of its own, and not every eighth.
"""

from __future__ import annotations

import base64
import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sparkify.intake import marks, parse
from sparkify.intake.reader import read_carefully
from sparkify.lake.codec import decompress
from sparkify.pipeline import land as pipeline_land
from sparkify.records import EVENTS, SONGS, RecordKind, kind_named
from sparkify.warehouse.redshift import copying
from tests.conftest import S3Server
from tests.landing import Lander, Row, read
from tests.loading import etl
from tests.oracle import COLUMNS
from tests.records import play, song, write_records
from tests.tiers import by_profile, sweep
from tests.warehouses import ENGINES, OnRedshift, Place, Warehouses, open_place, rows

CORPUS = Path(__file__).parents[1] / "corpus"
EVERY = by_profile(8, 8, 1)
FOLDERS = {EVENTS: "log_data", SONGS: "song_data"}


@dataclass(frozen=True)
class Case:
    """One file and what it comes to."""

    kind: RecordKind
    name: str
    data: bytes
    rows: Counter[Row]
    rejects: list[tuple[int, str]]
    unknown: dict[str, int]

    @property
    def label(self) -> str:
        return f"{self.kind.name}/{self.name}"


def _cases() -> list[Case]:
    expected = tomllib.loads((CORPUS / "expected.toml").read_text(encoding="utf-8"))
    return [
        Case(
            kind_named(kind),
            name,
            (CORPUS / kind / name).read_bytes(),
            Counter(_row(kind_named(kind), changes) for changes in case.get("accepted", [])),
            [(line, reason) for line, reason in case.get("rejects", [])],
            case.get("unknown", {}),
        )
        for kind, cases in expected.items()
        for name, case in cases.items()
    ]


def _row(kind: RecordKind, changes: dict[str, Any]) -> Row:
    base = {**(play() if kind == EVENTS else song()), "extra": None}
    assert changes.keys() <= base.keys()
    record = base | {key: _value(value) for key, value in changes.items()}
    return tuple(record[key] for key in (*kind.keys, "extra"))


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return "".join(map(_value, value))
    if isinstance(value, dict) and "range" in value:
        return ",".join(map(str, range(value["range"])))
    if isinstance(value, dict):
        text, times = value["repeat"]
        return text * times
    return None if value == "NULL" else value


CASES = _cases()
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)


def test_every_file_is_expected_and_every_kind_of_reject_is_there():
    files = {path.relative_to(CORPUS).as_posix() for path in CORPUS.glob("*/*")}
    assert files == {case.label for case in CASES}
    assert len(files) >= 60
    reasons = {reason for case in CASES for _, reason in case.rejects}
    assert reasons == {
        *("malformed_json", "truncated_file", "not_an_object", "invalid_utf8", "wrong_type"),
        *("missing_field", "out_of_range", "too_long", "event_time_out_of_range", "play_without_user"),
        "damaged_file",
    }


@each_case
@pytest.mark.parametrize("window", [1, 50])
def test_how_far_the_reader_looks_changes_nothing(case: Case, window: int, monkeypatch: pytest.MonkeyPatch):
    whole = read_carefully(case.data, case.kind)
    monkeypatch.setattr(parse, "_WINDOW", window)
    some = read_carefully(case.data, case.kind)
    assert (some.lines, some.unknown) == (whole.lines, whole.unknown)
    assert [each._replace(detail="") for each in some.rejects] == [
        each._replace(detail="") for each in whole.rejects
    ]


@each_case
def test_read_carefully(case: Case):
    outcome = read(case.kind, case.data)
    assert outcome.rows == case.rows
    assert outcome.reasons == case.rejects
    assert outcome.unknown == case.unknown


@pytest.fixture(scope="module")
def lander(
    request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lander]:
    lander = Lander(open_place(warehouses.new(request.param, tmp_path_factory.mktemp("lander"))))
    yield lander
    lander.close()


@pytest.fixture(scope="module", params=ENGINES)
def started(
    request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory
) -> Place:
    """A warehouse with one play in, so that no check misses the plays of a file that has none."""
    root = tmp_path_factory.mktemp("started")
    write_records(root / "log_data" / "first.json", play(sessionId=99))
    place = warehouses.new(request.param, root)
    assert etl(place, root / "log_data") == 0
    return place


@pytest.fixture
def place(started: Place, warehouses: Warehouses, tmp_path: Path) -> Place:
    """A copy of that warehouse."""
    return warehouses.clone(started, tmp_path)


def load(place: Place, folder: Path, cases: list[Case]) -> None:
    """Load files into the warehouse, as a user would."""
    sources: list[Path | None] = []
    for kind, name in FOLDERS.items():
        some = [case for case in cases if case.kind == kind]
        sources.append(folder / name if some else None)
        for case in some:
            path = folder / name / case.name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(case.data)
    logs = [f"{FOLDERS[EVENTS]}/{case.name}" for case in cases if case.kind == EVENTS]
    accepted = [argument for name in logs for argument in ("--accept", name)]
    assert etl(place, sources[0], sources[1], "--max-rejects", "100%", "--lenient", *accepted) == 0


def verify(place: Place, case: Case, unknown: dict[str, int] | None) -> None:
    """Hold everything the warehouse says of a file that is loaded against what is expected."""
    ((number, uri, *counts),) = rows(
        place,
        "SELECT file_id, uri, rows_read, rows_loaded, rows_rejected FROM etl.files "
        "WHERE state = 'loaded' AND uri LIKE %s",
        [f"%/{FOLDERS[case.kind]}/{case.name}"],
    )
    landed, rejected = case.rows.total(), len(case.rejects)
    assert counts == [landed + rejected, landed, rejected]
    table = case.kind.staging
    found = rows(place, f"SELECT {', '.join(COLUMNS[table])} FROM {table} WHERE file_id = %s", [number])
    assert Counter(found) == case.rows
    rejects = rows(
        place,
        "SELECT line, reason, byte_offset, content, encoding FROM etl.rejects WHERE file_id = %s "
        "ORDER BY line, byte_offset",
        [number],
    )
    assert [(line, reason) for line, reason, *_ in rejects] == case.rejects
    plain = decompress(Path(uri).read_bytes()).data
    for _, _, offset, content, encoding in rejects:
        kept = base64.b64decode(content) if encoding == "base64" else content.encode()
        assert plain[offset:].startswith(kept)
    if unknown is not None:
        stored = rows(place, "SELECT field, occurrences FROM etl.unknown_fields WHERE run_id > 1")
        assert dict(stored) == unknown


@pytest.mark.parametrize("case", sweep(CASES, 12), ids=lambda case: case.label)
@pytest.mark.parametrize(
    ("lander", "much"),
    [("duckdb", False), ("duckdb", True), ("redshift", True)],
    ids=["a file", "a file of many", "redshift"],
    indirect=["lander"],
)
def test_landed_alone(case: Case, lander: Lander, much: bool, monkeypatch: pytest.MonkeyPatch):
    """Marks are counted in two ways, by how much there is; the second begins with a glance."""
    monkeypatch.setattr(pipeline_land, "_MUCH_BYTES", -1 if much else 2**60)
    outcome = lander.land(case.kind, {case.name: case.data})[case.name]
    assert outcome.rows == case.rows
    assert outcome.reasons == case.rejects
    assert outcome.unknown == case.unknown


def test_what_redshift_makes_of_a_file_is_compared_with_all_its_marks(
    warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """That a file is flat says what DuckDB makes of it, no other engine: there nulls and values count."""
    monkeypatch.setattr(pipeline_land, "_MUCH_BYTES", -1)
    monkeypatch.setattr(marks, "glance", lambda *_: pytest.fail("a glance was believed"))
    place = warehouses.new("redshift", tmp_path)
    lander = Lander(open_place(place))
    case = next(case for case in CASES if case.kind == EVENTS and case.unknown)
    try:
        outcome = lander.land(EVENTS, {case.name: case.data})[case.name]
    finally:
        lander.close()
    assert (outcome.rows, outcome.unknown) == (case.rows, case.unknown)


@pytest.mark.parametrize("case", sweep(CASES[::EVERY], 6), ids=lambda case: case.label)
def test_loaded_alone(case: Case, place: Place, tmp_path: Path):
    load(place, tmp_path, [case])
    verify(place, case, case.unknown)


@pytest.mark.parametrize("kind", [EVENTS, SONGS])
def test_landed_together_without_a_place_to_write_to(
    kind: RecordKind, warehouses: Warehouses, s3: S3Server, tmp_path: Path
):
    """Without STAGING, COPY reads the logs by their names alone, and what we send goes as literals."""
    place = warehouses.new("redshift", tmp_path, staging=False)
    assert isinstance(place, OnRedshift)
    lander = Lander(open_place(place), (s3, place.settings().aws))
    cases = [case for case in CASES if case.kind == kind]
    try:
        outcomes = lander.land(kind, {case.name: case.data for case in cases})
    finally:
        lander.close()
    for case in cases:
        assert (outcomes[case.name].rows, outcomes[case.name].reasons) == (case.rows, case.rejects), case.name


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "in place"])
def test_logs_landed_together(
    packed: bool, warehouses: Warehouses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """One COPY of all their lines, whatever is in them; or each where it lies, as large files are."""
    if not packed:
        monkeypatch.setattr(copying, "_PACKED_BYTES", -1)
        monkeypatch.setattr(copying, "_PACKED_COMPRESSED_BYTES", -1)
    place = warehouses.new("redshift", tmp_path)
    assert isinstance(place, OnRedshift)
    lander = Lander(open_place(place))
    cases = [case for case in CASES if case.kind == EVENTS][:: 1 if packed else 10]
    place.server.statements.clear()
    try:
        outcomes = lander.land(EVENTS, {case.name: case.data for case in cases})
    finally:
        lander.close()
    for case in cases:
        assert (outcomes[case.name].rows, outcomes[case.name].reasons) == (case.rows, case.rejects), case.name
    copies = sum("\nCOPY " in entry.sql for entry in place.server.statements)
    assert copies == 2 if packed else copies > 3  # a second one of what our rules have accepted


@pytest.mark.thorough
def test_loaded_together_with_lines_of_17_mb(place: Place, tmp_path: Path):
    """DuckDB's reader stops at 16 MB: such lines are read carefully, whatever makes them so long."""
    first = json.dumps(play()).encode()
    both = Counter({_row(EVENTS, {}): 1, _row(EVENTS, {"itemInSession": 1}): 1})
    end = b"\n" + json.dumps(play(itemInSession=1)).encode() + b"\n"
    long = b'"' + b"x" * 17_000_000 + b'"'
    large = [
        Case(EVENTS, "blanks.json", first + b" " * 17_000_000 + end, both, [], {}),
        Case(
            *(EVENTS, "unknown.json", first[:-1] + b',"x":' + long + b"}" + end),
            *(Counter({_row(EVENTS, {"itemInSession": 1}): 1}), [(1, "too_long")], {}),
        ),
        Case(
            *(EVENTS, "known.json", first.replace(b'"Artist"', long) + end),
            *(Counter({_row(EVENTS, {"itemInSession": 1}): 1}), [(1, "too_long")], {}),
        ),
    ]
    load(place, tmp_path, [*CASES, *large])
    copies = {
        f"{kind}/{uri.rpartition('/')[2]}"
        for kind, uri in rows(place, "SELECT kind, uri FROM etl.files WHERE state = 'copy'")
    }
    cases = [case for case in [*CASES, *large] if case.label not in copies]
    contents = {(case.kind, decompress(case.data).data) for case in cases}
    for case in [*CASES, *large]:
        assert (case.kind, decompress(case.data).data) in contents
    for case in cases:
        verify(place, case, None)
    found = rows(place, "SELECT kind, field, occurrences FROM etl.unknown_fields WHERE run_id > 1")
    assert Counter({(kind, field): count for kind, field, count in found}) == sum(
        (Counter({(case.kind.name, key): n for key, n in case.unknown.items()}) for case in cases), Counter()
    )
    ((total, star),) = rows(
        place,
        "SELECT (SELECT COUNT(*) FROM staging_events WHERE page = 'NextSong'), SUM(plays_loaded) "
        "FROM etl.files",
    )
    assert total == star
