"""A column for a field that had none, filled for all that was ever loaded; and back again.

What a record has of the field lies in ``extra``. Each different text there is judged once, by the rules by
which files are read (:mod:`sparkify.intake.adopted`), so that a column which is filled here equals one that
is filled from the files. It is a run of its own in the history: one transaction, under the lock of every run.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sparkify.custom.definitions import NO_MODELS, Models
from sparkify.errors import CheckError, Command, ConfigError, Hint, SparkifyError
from sparkify.intake.adopted import adopted_values, given_back
from sparkify.intake.extra import extra_of
from sparkify.intake.parse import Repeating, pairs_of, parse
from sparkify.intake.rules import Refusal
from sparkify.pipeline.fields import type_of
from sparkify.pipeline.progress import ShowProgress
from sparkify.pipeline.removal import ADOPT, DROP, Change, as_run
from sparkify.pipeline.scope import Scope
from sparkify.pipeline.stage import told_apart
from sparkify.pipeline.transform import build_own
from sparkify.records import EXTRA, Field, RecordKind
from sparkify.text import counted
from sparkify.warehouse.column_names import as_column_name, why_no_column_name
from sparkify.warehouse.connect import require
from sparkify.warehouse.derived import adoption_statements, column_type
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.ledger import (
    EXTRA_RULES,
    EXTRA_SINCE,
    AdoptedField,
    Meta,
    RunRecord,
    read_adopted,
    read_ledger,
    read_models,
    record,
    with_adopted,
)
from sparkify.warehouse.statements import Statement, statement
from sparkify.warehouse.version import set_models_aside

# Files are taken together until they have so many rows.
_ROWS = 500_000
_SHOWN = 5
_LONGEST_NAME = 200
# A text's column is twice as wide as the longest one seen, a power of two and this at least, if it may be.
_NARROWEST, _WIDEST = 64, 65_000
_TYPES = {"BOOLEAN", "INTEGER", "BIGINT", "DOUBLE"}
_BEYOND = 2**63


@dataclass(slots=True)
class SeenValues:
    """What the records that were ever loaded have of a field.

    Attributes:
        records: How many have a value for it.
        types: The JSON types of these, with how many records have each.
        longest: Bytes of the longest text that a value makes.
        inside: The keys of objects among them.
        beyond: Whether there is a whole number that BIGINT does not hold.
    """

    records: int = 0
    types: Counter[str] = field(default_factory=Counter)
    longest: int = 0
    inside: set[str] = field(default_factory=set)
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class Adoption:
    """A field that is to be adopted, or has been.

    Attributes:
        kind: The kind of record, as it was before.
        field: The field.
        seen: What the records have of it.
        unread: Loaded files of an older version, which did not keep what has no column: the next run reads
            again those that the lake still has.
        there: Whether it was adopted before, just so.
        run: The run that adopted it; None: it was planned only.
        filled: The rows that have a value in the column.
        converted: Those of which ``extra`` keeps the value, too: the column has it in another form, such as
            12 as 12.0.
        misfits: The rows of which only ``extra`` keeps the value.
        samples: Some of these values, as JSON.
    """

    kind: RecordKind
    field: Field
    seen: SeenValues
    unread: Sequence[str] = ()
    there: bool = False
    run: RunRecord | None = None
    filled: int = 0
    converted: int = 0
    misfits: int = 0
    samples: Sequence[str] = ()


def plan_adoption(
    engine: Engine, name: str, kind: str | None, type_: str | None, column: str | None
) -> Adoption:
    """Return what adopting a field would come to.

    Args:
        engine: The warehouse.
        name: The key of the field; inside an object with the keys that lead to it, and dots.
        kind: The kind of record; None: the one whose files had it.
        type_: The column's type, such as ``VARCHAR(64)``; None: what the values seen need.
        column: The column's name; None: made of the field's.

    Raises:
        ConfigError: There is no such field, or no such column can be made.
        EngineError: There is no warehouse.
    """
    ledger = read_ledger(engine)
    with engine.reading() as exists:
        require(engine, exists=exists)
        _verify_extra(engine, ledger.meta)
        chosen, path = _find_field(engine, ledger.kinds, name, kind)
        seen = _look(engine, chosen, path)
    key, *rest = path
    former = next((each for each in chosen.adopted if each.name == name), None)
    if former:
        there = (former.key, *former.path) == path and column in (None, former.column)
        if there and (type_ is None or _parsed_type(type_) == (former.type, former.width)):
            return Adoption(chosen, former, seen, there=True)
        raise ConfigError(
            f"{name} has the column {former.column} {column_type(former)}.",
            Hint("{} takes that away; adopt it again then.", Command("fields", "drop", name)),
        )
    declared = Field(
        key,
        column or _free_name(chosen, name),
        *_declared_type(type_, seen, name),
        adopted=True,
        path=tuple(rest),
    )
    _verify_column(chosen, declared)
    lost = ledger.lost_fields if ledger.meta and ledger.meta.rules_version < EXTRA_RULES else frozenset()
    unread = [
        file.uri
        for file in ledger.files
        if file.state == "loaded" and file.kind == chosen.name and (file.run_id, file.kind) in lost
    ]
    return Adoption(chosen, declared, seen, unread)


def adopt(
    engine: Engine,
    planned: Adoption,
    progress: ShowProgress,
    models: Models = NO_MODELS,
    *,
    strict: bool = False,
) -> Adoption:
    """Give staging the column, and fill it for every row, in one transaction.

    Args:
        engine: The warehouse.
        planned: The field.
        progress: Told what is done.
        models: The user's own models.
        strict: Whether a value that the column does not hold undoes it all.

    Raises:
        CheckError: ``strict``, and there is such a value; nothing was changed.
        ConfigError: Somebody else has given another field a column of that name meanwhile.
        SparkifyError: … or has adopted the field.
    """
    kind, declared = planned.kind, planned.field
    steps = adoption_statements(kind, declared)
    outcome = planned

    def change(run_id: int, _meta: Meta) -> Change:
        nonlocal outcome
        now = next(each for each in with_adopted(read_adopted(engine)) if each.name == kind.name)
        _verify_new(now, declared)
        _verify_column(now, declared)
        engine.use_all_memory()
        _set_aside(engine, models)
        engine.execute(steps.add_column)
        engine.execute(steps.fill_table)
        tally = _Tally(declared)
        for number, (file_from, file_to) in enumerate(_stretches(engine, kind)):
            progress(label=f"filling {declared.column}" + (f", part {number + 1}" if number else ""))
            within = {"file_from": file_from, "file_to": file_to}
            found = engine.execute(steps.extras, text=_as_written(declared.key), **within)
            engine.execute(Statement("DELETE FROM run_adopted", steps.fill.path, 1))
            changed = [row for text, records in found if (row := tally.judge(text, int(records)))]
            if changed:
                engine.insert("run_adopted", ("extra", "kept", "found"), changed)
                engine.execute(steps.fill, **within)
        ((filled,),) = engine.execute(steps.count_filled)
        if int(filled) != tally.filled:
            raise SparkifyError(
                f"{counted(int(filled), 'row')} of {kind.staging} have a value in {declared.column}, "
                f"{tally.filled:,} should.",
                "Nothing was changed. Report it with what --debug shows.",
            )
        if strict and tally.misfits:
            raise CheckError(
                f"{counted(tally.misfits, 'value')} of {declared.name} do not fit {column_type(declared)}: "
                f"{', '.join(tally.samples)}.",
                "Nothing was changed. Choose another --type, or leave --strict out: extra keeps them.",
            )
        record(engine, "etl.fields", [AdoptedField.of(kind, declared, run_id)])
        build_own(engine, models, Scope.all(), run_id, progress)
        outcome = replace(
            planned,
            filled=tally.filled,
            converted=tally.converted,
            misfits=tally.misfits,
            samples=tally.samples,
        )
        return Change()

    run = as_run(engine, [], ADOPT, progress, change)
    return replace(outcome, run=run)


@dataclass(frozen=True, slots=True)
class DroppedField:
    """A field that is no longer adopted.

    Attributes:
        kind: The kind of record.
        field: The field.
        records: The rows that had a value in the column.
        run: The run that dropped it; None: it was planned only.
    """

    kind: RecordKind
    field: Field
    records: int
    run: RunRecord | None = None


def plan_drop(engine: Engine, name: str, kind: str | None) -> DroppedField:
    """Return what dropping an adopted field would come to.

    Args:
        engine: The warehouse.
        name: What the field is called, or its column.
        kind: The kind of record; None: the one that has it.

    Raises:
        ConfigError: No such field was adopted, or several were.
        EngineError: There is no warehouse.
    """
    with engine.reading() as exists:
        require(engine, exists=exists)
        chosen, declared = _find_adopted(with_adopted(read_adopted(engine)), name, kind)
        ((records,),) = engine.execute(adoption_statements(chosen, declared).count_filled)
    return DroppedField(chosen, declared, int(records))


def drop(
    engine: Engine, planned: DroppedField, progress: ShowProgress, models: Models = NO_MODELS
) -> DroppedField:
    """Put the values of an adopted field back into ``extra``, and drop its column, in one transaction.

    Raises:
        SparkifyError: ``extra`` has no room for a value; nothing was changed.
    """
    kind, declared = planned.kind, planned.field
    steps = adoption_statements(kind, declared)

    def change(run_id: int, _meta: Meta) -> Change:
        if all(each.kind != kind.name or each.declared != declared for each in read_adopted(engine)):
            raise SparkifyError(
                f"{declared.name} has the column {declared.column} {column_type(declared)} no more.",
                Hint(
                    "Nothing was changed: another run came between. {} says what it has now.",
                    Command("fields", "list"),
                ),
            )
        engine.use_all_memory()
        _set_aside(engine, models)
        if not declared.path:
            engine.execute(steps.put_back_table)
            for file_from, file_to in _stretches(engine, kind):
                progress(label=f"putting {declared.column} back")
                within = {"file_from": file_from, "file_to": file_to}
                found = engine.execute(steps.values, **within)
                engine.execute(Statement("DELETE FROM run_put_back", steps.put_back.path, 1))
                changed = [
                    (text, _as_text(value), kept)
                    for text, value, _ in found
                    if (kept := _put_back(text, value, declared))
                ]
                if changed:
                    engine.insert("run_put_back", ("extra", "found", "kept"), changed)
                    engine.execute(steps.put_back, **within)
            ((lost,),) = engine.execute(steps.count_lost, text=_as_written(declared.key))
            if int(lost):
                raise SparkifyError(
                    f"the values of {declared.column} of {counted(int(lost), 'row')} of {kind.staging} are "
                    f"not in {EXTRA} again.",
                    "Nothing was changed. Report it with what --debug shows.",
                )
        forgotten = {"kind": kind.name, "field": declared.name, "column_name": declared.column}
        engine.execute(statement("fields/forget.sql"), **forgotten)
        engine.execute(steps.drop_column)
        build_own(engine, models, Scope.all(), run_id, progress)
        return Change()

    run = as_run(engine, [], DROP, progress, change)
    return DroppedField(kind, declared, planned.records, run)


def _set_aside(engine: Engine, models: Models) -> None:
    """Drop the user's views, which may show all columns, so that they are made again at the end.

    Raises:
        SparkifyError: There is a model without its file, which could not be made again.
    """
    there = {each.name for each in models.models}
    kept = [each.model for each in read_models(engine) if each.model not in there]
    if kept:
        raise SparkifyError(
            f"{', '.join(kept)} may show the columns of staging, and there is no file to make it again by.",
            Hint(
                "Nothing was changed. Set [DWH] MODELS to the folder of your models; {} drops those without "
                "a file.",
                Command("etl", "--yes"),
            ),
        )
    set_models_aside(engine)


@dataclass(slots=True)
class _Tally:
    """Judges the texts in ``extra``, and counts what becomes of the field."""

    declared: Field
    filled: int = 0
    converted: int = 0
    misfits: int = 0
    samples: list[str] = field(default_factory=list)

    def judge(self, text: str, records: int) -> tuple[str, str | None, str | None] | None:
        """Return what ``extra`` is to hold, and the column, both as text; None: nothing changes."""
        kept = parse(text.encode())
        found = adopted_values(kept, [self.declared])
        value = found.columns[self.declared.column]
        if found.misfits:
            self.misfits += records
            sample = _shown(kept, self.declared)
            if len(self.samples) < _SHOWN and sample not in self.samples:
                self.samples.append(sample)
        if value is None:
            return None
        self.filled += records
        if not found.held and not self.declared.path:
            self.converted += records
        return text, extra_of(kept, found.held), _as_text(value)


def _as_text(value: Any) -> str:
    """Return a column's value as a text that can be cast to it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _put_back(text: str, value: Any, field: Field) -> str | None:
    """Return what ``extra`` is to hold with the value of a column; None: it has it already.

    Raises:
        SparkifyError: It has no room for it.
    """
    kept = parse(text.encode()) if text else {}
    pairs = list(pairs_of(kept))
    if any(key == field.key for key, _ in pairs):
        return None
    value = value.removesuffix("|") if field.is_text else given_back(value)
    together = Repeating([*pairs, (field.key, value)])
    together.pairs = [*pairs, (field.key, value)]
    try:
        return extra_of(together, ())
    except Refusal as refusal:
        raise SparkifyError(
            f"{field.name} cannot go back into {EXTRA}: {refusal.detail}.",
            "Nothing was changed. Keep the column, or drop another field first.",
        ) from None


