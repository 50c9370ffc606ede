"""How records get to Redshift: COPY from where they lie or from what we packed, or as literals.

COPY reads every value as text into a table of its own; one statement converts them into the run's tables and
marks the rows that need re-reading (:mod:`sparkify.warehouse.derived`). What COPY may read in another way
than our rules do is seen in the raw bytes before (:func:`look_at_lines`): such a file is left out, as is one
that COPY cannot load whole, and the pipeline reads it record by record.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkify.errors import ConfigError, EngineError, LoadError, TransientEngineError
from sparkify.lake.uri import is_s3
from sparkify.records import FILE_KEY, RecordKind
from sparkify.warehouse.derived import copy_table, statements_of
from sparkify.warehouse.engine import RecordFile
from sparkify.warehouse.redshift.literals import Word, fill, inserts
from sparkify.warehouse.redshift.packing import number_of, parsed, paths_of, pieces, split
from sparkify.warehouse.redshift.prescan import COMPRESSED, NESTED, Look, look_at_lines
from sparkify.warehouse.redshift.redshift_errors import about_contents
from sparkify.warehouse.redshift.session import RedshiftSession
from sparkify.warehouse.redshift.staging import StagingArea
from sparkify.warehouse.statements import Statement, statement

# Below this, as plain text, one object is enough.
_SMALL_BYTES = 1 << 20
# Where the view of the slices is missing, as on Serverless.
_SLICES = 8
_COMPRESSION = 3
_IGNORE_CASE = "auto ignorecase"
# Seconds between looks at the views of load errors.
_PAUSES = (1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class CopySource:
    """How the cluster reads S3.

    Attributes:
        role: The ARN of the role it assumes; empty: the cluster's default one.
        region: Gives the region of the buckets it reads; None, or an empty one: the cluster's.
        jsonpaths: Gives the URI of the user's JSONPaths file, for the kind that may have one; None, or an
            empty one: ours, or none.
    """

    role: str = ""
    region: Callable[[], str] | None = None
    jsonpaths: Callable[[], str] | None = None


def verify_on_s3(uri: str, kind: RecordKind) -> None:
    """Raise unless a cluster can read files from where they lie: without STAGING they cannot be uploaded.

    Raises:
        ConfigError: They are local.
    """
    if not is_s3(uri):
        raise ConfigError(
            f"{uri} is local, which a cluster cannot read.",
            f"Set [S3] STAGING to an s3:// prefix we may write to, or {kind.setting} to one on S3.",
        )


class CopyLoader:
    """Records into the run's temporary tables.

    Args:
        session: Where to.
        reading: How the cluster reads.
        area: Where we may write for it; None: nowhere.
        look: Looks into a log file, as :func:`look_at_lines`.
    """

    def __init__(
        self,
        session: RedshiftSession,
        reading: CopySource,
        area: StagingArea | None,
        look: Look | None = None,
    ) -> None:
        self._session = session
        self.reading = reading
        self.area = area
        self._look = look or look_at_lines
        self._ready: dict[str, int] = {}
        self._slices: int | None = None

    def close(self) -> None:
        """Remove what was written for the cluster."""
        if self.area:
            self.area.close()

    # files, from where they lie

    def land_files(self, kind: RecordKind, files: Sequence[RecordFile], *, flat: bool) -> None:
        """Land files as delivered, each with a COPY of its own; one that needs re-reading is left out, whole.

        ``flat`` says that no value is an object or array.

        Raises:
            ConfigError: They are local, and there is no STAGING.
        """
        if self.area is None:
            for file in files:
                verify_on_s3(file.uri, kind)
        jsonpaths = self._jsonpaths(kind)
        exact = jsonpaths != _IGNORE_CASE
        seen = [(file, self._look(file.path, kind.keys, exact=exact)) for file in files]
        sound = [file for file, found in seen if found.lines]
        nested = not flat and any(found.nested for _, found in seen if found.lines)
        if not sound:
            return
        steps = statements_of(kind)
        self._empty(kind)
        written: list[str] = []
        landed = 0
        try:
            for file, source, options in self._sources(sound, written):
                if self._copy(steps.copy_file, source, jsonpaths, options):
                    landed += 1
                    self._execute(steps.number_copied, file_id=file.file_id)
        finally:
            if self.area:
                self.area.remove(written)
        if landed:
            self._execute(steps.convert, nested=nested)

    def _sources(
        self, files: Sequence[RecordFile], written: list[str]
    ) -> Iterator[tuple[RecordFile, str, str]]:
        """Yield every file with what COPY reads and its options; URIs of what we wrote go to ``written``."""
        compressed = [COMPRESSED.get(file.path.suffix.lower(), "") for file in files]
        if self.area is None:
            # A prefix, not a name: what else begins so is counted too, and has the file read again.
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

    def _jsonpaths(self, kind: RecordKind) -> str:
        given = self.reading.jsonpaths() if kind.jsonpaths and self.reading.jsonpaths else ""
        if given or self.area is None:
            return given or _IGNORE_CASE
        return self.area.keep(f"jsonpaths_{kind.name}.json", paths_of(kind.keys))

    # records with their file's number

    def land_packed(self, kind: RecordKind, packed: Path, *, accepted: bool) -> None:
        """Land records, a line each, that hold their file's number.

        Args:
            kind: Their kind.
            packed: The file.
            accepted: Our rules accept them all; else those left out are marked as needing re-reading.

        Raises:
            LoadError: One that our rules accept cannot be loaded.
        """
        with packed.open("rb") as file:
            for lines in pieces(file):
                left_out = self._land_lines(kind, lines, accepted=accepted)
                if left_out:
                    rows = [(number, True) for number in left_out]
                    self._insert(kind.landing, ("file_id", "needs_rereading"), rows)

    def _land_lines(self, kind: RecordKind, lines: Sequence[bytes], *, accepted: bool) -> list[int]:
        """Land packed lines; return the numbers of the files whose record was left out."""
        # COPY takes `{…}}` for an object and a mistake after it; so does nobody who parses whole lines.
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
            columns = [*(key.lower() for key in kind.keys), "file_id"]
            self._insert(copy_table(kind), columns, rows)
        if accepted:
            self._execute(steps.convert_accepted)
        else:
            self._execute(steps.convert, nested=any(NESTED.search(line) for line in lines))
        return left_out

    def _copy_lines(self, kind: RecordKind, lines: Sequence[bytes]) -> tuple[int, dict[str, Sequence[bytes]]]:
        """COPY lines from objects we write; return how many were left out, and what each object held."""
        assert self.area
        jsonpaths = self.area.keep(f"jsonpaths_packed_{kind.name}.json", paths_of([*kind.keys, FILE_KEY]))
        parts = list(split(lines, self._parts(lines)))
        uris = self.area.put_all(
            [(f"{kind.name}.json.gz", gzip.compress(b"".join(part), _COMPRESSION, mtime=0)) for part in parts]
        )
        held = dict(zip(uris, parts, strict=True))
        written = [*uris, *self.area.put_all([("manifest.json", self.area.manifest(uris))])]
        try:
            steps = statements_of(kind)
            if not self._copy(steps.copy_packed, written[-1], jsonpaths, " MANIFEST GZIP"):
                return len(lines), held
            ((copied,),) = self._execute(steps.count_copied)
        finally:
            self.area.remove(written)
        return len(lines) - copied, held

    def _parts(self, lines: Sequence[bytes]) -> int:
        """Return how many objects to write: so many that every slice has as many."""
        if sum(map(len, lines)) < _SMALL_BYTES:
            return 1
        if self._slices is None:
            try:
                ((self._slices,),) = self._execute(statement("redshift/slices.sql"))
            except TransientEngineError:
                raise
            except EngineError:
                self._slices = _SLICES
        return self._slices or _SLICES

    def _refused(self, parts: dict[str, Sequence[bytes]], lines: Sequence[bytes]) -> LoadError:
        """Return why a record that our rules accept could not be loaded, as the cluster tells it."""
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
        """Return what the cluster noted of our objects; the views may fill some seconds late."""
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
        """Have an empty table for COPY to fill."""
        steps = statements_of(kind)
        if self._ready.get(kind.name) == self._session.number:
            self._execute(steps.clear_copied)
            return
        self._execute(steps.copy_table)
        self._ready[kind.name] = self._session.number

    def _copy(self, step: Statement, source: str, jsonpaths: str, options: str) -> bool:
        """COPY; return False where the contents are the trouble."""
        region = self.reading.region() if self.reading.region else ""
        parameters = {
            "source": source,
            "role": self.reading.role or Word("default"),
            "jsonpaths": jsonpaths,
            "region": region,
        }
        try:
            self._session.send(
                fill(step.text + options + (" REGION :region" if region else ""), parameters),
                f"COPY of {source}",
            )
        except EngineError as exc:
            if about_contents(exc.__cause__):
                return False
            raise
        return True

    def _execute(self, step: Statement, **parameters: Any) -> list[tuple[Any, ...]]:
        sql = fill(step.text, step.pick(parameters))
        return self._session.send(sql, f"{step.path}, line {step.line}")[1]

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        for sql in inserts(table, columns, rows):
            self._session.send(sql, f"INSERT INTO {table}")
