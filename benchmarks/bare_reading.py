"""The floor for song files: find them and read their bytes with a few threads, nothing else.

Run as ``python bare_reading.py FOLDER``.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor


def find(folder: str) -> list[str]:
    paths = []
    for parent, _, names in os.walk(folder):
        paths += [f"{parent}/{name}" for name in names]
    return paths


def read(paths: list[str]) -> int:
    size = 0
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            size += len(file.read())
    return size


if __name__ == "__main__":
    found = find(sys.argv[1])
    groups = [found[start : start + 256] for start in range(0, len(found), 256)]
    with ThreadPoolExecutor(8) as pool:
        print(sum(pool.map(read, groups)))