def _stretches(engine: Engine, kind: RecordKind) -> Iterator[tuple[int, int]]:
    """Yield the first and the last number of files that are looked at together."""
    files = engine.execute(statement("fields/files.sql"), kind=kind.name)
    first, rows = None, 0
    for number, loaded in files:
        first = number if first is None else first
        rows += int(loaded)
        if rows >= _ROWS:
            yield first, number
            first, rows = None, 0
    if first is not None:
        yield first, files[-1][0]


def _look(engine: Engine, kind: RecordKind, path: Sequence[str]) -> SeenValues:
    """Return what the records have of a field, in ``extra``; of an adopted one that is what did not fit."""
    seen = SeenValues()
    key, *rest = path
    steps = adoption_statements(kind, Field(key, EXTRA, "VARCHAR"))
    for file_from, file_to in _stretches(engine, kind):
        for text, records in engine.execute(
            steps.extras, text=_as_written(key), file_from=file_from, file_to=file_to
        ):
            for value in (value for each, value in json.loads(text, object_pairs_hook=_pairs) if each == key):
                found = value
                for each in rest:
                    found = dict(found).get(each) if isinstance(found, _Object) else None
                if found is not None:
                    _note(seen, found, int(records))
    return seen


class _Object(list[Any]):
    """The keys and values of a JSON object."""


