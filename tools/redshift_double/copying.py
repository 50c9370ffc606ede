"""COPY: from S3 into a table, with its errors, its logs and its limits.

Owns the load. One COPY is atomic: its rows go to PostgreSQL in one statement, after the last error was
counted.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .backend import quote
from .convert import INVALID_LINE, Converter, TargetColumn, Unfit, converter
from .copystatement import CopyStatement
from .errors import INTERNAL, RedshiftError
from .jsonstream import Record, Value, as_text, decode, parse_nested, read_records
from .objects import Objects, Url, unpacked

if TYPE_CHECKING:  # the session calls
    from .server import RedshiftDouble
    from .session import Session

_STEP = re.compile(r"\['((?:[^'\\]|\\.)*)'\]|\[\"((?:[^\"\\]|\\.)*)\"\]|\[(\d+)\]|\.([^.\[\]]+)")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
Find = Callable[[Record], Value]


@dataclass
class _Scan:
    """What happened to one file."""

    url: Url
    bytes: int = 0
    lines: int = 0


@dataclass
class _Load:
    """A COPY under way."""

    copy: CopyStatement
    table_id: int
    columns: list[TargetColumn]
    finders: list[Find]
    converters: list[Converter]
    scans: list[_Scan] = field(default_factory=list)
    errors: list[dict[str, object]] = field(default_factory=list)
    rows: list[bytes] = field(default_factory=list)

    @property
    def limit(self) -> int:
        """The number of errors at which the load fails; 0 and 1 mean the first."""
        return max(self.copy.max_errors, 1)


def run_copy(  # noqa: C901 - one step after the other
    session: Session, server: RedshiftDouble, copy: CopyStatement, notices: list[str], delay: float
) -> None:
    """Load, or raise as Redshift does; what is to be told besides goes to `notices`.

    Raises:
        RedshiftError: too many errors, or something that is no matter of rows.
    """
    started = dt.datetime.now(dt.UTC)
    if session.backend.status == "E":
        raise RedshiftError(
            "25P02", "current transaction is aborted, commands ignored until end of transaction block"
        )
    table_id, columns = _target(session, copy)
    objects = Objects(server.options, copy)
    if delay:
        session.wait(delay)
    urls, mandatory = _sources(objects, copy)
    finders = _finders(objects, copy, columns)
    infidelities = server.options.infidelities
    converters = [converter(column, copy, infidelities) for column in columns]
    load = _Load(copy, table_id, columns, finders, converters)
    if session.backend.status == "T":
        session.backend.query(f"LOCK TABLE {copy.table} IN EXCLUSIVE MODE")
    for url, data in objects.read_all(urls):
        if data is None:
            if url in mandatory:
                raise RedshiftError(
                    INTERNAL,
                    "The specified key does not exist.",
                    detail=f"error: mandatory file {url} not found",
                )
            continue
        _read_file(load, server, url, unpacked(data, copy.options, url))
        if len(load.errors) >= load.limit:
            break
    if urls and not load.scans:
        raise RedshiftError(
            INTERNAL, f"The specified S3 prefix '{Url.parse(copy.source).key}' does not exist"
        )
    failed = len(load.errors) >= load.limit
    _log(session, server, load, started, failed=failed)
    if failed:
        view = "sys_load_error_detail" if server.options.views == "serverless" else "stl_load_errors"
        raise RedshiftError(
            INTERNAL, f"Load into table '{copy.name}' failed.  Check '{view}' system table for details."
        )
    if "noload" not in copy.options:
        names = ", ".join('"' + column.name + '"' for column in columns)
        session.backend.copy_in(f"COPY {copy.table} ({names}) FROM STDIN", load.rows)
        session.set_last_copy(session.query_id)
    if load.errors:
        notices.append(
            f"Load into table '{copy.name}' completed, {len(load.errors)} record(s) could not be loaded.  "
            f"Check 'stl_load_errors' system table for details."
        )
    notices.append(
        f"Load into table '{copy.name}' completed, {len(load.rows)} record(s) loaded successfully."
    )


def _target(session: Session, copy: CopyStatement) -> tuple[int, list[TargetColumn]]:
    """The table's id and the columns to load, in the order of the column list."""
    rows = session.backend.query(
        "SELECT a.attrelid, a.attname, t.typname, a.atttypmod, a.attnotnull, a.attidentity <> ''"
        " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
        f" WHERE a.attrelid = to_regclass({quote(copy.table)}) AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY a.attnum"
    ).rows
    if not rows:
        raise RedshiftError(INTERNAL, f"Cannot COPY into nonexistent table {copy.name}")
    found: dict[str, TargetColumn] = {}
    for _, name, type_, modifier, not_null, identity in rows:
        assert name is not None
        assert type_ is not None
        typmod = int(modifier or -1) - 4
        size, scale = (typmod, 0) if type_ != "numeric" else (typmod >> 16, typmod & 0x7FF)
        size = size if typmod >= 0 else -1
        found[name] = TargetColumn(name, type_, size, scale, not_null == "t", identity == "t")
    for name in copy.columns:
        if name not in found:
            raise RedshiftError("42703", f'column "{name}" of relation "{copy.name}" does not exist')
    explicit = "explicit_ids" in copy.options
    chosen = copy.columns or [name for name, column in found.items() if explicit or not column.identity]
    if any(found[name].identity for name in chosen) and not explicit:
        raise RedshiftError(INTERNAL, "cannot set an identity column to a value")
    return int(rows[0][0] or 0), [found[name] for name in chosen]


