"""What has no column is kept: every value of every field, the same text whichever way a file is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.intake.reader import read_carefully
from sparkify.pipeline import carefully
from sparkify.records import EVENTS, EXTRA_KEY, SONGS
from tests.landing import Lander, read
from tests.records import play, song
from tests.tiers import by_profile
from tests.warehouses import ENGINES, Warehouses, open_place

_KEYS = ["deviceType", "context", "score", "x", "y z", "ünï", "artist2", "a.b", "$", "'", "Ts", "NaN", "-"]
# As they stand in a file.
_NUMBERS = [
    *(
        "0",
        "-0",
        "7",
        "12.5",
        "1.50",
        "-0.0",
        "1e3",
        "1E-7",
        "0.00001",
        "0.0001",
        "1e16",
        "123456789012345.5",
    ),
    *("9007199254740993", "9223372036854775808", "12345678901234567890123", "0.1000000000000000055511151231"),
    *("1e400", "1.0", "100000000000000000000.0", "2.5e-5", "3.141592653589793"),
]
_TEXTS = st.text(max_size=8) | st.sampled_from(
    ["phone", "a1b2e3", "null", "{", "}{", '"', "\\", "\\u0041", "\x7f"]
)


_VALUES = st.recursive(
    st.sampled_from(_NUMBERS) | st.booleans().map(json.dumps) | st.just("null") | _TEXTS.map(json.dumps),
    lambda inside: (
        st.lists(inside, max_size=3).map(lambda some: f"[{', '.join(some)}]")
        | st.lists(st.tuples(_TEXTS.map(json.dumps), inside), max_size=3).map(
            lambda some: "{" + ",".join(f"{key}: {value}" for key, value in some) + "}"
        )
    ),
    max_leaves=5,
)


@st.composite
def event_lines(draw: st.DrawFn, *, contexts: bool = False) -> bytes:
    """An event with some fields that have no column, one of them perhaps twice.

    With ``contexts``, one may be an object with keys that tests know.
    """
    members = [f"{json.dumps(key)}:{json.dumps(value)}" for key, value in play().items()]
    for key in draw(st.lists(st.sampled_from(_KEYS) | st.text(max_size=4), max_size=4)):
        if key not in EVENTS.keys:
            text = json.dumps(key, ensure_ascii=draw(st.booleans()))
            members.insert(draw(st.integers(0, len(members))), f"{text}:{draw(_VALUES)}")
    if contexts and draw(st.booleans()):
        inside = draw(st.lists(st.sampled_from(['"os"', '"in"', '"at"']), max_size=3))
        of_in = "{" + f'"at":{draw(_VALUES)}' + "}" if draw(st.booleans()) else draw(_VALUES)
        values = [of_in if key == '"in"' else draw(_VALUES) for key in inside]
        text = ", ".join(f"{key}: {value}" for key, value in zip(inside, values, strict=True))
        members.append(f'"context": {{{text}}}')
    return ("{" + ",".join(members) + "}").encode(errors="surrogatepass")


class _Number(Decimal):
    """A number, and how it was written."""

    text = ""


def _number(text: str) -> Decimal:
    number = _Number(text)
    number.text = text
    return number


def _pairs(pairs: list[tuple[str, Any]]) -> Any:
    return ("object", pairs)


def _kept(line: bytes) -> list[tuple[str, Any]]:
    """Return what has no column, by an oracle of its own: numbers as exact decimals, keys as they stand."""
    kind, pairs = json.loads(line, object_pairs_hook=_pairs, parse_float=_number, parse_int=_number)
    assert kind == "object"
    others = [(key, value) for key, value in pairs if key not in EVENTS.keys and value is not None]
    return sorted(others, key=lambda pair: pair[0])


def _storable(value: Any) -> Any:
    """Return a value with the numbers that are beyond every double as texts, and no NUL or half surrogate."""
    if isinstance(value, str):
        return "".join(
            f"\\u{ord(each):04x}" if each == "\0" or "\ud800" <= each <= "\udfff" else each for each in value
        )
    if isinstance(value, _Number):
        return value.text if abs(value) > Decimal("1e308") else value
    if isinstance(value, list | tuple):
        return type(value)(_storable(each) for each in value)
    return value


@settings(max_examples=by_profile(60, 300, 20_000))
@given(event_lines())
def test_every_value_is_found_again(line: bytes):
    try:
        line.decode()
    except UnicodeDecodeError:
        return  # half a surrogate pair that is not escaped: a reject
    (accepted,) = read_carefully(line, EVENTS).lines
    text = json.loads(accepted)[EXTRA_KEY]
    expected = _kept(line)
    if not expected:
        assert text is None
        return
    found = json.loads(text, object_pairs_hook=_pairs, parse_float=Decimal, parse_int=Decimal)
    assert found == ("object", _storable(expected))


@pytest.fixture(scope="module", params=ENGINES)
def lander(
    request: pytest.FixtureRequest, warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lander]:
    lander = Lander(open_place(warehouses.new(request.param, tmp_path_factory.mktemp("lander"))))
    yield lander
    lander.close()


def test_the_engine_keeps_what_the_careful_reader_keeps(lander: Lander):
    on_duckdb = lander.engine.name == "duckdb"
    examples = by_profile(30, 150, 10_000) if on_duckdb else by_profile(10, 30, 1_000)

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(event_lines(), min_size=1, max_size=4), min_size=1, max_size=3))
    def check(files: list[list[bytes]]) -> None:
        contents = {f"{number}.json": b"\n".join(lines) for number, lines in enumerate(files)}
        landed = lander.land(EVENTS, contents)
        for name, data in contents.items():
            expected = read(EVENTS, data)
            assert (landed[name].rows, landed[name].rejects) == (expected.rows, expected.rejects), data

    check()


def test_usual_fields_are_kept_without_reading_record_by_record(
    lander: Lander, monkeypatch: pytest.MonkeyPatch
):
    """A new field in a large log costs a second parse, and not the careful reader's pace."""
    monkeypatch.setattr(carefully, "read_carefully", None)
    others: list[dict[str, Any]] = [
        {"deviceType": "phone", "score": 12.5, "context": {"os": "iOS", "tags": ["a1b2e3", None]}},
        {"deviceType": 'né "4" \\', "score": 12, "id": "0123456789abcdef0123"},
        {"score": "x", "deviceType": None},
        {},
    ]
    lines = [json.dumps(play(sessionId=n) | each) for n, each in enumerate(others)]
    landed = lander.land(EVENTS, {"a.json": "\n".join(lines).encode(), "b.json": lines[0].encode()})
    expected = [
        {key: value for key, value in sorted(each.items()) if value is not None} or None for each in others
    ]
    found = {row[EVENTS.keys.index("sessionId")]: row[-1] for row in landed["a.json"].rows}
    assert [json.loads(found[n]) if found[n] else None for n in range(4)] == expected
    assert landed["b.json"].rows.total() == 1
    assert landed["a.json"].unknown == {"deviceType": 4, "score": 4, "context": 2, "id": 1}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", [EVENTS, SONGS], ids=["events", "songs"])
def test_what_is_beyond_the_column_is_a_reject(
    warehouses: Warehouses, tmp_path_factory: pytest.TempPathFactory, engine: str, kind: Any
):
    record = play() if kind is EVENTS else song()
    sizes = {"fits.json": 65_535, "beyond.json": 65_536}
    files = {
        name: json.dumps(record | {"x": "é" + "x" * (size - 10)}, ensure_ascii=False).encode()
        for name, size in sizes.items()
    }
    lander = Lander(open_place(warehouses.new(engine, tmp_path_factory.mktemp("lander"))))
    try:
        landed = lander.land(kind, files)
    finally:
        lander.close()
    (row,) = landed["fits.json"].rows
    assert len(row[-1].encode()) == 65_535
    assert landed["beyond.json"].reasons == [(1, "too_long")]