def _pairs(pairs: list[tuple[str, Any]]) -> _Object:
    return _Object(pairs)


def _note(seen: SeenValues, value: Any, records: int) -> None:
    seen.records += records
    if isinstance(value, _Object):
        seen.types["object"] += records
        seen.inside |= {key for key, _ in value}
        return
    seen.types[type_of(value)] += records
    if isinstance(value, int) and not -_BEYOND <= value < _BEYOND:
        seen.beyond = True
    text = value if isinstance(value, str) else json.dumps(value)
    seen.longest = max(seen.longest, len(text.encode(errors="replace")))


def _find_field(
    engine: Engine, kinds: Collection[RecordKind], name: str, wanted: str | None
) -> tuple[RecordKind, tuple[str, ...]]:
    """Return the kind of a field, and the keys that lead to it.

    Raises:
        ConfigError: It has a column from the start, no file had it, or those of several kinds had it.
    """
    chosen = [kind for kind in kinds if wanted in (None, kind.name)]
    for kind in chosen:
        for each in kind.built_in:
            if each.key == name and len(chosen) == 1:
                raise ConfigError(f"{name} has the column {each.column} in {kind.staging}.", "Use that.")
    if not name or len(name) > _LONGEST_NAME or not name.isprintable() or set('"\\') & set(name):
        raise ConfigError(f"{name[:_LONGEST_NAME]!r} is no name that can be adopted.", "Query it in extra.")
    met = {(kind, found) for kind, found, *_ in engine.execute(statement("fields/unknown.sql"))}
    inside = tuple(name.split("."))
    for path in dict.fromkeys([(name,), inside]):
        found = [
            kind
            for kind in chosen
            if (kind.name, told_apart(path[0])) in met
            or any((each.key, *each.path) == path for each in kind.adopted)
        ]
        if found and all(path):
            _verify_one([kind.name for kind in found], name)
            return found[0], path
    if wanted and all(inside):
        return chosen[0], inside
    built_in = next(((k, e) for k in chosen for e in k.built_in if e.key == name), None)
    if built_in:
        raise ConfigError(
            f"{name} has the column {built_in[1].column} in {built_in[0].staging}.", "Use that."
        )
    raise ConfigError(
        f"no file had a field {name!r}.",
        Hint("{} says which had which; --kind adopts one before it comes.", Command("fields", "list")),
    )


