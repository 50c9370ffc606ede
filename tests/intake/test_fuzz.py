"""Whatever is done to a file: nothing breaks, every line is accounted for, both ways of reading agree.

``HYPOTHESIS_PROFILE=release`` runs for a quarter of an hour.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.intake import glance, joints
from sparkify.pipeline import land as pipeline_land
from sparkify.records import EVENTS, SONGS, RecordKind
from sparkify.warehouse.duckdb.duckdb_engine import DuckDBEngine
from tests.landing import Lander, Outcome, read
from tests.records import play, song
from tests.tiers import by_profile
from tests.warehouses import Warehouses, open_place

_QUIETLY = settings(deadline=None, suppress_health_check=list(HealthCheck))

# What a mutation puts in: symbols, tokens that are almost JSON, bytes that are no text, edges of types.
_TOKENS = [
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"'", b"\\", b"\n", b"\r", b"\t", b" ", b"\0", b"\x0b", b"-"),
    *(b"null", b"true", b"false", b"NaN", b"-Infinity", b"inf", b"undefined", b"\n\n", b"\r\n", b",,", b"//"),
    *(b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", "é".encode(), "\u2028".encode(), b"\xc2\xa0"),
    *(
        b"\\u0000",
        b"\\ud800",
        b"\\u00e9",
        b"\\ud83d\\ude00",
        b"\\x",
        b"0",
        b"1",
        b".5",
        b"1e3",
        b"e400",
        b"0x1",
    ),
    *(
        b"9223372036854775808",
        b"2147483648",
        b'""',
        b'"",',
        b"{}",
        b"[]",
        b'{"a":[NaN]}',
        b'"x":1,',
        b'"ts":',
    ),
    *(
        b'"artist":null,',
        b'"artst":null,',
        b'"page":"NextSong"',
        b'"1_000"',
        b'"year":',
        b"x" * 1100,
        "é".encode() * 600,
    ),
]


def _lines(kind: RecordKind) -> st.SearchStrategy[bytes]:
    separators = st.sampled_from([(",", ":"), (", ", ": ")])
    records = (
        st.builds(
            play,
            artist=st.sampled_from(
                [None, "Artist", "Zoë", 'x":null', "NaN", "[1]", "{}", ",}", "12", "", "}{"]
            ),
            length=st.sampled_from([None, 0, 1.0, 200.5, -1e-7]),
            page=st.sampled_from(["NextSong", "Home"]),
            registration=st.sampled_from([None, 1540919166796.0]),
            status=st.sampled_from([200, "307", None, 12.0]),
            userId=st.sampled_from(["1", 26, ""]),
        )
        if kind == EVENTS
        else st.builds(
            song,
            artist_latitude=st.sampled_from([None, 0, 1.5, "2.5"]),
            title=st.sampled_from(["Title", "愛", "nan", "", None, '":null']),
            year=st.sampled_from([0, 1999, "2001"]),
        )
    )
    return st.builds(
        lambda record, between, ascii_only: json.dumps(
            record, separators=between, ensure_ascii=ascii_only
        ).encode(),
        records,
        separators,
        st.booleans(),
    )


@st.composite
def _contents(draw: st.DrawFn, kind: RecordKind) -> bytes:
    """A file of one to five records, each with its number in it, and up to four mutations."""
    most = 5 if kind == EVENTS else draw(st.sampled_from([1, 1, 3]))
    lines = draw(st.lists(_lines(kind), min_size=1, max_size=most))
    marked = [_mark(kind, line, number) for number, line in enumerate(lines)]
    end = draw(st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b" \n", b"", b",\n", b"\r"]))
    data = end.join([*marked, b""]) if draw(st.booleans()) else end.join(marked)
    if draw(st.integers(0, 9)) == 0:
        data = b"[" + data.removesuffix(end) + b"]"
    for _ in range(draw(st.integers(0, 4))):
        data = _mutate(draw, data)
    return data


def _mark(kind: RecordKind, line: bytes, number: int) -> bytes:
    key, value = (b"sessionId", b"%d") if kind == EVENTS else (b"song_id", b'"SO%d"')
    return re.sub(rb'"%s":( ?)[^,]*' % key, rb'"%s":\g<1>%s' % (key, value % (777_000 + number)), line)


def _mutate(draw: st.DrawFn, data: bytes) -> bytes:
    at = draw(st.integers(0, len(data)))
    to = min(len(data), at + draw(st.sampled_from([1, 1, 2, 5, 40])))
    flipped = bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in data[at:to])
    token = draw(st.sampled_from(_TOKENS))
    mutations = {
        "insert": data[:at] + token + data[at:],
        "replace": data[:at] + token + data[to:],
        "delete": data[:at] + data[to:],
        "flip": data[:at] + flipped + data[to:],
        "repeat": data[:to] + data[at:],
        "join": data.replace(b"\n", draw(st.sampled_from([b"", b" ", b",", b"\r"])), 1),
        "cut": data[:at],
    }
    return mutations[draw(st.sampled_from(sorted(mutations)))]


def _bytes_of(outcome: Outcome) -> bytes:
    kept = [each.content.encode() for each in outcome.rejects if each.encoding == "utf-8"]
    kept += [base64.b64decode(each.content) for each in outcome.rejects if each.encoding == "base64"]
    return repr(list(outcome.rows)).encode() + b"".join(kept)


@pytest.mark.parametrize("kind", [EVENTS, SONGS])
@settings(_QUIETLY, max_examples=by_profile(50, 150, 30_000))
@given(st.data())
def test_nothing_breaks_the_careful_reader_and_nothing_is_lost(kind: RecordKind, data: st.DataObject):
    contents = data.draw(_contents(kind))
    outcome = read(kind, contents)
    for reject in outcome.rejects:
        kept = base64.b64decode(reject.content) if reject.encoding == "base64" else reject.content.encode()
        assert contents[reject.byte_offset :].startswith(kept)
        assert reject.line == 1 + contents.count(b"\n", 0, reject.byte_offset)
        assert kept or reject.reason == "truncated_file"
    records = outcome.rows.total() + len(outcome.rejects)
    filled = contents.replace(b"\xef\xbb\xbf", b"").strip(b" \t\r\n\v\f,\x1e")
    assert (records > 0) == (filled not in (b"", b"[]"))
    for number in range(777_000, 777_005):
        if b"%d" % number in contents:
            assert b"%d" % number in _bytes_of(outcome), number


@settings(_QUIETLY, max_examples=by_profile(50, 300, 30_000))
@given(st.data())
def test_a_break_costs_the_record_it_is_in(data: st.DataObject):
    """Whole records are all accepted, whatever separates them and whatever is broken between them."""
    texts = [json.dumps(play(itemInSession=number)) for number in range(data.draw(st.integers(1, 12)))]
    cut = st.integers(1, len(texts[0]) - 1)
    broken = cut.map(lambda at: texts[0][:at]) | cut.map(lambda at: texts[0][at:])
    separators = st.sampled_from(["", "", "\r", " ", "\n", "\r\n", "\t", ",", "\x1e", "\ufeff"])
    parts = []
    for text in texts:
        for part in (*data.draw(st.lists(broken, max_size=2)), text):
            parts += [data.draw(separators), part]
    whole = len(parts) == 2 * len(texts)
    wrapping = data.draw(st.sampled_from(["", "[]", '{"Records": []}'])) if whole else ""
    contents = wrapping.replace("[]", "[" + ",".join(texts) + "]") or "".join(parts)
    outcome = read(EVENTS, contents.encode())
    item = EVENTS.keys.index("itemInSession")
    assert {row[item] for row in outcome.rows} >= set(range(len(texts)))
    assert not (whole and outcome.rejects)


@pytest.fixture(scope="module")
def lander(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lander]:
    lander = Lander(open_place(warehouses.new("duckdb", tmp_path_factory.mktemp("lander"))))
    yield lander
    lander.close()


@pytest.fixture(scope="module")
def redshift_lander(warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lander]:
    lander = Lander(open_place(warehouses.new("redshift", tmp_path_factory.mktemp("lander"))))
    yield lander
    lander.close()


@pytest.mark.parametrize("kind", [EVENTS, SONGS])
@settings(_QUIETLY, max_examples=by_profile(10, 25, 2_500))
@given(st.data())
def test_the_fast_path_lands_what_the_careful_reader_accepts(
    lander: Lander, kind: RecordKind, data: st.DataObject
):
    compare(lander, kind, data, _contents(kind))


@pytest.mark.parametrize("kind", [EVENTS, SONGS])
@settings(_QUIETLY, max_examples=by_profile(3, 10, 250))
@given(st.data())
def test_copy_lands_what_the_careful_reader_accepts(
    redshift_lander: Lander, kind: RecordKind, data: st.DataObject
):
    compare(redshift_lander, kind, data, _contents(kind))


@st.composite
def _joined(draw: st.DrawFn) -> bytes:
    """A file without line breaks, or with few; half a record may be in it, or a field we do not know."""
    records = st.builds(
        play,
        artist=st.sampled_from([None, "Artist", "}{", '"}{"', "} {", "{", "\\}", '}{"ts":1}{', "é}"]),
        status=st.sampled_from([200, 200, None, "200", 12.5]),
        x=st.sampled_from([{}, {}, {}, {"a": {"b": {}}}, {"a": "}{"}, {"}{": 1}]),
    ).map(lambda record: record | record.pop("x"))
    plain = st.builds(lambda number: play(itemInSession=number), st.integers(0, 99))
    clean = draw(st.booleans())
    parts = []
    for record in draw(st.lists(plain if clean else plain | records, min_size=2, max_size=7)):
        text = json.dumps(record, separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])))
        if not clean and draw(st.integers(0, 7)) == 0:
            cut = draw(st.integers(0, len(text)))
            text = draw(st.sampled_from([text[:cut], text[cut:]]))
        between = ["", "", ""] if clean else ["", "", "", " ", "\r", "\t \r", "\n", "\r\n", ",", "\ufeff"]
        parts.append(text + draw(st.sampled_from(between)))
    return "".join(parts).encode()


@settings(_QUIETLY, max_examples=by_profile(40, 150, 10_000))
@given(st.data())
def test_files_without_line_breaks_land_as_the_careful_reader_accepts_them(
    lander: Lander, data: st.DataObject
):
    """Rejects with the places they have in the file itself, not in the copy with line breaks."""
    compare(lander, EVENTS, data, _joined())


def compare(lander: Lander, kind: RecordKind, data: st.DataObject, each: st.SearchStrategy[bytes]) -> None:
    """Land drawn files, and read each of them carefully."""
    contents = data.draw(st.lists(each, min_size=1, max_size=6))
    suffixes = data.draw(st.lists(st.sampled_from([".json", ".json", ".json.gz"]), min_size=6, max_size=6))
    files = {
        f"{number}{suffix}": gzip.compress(each, 1) if suffix.endswith("gz") else each
        for number, (each, suffix) in enumerate(zip(contents, suffixes, strict=False))
    }
    with pytest.MonkeyPatch.context() as patch:
        # The two ways of counting marks, blocks that end anywhere, guesses by little.
        patch.setattr(pipeline_land, "_MUCH_BYTES", data.draw(st.sampled_from([-1, -1, 2**60])))
        patch.setattr(glance, "_BLOCK", data.draw(st.sampled_from([64, 1 << 11, 1 << 18])))
        patch.setattr(glance, "_HEAD", data.draw(st.sampled_from([1 << 9, 1 << 14])))
        patch.setattr(joints, "_BLOCK", data.draw(st.sampled_from([1, 64, 1 << 18])))
        patch.setattr(joints, "_GUESSED", data.draw(st.sampled_from([1, 1 << 14])))
        landed = lander.land(kind, files)
    expected = {name: read(kind, data) for name, data in files.items()}
    for name, outcome in expected.items():
        assert (landed[name].rows, landed[name].rejects) == (outcome.rows, outcome.rejects), files[name]
    found, wanted = (
        sum((each.unknown for each in some.values()), type(landed[name].unknown)())
        for some in (landed, expected)
    )
    assert found == wanted


def test_the_comparison_sees_a_difference(lander: Lander):
    """A reader that takes NaN for text, as DuckDB's does, would be noticed."""
    data = json.dumps(play(artist="@")).replace('"@"', "NaN").encode() + b"\n"
    assert isinstance(lander.engine, DuckDBEngine)
    connection: Any = lander.engine._connection
    ((value,),) = connection.execute("SELECT json_extract_string('{\"a\":NaN}', 'a')").fetchall()
    assert value == "NaN"
    assert lander.land(EVENTS, {"1.json": data})["1.json"].reasons == [(1, "malformed_json")]


