"""How DuckDB reads our files: one statement parses, converts and marks the rows that need re-reading.

DuckDB's strict reader rounds 12.7 into an integer column, reads ``true`` as 1 and an object as text. So
integers are read as text and converted here, and every row that DuckDB may read differently than our rules
do is marked ``needs_rereading``; the pipeline then reads its file again, record by record, by our rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import duckdb

from sparkify.errors import LoadError
from sparkify.records import EXTRA, EXTRA_BYTES, EXTRA_KEY, FILE_KEY, Between, Field, RecordKind, Rule
from sparkify.warehouse.derived import LOOKS_REAL
from sparkify.warehouse.engine import AGAIN

_LEVELS = 50
# With hive partitioning DuckDB would read a folder named level=paid as the level of every record in it.
_NAMED = "filename = true, hive_partitioning = false"
# How long the texts of doubles are that may have been rounded: all have 16 digits and more.
_MANY_DIGITS, _LONGEST_DOUBLE = 17, 25
# In what ``extra`` is to hold: characters and numbers that DuckDB may write differently than we do.
_ESCAPE = r"\u"
_TEXTS = r'"(?:[^"\\]|\\.)*"'
_WRITTEN_DIFFERENTLY = r"[0-9][eE]|[0-9.]{16}|0[.]000"
_MOST_OTHERS = 100
# Numbers that the type holds as they stand; not -0, which JSON and a double take for different numbers.
_SURELY = {
    "INTEGER": "-?[0-9]{1,9}",
    "BIGINT": "-?[0-9]{1,18}",
    "DOUBLE": "([0-9]|-[1-9])[0-9]{0,6}([.][0-9]{1,7})?",
}
# NaN and Infinity, which JSON does not know; numbers so long that a double may round them.
_NESTED_BEYOND_JSON = (
    "(regexp_matches(json, '(?i)[[,:]\\s*-?(nan|inf|[0-9.]{17})') "
    f"OR strlen(json) - strlen(replace(replace(json, '[', ''), '{{', '')) > {_LEVELS})"
)


def fields_read(kind: RecordKind) -> tuple[Field, ...]:
    """Return the fields of a kind that DuckDB reads as columns: of adopted ones it may not read every one."""
    read = list(kind.built_in)
    for field in kind.adopted:
        if not field.path and may_be_columns([field.key], [each.key for each in read]):
            read.append(field)
    return tuple(read)


def files_sql(kind: RecordKind, files: str, *, flat: bool, others: Sequence[str] = ()) -> str:
    """Return the statement that lands files as delivered; ``run_paths`` maps each path to its file_id.

    With ``flat``, numbers are read as what they are, and no text is tested for being an object or array.

    Args:
        kind: The kind of their records.
        files: The list of their paths, in SQL.
        flat: Whether every value is what its column holds as it stands (:mod:`sparkify.intake.glance`).
        others: The keys without a column whose values are kept in ``extra``, in the order of their names.
    """
    source = _read_json(fields_read(kind), files, flat=flat, others=others)
    return (
        f"INSERT INTO {kind.landing}\nSELECT\n    {_values(kind, others)},\n    p.file_id,\n"
        f"    {_extra(kind, others)},\n"
        f"    {_needs_rereading(kind, flat=flat, others=others)}\nFROM {source} AS j\n"
        "INNER JOIN run_paths AS p ON j.filename = p.path"
    )


def may_be_columns(keys: Sequence[str], known: Iterable[str]) -> bool:
    """Tell whether DuckDB can read keys as columns beside known ones: it ignores case in their names.

    Nor are there more of them than a statement should name, and none that JSON would write with escapes.
    """
    names = [name.lower() for name in (*known, *keys, "filename", "path", "file_id")]
    plain = all(key and key.isprintable() and '"' not in key and "\\" not in key for key in keys)
    return plain and len(keys) <= _MOST_OTHERS and len(set(names)) == len(names)


def packed_sql(kind: RecordKind, path: str, *, accepted: bool) -> str:
    """Return the statement that lands packed records, each of which holds its file's number.

    Args:
        kind: The kind of the records.
        path: The file of packed records.
        accepted: Whether our rules have accepted them, so that each may hold what ``extra`` is to hold.
    """
    number = _name(FILE_KEY)
    if accepted:
        read = [field._replace(key=field.accepted_key, adopted=False, path=()) for field in kind.fields]
        kind = replace(kind, fields=tuple(read), rules=())  # of keys that it has no more
        others: list[Field] = [Field(EXTRA_KEY, EXTRA, "VARCHAR")]
    else:
        read, others = list(fields_read(kind)), []
    source = _read_json([*read, Field(FILE_KEY, "file_id", "VARCHAR"), *others], listed([path]))
    return (
        f"INSERT INTO {kind.landing}\nSELECT\n    {_values(kind)},\n    TRY_CAST({number} AS BIGINT),\n"
        f"    {_name(EXTRA_KEY) if accepted else _extra(kind)},\n"
        f"    {'FALSE' if accepted else _needs_rereading(kind)}\nFROM {source} AS j"
    )


def survey_sql(paths: Sequence[str]) -> str:
    """Return the query that counts every key of every file: path, key, occurrences.

    The key NULL counts the lines that may contain, inside a value, something that DuckDB accepts and JSON
    does not allow, or more levels of nesting than our own parser accepts.
    """
    return (
        "SELECT filename, key, COUNT(*) FROM (SELECT filename, UNNEST(json_keys(json) || "  # noqa: S608
        f"CASE WHEN {_NESTED_BEYOND_JSON} THEN [NULL] ELSE [] END) AS key FROM "
        f"read_ndjson_objects({listed(paths)}, {_NAMED})) GROUP BY filename, key"
    )


def load_error(exc: Exception) -> LoadError | None:
    """Return an error about a file's contents as a :class:`LoadError`; None for any other error.

    The pipeline then reads the file record by record and finds the place itself; the text is for the log.
    """
    text = str(exc).split("\n", 1)[0]
    wrong_json = isinstance(exc, duckdb.InvalidInputException | duckdb.ConversionException)
    # An error in a compressed stream names no file; an error about a file as a whole names it in quotes.
    wrong_stream = isinstance(exc, duckdb.IOException) and (
        '"' not in text or re.search(r"gzip|zstd|compress|corrupt", text, re.IGNORECASE)
    )
    # DuckDB quotes the file's content in its message, and may cut the quotation inside a character.
    cut_quotation = isinstance(exc, UnicodeDecodeError)
    if not (wrong_json or wrong_stream or cut_quotation):
        return None
    return LoadError(text, AGAIN, uri="")


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def listed(paths: Sequence[str]) -> str:
    """Return paths as a list in SQL."""
    return f"[{', '.join(literal(path) for path in paths)}]"


def _read_json(fields: Sequence[Field], files: str, *, flat: bool = False, others: Sequence[str] = ()) -> str:
    types = [*((each.key, _read_as(each, flat=flat)) for each in fields), *((key, "JSON") for key in others)]
    columns = ",\n        ".join(f"{literal(key)}: {literal(type_)}" for key, type_ in types)
    return (
        f"read_json(\n    {files},\n    format = 'newline_delimited',\n"
        f"    columns = {{\n        {columns}\n    }},\n"
        f"    {_NAMED},\n    ignore_errors = false\n)"
    )


def _read_as(field: Field, *, flat: bool) -> str:
    if field.adopted:
        return "JSON"  # which tells 12 from "12"
    # Integers are read as text, which keeps every digit, unless they are plain digits.
    return field.type if field.type in ("BOOLEAN", "DOUBLE") or flat else "VARCHAR"


def _values(kind: RecordKind, others: Sequence[str] = ()) -> str:
    return ",\n    ".join(_value(field, kind, others) for field in kind.fields)


def _value(field: Field, kind: RecordKind, others: Sequence[str]) -> str:
    if field.adopted:
        json = _json_of(field, kind, others)
        return "NULL" if json is None else _adopted_value(field, json)
    if field.type in ("INTEGER", "BIGINT"):
        return f"TRY_CAST({_name(field.key)} AS {field.type})"
    return _name(field.key)


def _json_of(field: Field, kind: RecordKind, others: Sequence[str]) -> str | None:
    """Return the JSON of an adopted field, as an expression; None: it is not read."""
    if field.key not in others and field.key not in {each.key for each in fields_read(kind)}:
        return None
    if not field.path:
        return _name(field.key)
    return f"json_extract({_name(field.key)}, {literal(_path(field.path))})"


def _path(keys: Sequence[str]) -> str:
    return "$" + "".join(f'."{key}"' for key in keys)


def _adopted_value(field: Field, json: str) -> str:
    """Return what the column holds of a value that it certainly holds whole; NULL of any other."""
    text = f"{json}::VARCHAR"
    if field.is_text:
        return f"CASE WHEN prefix({text}, '\"') THEN {json} ->> '$' END"
    if field.type == "BOOLEAN":
        return f"CASE {text} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"
    pattern = _SURELY[field.type]
    return f"CASE WHEN regexp_full_match({text}, '{pattern}') THEN TRY_CAST({text} AS {field.type}) END"


def _adopted_doubts(field: Field, json: str, above: Sequence[str]) -> Iterable[str]:
    """Yield the conditions under which the value of an adopted field needs re-reading; NULL means no."""
    text = f"{json}::VARCHAR"
    value = _adopted_value(field, json)
    yield f"({text} <> 'null' AND {value} IS NULL)"
    if field.is_text:
        yield f"contains({text}, {literal(_ESCAPE)})"
        yield f"strlen({value}) > {field.width}"
    for json_object in above:  # a key in it may stand twice
        keys = f"json_keys({json_object})"
        yield f"len({keys}) <> len(list_distinct({keys}))"


def _extra(kind: RecordKind, others: Sequence[str] = ()) -> str:
    """Return what :func:`sparkify.intake.extra.extra_of` writes, as an expression.

    Of the values that adopted columns certainly hold, whole numbers in doubles stay in it.
    """
    texts = {key: f"{_name(key)}::VARCHAR" for key in others}
    for field in fields_read(kind):
        if field.adopted and field.type == "DOUBLE":
            text = f"{_name(field.key)}::VARCHAR"
            texts[field.key] = f"CASE WHEN NOT contains({text}, '.') THEN {text} END"
    if not texts:
        return "NULL"
    members = ", ".join(f"{literal(identifier(key) + ':')} || {texts[key]}" for key in sorted(texts))
    return f"'{{' || nullif(concat_ws(',', {members}), '') || '}}'"


def _name(key: str) -> str:
    return f"j.{identifier(key)}"


def identifier(name: str) -> str:
    """Return a name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _needs_rereading(kind: RecordKind, *, flat: bool = False, others: Sequence[str] = ()) -> str:
    conditions = [condition for each in kind.built_in for condition in _doubts(each, flat=flat)]
    for field in kind.adopted:
        json = _json_of(field, kind, others)
        if json is not None:
            above = [
                f"json_extract({_name(field.key)}, {literal(_path(field.path[:n]))})"
                for n in range(len(field.path))
            ]
            conditions += _adopted_doubts(field, json, above)
    conditions += [_broken(kind, rule) for rule in kind.rules]
    extra = _extra(kind, others)
    if others:
        numbers = f"regexp_replace({extra}, {literal(_TEXTS)}, '', 'g')"
        conditions += [
            f"contains({extra}, {literal(_ESCAPE)})",
            f"regexp_matches({numbers}, {literal(_WRITTEN_DIFFERENTLY)})",
        ]
    if extra != "NULL":
        conditions.append(f"strlen({extra}) > {EXTRA_BYTES}")
    # Three-valued logic: one true condition decides, even if others are NULL.
    return "COALESCE(\n        " + "\n        OR ".join(conditions) + ",\n        FALSE\n    )"