def _find_adopted(kinds: Collection[RecordKind], name: str, wanted: str | None) -> tuple[RecordKind, Field]:
    """Return an adopted field of that name, or with a column of that name, and its kind.

    Raises:
        ConfigError: There is none, or there are several.
    """
    adopted = [(kind, each) for kind in kinds for each in kind.adopted if wanted in (None, kind.name)]
    found = [(kind, each) for kind, each in adopted if each.name == name]
    found = found or [(kind, each) for kind, each in adopted if each.column == name]
    if not found:
        raise ConfigError(
            f"no field {name!r} was adopted.", Hint("{} says which were.", Command("fields", "list"))
        )
    _verify_one(list(dict.fromkeys(kind.name for kind, _ in found)), name)
    if len(found) > 1:  # two who adopted it at a time were once let do so
        columns = [each.column for _, each in found]
        found = [(kind, each) for kind, each in found if each.column == name]
        if not found:
            raise ConfigError(
                f"{name} has the columns {' and '.join(columns)}.",
                Hint("Name the one that is to go: {}.", Command("fields", "drop", columns[-1])),
            )
    return found[0]


def _verify_new(kind: RecordKind, declared: Field) -> None:
    """Raise if a kind has adopted a field of that name.

    Raises:
        SparkifyError: It has.
    """
    former = next((each for each in kind.adopted if each.name == declared.name), None)
    if former:
        raise SparkifyError(
            f"{declared.name} was given the column {former.column} {column_type(former)} meanwhile.",
            Hint("Nothing was changed. {} takes that away.", Command("fields", "drop", declared.name)),
        )


