"""A lake in a local folder."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import NoReturn

from sparkify.errors import SourceChanged, SourceDenied, SourceError, SourceNotFound
from sparkify.lake.store import LakeObject, Listing, in_order, is_data, sort_out, verify_data
from sparkify.settings import expand_home


def path_of(name: str) -> str:
    """Return a path from the root as a listing names it; ``~`` is the home folder."""
    path = os.path.abspath(expand_home(name))  # noqa: PTH100 - resolve() would rename what people wrote
    # POSIX lets two slashes be, and the same file would have two names.
    return path[1:] if path.startswith("//") else path


class Folder:
    """Objects are the files below a folder, or one file; symbolic links are followed, loops are not."""

    threads = 8

    def __init__(self, path: str) -> None:
        self.uri = path_of(path)

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
        return self._walk()

    def probe(self) -> Listing:
        listing = self.listing()
        verify_data(listing, self.uri)
        for item in listing.objects:
            self.verify(item)
        return listing

    def _walk(self) -> Listing:
        objects: list[LakeObject] = []
        ignored: list[str] = []
        # A folder waits with the real paths it was reached through: a link back into one of them is a loop.
        waiting: list[tuple[str, str, tuple[str, ...]]] = [(self.uri, "", (os.path.realpath(self.uri),))]
        folder = self.uri
        try:
            while waiting:
                folder, prefix, way = waiting.pop()
                with os.scandir(folder) as entries:
                    for entry in entries:
                        key = prefix + entry.name
                        if _is_folder(entry):
                            linked = entry.is_symlink()
                            real = os.path.realpath(entry.path) if linked else f"{way[-1]}/{entry.name}"
                            if not (linked and any(_holds(real, passed) for passed in way)):
                                waiting.append((entry.path, key + "/", (*way, real)))
                        elif is_data(key):
                            _verify_name(key, folder)
                            objects.append(_object(entry, key))
                        else:  # whatever it is, an editor's lock, say: only its name is told
                            ignored.append(_as_text(key))
        except OSError as exc:
            _raise(exc, str(exc.filename or folder))
        return in_order(objects, ignored)

    def read(self, item: LakeObject) -> bytes:
        try:
            with open(item.uri, "rb", buffering=0) as file:  # noqa: PTH123 - no Path object for each tiny file
                data = file.read()
                status = os.fstat(file.fileno())
        except OSError as exc:
            _raise(exc, item.uri)
        if len(data) != item.size or str(status.st_mtime_ns) != item.version:
            raise _changed(item)
        return data

    def local_path(self, item: LakeObject, folder: Path) -> Path:
        self.verify(item)
        return Path(item.uri)

    def verify(self, item: LakeObject) -> None:
        try:
            status = os.stat(item.uri)  # noqa: PTH116
            if not os.access(item.uri, os.R_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as exc:
            _raise(exc, item.uri)
        if status.st_size != item.size or str(status.st_mtime_ns) != item.version:
            raise _changed(item)


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as exc:
        if exc.errno == errno.ELOOP:  # a link to itself
            return False
        raise


def _as_text(name: str) -> str:
    return os.fsencode(name).decode(errors="backslashreplace")


def _verify_name(key: str, folder: str) -> None:
    if key.isascii():
        return
    encoding = sys.getfilesystemencoding()
    if encoding != "utf-8":
        raise SourceError(
            f"the name of {_as_text(key)} in {folder} holds letters beyond ASCII, and this system's locale "
            f"writes names in {encoding}.",
            "Run it again with LC_ALL=C.UTF-8 (or PYTHONUTF8=1) in the environment.",
            uri=folder,
        )
    try:
        key.encode()
    except UnicodeEncodeError as exc:
        raise SourceError(
            f"the name of {_as_text(key)} in {folder} is not UTF-8.",
            "Rename it, or move it out of the lake.",
            uri=folder,
        ) from exc


def _object(entry: os.DirEntry[str], key: str) -> LakeObject:
    try:
        status = entry.stat()
    except FileNotFoundError:
        if not entry.is_symlink():
            raise
        raise SourceNotFound(
            f"{entry.path} is a link to nothing.", "Remove the link, or mend it.", uri=entry.path
        ) from None
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(
            f"{entry.path} is not a file but a pipe, socket or device.", "Move it elsewhere.", uri=entry.path
        )
    return LakeObject(entry.path, key, status.st_size, str(status.st_mtime_ns))


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
