"""Line breaks are put between objects and nowhere else, wherever blocks end; nothing else is changed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify.intake import joints
from sparkify.intake.content import content_of
from sparkify.intake.joints import Separated, looks_joined, separate

_TEXTS = st.text(st.sampled_from('ab}{[]", \t\\né'), max_size=8) | st.sampled_from(
    ["}{", "} {", '"}{"', "}\\"]
)
_VALUES = st.recursive(
    st.none() | st.integers(0, 20) | _TEXTS,
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(_TEXTS, inside, max_size=2),
    max_leaves=4,
)
_RECORDS = st.dictionaries(_TEXTS, _VALUES, max_size=3)
_BETWEEN = st.sampled_from(["", "", "", " ", "\t \r", "\n", "\r\n", ",", "\n\n"])


def split(path: Path, data: bytes, block: int = 1 << 19) -> tuple[Separated | None, bytes | None]:
    """Return what came of a file, and its copy."""
    path.write_bytes(data)
    copy = path.with_name("copy.json")
    copy.unlink(missing_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joints, "_BLOCK", block)
        found = separate(path, copy)
    return found, copy.read_bytes() if copy.exists() else None


def expected(data: bytes) -> bytes:
    """Return what the copy should be, byte by byte."""
    copy = bytearray()
    for at, byte in enumerate(data):
        copy.append(byte)
        if byte == ord("}") and data[at + 1 :].lstrip(b" \t\r").startswith(b"{"):
            copy += b"\n"
    return bytes(copy)


@settings(deadline=None)
@given(
    st.lists(_RECORDS, max_size=6),
    st.data(),
    st.sampled_from(["", " ", "\n", "}"]),
    st.sampled_from([1, 2, 3, 7, 64]),
)
def test_records_that_a_decoder_finds_are_the_lines_of_the_copy(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, object]],
    data: st.DataObject,
    end: str,
    block: int,
):
    separators = data.draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    between = [data.draw(_BETWEEN) for _ in records]
    texts = [json.dumps(each, separators=separators, ensure_ascii=False) for each in records]
    text = "".join(part for pair in zip(texts, between, strict=True) for part in pair)
    contents = (text + end).encode()
    path = tmp_path_factory.getbasetemp() / "joined.json"
    found, copy = split(path, contents, block)
    assert (copy is None) == (found is None) == (expected(contents) == contents)
    if found is None or copy is None:
        return
    assert copy == expected(contents)
    assert found == Separated(len(copy) - len(contents), content_of(contents))
    decoder, at, whole = json.JSONDecoder(), 0, []
    text = contents.decode()
    while (at := len(text) - len(text[at:].lstrip(" \t\r\n,"))) < len(text) and text[at] == "{":
        value, to = decoder.raw_decode(text, at)
        whole.append((value, text[at:to]))
        at = to
    assert [value for value, _ in whole] == records
    in_texts = any(expected(each.encode()) != each.encode() for _, each in whole)
    apart = end != "}" or "\n" in between[-1]  # else it stands on the last record's line
    if not in_texts and apart and "," not in between:
        lines = [line.strip(" \t\r") for line in copy.decode().split("\n")]
        assert [line for line in lines if line] == [each for _, each in whole] + ["}"] * (end == "}")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b'{"a":1}\n{"a":2}\n', b'{"a":{"b":1}}', b"}", b'[{"a":1},{"a":2}]', b"{}}"]
)
def test_without_a_joint_there_is_no_copy(tmp_path: Path, data: bytes):
    assert split(tmp_path / "x.json", data) == (None, None)


@pytest.mark.parametrize("block", [1, 100, 1 << 19])
def test_blanks_without_end_are_not_looked_at_again_and_again(tmp_path: Path, block: int):
    """Nor lost: a copy that is not what it should be is read by nobody as something else."""
    data = b'{"a":1}{"a":2}' + b" " * 20_000 + b'{"a":3}'
    _, copy = split(tmp_path / "x.json", data, block)
    assert copy is not None
    assert copy.replace(b"\n", b"") == data


def test_compressed_files_are_separated_by_their_contents(tmp_path: Path):
    plain = b'{"a":1}{"a":2}'
    for suffix, compress in ((".gz", gzip.compress), (".ZST", zstandard.ZstdCompressor().compress)):
        found, copy = split(tmp_path / f"x.json{suffix}", compress(plain))
        assert (found, copy) == (Separated(1, content_of(plain)), b'{"a":1}\n{"a":2}')
        assert looks_joined(tmp_path / f"x.json{suffix}")


def test_a_damaged_stream_has_no_copy(tmp_path: Path):
    assert split(tmp_path / "x.json.gz", gzip.compress(b'{"a":1}{"a":2}')[:-4]) == (None, None)


@pytest.mark.parametrize(
    ("data", "joined"),
    [
        *((b'{"a":1}{"a":2}', True), (b'{"a":1} \r{"a":2}', True), (b'{"a":1}\r{"a":2}\r', True)),
        *((b"", False), (b'{"a":1}', False), (b'{"a":1}\n{"a":2}', False), (b'{"a":"}{"}\n', False)),
    ],
)
def test_how_a_file_goes_on_is_guessed_from_its_beginning(tmp_path: Path, data: bytes, joined: bool):
    (tmp_path / "x.json").write_bytes(data)
    assert looks_joined(tmp_path / "x.json") == joined
