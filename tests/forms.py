"""Files of every form a log may have, and where in each of them one and the same play stands."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import zstandard

from tests.records import TS, play

PLAY = play(song="Zoë's", ts=TS + 7)
OTHERS = [play(ts=TS + n, userId="2", song="Zoë") for n in range(3)]
LINES = [json.dumps(each, ensure_ascii=False).encode() for each in (*OTHERS, PLAY)]


def written(time: str) -> bytes:
    """Return the play as a line, its time written like that."""
    return json.dumps(PLAY | {"ts": 0}).replace('"ts": 0', f'"ts": {time}').encode()


# Name and bytes of a file; the line on which the play begins, and which of the records of its line it is.
FORMS: dict[str, tuple[str, bytes, tuple[int, int]]] = {
    "plain": ("1.json", b"\n".join(LINES) + b"\n", (4, 1)),
    "without a last line break": ("1.json", b"\n".join(LINES), (4, 1)),
    "first": ("1.json", b"\n".join(reversed(LINES)), (1, 1)),
    "blank lines and CRLF": ("1.json", b"\r\n\r\n".join(LINES), (7, 1)),
    "byte order mark": ("1.json", b"\xef\xbb\xbf" + LINES[3] + b"\n" + LINES[0], (1, 1)),
    "gzip": ("1.json.gz", gzip.compress(b"\n".join(LINES)), (4, 1)),
    "zstd": ("1.json.zst", zstandard.compress(b"\n".join(LINES)), (4, 1)),
    "glued": ("1.json", b"".join(LINES), (1, 4)),
    "glued in part": ("1.json", LINES[0] + b"\n" + LINES[1] + LINES[3] + b"\n" + LINES[2], (2, 2)),
    "an array on a line": ("1.json", b"[" + b", ".join(LINES) + b"]", (1, 4)),
    "an array over lines": ("1.json", b"[\n" + b",\n".join(LINES) + b"\n]\n", (5, 1)),
    "printed": (
        "1.json",
        b"\n".join(json.dumps(each, indent=1).encode() for each in (OTHERS[0], PLAY)),
        (21, 1),
    ),
    "a wrapper": ("1.json", b'{"Records": [' + b",".join(LINES) + b"]}", (1, 4)),
    "the time as text": ("1.json", LINES[0] + b"\n" + written(f'"{TS + 7}"'), (2, 1)),
    "the time as a fraction": ("1.json", LINES[0] + b"\n" + written(f"{TS + 7}.0"), (2, 1)),
    "the time with an exponent": ("1.json", written("1.541030400007e12"), (1, 1)),
    "its digits elsewhere": (
        "1.json",
        json.dumps(OTHERS[0] | {"userAgent": str(TS + 7)}).encode() + b"\n" + LINES[3],
        (2, 1),
    ),
    "after a broken line": ("1.json", LINES[0] + b"\n" + LINES[3][:-9] + b"\n" + LINES[3], (3, 1)),
}


def plain_of(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(data)
    return zstandard.decompress(data) if path.suffix == ".zst" else data