def _verify_extra(engine: Engine, meta: Meta | None) -> None:
    if meta is None or meta.schema_version < EXTRA_SINCE:
        raise ConfigError(
            f"{engine.place} was made by an older version, which keeps no fields without a column.",
            Hint("{} brings it up to date.", Command("upgrade")),
        )


def _verify_one(kinds: Sequence[str], name: str) -> None:
    if len(kinds) > 1:
        raise ConfigError(
            f"{' and '.join(kinds)} have a field {name!r}.", f"Say which with --kind {kinds[0]}."
        )


def _free_name(kind: RecordKind, name: str) -> str:
    """Return a name for the column, made of the field's; with the kind before it where that cannot be."""
    plain = as_column_name(name)
    names = [plain, f"{kind.noun}_{plain}", *(f"{kind.noun}_{plain}_{number}" for number in range(2, 100))]
    return next((each for each in names if plain and not _why_not(kind, each)), plain)


def _why_not(kind: RecordKind, column: str) -> str | None:
    """Return why a kind's staging cannot be given a column of that name, as a clause; None: it can."""
    taken = {*kind.columns, "file_id", EXTRA, "needs_rereading"}
    return f"{kind.staging} has a column of that name" if column in taken else why_no_column_name(column)


def _verify_column(kind: RecordKind, declared: Field) -> None:
    """Raise unless a kind's staging can be given the column.

    Raises:
        ConfigError: The name is taken, or none that a column can have.
    """
    why = _why_not(kind, declared.column)
    if why:
        raise ConfigError(
            f"{declared.name} cannot have the column {declared.column!r}: {why}.",
            "Choose another with --as.",
        )


def _declared_type(type_: str | None, seen: SeenValues, name: str) -> tuple[str, int | None]:
    """Return the type and width of the column.

    Raises:
        ConfigError: The type is none we know, or none is given and the values do not tell.
    """
    if type_ is not None:
        return _parsed_type(type_)
    single = {each for each in seen.types if each not in ("object", "array")}
    if not single:
        what = f"its values are {' and '.join(sorted(seen.types))}s" if seen.types else "it had no value yet"
        inside = [f"{name}.{key}" for key in sorted(seen.inside)][:_SHOWN]
        raise ConfigError(
            f"{name} tells no type for its column: {what}.",
            f"Adopt what is inside: {', '.join(inside)}." if inside else "Say one with --type.",
        )
    if single == {"boolean"}:
        return "BOOLEAN", None
    if single == {"whole number"} and not seen.beyond:
        return "BIGINT", None
    if single <= {"whole number", "number"} and not seen.beyond:
        return "DOUBLE", None
    width = _NARROWEST
    while width < 2 * seen.longest:
        width *= 2
    return "VARCHAR", min(width, _WIDEST)


def _parsed_type(text: str) -> tuple[str, int | None]:
    name, bracket, rest = text.strip().upper().replace(" PRECISION", "").partition("(")
    name = name.strip()
    if name in _TYPES and not bracket:
        return name, None
    digits = rest.strip().removesuffix(")").strip()
    if name == "VARCHAR" and digits.isascii() and digits.isdigit() and 0 < int(digits) <= _WIDEST:
        return name, int(digits)
    raise ConfigError(
        f"{text!r} is no type that a field can be adopted with.",
        f"Use BOOLEAN, INTEGER, BIGINT, DOUBLE or VARCHAR(n) with n up to {_WIDEST:,}.",
    )


def _as_written(key: str) -> str:
    """Return a key as it stands in ``extra``."""
    return json.dumps(key, ensure_ascii=False) + ":"


def _shown(kept: Any, field: Field) -> str:
    value = next((value for key, value in pairs_of(kept) if key == field.key), None)
    for key in field.path:
        value = value.get(key) if isinstance(value, dict) else None
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}…"