def _line(without: str = "", **values: str) -> bytes:
    """A plain line of a log, with some fields left out and others as given, in raw JSON."""
    record = {key: json.dumps(value) for key, value in play(firstName="F", lastName="L").items()}
    for key in without.split():
        del record[key]
    return b"{" + ",".join(f'"{key}":{value}' for key, value in (record | values).items()).encode() + b"}"


@pytest.mark.parametrize(
    "line",
    [
        _line("artist", song='":now"')[:-1] + b',"secret" :12345}',
        _line("artist", song='":now"')[:-1] + b',"secret" :NaN}',
        _line("artist auth", song='":now"', lastName='":nono"')[:-1] + b',"secret" :{"a" :1}}',
        _line(artist='":"').replace(b'"song":', b'"song" :').replace(b'"Song"', b'{"a" :1}'),
        _line("artist", x="nan"),
        _line("artist", song="nan", secret='"foo"'),
        _line("artist", song="nan", status='"200"', duration="200"),
        _line("artist", x="null"),
        _line("artist", artst="null"),
        _line("song", xsong="null"),
        _line(status="200.0", ts="1.541121934796e12"),
        _line(length="1"),
        _line(userId='"26 "'),
        _line(page='"NextSong\\u0020"'),
        _line(sessionId="9223372036854775808"),
    ],
)
def test_lines_made_to_fool_the_counts(lander: Lander, line: bytes):
    """Texts that begin with a colon pay for keys before a blank; nan begins as null does."""
    data = b"\n".join([_line(), line, _line(itemInSession="5"), b""])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline_land, "_MUCH_BYTES", -1)
        patch.setattr(glance, "_HEAD", len(_line()) + 1)  # the guess: they are flat
        landed = lander.land(EVENTS, {"1.json": data})["1.json"]
    expected = read(EVENTS, data)
    assert (landed.rows, landed.rejects) == (expected.rows, expected.rejects)
    assert landed.unknown == expected.unknown
