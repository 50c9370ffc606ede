"""Objects below ``[S3] STAGING`` that COPY reads: manifests, packed records, JSONPaths.

Every run has its own folder, ``sparkify-runs/<time>-<random>/``, and removes it at the end. A later run
removes the folder of a killed run when it is two days old; nothing else below STAGING is ever changed.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sparkify.errors import SourceError
from sparkify.lake.writer import Writer

_ROOT = "sparkify-runs"
_FOLDER = re.compile(rf"{_ROOT}/(\d{{8}}T\d{{6}}Z)-[0-9a-f]{{8}}/[A-Za-z0-9._-]+")
_TIME = "%Y%m%dT%H%M%SZ"
_KEPT = timedelta(days=2)
_BLOCK = 8 << 20
_log = logging.getLogger(__name__)


class StagingArea:
    """The folder of one run below STAGING; S3 is not contacted before the first object.

    Args:
        writer: Writes below STAGING.
        now: The time, in UTC.
    """

    def __init__(self, writer: Writer, now: datetime | None = None) -> None:
        self.writer = writer
        self._now = now or datetime.now(UTC)
        self._folder = f"{_ROOT}/{self._now.strftime(_TIME)}-{secrets.token_hex(4)}"
        self._count = 0
        self._present: list[str] = []
        self._kept: dict[tuple[str, bytes], str] = {}

    @property
    def uri(self) -> str:
        """URI of the folder, with a trailing slash."""
        return f"{self.writer.uri}/{self._folder}/"

    def probe(self) -> str:
        """Test whether STAGING can be written, as :meth:`sparkify.lake.writer.Writer.probe` does.

        Raises:
            SourceError: It cannot be written.
        """
        return self.writer.probe(f"{self._folder}/probe")  # if killed, a later run removes it

    def put_all(self, objects: Sequence[tuple[str, bytes]]) -> list[str]:
        """Write objects; return their URIs. Each name gets a number as a prefix, so that it is unique.

        Raises:
            SourceError: An object could not be written.
        """
        self._sweep()
        keys = []
        for name, _ in objects:
            keys.append(f"{self._folder}/{self._next():06d}-{name}")
        self._present += keys
        self.writer.put_all([(key, data) for key, (_, data) in zip(keys, objects, strict=True)])
        return [f"{self.writer.uri}/{key}" for key in keys]

    def put_file(self, name: str, path: Path) -> list[str]:
        """Upload a file of any size; return its URI, as a list of one."""
        self._sweep()
        key = f"{self._folder}/{self._next():06d}-{name}"
        self._present.append(key)
        with path.open("rb") as file:
            self.writer.put(key, iter(lambda: file.read(_BLOCK), b""))
        return [f"{self.writer.uri}/{key}"]

    def keep(self, name: str, data: bytes) -> str:
        """Write an object that stays until the end of the run, once; return its URI."""
        if (name, data) not in self._kept:
            (self._kept[name, data],) = self.put_all([(name, data)])
        return self._kept[name, data]

    def manifest(self, uris: Sequence[str]) -> bytes:
        """Return a manifest in which every object is mandatory."""
        return json.dumps({"entries": [{"url": uri, "mandatory": True} for uri in uris]}).encode()

    def remove(self, uris: Sequence[str]) -> None:
        """Remove objects; a failed removal is repeated at the end of the run, or by a later run."""
        self._remove([uri.removeprefix(self.writer.uri + "/") for uri in uris])

    def close(self) -> None:
        """Remove every remaining object of this run."""
        self._remove(list(self._present))
        self._kept.clear()

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _remove(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        try:
            self.writer.remove(keys)
        except SourceError as exc:
            _log.warning("%s %s", exc.message, exc.hint)
        else:
            gone = set(keys)
            self._present = [key for key in self._present if key not in gone]

    def _sweep(self) -> None:
        """Remove the folders of runs that were killed days ago; at most once per run."""
        if self._count:
            return
        with suppress(SourceError):
            old = [key for key in self.writer.keys(f"{_ROOT}/") if self._is_old(key)]
            if old:
                self.writer.remove(old)

    def _is_old(self, key: str) -> bool:
        found = _FOLDER.fullmatch(key)
        if found is None:
            return False
        made = datetime.strptime(found[1], _TIME).replace(tzinfo=UTC)
        return self._now - made > _KEPT
