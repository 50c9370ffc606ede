"""A lake in a local folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

from sparkify.errors import SourceChanged, SourceDenied, SourceError, SourceNotFound
from sparkify.lake.store import LakeObject, Listing, sort_out


class Folder:
    """Objects are the files below a folder, or one file; symbolic links are followed, loops are not."""

    threads = 8

    def __init__(self, path: str) -> None:
        self.uri = os.path.abspath(Path(path).expanduser())  # noqa: PTH100 - resolve() would rename what people wrote

    def listing(self) -> Listing:
        if not os.path.exists(self.uri):  # noqa: PTH110 - strings throughout: 100,000 Path objects cost a second
            raise SourceNotFound(
                f"the folder {self.uri} does not exist.",
                "Check LOG_DATA and SONG_DATA in dwh.cfg, or --log-data and --song-data.",
                uri=self.uri,
            )
        if os.path.isfile(self.uri):  # noqa: PTH113
            status = os.stat(self.uri)  # noqa: PTH116
            name = os.path.basename(self.uri)  # noqa: PTH119
            return sort_out([LakeObject(self.uri, name, status.st_size, str(status.st_mtime_ns))])
        return sort_out(self._walk())

    def _walk(self) -> list[LakeObject]:
        found: list[LakeObject] = []
        seen = {os.path.realpath(self.uri)}
        waiting = [(self.uri, "")]
        folder = self.uri
        try:
            while waiting:
                folder, prefix = waiting.pop()
                with os.scandir(folder) as entries:
                    for entry in entries:
                        key = prefix + entry.name
                        if entry.is_dir():
                            if entry.is_symlink():
                                real = os.path.realpath(entry.path)
                                if real in seen:
                                    continue
                                seen.add(real)
                            waiting.append((entry.path, key + "/"))
                        else:
                            status = entry.stat()
                            item = LakeObject(entry.path, key, status.st_size, str(status.st_mtime_ns))
                            found.append(item)
        except OSError as exc:
            _raise(exc, str(exc.filename or folder))
        return found

    def read(self, item: LakeObject) -> bytes:
        try:
            with open(item.uri, "rb", buffering=0) as file:  # noqa: PTH123 - no Path object for each tiny file
                status = os.fstat(file.fileno())
                data = file.read()
        except OSError as exc:
            _raise(exc, item.uri)
        if len(data) != item.size or str(status.st_mtime_ns) != item.version:
            raise _changed(item)
        return data

    def local_path(self, item: LakeObject, spool: Path) -> Path:
        return Path(item.uri)

    def verify(self, item: LakeObject) -> None:
        try:
            status = os.stat(item.uri)  # noqa: PTH116
        except OSError as exc:
            _raise(exc, item.uri)
        if status.st_size != item.size or str(status.st_mtime_ns) != item.version:
            raise _changed(item)


def _changed(item: LakeObject) -> SourceChanged:
    return SourceChanged(
        f"{item.uri} changed while it was being read.",
        "Run again when whoever writes it has finished.",
        uri=item.uri,
    )


def _raise(exc: OSError, uri: str) -> NoReturn:
    if isinstance(exc, FileNotFoundError):
        raise SourceChanged(
            f"{uri} was there when the folder was listed and is gone now.", "Run again.", uri=uri
        ) from exc
    if isinstance(exc, PermissionError):
        raise SourceDenied(
            f"{uri} may not be read: {exc.strerror}.", "Ask its owner for read permission.", uri=uri
        ) from exc
    raise SourceError(f"{uri} cannot be read: {exc.strerror}.", "Check the disk or mount.", uri=uri) from exc
