"""A file is flat only where every one of its bytes is matched, wherever blocks end."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify.intake import glance as module
from sparkify.intake.glance import glance
from sparkify.records import Field

FIELDS = (
    Field("a", "a", "INTEGER"),
    Field("bc", "bc", "VARCHAR", 10),
    Field("d:e", "d_e", "DOUBLE"),
    Field("f", "f", "BOOLEAN", adopted=True),
    Field("g", "g", "BIGINT"),
    Field("h", "h", "VARCHAR", 10, trimmed=True),
)
PLAIN = '{"a":1,"bc":"x","d:e":null,"g":123456789012345678}'
_TEXTS = st.text(st.sampled_from('ab,:}{[n é\n"\\\0'), max_size=4)
_WHOLE = st.none() | st.integers(-5, 2 * 10**9) | st.floats(0, 2) | st.booleans() | _TEXTS
_RECORDS = st.fixed_dictionaries(
    {"a": _WHOLE},
    optional={
        "bc": st.none() | _TEXTS | st.integers(),
        "d:e": _WHOLE,
        "f": _WHOLE,
        "g": _WHOLE,
        "h": _TEXTS,
        "i": _TEXTS,
    },
)


# Of a text that is compared with others: a blank, and every escape, which may be one.
_ENDS = (" ", '\\"', r"\\", r"\n", r"\u00e9")


def look(text: str, block: int = 1 << 18) -> int | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK", block)
        return glance(io.BytesIO(text.encode()), FIELDS)


def is_flat(record: dict[str, Any], *, ascii_only: bool) -> bool:
    """Tell whether every column holds what there is as it stands, by the rule in words."""
    for key, value in record.items():
        if isinstance(value, str) and "\0" in value:
            return False
        is_text, is_whole = isinstance(value, str), type(value) is int and value >= 0
        holds = {
            "a": is_whole and value < 10**9,
            "bc": is_text,
            "d:e": is_whole or (isinstance(value, float) and "e" not in repr(value)),
            "f": True,
            "g": is_whole,
            "h": is_text and not json.dumps(value, ensure_ascii=ascii_only)[-7:-1].endswith(_ENDS),
        }
        if not holds.get(key, False) and (value is not None or key not in holds):
            return False
    return True


@settings(deadline=None, max_examples=300)
@given(st.lists(_RECORDS, max_size=8), st.booleans(), st.booleans(), st.sampled_from([130, 131, 1000]))
def test_files_are_flat_where_columns_hold_every_value_as_it_stands(
    records: list[dict[str, Any]], ascii_only: bool, ended: bool, block: int
):
    """Whatever looks like structure inside a text."""
    lines = [json.dumps(record, separators=(",", ":"), ensure_ascii=ascii_only) for record in records]
    text = "\n".join(lines) + "\n" * (ended and bool(lines))
    in_order = [sorted(record) for record in records] == [list(record) for record in records]
    flat = all(is_flat(record, ascii_only=ascii_only) for record in records)
    if flat and in_order:
        assert look(text, block) == len(records)
    elif not flat:
        assert look(text, block) is None
    else:
        assert look(text, block) in {len(records), None}


@pytest.mark.parametrize(
    "line",
    [
        *('{"a":1,"bc":"x",}', '{"a":1,"bc":"x" , }', '{"a":1,"bc":"x"} ', '{"a":1,"bc":NaN}', "{}", ""),
        *('{"a":-1}', '{"a":true}', '{"a":1.0}', '{"a":1e3}', '{"a":"1"}', '{"a":12345678901}', '{"a":{}}'),
        *('{"a":1,"bc":1}', '{"a":1,"bc":["x"]}', '{"a":1,"bc":"\\u0000"}', '{"a":1,"bc":"\\u00zz"}'),
        *('{"a":1,"bc":"\\q"}', '{"a":1,"bc":x}', '{"a":1,"bc":"x","bc":"x"}', '{"a":1,"a":1}', '{"bc":"x"}'),
        *(
            '{"a":1,"i":2}',
            '{"a":1,"i" :2}',
            '{"a":1,"i":null}',
            '{"a":1,"h":"x "}',
            '{"a":1,"h":"\\u0020"}',
            '{"a":1,"bc": "x"}',
            '{"a":1,"bc" :"x"}',
        ),
        *(PLAIN + PLAIN, PLAIN + "\r", PLAIN + "\0", '{"a":1,"bc":"\t"}', '{"a":1,"d:e":Infinity}', "[]"),
        *('{"a":1,"d:e":1e400}', '{"a":1,"d:e":.5}', '{"a":1,"f":[]}', '{"a":1,"f":tru}', '{"a":1,"A":2}'),
        *('{"a":1,"g":1234567890123456789}', '{"a":1,"g":"1"}', '{"bc":"x","a":1}', '{"a":1 ,"bc":"x"}'),
    ],
)
@pytest.mark.parametrize("block", [120, 1 << 18])
@pytest.mark.parametrize("ended", [False, True], ids=["cut", "ended"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_whatever_is_not_flat_gets_a_closer_look(line: str, block: int, ended: bool, at: int):
    if not (line or ended) and at == 2:  # nothing at all
        return
    lines = [PLAIN, PLAIN]
    lines.insert(at, line)
    assert look("\n".join(lines) + "\n" * ended, block) is None


@pytest.mark.parametrize(
    "line",
    [
        *(
            '{"a":1}',
            '{"a":null,"g":0}',
            '{"a":1,"bc":"\\"\\\\","d:e":12.5}',
            '{"a":1,"bc":"\\\\\\"\\/é\\u00e9"}',
        ),
        *(
            '{"a":1,"bc":"{\\"a\\":1}"}',
            '{"a":1,"bc":"","f":true,"g":2}',
            '{"a":1,"f":-1.5e7}',
            '{"a":1,"f":"x"}',
        ),
        *('{"a":1,"h":""}', '{"a":1,"h":"\\u0020 x"}'),
    ],
)
@pytest.mark.parametrize("block", [120, 1 << 18])
@pytest.mark.parametrize("ended", [False, True], ids=["cut", "ended"])
def test_fields_may_lack_and_texts_hold_what_they_will(line: str, block: int, ended: bool):
    assert look(f"{PLAIN}\n{line}\n{PLAIN}" + "\n" * ended, block) == len([PLAIN, line, PLAIN])


def test_an_empty_file_is_flat():
    assert look("") == 0


def test_a_line_longer_than_a_block_gets_a_closer_look():
    assert look(PLAIN + "\n" + PLAIN.replace("x", "x" * 200), 150) is None