def _sources(objects: Objects, copy: CopyStatement) -> tuple[list[Url], set[Url]]:
    """The files to read, and those that must exist."""
    source = Url.parse(copy.source)
    if "manifest" not in copy.options:
        urls = objects.keys(source)
        if not urls:
            raise RedshiftError(INTERNAL, f"The specified S3 prefix '{source.key}' does not exist")
        return urls, set()
    if not source.key or source.key.endswith("/"):
        raise RedshiftError(
            INTERNAL, "COPY with MANIFEST parameter requires full path of an S3 object.", detail="code: 8001"
        )
    try:
        manifest = json.loads(objects.read_named(source, "manifest"))
        entries = manifest["entries"]
        urls = [Url.parse(entry["url"]) for entry in entries]
        mandatory = {url for url, entry in zip(urls, entries, strict=True) if entry.get("mandatory") is True}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RedshiftError(INTERNAL, "Problem parsing manifest file", detail=f"error: {source}") from None
    return urls, mandatory


def _finders(objects: Objects, copy: CopyStatement, columns: Sequence[TargetColumn]) -> list[Find]:
    """For each column, how to find its value in an object."""
    if copy.format.startswith("s3://"):
        try:
            document = json.loads(objects.read_named(Url.parse(copy.format), "JSONPath"))
        except ValueError:
            raise RedshiftError(INTERNAL, "Invalid JSONPath file: not a JSON object") from None
        if isinstance(document, dict) and "jsonpaths" in document:
            paths = document["jsonpaths"]
            if len(paths) != len(columns):
                raise RedshiftError(
                    INTERNAL,
                    f"Number of jsonpaths and the number of columns should match. JSONPath size: "
                    f"{len(paths)}, Number of columns in table or column list: {len(columns)}",
                )
            return [_path(path) for path in paths]
    if copy.format.lower() == "auto ignorecase":
        return [_ignoring_case(column.name) for column in columns]
    return [_by_key(column.name) for column in columns]


def _by_key(name: str) -> Find:
    return lambda record: record.values.get(name)


def _ignoring_case(name: str) -> Find:
    def find(record: Record) -> Value:
        return next((value for key, value in record.values.items() if key.lower() == name), None)

    return find


def _path(path: object) -> Find:  # noqa: C901 - one step after the other
    """One JSONPath: $ and then members in brackets or after dots, not both."""
    if not isinstance(path, str) or not path.startswith("$"):
        raise RedshiftError(INTERNAL, f"Invalid JSONPath format: {path}")
    steps: list[str | int] = []
    position, notations = 1, set()
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None:
            raise RedshiftError(INTERNAL, f"Invalid JSONPath format: {path}")
        if found[3] is None:
            notations.add("." if found[4] is not None else "[")
        steps.append(int(found[3]) if found[3] is not None else found[1] or found[2] or found[4])
        position = found.end()
    if not steps or len(notations) > 1:
        raise RedshiftError(INTERNAL, f"Invalid JSONPath format: {path}")
    first, rest = steps[0], steps[1:]

    def find(record: Record) -> Value:
        value = record.values.get(first) if isinstance(first, str) else None
        if not rest:
            return value
        current: object = parse_nested(value) if isinstance(value, str) and value[:1] in ("{", "[") else None
        for step in rest:
            if isinstance(step, int) and isinstance(current, list) and step < len(current):
                current = current[step]
            elif isinstance(step, str) and isinstance(current, dict):
                current = current.get(step)
            else:
                return None
        return as_text(current)

    return find


