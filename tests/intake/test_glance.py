"""A glance settles a file only where every one of its bytes is accounted for, wherever blocks end."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify.intake import glance as module
from sparkify.intake.glance import Glance, glance

KEYS = {"a": True, "bc": False, "d:e": True}
PLAIN = '{"a":1,"bc":"x","d:e":null}'
_TEXTS = st.text(st.sampled_from('ab,:}{[n é\n"'), max_size=4)
_NUMBERS = st.none() | st.integers(0, 20) | st.floats(0, 2) | _TEXTS
_RECORDS = st.tuples(_NUMBERS, st.none() | _TEXTS, _NUMBERS)


def look(text: str, block: int = 1 << 18) -> Glance | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", block)
        return glance(io.BytesIO(text.encode()), KEYS)


@settings(deadline=None)
@given(st.lists(_RECORDS, max_size=8), st.booleans(), st.booleans(), st.integers(1, 80))
def test_counts_of_plain_files_are_those_of_a_parser(
    records: list[tuple[Any, ...]], ascii_only: bool, ended: bool, block: int
):
    """Text that looks like structure costs a closer look, never a wrong count."""
    lines = [
        json.dumps(dict(zip(KEYS, values, strict=True)), separators=(",", ":"), ensure_ascii=ascii_only)
        for values in records
    ]
    text = "\n".join(lines) + "\n" * (ended and bool(lines))
    found = look(text, block)
    values = [value for record in records for value in record]
    texts = [value for value in values if isinstance(value, str)]
    misleading = any(":" in each or each.endswith((",", " ", "}")) for each in texts)
    assert misleading or (found is not None and found.is_flat(len(KEYS)))
    if found is not None and found.is_flat(len(KEYS)):
        assert (found.lines, found.keys) == (len(records), len(values))
        assert (found.texts, found.nulls) == (len(texts), values.count(None))


@pytest.mark.parametrize(
    "line",
    [
        *('{"a":1,"bc":"x","d:e":null,}', '{"a":1,"bc":"x","d:e":null , }', '{"a":1,"bc":"x","d:e":null} '),
        *('{"a":1,"bc":"x","d:e":NaN}', '{"a":-1,"bc":"x","d:e":null}', '{"a":true,"bc":"x","d:e":null}'),
        *('{"a":1,"bc":{},"d:e":null}', '{"a":1,"bc":["x"],"d:e":null}', '{"a":1,"bc":"\\u0000","d:e":null}'),
        *('{"a":1,"bc":"x","d:e":null,"f":2}', '{"a":1,"bc":"x","d:e":null,"f" :2}'),
        *('{"a":1,"bc":"\\\\","d:e":null}', "", '{"a":1,"bc": "x","d:e":null}', PLAIN + "\r"),
        *(PLAIN + PLAIN, '{"a":1,"bc":x,"d:e":null}', '{"a":1,"bc":"x","d:e":Infinity}', PLAIN + "\0"),
        *('{"a":1,"bc" :[":"],"d:e":null}', '{"a":1,":":"x","d:e":null}', '{"a":1,"B":"x","d:e":null}'),
    ],
)
@pytest.mark.parametrize("block", [1, 7, 64, 1 << 18])
@pytest.mark.parametrize("ended", [False, True], ids=["cut", "ended"])
@pytest.mark.parametrize("last", [False, True], ids=["inside", "at the end"])
def test_whatever_is_not_plain_gets_a_closer_look(line: str, block: int, ended: bool, last: bool):
    if not (line or ended) and last:
        return  # nothing at all
    lines = [PLAIN, line] if last else [PLAIN, line, PLAIN]
    found = look("\n".join(lines) + "\n" * ended, block)
    assert found is None or not found.is_flat(len(KEYS))


def test_an_empty_file_is_plain():
    assert look("") == Glance()


@pytest.mark.parametrize("key", ["bc", "xa", "ad:e", ""])
def test_a_number_under_the_key_of_a_text_is_not_plain(key: str):
    """Together with the count of texts: as many numbers written as text would make up for it."""
    line = PLAIN.replace('"bc":"x"', f'"{key}":39')
    assert look(line + "\n") is None


def test_a_text_under_the_key_of_a_number_shows_in_the_count_of_texts():
    found = look(PLAIN.replace('"a":1', '"a":"1"') + "\n")
    assert found is not None
    assert (found.is_flat(3), found.texts) == (True, 2)


LONG = ("itemInSession", "itemInSessions", "anItemInSessionAsLongAsThis")


@pytest.mark.parametrize(
    ("key", "known"),
    [
        *(("bc", True), ("d:e", True), *((key, True) for key in LONG)),
        *(("bb", False), ("abc", False), ("c", False), ("b", False), ("xc", False)),
        *(("xitemInSession", False), ("itemInsession", False), ("temInSession", False)),
    ],
)
@pytest.mark.parametrize("block", [1, 7, 64, 1 << 18])
@pytest.mark.parametrize("noted", [0, 1 << 16])
def test_a_null_under_another_key_is_strange(
    key: str, known: bool, block: int, noted: int, monkeypatch: pytest.MonkeyPatch
):
    """Wherever it stands: its value is none, so it shows in no count."""
    monkeypatch.setattr(module, "_BLOCK", block)
    monkeypatch.setattr(module, "_NOTED", noted)
    text = f'{{"a":1,"bc":null}}\n{{"a":1,"{key}":null}}\n{{"a":null,"bc":"{key}"}}\n'
    found = glance(io.BytesIO(text.encode()), KEYS | dict.fromkeys(LONG, False))
    assert found is not None
    assert (found.unknown_null, found.nulls) == (not known, 3)
