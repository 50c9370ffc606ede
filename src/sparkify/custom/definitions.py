"""The user's own models and checks, read from their folder (``[DWH] MODELS``).

Its files::

    schema/name.sql     a model: one SELECT in Redshift's dialect, which becomes schema.name
    checks/name.sql     a check: one SELECT that returns the rows that are wrong
    tests/…             cases for `sparkify test` (:mod:`sparkify.custom.cases`)

The head of a file, its comments before the first word of SQL, says what it is in a sentence, and::

    -- materialized: view | table | incremental       (without this line: view)
    -- day: day                                       incremental: the column that tells the day
    -- grain: user_id, day                            checked: unique together
    -- check: unique(a, b), not_null(c)               checked, too
    -- uses: ref.countries                            tables that neither we nor a model make
    -- severity: warn | error                         of a check (without this line: error)

What is wrong in a file is found here, before anything is changed, and told with its line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from graphlib import CycleError
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sparkify.custom.sql_file import NAME, SqlFile, read_sql_file
from sparkify.errors import ConfigError
from sparkify.warehouse import tables
from sparkify.warehouse.statements import Statement, digest
from sparkify.warehouse.views import in_order, view_definitions

if TYPE_CHECKING:
    from sparkify.custom.parsed import Parsed

VIEW, TABLE, INCREMENTAL = "view", "table", "incremental"
ERROR, WARN = "error", "warn"
CHECKS, TESTS = "checks", "tests"
# Schemas that a model may not be put in: those of ours, those of the databases, and DuckDB's own databases.
REFUSED = frozenset(
    {
        *("public", "main", "etl", "analytics", "staging", "information_schema", "catalog_history"),
        *("warehouse", "memory", "temp", "system"),
    }
)
# Tables whose rows of a day change in runs that touch that day, and in no other.
_BY_DAY = frozenset({"songplays", "time", "staging_events"})
_RULE = re.compile(r"(unique|not_null)\s*\(([^()]*)\)")
# As etl.checks has names.
_LONGEST_NAME = 64


class Model(NamedTuple):
    """One model.

    Attributes:
        name: Its name with its schema, as SQL writes it.
        source: Its file.
        materialized: view, table or incremental.
        day: The column that tells the day, of an incremental one.
        stands_on: The models of the folder that it reads.
        by_day: Whether its rows of a day follow from what the warehouse has of that day, as far as the tables
            that it reads tell: then a run computes the days it touches, else all of it.
        digest: Of its text and of what it stands on.
    """

    name: str
    source: SqlFile
    materialized: str
    day: str
    stands_on: tuple[str, ...]
    by_day: bool
    digest: str

    @property
    def schema(self) -> str:
        """Its schema."""
        return self.name.partition(".")[0]

    def statement(self, before: str, after: str = "") -> Statement:
        """Return a statement with its SELECT in it."""
        text = f"{before}\n{self.source.text}\n{after}".rstrip()
        return Statement(text, self.source.path, 1, verbatim=True)


class OwnCheck(NamedTuple):
    """A check of the user's: a file, or what the head of a model says.

    Attributes:
        name: Its name among the checks, at most 64 characters.
        step: The query: some of the rows that break the rule.
        description: The rule.
        severity: error or warn.
        source: The file that asks for it.
        reads: The models that it reads.
    """

    name: str
    step: Statement
    description: str
    severity: str
    source: SqlFile
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Models:
    """What a folder holds; ``models`` each after those it stands on.

    ``folder`` is empty where none is set. Then whatever models the warehouse has stay as they are.
    """

    folder: str = ""
    models: tuple[Model, ...] = ()
    checks: tuple[OwnCheck, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.folder)

    def checks_of(self, severity: str) -> list[OwnCheck]:
        """Return the checks of that severity."""
        return [check for check in self.checks if check.severity == severity]

    def there(self, names: Iterable[str]) -> Models:
        """Return those of the models that a warehouse has, and the checks that can be made of them."""
        there = set(names)
        models = tuple(model for model in self.models if model.name in there)
        return Models(self.folder, models, tuple(each for each in self.checks if each.reads <= there))


NO_MODELS = Models()


def read_folder(folder: str) -> Models:
    """Read and verify every file of the folder; an empty name is no folder.

    Raises:
        ConfigError: There is no such folder.
        ModelError: Something is wrong in a file.
    """
    if not folder:
        return NO_MODELS
    root = Path(folder)
    if not root.is_dir():
        raise ConfigError(
            f"[DWH] MODELS is {folder}, and there is no such folder.",
            "Make it, or correct MODELS; empty: no models of your own.",
        )
    sources: dict[str, SqlFile] = {}
    checks: dict[str, SqlFile] = {}
    for path in sorted(root.rglob("*.sql")):
        parts = path.relative_to(root).parts
        if parts[0] == TESTS or any(part.startswith(".") for part in parts):
            continue
        source = read_sql_file(path)
        if len(parts) != 2:
            raise source.wrong(
                "a model lies in a folder named like its schema",
                f"Move it to {root}/SCHEMA/{path.name}, or to {root}/{CHECKS} if it is a check.",
            )
        source.verify_name(path.stem, "file")
        if parts[0] == CHECKS:
            checks[path.stem] = source
        else:
            _verify_schema(source, parts[0])
            sources[f"{parts[0]}.{path.stem}"] = source
    models = _ordered(sources)
    return Models(folder, tuple(models), tuple(_checks(models, checks, sources)))


def _verify_schema(source: SqlFile, schema: str) -> None:
    source.verify_name(schema, "folder")
    if schema in REFUSED or schema.startswith("pg_"):
        raise source.wrong(
            f"the schema {schema} is not for models of yours",
            f"Move it to a folder of another name. These are refused: {', '.join(sorted(REFUSED))}, pg_….",
        )


def _ordered(sources: Mapping[str, SqlFile]) -> list[Model]:
    """Return the models, each after those it stands on.

    Raises:
        ModelError: One reads what is not there, or some stand on each other.
    """
    from sparkify.custom.parsed import parse

    parsed = {name: parse(source) for name, source in sources.items()}
    for name, source in sources.items():
        _verify_references(source, parsed[name].references, sources)
    stands_on = {name: [each for each in tree.references if each in sources] for name, tree in parsed.items()}
    try:
        order = in_order(stands_on)
    except CycleError as exc:
        circle = list(reversed(exc.args[1]))
        first = circle[0]
        line = parsed[first].references[circle[1]]
        raise sources[first].wrong(
            f"models stand on each other: {' → '.join(circle)}", "Take one of these references out.", line
        ) from None
    found: dict[str, Model] = {}
    for name in order:
        model = _model(name, sources[name], parsed[name], found)
        columns = parsed[name].columns
        _verify_named(model.source, columns or ())
        for key in ("day", "grain", "check"):
            _verify_columns(model.source, key, columns)
        found[name] = model
    return list(found.values())


def _model(name: str, source: SqlFile, parsed: Parsed, before: Mapping[str, Model]) -> Model:
    """Return a model whose upstream ones are known."""
    references = parsed.references
    materialized = source.value("materialized", VIEW).lower()
    if materialized not in (VIEW, TABLE, INCREMENTAL):
        raise source.wrong(
            f"materialized is {materialized!r}",
            f"Say {VIEW}, {TABLE} or {INCREMENTAL}.",
            source.line_of("materialized"),
        )
    day = source.value("day").lower()
    if (materialized == INCREMENTAL) is not bool(day):
        raise source.wrong(
            "an incremental model says which column tells the day, and no other one does",
            "Write both lines, such as `-- materialized: incremental` and `-- day: day`, or neither.",
            source.line_of("day" if day else "materialized"),
        )
    if "severity" in source.head:
        line = source.line_of("severity")
        raise source.wrong("severity is said of checks, not of models", "Take the line out.", line)
    upstream = [before[each] for each in references if each in before]
    by_day = all(
        before[each].by_day and before[each].materialized != TABLE if each in before else each in _BY_DAY
        for each in references
    ) and not (parsed.by_file and "staging_events" in references)
    views = [view_definitions()[each] for each in sorted(references) if each in view_definitions()]
    standing = " ".join(each.digest for each in upstream)
    said = Statement(f"{materialized} {day}\n{source.text}\n{standing}", source.path, 1, verbatim=True)
    return Model(
        name, source, materialized, day, tuple(each.name for each in upstream), by_day, digest([said, *views])
    )


def _verify_references(source: SqlFile, references: Mapping[str, int], models: Iterable[str]) -> None:
    known = {*(name.removeprefix("public.") for name in tables.names()), *view_definitions(), *models}
    known.update(source.names("uses"))
    for name, line in references.items():
        if name not in known:
            close = get_close_matches(name, sorted(known), 1) or get_close_matches(
                name, sorted(each for each in known if each.endswith(f".{name}")), 1, 0.0
            )
            meant = f"{close[0]}, if that was meant. " if close else ""
            raise source.wrong(
                f"there is no table {name}",
                f"{meant}Name a table of the star, of staging or the ledger, a view of analytics, or a model "
                "with its schema; one that is none of these is named in the head: "
                f"`-- uses: {name if '.' in name else f'schema.{name}'}`.",
                line,
            )


def _verify_named(source: SqlFile, columns: Sequence[str]) -> None:
    """Raise where a column has no name, or two have the same: each database would call them otherwise."""
    for number, name in enumerate(columns, 1):
        if not name:
            raise source.wrong(f"its column {number} has no name", "Give it one, with AS.")
        if name in columns[: number - 1]:
            raise source.wrong(f"two of its columns are called {name}", "Give one another name, with AS.")


def _verify_columns(source: SqlFile, key: str, columns: Sequence[str] | None) -> None:
    """Raise where the head names columns that the SELECT does not have, as far as that is known."""
    named = source.names(key) if key != "check" else [name for _, names in _rules(source) for name in names]
    for name in named:
        if not NAME.fullmatch(name) or (columns is not None and name not in columns):
            has = f"It has {', '.join(sorted(columns))}." if columns else "Name a column of it."
            raise source.wrong(
                f"{key} names {name}, which the SELECT does not have", has, source.line_of(key)
            )


def _rules(source: SqlFile) -> list[tuple[str, tuple[str, ...]]]:
    """Return what the head's line ``check`` asks for: unique or not_null, and of which columns."""
    said = source.value("check")
    found = [
        (rule, tuple(name.strip().lower() for name in names.split(",")))
        for rule, names in _RULE.findall(said)
    ]
    if _RULE.sub("", said).replace(",", "").strip():
        raise source.wrong(
            f"check is {said!r}", "Write `-- check: unique(a, b), not_null(c)`.", source.line_of("check")
        )
    return found


