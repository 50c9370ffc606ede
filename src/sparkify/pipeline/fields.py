"""The fields of the records: those that have a column, and those whose values are kept in ``extra``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sparkify.pipeline.stage import told_apart
from sparkify.records import EVENTS, SONGS, RecordKind
from sparkify.warehouse.derived import column_type
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import EXTRA_SINCE, read_adopted, read_meta, with_adopted
from sparkify.warehouse.statements import read_statements, statement

BUILT_IN, ADOPTED, UNKNOWN = "built-in", "adopted", "unknown"


@dataclass(slots=True)
class KnownField:
    """A field of one kind of record.

    Attributes:
        kind: The kind of record.
        name: The key in the files.
        state: :data:`BUILT_IN`: it has a column. :data:`ADOPTED`: it was given one. :data:`UNKNOWN`: it has
            none.
        column: Its column in staging; None: it has none.
        type: The type of the column.
        records: How often records of files had it, those not loaded and those taken out again too; None: that
            is not counted.
        share: Of the recent records, the part that has a value for it in ``extra``, from 0 to 1; None: it is
            not known. Recent are the events of the last seven days with events, and all songs. Of an adopted
            field these are the values that its column does not hold as they stand.
        types: The JSON types of these values, the commonest first.
        sample: One of the values, as JSON.
        first_uri: The file that had it first.
        first_seen: When that was read, in UTC.
    """

    kind: str
    name: str
    state: str
    column: str | None = None
    type: str | None = None
    records: int | None = None
    share: float | None = None
    types: list[str] = field(default_factory=list)
    sample: str | None = None
    first_uri: str | None = None
    first_seen: datetime | None = None


def list_fields(engine: Engine) -> list[KnownField]:
    """Return the fields of a warehouse that is open for reading: those without a column first."""
    found = {
        (kind, name, ""): KnownField(
            kind, name, UNKNOWN, records=int(records), first_uri=first_uri, first_seen=first_seen
        )
        for kind, name, records, first_uri, first_seen in engine.execute(statement("fields/unknown.sql"))
    }
    kinds = with_adopted(read_adopted(engine))
    for kind in kinds:
        for each in kind.adopted:
            known = KnownField(kind.name, each.name, ADOPTED, each.column, column_type(each))
            former = found.pop((kind.name, each.name, ""), None)
            if former and not each.path:
                known.records = former.records
                known.first_uri, known.first_seen = former.first_uri, former.first_seen
            found[kind.name, each.name, each.column] = known
    meta = read_meta(engine)
    if meta and meta.schema_version >= EXTRA_SINCE:
        for kind, records, extras in (_recent_events(engine), _songs(engine)):
            _look_into(kind, records, extras, found.values())
    built_in = [
        KnownField(kind.name, each.key, BUILT_IN, each.column, column_type(each))
        for kind in kinds
        for each in kind.built_in
    ]
    return [*found.values(), *built_in]


def _recent_events(engine: Engine) -> tuple[RecordKind, int, Iterable[str]]:
    recent, extras = read_statements("fields/recent_events.sql")
    ((ts_from, records),) = engine.execute(recent)
    rows = engine.execute(extras, ts_from=ts_from) if records else []
    return EVENTS, int(records or 0), (text for (text,) in rows)


def _songs(engine: Engine) -> tuple[RecordKind, int, Iterable[str]]:
    count, extras = read_statements("fields/songs.sql")
    ((records,),) = engine.execute(count)
    return SONGS, records, (text for (text,) in engine.execute(extras))


def _look_into(kind: RecordKind, records: int, extras: Iterable[str], found: Iterable[KnownField]) -> None:
    """Note in ``found`` which fields recent records have, of which types."""
    with_it: Counter[str] = Counter()
    types: dict[str, Counter[str]] = {}
    samples: dict[str, str] = {}
    for text in extras:
        for key, value in json.loads(text).items():
            name = told_apart(key)  # as the ledger has it
            with_it[name] += 1
            types.setdefault(name, Counter())[type_of(value)] += 1
            samples.setdefault(name, json.dumps(value, ensure_ascii=False))
    for each in found:
        if each.kind == kind.name and records:
            name = each.name
            if each.state == ADOPTED and name not in with_it:
                continue
            each.share = with_it[name] / records
            each.types = [type_ for type_, _ in types.get(name, Counter()).most_common()]
            each.sample = samples.get(name)


def type_of(value: object) -> str:
    """Return what a JSON value is, in a word that people know."""
    names = {
        str: "text",
        bool: "boolean",
        int: "whole number",
        float: "number",
        dict: "object",
        list: "array",
    }
    return names.get(type(value), "null")