def _read_file(load: _Load, server: RedshiftDouble, url: Url, data: bytes) -> None:
    text = decode(data)
    load.scans.append(_Scan(url, len(data), text.count("\n") + (not text.endswith("\n"))))
    for record in read_records(text, server.options.resync):
        if record.error:
            _reject(load, url, record, None, Unfit(INVALID_LINE, record.error, record.position), None)
        else:
            row = _row(load, url, record)
            if row is not None:
                load.rows.append(row)
        if len(load.errors) >= load.limit:
            return


def _row(load: _Load, url: Url, record: Record) -> bytes | None:
    texts: list[str] = []
    for column, find, convert in zip(load.columns, load.finders, load.converters, strict=True):
        value = find(record)
        try:
            text = convert(value)
        except Unfit as unfit:
            _reject(load, url, record, column, unfit, value)
            return None
        texts.append("\\N" if text is None else text.translate(_ESCAPES))
    return ("\t".join(texts) + "\n").encode()


def _reject(
    load: _Load, url: Url, record: Record, column: TargetColumn | None, unfit: Unfit, value: Value
) -> None:
    load.errors.append(
        {
            "table_id": load.table_id,
            "file_name": str(url),
            "line_number": record.line,
            "column_name": column.name if column else "",
            "column_type": _shown_type(column) if column else "",
            "column_length": column.length if column else "",
            "position": unfit.position,
            "raw_line": _storable(record.raw, 1024),
            "raw_field_value": _storable("" if value is None else str(value), 1024),
            "error_code": unfit.code,
            "error_message": _storable(unfit.reason, 512),
        }
    )


def _shown_type(column: TargetColumn) -> str:
    return {"bpchar": "char", "int8": "int8", "int4": "int4", "int2": "int2"}.get(column.type, column.type)


def _storable(text: str, size: int) -> str:
    """Cut to bytes, and without what PostgreSQL could not hold."""
    clean = text.replace("\0", "?").encode("utf-8", "replace")
    return clean[:size].decode("utf-8", "ignore")


def _log(
    session: Session, server: RedshiftDouble, load: _Load, started: dt.datetime, *, failed: bool
) -> None:
    """Write what the system views show; it stays, whatever becomes of the transaction."""
    ended = dt.datetime.now(dt.UTC)
    xid = session.backend.query("SELECT txid_current()").rows[0][0] if session.backend.status == "T" else "0"
    common = {
        "user_id": session.user_id,
        "query_id": session.query_id,
        "transaction_id": int(xid or 0),
        "session_id": session.process_id,
        "database_name": session.database,
        "start_time": _stamp(started),
    }
    log = server.load_log(session.database)
    log.write("load_error", ({**common, **error} for error in load.errors))

    def details() -> Iterator[dict[str, object]]:
        for scan in load.scans:
            yield {
                **common,
                "file_name": str(scan.url),
                "bytes_scanned": scan.bytes,
                "lines_scanned": scan.lines,
                "splits_scanned": 1,
                "record_time": _stamp(ended),
                "start_offset": 0,
                "is_partial": 0,
            }

    if not failed:
        log.write("load_detail", details())
    size = sum(scan.bytes for scan in load.scans)
    log.write(
        "load_history",
        [
            {
                **common,
                "status": "aborted" if failed else "completed",
                "table_name": load.copy.name,
                "end_time": _stamp(ended),
                "duration": int((ended - started).total_seconds() * 1_000_000),
                "data_source": load.copy.source,
                "file_format": "json",
                "loaded_rows": 0 if failed else len(load.rows),
                "loaded_bytes": 0 if failed else size,
                "source_file_count": len(load.scans),
                "source_file_bytes": size,
                "file_count_scanned": len(load.scans),
                "file_bytes_scanned": size,
                "error_count": len(load.errors),
                "copy_job_id": 0,
            }
        ],
    )


def _stamp(when: dt.datetime) -> str:
    return when.replace(tzinfo=None).isoformat(sep=" ")
