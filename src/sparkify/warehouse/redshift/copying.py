"""How records get to Redshift: by COPY of delivered files or packed records, or as INSERT of literals.

COPY reads every value as text into a separate table; one statement converts the texts into the run's tables
and marks the rows that need re-reading (:mod:`sparkify.warehouse.derived`).

With STAGING, the lines of all but large files are packed: each is given the number of its file, and one COPY
loads them all, however many files they come from (:mod:`sparkify.warehouse.redshift.packing`). A line that
COPY may read differently than our rules do ends its file there, and COPY skips what it cannot load; so fewer
rows land than the file has lines, and the pipeline reads it record by record.

Large files, and all of them without STAGING, are loaded where they lie, each by a COPY of its own. A pre-scan
(:func:`look_at_lines`) leaves out those that COPY may read differently, as COPY itself does with those that
it cannot load completely.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkify.errors import ConfigError, EngineError, LoadError, TransientEngineError
from sparkify.lake.uri import is_s3
from sparkify.records import FILE_KEY, RecordKind, kind_named
from sparkify.warehouse.derived import accepted_keys, copy_table, statements_of
from sparkify.warehouse.engine import Judged, RecordFile
from sparkify.warehouse.redshift.literals import Word, fill, inserts
from sparkify.warehouse.redshift.packing import (
    Pack,
    Packed,
    number_of,
    pack_lines,
    parsed,
    paths_of,
    pieces,
    split,
)
from sparkify.warehouse.redshift.prescan import COMPRESSED, NESTED, Look, look_at_lines
from sparkify.warehouse.redshift.redshift_errors import about_contents
from sparkify.warehouse.redshift.session import RedshiftSession
from sparkify.warehouse.redshift.staging import StagingArea
from sparkify.warehouse.statements import Statement, statement

# Texts of this size, or of more than one statement of literals, go by COPY.
MOST_CHARACTERS = 2_000_000
# Files up to this size are packed, as they are stored: a compressed one is about ten times as large.
_PACKED_BYTES = 64 << 20
_PACKED_COMPRESSED_BYTES = 8 << 20
# So many files are loaded in one transaction where each needs a COPY of its own.
_TOGETHER = 50
# Up to this size of plain text, records are written to one object.
_SMALL_BYTES = 1 << 20
# The assumed number of slices where the view of slices is missing, as on Serverless.
_SLICES = 8
_COMPRESSION = 3
_COMPRESSORS = 2
_IGNORE_CASE = "auto ignorecase"
# Seconds between queries of the views of load errors.
_PAUSES = (1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class CopySource:
    """How the cluster reads S3.

    Attributes:
        role: The ARN of the role that COPY assumes; empty: the cluster's default role.
        region: Returns the region of the buckets; None, or an empty region: the cluster's.
        jsonpaths: Returns the URI of the user's JSONPaths file, for the kind that may have one; None, or an
            empty URI: our own file, or none.
    """

    role: str = ""
    region: Callable[[], str] | None = None
    jsonpaths: Callable[[], str] | None = None


def verify_on_s3(uri: str, kind: RecordKind) -> None:
    """Raise unless the files are on S3, as a cluster without STAGING requires.

    Raises:
        ConfigError: The files are local.
    """
    if not is_s3(uri):
        raise ConfigError(
            f"{uri} is local, which a cluster cannot read.",
            f"Set [S3] STAGING to an s3:// prefix we may write to, or {kind.setting} to one on S3.",
        )


class _LeftOutError(Exception):
    """One file of several cannot be loaded."""


def _is_small(file: RecordFile) -> bool:
    compressed = file.path.suffix.lower() in COMPRESSED
    return file.size <= (_PACKED_COMPRESSED_BYTES if compressed else _PACKED_BYTES)


def _compressed(lines: Sequence[bytes]) -> bytes:
    return gzip.compress(b"".join(lines), _COMPRESSION, mtime=0)


class CopyLoader:
    """Loads records into the run's temporary tables.

    Args:
        session: The session that executes the statements.
        reading: How the cluster reads S3.
        area: The staging area; None without STAGING.
        look: The pre-scan of a file that is loaded where it lies.
        pack: Packs the lines of a file.
    """

    def __init__(
        self,
        session: RedshiftSession,
        reading: CopySource,
        area: StagingArea | None,
        look: Look = look_at_lines,
        pack: Pack = pack_lines,
    ) -> None:
        self._session = session
        self.reading = reading
        self.area = area
        self._look = look
        self._pack = pack
        self._ready: dict[str, int] = {}
        self._slices: int | None = None

    def close(self) -> None:
        """Remove the objects in the staging area."""
        if self.area:
            self.area.close()

    def forget_tables(self) -> None:
        """Drop the tables that COPY fills: the next records may have other columns."""
        for name in self._ready:
            self._session.send(f"DROP TABLE IF EXISTS {copy_table(kind_named(name))}", "DROP TABLE")
        self._ready.clear()

    # files as delivered

    def land_files(self, kind: RecordKind, files: Sequence[RecordFile]) -> dict[int, Judged]:
        """Land files as delivered; of one that needs re-reading not every record may land.

        Returns:
            What those hold whose records were packed, by their numbers.

        Raises:
            ConfigError: The files are local, and there is no STAGING.
        """
        if self.area is None:
            for file in files:
                verify_on_s3(file.uri, kind)
        # Refused where it names other fields than ours, whatever is read by it.
        given = self.reading.jsonpaths() if kind.jsonpaths and self.reading.jsonpaths else ""
        small = [file for file in files if self.area and _is_small(file)]
        large = [file for file in files if not (self.area and _is_small(file))]
        judged = self._land_small(kind, small) if small else {}
        if large:
            self._land_in_place(kind, large, given or self._own_jsonpaths(kind))
        return judged

    def _land_small(self, kind: RecordKind, files: Sequence[RecordFile]) -> dict[int, Judged]:
        """Pack the lines of files, and land them by one COPY; return what they hold."""
        found: dict[int, Packed] = {}

        def packed() -> Iterator[bytes]:
            for file in files:
                assert file.file_id is not None
                mine = found[file.file_id] = Packed()
                yield from self._pack(file.path, file.file_id, kind, mine)

        parts = self._parts(sum(file.size for file in files))
        uris: list[str] = []
        try:
            for lines in pieces(packed()):
                uris += self._put(kind.name, split(lines, parts))
            copied = False
            if uris:
                self._empty(kind)
                copied = self._copy_packed(kind, uris)
        finally:
            assert self.area
            self.area.remove(uris)
        if copied:
            nested = any(each.nested for each in found.values())
            self._execute(statements_of(kind).convert, nested=nested)
        elif uris and len(files) > 1:  # too many errors: those of some of the files
            half = len(files) // 2
            self._land_small(kind, files[:half])
            self._land_small(kind, files[half:])
        return {number: Judged(each.values, each.extras, each.others) for number, each in found.items()}

    def _land_in_place(self, kind: RecordKind, files: Sequence[RecordFile], jsonpaths: str) -> None:
        """Land files by a COPY each, from where they lie."""
        exact = jsonpaths != _IGNORE_CASE
        keys = [field.key for field in kind.built_in]
        seen = [(file, self._look(file.path, keys, exact=exact)) for file in files]
        sound = [file for file, found in seen if found.lines]
        if not sound:
            return
        self._empty(kind)
        written: list[str] = []
        landed = 0
        try:
            sources = list(self._sources(sound, written))
            for start in range(0, len(sources), _TOGETHER):
                landed += self._copy_group(kind, sources[start : start + _TOGETHER], jsonpaths)
        finally:
            if self.area:
                self.area.remove(written)
        if landed:
            nested = any(found.nested for _, found in seen if found.lines)
            self._execute(statements_of(kind).convert, nested=nested)

    def _copy_group(
        self, kind: RecordKind, group: Sequence[tuple[RecordFile, str, str]], jsonpaths: str
    ) -> int:
        """COPY files in one transaction, or else one by one; return how many were loaded.

        Each commit waits for those of the whole cluster.
        """
        if len(group) > 1:
            with suppress(_LeftOutError):
                with self._session.transaction("redshift/begin.sql", keep=True):
                    for file, source, options in group:
                        if not self._copy_file(kind, file, source, jsonpaths, options):
                            raise _LeftOutError  # the transaction is lost
                return len(group)
        return sum(self._copy_file(kind, file, source, jsonpaths, options) for file, source, options in group)

    def _copy_file(
        self, kind: RecordKind, file: RecordFile, source: str, jsonpaths: str, options: str
    ) -> bool:
        steps = statements_of(kind)
        loaded = self._copy(steps.copy_file, source, jsonpaths, options)
        if loaded:
            self._execute(steps.number_copied, file_id=file.file_id)
        return loaded

    def _sources(
        self, files: Sequence[RecordFile], written: list[str]
    ) -> Iterator[tuple[RecordFile, str, str]]:
        """Yield each file with COPY's source and options; append the URIs of new objects to ``written``."""
        compressed = [COMPRESSED.get(file.path.suffix.lower(), "") for file in files]
        if self.area is None:
            # COPY takes the URI as a prefix. Rows of other objects with that prefix make the count too high,
            # so that the file is read again.
            yield from ((file, file.uri, how) for file, how in zip(files, compressed, strict=True))
            return
        uris = []
        for file in files:
            uri = file.uri
            if not is_s3(uri):
                (uri,) = self.area.put_file(f"log{file.path.suffix.lower()}", file.path)
                written.append(uri)
            uris.append(uri)
        manifests = self.area.put_all([("manifest.json", self.area.manifest([uri])) for uri in uris])
        written += manifests
        for file, manifest, how in zip(files, manifests, compressed, strict=True):
            yield file, manifest, " MANIFEST" + how

    def _own_jsonpaths(self, kind: RecordKind) -> str:
        if self.area is None:
            return _IGNORE_CASE
        return self.area.keep(f"jsonpaths_{kind.name}.json", paths_of([each.key for each in kind.built_in]))

    # packed records, each with its file's number

    def land_packed(self, kind: RecordKind, packed: Path, *, accepted: bool) -> None:
        """Land packed records: one per line, each with the number of its file.

        Args:
            kind: The kind of the records.
            packed: The file of packed records.
            accepted: Whether our rules have accepted all of them; if not, records that cannot be loaded are
                marked as needing re-reading.

        Raises:
            LoadError: A record that our rules have accepted cannot be loaded.
        """
        with packed.open("rb") as file:
            for lines in pieces(file):
                left_out = self._land_lines(kind, lines, accepted=accepted)
                if left_out:
                    rows = [(number, True) for number in left_out]
                    self._insert(kind.landing, ("file_id", "needs_rereading"), rows)

    def _land_lines(self, kind: RecordKind, lines: Sequence[bytes], *, accepted: bool) -> list[int]:
        """Land packed lines; return the numbers of the files whose record was not loaded."""
        # COPY reads `{…}}` as an object followed by an error; a parser of whole lines rejects the line.
        sound, rows = parsed(kind.fields, lines)
        left_out = (
            list({*map(number_of, lines)} - {*map(number_of, sound)}) if len(sound) < len(lines) else []
        )
        if not sound:
            return left_out
        steps = statements_of(kind)
        self._empty(kind)
        if self.area:
            missing, parts = self._copy_lines(kind, sound)
            if missing > 0 and accepted:
                raise self._refused(parts, sound)
            if missing > 0:
                there = {row[0] for row in self._execute(steps.copied_files)}
                left_out += [number for number in map(number_of, sound) if number not in there]
        else:
            columns = [*(key.lower() for key in accepted_keys(kind)), "file_id"]
            self._insert(copy_table(kind), columns, rows)
        if accepted:
            self._execute(steps.convert_accepted)
        else:
            self._execute(steps.convert, nested=any(NESTED.search(line) for line in lines))
        return left_out

    def _copy_lines(self, kind: RecordKind, lines: Sequence[bytes]) -> tuple[int, dict[str, Sequence[bytes]]]:
        """Write lines to objects and COPY them; return how many were skipped, and each object's lines."""
        assert self.area
        parts = list(split(lines, self._parts(sum(map(len, lines)))))
        uris = self._put(kind.name, parts)
        held = dict(zip(uris, parts, strict=True))
        try:
            if not self._copy_packed(kind, uris):
                return len(lines), held
            ((copied,),) = self._execute(statements_of(kind).count_copied)
        finally:
            self.area.remove(uris)
        return len(lines) - copied, held

    def _put(self, name: str, parts: Iterable[Sequence[bytes]]) -> list[str]:
        """Write packed lines to compressed objects, one for each part; return their URIs."""
        assert self.area
        with ThreadPoolExecutor(_COMPRESSORS, thread_name_prefix="sparkify-gzip") as pool:
            compressed = list(pool.map(_compressed, parts))
        return self.area.put_all([(f"{name}.json.gz", data) for data in compressed])

    def _copy_packed(self, kind: RecordKind, uris: Sequence[str]) -> bool:
        """COPY objects of packed lines; return False if it failed because of their contents."""
        assert self.area
        paths = paths_of([*accepted_keys(kind), FILE_KEY])
        jsonpaths = self.area.keep(f"jsonpaths_packed_{kind.name}.json", paths)
        (manifest,) = self.area.put_all([("manifest.json", self.area.manifest(uris))])
        try:
            return self._copy(statements_of(kind).copy_packed, manifest, jsonpaths, " MANIFEST GZIP")
        finally:
            self.area.remove([manifest])

    # rows of texts

    def copies(self, rows: Sequence[Sequence[Any]]) -> bool:
        """Tell whether rows go by COPY: they are texts or NULL, and more than one statement of literals."""
        if self.area is None:
            return False
        size = 0
        for row in rows:
            if not all(value is None or isinstance(value, str) for value in row):
                return False
            size += sum(len(value) for value in row if value)
        return size > min(MOST_CHARACTERS, self._session.insert_bytes)

    def copy_rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        """Append rows of texts to a table by one COPY, which may be part of a transaction.

        Raises:
            EngineError: The cluster refused.
            SourceError: STAGING cannot be written.
        """
        assert self.area
        lines = [json.dumps(dict(zip(columns, row, strict=True))).encode() + b"\n" for row in rows]
        # The cluster is not asked for its slices: an error would end the transaction.
        written = self._put(table, split(lines, self._slices or _SLICES))
        try:
            written += self.area.put_all([("manifest.json", self.area.manifest(written))])
            step = Statement(
                f"COPY {table} ({', '.join(columns)})\nFROM :source\nIAM_ROLE :role\n"
                "FORMAT AS JSON :jsonpaths\nCOMPUPDATE OFF STATUPDATE OFF",
                "copy of rows",
                1,
            )
            self._send_copy(step, written[-1], "auto", " MANIFEST GZIP")
        finally:
            self.area.remove(written)

    def _parts(self, size: int) -> int:
        """Return how many objects to write of so many bytes, so that every slice loads the same number.

        The cluster is asked in any case, once: how much there is to load does not change what is sent.
        """
        if self._slices is None:
            try:
                ((self._slices,),) = self._execute(statement("redshift/slices.sql"))
            except TransientEngineError:
                raise
            except EngineError:
                self._slices = _SLICES
        return 1 if size < _SMALL_BYTES else self._slices or _SLICES

    def _refused(self, parts: dict[str, Sequence[bytes]], lines: Sequence[bytes]) -> LoadError:
        """Return an error with the cluster's reason for not loading a record that our rules accept."""
        error = self._load_error(next(iter(parts))) if parts else None
        if error is None:
            return LoadError(
                "Redshift left out a record that our rules accept, and does not say why.",
                "Nothing was changed. Run again with --debug, and report it with the file.",
                uri=str(number_of(lines[0])),
            )
        name, line, column, reason, value = error
        packed = parts.get(name, lines)
        record = packed[min(max(line, 1), len(packed)) - 1]
        shown = f", value {value!r}" if value else ""
        return LoadError(
            f"Redshift cannot load a record that our rules accept: {reason} "
            f"(column {column}, line {line} of {name}{shown}).",
            "Nothing was changed. Correct the value in that file, or move the file away; then run again.",
            uri=str(number_of(record)),
            line=line,
        )

    def _load_error(self, uri: str) -> tuple[Any, ...] | None:
        """Return the first load error of our objects; the views may be some seconds behind."""
        folder = uri.rpartition("/")[0]
        for pause in (0.0, *_PAUSES):
            time.sleep(pause)
            for view in ("sys", "stl"):
                try:
                    found = self._execute(statement(f"redshift/load_errors_{view}.sql"), folder=folder)
                except TransientEngineError:
                    raise
                except EngineError:
                    continue  # Serverless has no STL views, older clusters no SYS views
                if found:
                    return found[0]
        return None

    # statements

    def _empty(self, kind: RecordKind) -> None:
        """Create the table that COPY fills, or empty it if this session has created it already."""
        steps = statements_of(kind)
        if self._ready.get(kind.name) == self._session.number:
            self._execute(steps.clear_copied)
            return
        self._execute(steps.copy_table)
        self._ready[kind.name] = self._session.number

    def _copy(self, step: Statement, source: str, jsonpaths: str, options: str) -> bool:
        """Execute a COPY; return False if it failed because of the file's contents."""
        try:
            self._send_copy(step, source, jsonpaths, options)
        except EngineError as exc:
            if about_contents(exc.__cause__):
                return False
            raise
        return True

    def _send_copy(self, step: Statement, source: str, jsonpaths: str, options: str) -> None:
        region = self.reading.region() if self.reading.region else ""
        parameters = {
            "source": source,
            "role": self.reading.role or Word("default"),
            "jsonpaths": jsonpaths,
            "region": region,
        }
        sql = fill(step.text + options + (" REGION :region" if region else ""), parameters)
        self._session.send(sql, f"COPY of {source}")

    def _execute(self, step: Statement, **parameters: Any) -> list[tuple[Any, ...]]:
        sql = fill(step.text, step.pick(parameters))
        return self._session.send(sql, f"{step.path}, line {step.line}")[1]

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        for sql in inserts(table, columns, rows, self._session.insert_bytes):
            self._session.send(sql, f"INSERT INTO {table}")
