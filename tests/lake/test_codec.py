"""What decompression promises: the whole contents, or what comes before the damage and a word about it."""

from __future__ import annotations

import gzip

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from sparkify.lake.codec import decompress


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def _zstd_stream(data: bytes) -> bytes:
    """Compress as a pipe does: the frame does not say how large its contents are."""
    return zstandard.ZstdCompressor(write_content_size=False).compress(data)


COMPRESS = {"gzip": gzip.compress, "zstd": _zstd, "zstd-stream": _zstd_stream}
kinds = pytest.mark.parametrize("kind", COMPRESS)

# Plain contents start as JSON, or a BOM, does: never with the first bytes of a compressed stream.
contents = st.binary(max_size=2000).map(lambda tail: b'{"a": ' + tail)


@kinds
@given(parts=st.lists(contents, min_size=1, max_size=4))
def test_streams_in_a_row_give_all_their_contents(kind: str, parts: list[bytes]) -> None:
    """Appending compressed files makes gzip members, or zstd frames, in a row."""
    whole = b"".join(parts)
    assert decompress(whole) == (whole, "", None)
    assert decompress(b"".join(COMPRESS[kind](part) for part in parts)) == (whole, "", None)


@kinds
@given(parts=st.lists(contents, min_size=1, max_size=3), data=st.data())
def test_a_stream_that_breaks_off_is_never_taken_for_whole(
    kind: str, parts: list[bytes], data: st.DataObject
) -> None:
    packed = [COMPRESS[kind](part) for part in parts]
    whole = b"".join(packed)
    # Anywhere inside the last stream, but where what is left still is known by its first bytes.
    least = len(whole) - len(packed[-1])
    cut = data.draw(st.integers(max(least + 1, 4), len(whole) - 1))
    plain, damage, altered_from = decompress(whole[:cut])
    assert damage
    assert altered_from is None
    assert b"".join(parts).startswith(plain)


@kinds
def test_a_large_stream_that_breaks_off_keeps_what_comes_before(kind: str) -> None:
    """It gives out its first blocks, which end anywhere, before it is found to be short."""
    whole = b"".join(b'{"a": %d}\n' % number for number in range(200_000))
    data = COMPRESS[kind](whole)
    for cut in (1, 10, len(data) // 2, len(data) - 30):
        plain, damage, altered_from = decompress(data[:-cut])
        assert damage
        assert altered_from is None
        assert whole.startswith(plain)
    half = decompress(data[: len(data) // 2]).data
    assert len(half) > len(whole) // 4


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_damaged_stream_is_never_taken_for_whole(kind: str) -> None:
    data = COMPRESS[kind](bytes(range(256)) * 50)
    for place in range(20, len(data), 7):
        damaged = bytearray(data)
        damaged[place] ^= 0xFF
        assert decompress(bytes(damaged)).damage


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_all_of_a_damaged_stream_is_doubtful_and_the_streams_before_it_are_not(kind: str) -> None:
    """Whatever byte was changed: what comes out before it is noticed may be wrong already."""
    parts = [b'{"a": 1}\n' * 20, b"".join(b'{"b": %d}\n' % number for number in range(400))]
    first, second = map(COMPRESS[kind], parts)
    for place in range(4, len(second)):
        damaged = bytearray(second)
        damaged[place] ^= 0x10
        plain, damage, altered_from = decompress(first + damaged)
        if plain != b"".join(parts):
            assert damage
        if "damaged" in damage:  # what seems to end early cannot be told from what does
            assert altered_from == len(parts[0])
        assert plain.startswith(parts[0])


def test_zeros_after_a_gzip_stream_are_padding_and_anything_else_is_damage() -> None:
    assert decompress(gzip.compress(b"{}") + bytes(512)) == (b"{}", "", None)
    plain, damage, altered_from = decompress(gzip.compress(b"{}") + b"{}")
    assert plain == b"{}"
    assert damage
    assert altered_from == 2


def test_names_do_not_matter_and_plain_is_plain() -> None:
    assert decompress(b"") == (b"", "", None)
    assert decompress(b"{}") == (b"{}", "", None)
