"""A record is found again where it stands, whatever the form of its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkify.intake.record_places import RecordPlace, find_places
from sparkify.lake.codec import decompress
from sparkify.records import EVENTS
from tests.forms import FORMS, OTHERS, PLAY, plain_of
from tests.records import TS

IDENTITY = {"user_id": "1", "session_id": 1, "item_in_session": 0, "ts": TS + 7}


@pytest.mark.parametrize("expected", [1, 2], ids=["by its line", "record by record"])
@pytest.mark.parametrize("form", FORMS)
def test_line_and_bytes_are_those_of_the_record(form: str, expected: int, tmp_path: Path):
    """However many are expected: that only says whether the lines with the digits of its time will do."""
    name, data, where = FORMS[form]
    (tmp_path / name).write_bytes(data)
    plain = plain_of(tmp_path / name)
    assert decompress(data).data == plain
    (found,) = find_places(plain, EVENTS, IDENTITY, expected)
    assert (found.line, found.nth_in_line) == where
    assert plain[: found.byte_offset].count(b"\n") + 1 == found.line
    there = json.loads(plain[found.byte_offset : found.byte_offset + found.size])
    assert there | {"ts": int(float(there["ts"]))} == PLAY
    assert (found.values["song"], found.values["length"]) == ("Zoë's", 200.5)


@given(
    st.lists(st.sampled_from(["play", "other", "broken", "blank"]), max_size=12),
    st.sampled_from(["\n", "\r\n", "", " "]),
)
def test_all_of_them_are_found_among_anything(kinds: list[str], between: str):
    """As many as there are, each where it was put; what breaks off costs no more than its line."""
    texts = {"play": json.dumps(PLAY), "other": json.dumps(OTHERS[0]), "broken": '{"ts": 1', "blank": " "}
    if "\n" not in between:
        kinds = [kind for kind in kinds if kind != "broken"]
    plain, starts = "", []
    for kind in kinds:
        starts += [len(plain)] * (kind == "play")
        plain += texts[kind] + between
    found: list[RecordPlace] = find_places(plain.encode(), EVENTS, IDENTITY, len(starts))
    assert [each.byte_offset for each in found] == starts
    assert found == find_places(plain.encode(), EVENTS, IDENTITY, -1)


def test_a_record_that_is_not_accepted_is_none():
    """A key twice, say: the warehouse has no row of it."""
    twice = json.dumps(PLAY).replace("{", '{"ts": 1, ', 1).encode()
    assert find_places(twice, EVENTS, IDENTITY, 1) == []
