"""What packing promises: the same object with its file's number, or None for whatever is not plainly one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.intake.pack import as_keys, pack
from sparkify.records import FILE_KEY, SONGS

NAMES = list(SONGS.keys)
# What JSON can say, without what Python reads loosely (NaN) or cannot encode (lone surrogates).
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ['"', '":', ",}", "{", "}", "\n"]
)
flat = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
values = flat | st.lists(flat, max_size=2) | st.dictionaries(text, flat, max_size=2)
spacing = st.sampled_from([(",", ":"), (", ", ": ")])


@st.composite
def records(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    record = {name: draw(values) for name in draw(st.permutations(NAMES))[: draw(st.integers(8, len(NAMES)))]}
    dumped = json.dumps(
        record,
        ensure_ascii=draw(st.booleans()),
        separators=draw(spacing),
        indent=draw(st.sampled_from([None, None, 2])),
    )
    around = st.sampled_from(["", "\n", "\r\n", " "])
    return record, (draw(around) + dumped + draw(around)).encode()


@given(records(), st.integers(0, 2**53))
def test_a_packed_line_holds_the_same_object_with_its_files_number(
    written: tuple[dict[str, Any], bytes], number: int
) -> None:
    record, data = written
    line = pack(data, number, as_keys(NAMES))
    if line is None:
        return
    assert line.count(b"\n") == 1
    assert json.loads(line) == {FILE_KEY: number, **record}


@given(
    st.dictionaries(st.sampled_from(NAMES), st.integers() | st.text("abc é", max_size=9), min_size=1), spacing
)
def test_a_song_as_they_are_written_is_packed(record: dict[str, Any], separators: tuple[str, str]) -> None:
    """With or without the fields that are not required: else every file would take the slow road."""
    data = json.dumps(record, separators=separators).encode()
    assert json.loads(pack(data, 7, as_keys(NAMES)) or b"") == {FILE_KEY: 7, **record}
    assert pack(data + b"\n", 7, as_keys(NAMES)) == pack(data, 7, as_keys(NAMES))


@given(records(), st.data())
def test_a_file_cut_short_or_grown_is_never_packed_into_a_valid_line(
    written: tuple[dict[str, Any], bytes], data: st.DataObject
) -> None:
    """The parser that reads the packed lines is strict: what it refuses is read again, with care."""
    _, whole = written
    body = whole.strip()
    spoiled = data.draw(
        st.integers(0, len(body) - 1).map(lambda cut: body[:cut])
        | st.sampled_from([body + body, body + b"\n" + body, b"[" + body + b"]", body[:-1] + b",}"])
    )
    line = pack(spoiled, 7, as_keys(NAMES))
    if line is not None:
        with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):  # the latter of a cut character
            json.loads(line)


blank = st.sampled_from(["", " ", "\t", "  "])


@given(
    st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
    st.sampled_from([*NAMES, "mood", FILE_KEY]),
    st.booleans(),
    blank,
    blank,
    flat,
)
def test_no_key_that_is_unknown_or_stands_twice_is_packed(
    names: list[str], odd: str, escaped: bool, before: str, after: str, value: Any
) -> None:
    """However it is written: the engine that reads the line would take no notice of it."""
    written = odd[:-1] + f"\\u{ord(odd[-1]):04x}" if escaped else odd
    plain = "".join(f'"{name}":1, ' for name in names)
    line = pack(f'{{{plain}"{written}"{before}:{after}{json.dumps(value)}}}'.encode(), 7, as_keys(NAMES))
    if line is not None:
        keys = json.loads(line, object_pairs_hook=lambda pairs: [key for key, _ in pairs])
        assert keys == [FILE_KEY, *names, odd]
        assert odd in set(NAMES) - set(names)


def test_a_records_own_bytes_are_not_touched() -> None:
    """A number keeps the digits it was written with, a string its escapes."""
    record = b'{"a" : 1.10e+02, "b":"\\u00e9\\/", "c":123456789012345678901234567890}'
    record = record.replace(b'"a" :', b'"a":')
    assert pack(record, 7, as_keys(["a", "b", "c"])) == b'{"sparkify_file":7,' + record[1:] + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}",
        b"[]",
        b"null",
        b'{"a":1,"b":2}',
        b'{"a":{"b":1}}',
        b'{"a":1,}',
        b'{"a":1,"x" :2}',
        b'{"a":1,"x"\t:2}',
        b'{\n"a":1}',
        b'\xef\xbb\xbf{"a":1}',
    ],
)
def test_what_is_not_one_flat_object_of_the_known_width_is_left_to_the_careful_reader(data: bytes) -> None:
    assert pack(data, 1, as_keys(["a"])) is None


def test_every_real_song_is_packed(real_data) -> None:
    files = sorted((real_data / "song_data").rglob("*.json"))
    packed = [pack(path.read_bytes(), number, as_keys(NAMES)) for number, path in enumerate(files)]
    assert [json.loads(line or b"null") for line in packed] == [
        {FILE_KEY: number, **json.loads(path.read_text())} for number, path in enumerate(files)
    ]


def test_a_field_under_another_name_needs_rereading() -> None:
    assert pack(b'{"a":1,"title":2}', 1, as_keys(["a", "b"])) is None
