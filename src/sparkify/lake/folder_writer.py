"""Writing files below a local folder, whole or not at all.

A file is written under another name, which ends in ``#`` and a number, so no reader takes it for data, and
renamed when whole. By plain system calls: obstore hands each chunk to a thread, and takes twice the processor
time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from sparkify.errors import SourceDenied, SourceError
from sparkify.lake.folder import Folder, path_of

_HALF_WRITTEN = re.compile(r"#\d+$")


class FolderWriter:
    """See :class:`sparkify.lake.writer.WritableStore`; the folder need not exist."""

    threads = 1

    def __init__(self, path: str) -> None:
        self.uri = path_of(path)

    def put(self, key: str, data: bytes | Iterable[bytes | memoryview]) -> None:
        path = f"{self.uri}/{key}"
        aside = f"{path}#{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - no Path for each tiny file
            try:
                with open(aside, "wb", buffering=0) as file:  # noqa: PTH123 - likewise
                    for chunk in (data,) if isinstance(data, bytes) else data:
                        rest = memoryview(chunk)
                        while rest:
                            rest = rest[file.write(rest) :]
                os.replace(aside, path)  # noqa: PTH105 - likewise
            except BaseException:
                with suppress(OSError):
                    os.unlink(aside)  # noqa: PTH108 - likewise
                raise
        except OSError as exc:
            raise _error(exc, path, "written") from exc

    def get(self, key: str) -> bytes:
        path = f"{self.uri}/{key}"
        try:
            return Path(path).read_bytes()
        except OSError as exc:
            raise _error(exc, path, "read") from exc

    def keys(self, below: str = "") -> list[str]:
        folder = Path(self.uri)
        if folder.is_file():
            raise SourceError(f"{self.uri} is a file.", "Name a folder.", uri=self.uri)
        if not folder.is_dir():
            return []
        objects, others = Folder(self.uri).listing()
        keys = [*(item.key for item in objects), *others]
        return [key for key in keys if key.startswith(below) and not _HALF_WRITTEN.search(key)]

    def remove(self, keys: Sequence[str]) -> None:
        try:
            for key in keys:
                with suppress(FileNotFoundError):
                    os.unlink(f"{self.uri}/{key}")  # noqa: PTH108 - likewise
        except OSError as exc:
            raise _error(exc, self.uri, "emptied") from exc


def _error(exc: OSError, uri: str, what: str) -> SourceError:
    if isinstance(exc, PermissionError):
        return SourceDenied(f"{uri} may not be {what}.", "Check the folder's permissions.", uri=uri)
    return SourceError(f"{uri} cannot be {what}: {exc.strerror or exc}.", "Check the disk.", uri=uri)