def _broken(kind: RecordKind, rule: Rule) -> str:
    """Return the condition under which a record breaks a rule."""
    name = _name(rule.key)
    if isinstance(rule, Between):
        (type_,) = (each.type for each in kind.built_in if each.key == rule.key)
        return f"TRY_CAST({name} AS {type_}) NOT BETWEEN {rule.low} AND {rule.high - 1}"
    return f"({name} = {literal(rule.value)} AND COALESCE({_name(rule.needed)}, '') = '')"


def _doubts(field: Field, *, flat: bool) -> Iterable[str]:
    """Yield the conditions under which a value needs re-reading; NULL means no."""
    name = _name(field.key)
    if field.required:
        yield f"{name} IS NULL"
    if field.is_text:
        if not flat:
            # DuckDB reads an object or array as its text. CASE is used because AND would parse every value.
            opens = f"prefix({name}, '{{') OR prefix({name}, '[')"
            yield f"CASE WHEN {opens} THEN json_valid({name}) ELSE FALSE END"
            # It reads a number as a double, and writes that as text: many digits are rounded.
            may_be = f"{name} BETWEEN '-' AND ':'"  # a digit or a minus comes first
            if not field.trimmed:
                may_be = f"strlen({name}) BETWEEN {_MANY_DIGITS} AND {_LONGEST_DOUBLE} AND {may_be}"
            yield f"CASE WHEN {may_be} THEN regexp_matches({name}, {literal(LOOKS_REAL)}) ELSE FALSE END"
        if field.width is not None:
            yield f"strlen({name}) > {field.width}"
        if field.required:
            yield f"{name} = ''"
        if field.trimmed and not flat:
            yield f"suffix({name}, ' ')"
    elif flat:
        return
    elif field.type == "DOUBLE":
        # DuckDB reads true and false as 1 and 0.
        yield f"{name} IN (0, 1) OR NOT isfinite({name})"
    else:
        # DuckDB reads 0x10, 1_000, 1e3 and 5e-324 as integers; only plain digits survive the round trip.
        yield f"TRY_CAST({name} AS {field.type})::VARCHAR IS DISTINCT FROM {name}"