def _checks(
    models: Iterable[Model], written: Mapping[str, SqlFile], sources: Collection[str]
) -> Iterator[OwnCheck]:
    """Yield the checks that the models' heads ask for, then those that are written."""
    from sparkify.custom.parsed import parse

    for model in models:
        source = model.source
        rules = [("unique", names)] if (names := source.names("grain")) else []
        rules += [rule for rule in _rules(source) if rule not in rules]
        if model.day:
            rules = [*rules, *([] if _is_checked(model.day, rules) else [("not_null", (model.day,))])]
        for rule, columns in rules:
            listed = ", ".join(columns)
            yield _check(
                f"{model.name}:{rule}({listed})",
                _unique(model.name, listed) if rule == "unique" else _not_null(model.name, columns),
                f"{rule}({listed}) of {model.name}",
                ERROR,
                source,
                {model.name},
            )
    for name, source in written.items():
        references = parse(source).references
        _verify_references(source, references, sources)
        severity = source.value("severity", ERROR).lower()
        if severity not in (ERROR, WARN):
            line = source.line_of("severity")
            raise source.wrong(f"severity is {severity!r}", f"Say {ERROR} or {WARN}.", line)
        for key in source.head:
            if key not in ("severity", "uses"):
                line = source.line_of(key)
                raise source.wrong(f"{key} is said of models, not of checks", "Take the line out.", line)
        reads = {each for each in references if each in sources}
        yield _check(f"{CHECKS}/{name}", source.text, source.description or name, severity, source, reads)


def _is_checked(column: str, rules: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
    return any(rule == "not_null" and column in columns for rule, columns in rules)


def _check(
    name: str, sql: str, description: str, severity: str, source: SqlFile, reads: Iterable[str]
) -> OwnCheck:
    step = Statement(sql, source.path, 1, verbatim=True)
    return OwnCheck(_shortened(name), step, description, severity, source, frozenset(reads))


def _shortened(name: str) -> str:
    """Return a name that is as long as one may be, and another one for another name."""
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 9]}~{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"


def _unique(name: str, columns: str) -> str:
    return f"SELECT {columns}, COUNT(*) AS rows_found\nFROM {name}\nGROUP BY {columns}\nHAVING COUNT(*) > 1"


def _not_null(name: str, columns: Iterable[str]) -> str:
    return f"SELECT *\nFROM {name}\nWHERE {' OR '.join(f'{column} IS NULL' for column in columns)}"
