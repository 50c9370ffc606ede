"""Both ways of counting marks agree with each other, and with a parser, wherever blocks end."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify.intake import marks
from sparkify.intake.marks import count_marks

_TEXTS = st.text(st.sampled_from('ab":,}]{[n é\\'), max_size=5)
_SCALARS = st.none() | st.booleans() | st.integers(-20, 20) | st.floats(-2, 2) | _TEXTS
_RECORDS = st.dictionaries(_TEXTS, _SCALARS, max_size=6)


@pytest.fixture(params=[False, True], ids=["re", "numpy"])
def much(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def count(path: Path, data: bytes, *, much: bool) -> marks.Marks:
    path.write_bytes(data)
    return count_marks(path, much=much)


@settings(deadline=None)
@given(st.lists(_RECORDS, max_size=12), st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans(), st.data())
def test_counts_are_those_of_a_parser(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, object]],
    separators: tuple[str, str],
    ended: bool,
    data: st.DataObject,
):
    text = "\n".join(json.dumps(record, separators=separators) for record in records) + "\n" * ended
    path = tmp_path_factory.getbasetemp() / "counted.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks, "_BLOCK", data.draw(st.sampled_from([16, 17, 64, 1 << 16])))
        block = count(path, text.encode(), much=True)
    whole = count(path, text.encode(), much=False)
    assert block == whole
    lines = text.split("\n")
    assert whole.lines == len(lines) - (not lines[-1])
    fields = [value for record in records for value in record.values()]
    texts = [each for record in records for each in (*record, *record.values()) if isinstance(each, str)]
    if not any(":" in each for each in texts):
        assert whole.keys == len(fields)
        assert whole.nulls == fields.count(None)
        assert not whole.nested


@pytest.mark.parametrize(
    "line",
    [
        *('{"a":1,}', '{"a":1 , }', '{"a":[1,]}', '{"a":1,\t}', '{"a":NaN}', '{"a": nan}', '{"a":-inf}'),
        *('{"a": Infinity}', '{"a":"\\u0000"}', '{"\\u0000":1}', '{"a":-NaN}', '{"a":  INF}'),
        *('{"a" :1}', '{"a":1,"b" \t: NaN}', '{"a"\t:{}}'),
    ],
)
@pytest.mark.parametrize("before", [0, 60, 63, 64, 65, 1000])
def test_what_json_does_not_know_is_noticed(
    tmp_path: Path, line: str, before: int, much: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(marks, "_BLOCK", 64)
    assert count(tmp_path / "x.json", b" " * before + line.encode() + b"\n", much=much).needs_rereading


@pytest.mark.parametrize("line", ['{"a":{"b":1}}', '{"a": []}', '{"a":[{}]}'])
def test_nested_values_are_noticed(tmp_path: Path, line: str, much: bool):
    found = count(tmp_path / "x.json", line.encode(), much=much)
    assert (found.nested, found.needs_rereading) == (True, False)


@pytest.mark.parametrize("line", ['{"a":-1,"b":true,"c":false,"d":null,"e":"x"}', "", "{}"])
def test_usual_values_are_not_odd(tmp_path: Path, line: str, much: bool):
    found = count(tmp_path / "x.json", line.encode(), much=much)
    assert (found.nested, found.needs_rereading) == (False, False)


@pytest.mark.parametrize(
    ("line", "unknown_null"),
    [
        *(('{"a":null}', False), ('{"a":\t null,"bc":null}', False), ('{"a":1,"x":"null"}', False)),
        *(
            ('{"b":null}', True),
            ('{"xa": null}', True),
            ('{"c":  null}', True),
            ('{"a":null,"abc":null}', True),
        ),
    ],
)
@pytest.mark.parametrize("before", [0, 40, 60, 63, 64, 65])
def test_a_null_under_another_key_is_strange(
    tmp_path: Path, line: str, unknown_null: bool, before: int, much: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(marks, "_BLOCK", 64)
    path = tmp_path / "x.json"
    path.write_text(" " * before + line + "\n")
    assert count_marks(path, much=much, keys=("a", "bc")).unknown_null == unknown_null
    assert not count_marks(path, much=much).unknown_null


LONG = ("itemInSession", "itemInSessions", "anItemInSessionAsLongAsThis")


@pytest.mark.parametrize(
    ("key", "known"),
    [
        *(("bc", True), ("d:e", True), *((key, True) for key in LONG)),
        *(("bb", False), ("abc", False), ("c", False), ("b", False), ("xc", False)),
        *(("xitemInSession", False), ("itemInsession", False), ("temInSession", False)),
    ],
)
@pytest.mark.parametrize("block", [64, 1 << 16])
@pytest.mark.parametrize("noted", [0, 1 << 16])
def test_long_keys_of_nulls_are_told_apart(
    tmp_path: Path, key: str, known: bool, block: int, noted: int, monkeypatch: pytest.MonkeyPatch
):
    """Wherever they stand: the value of an unknown one is none, so it shows in no count."""
    monkeypatch.setattr(marks, "_BLOCK", block)
    monkeypatch.setattr(marks, "_NOTED", noted)
    path = tmp_path / "x.json"
    path.write_text(f'{{"a":1,"bc":null}}\n{{"a":1,"{key}":null}}\n{{"a":null,"bc":"{key}"}}\n')
    found = count_marks(path, much=True, keys=("a", "bc", "d:e", *LONG))
    assert (found.unknown_null, found.nulls) == (not known, 3)


def test_compressed_files_are_counted_by_their_contents(tmp_path: Path, much: bool):
    found = count(tmp_path / "x.json.GZ", gzip.compress(b'{"a":null}\n{}\n'), much=much)
    assert (found.lines, found.keys, found.nulls) == (2, 1, 1)
