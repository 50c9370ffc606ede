"""The statements derived from the fields of the records (:mod:`sparkify.records`), in Redshift's dialect.

They are generated when they are needed, because a kind's fields may be known only at run time. For the
built-in kinds they are also written to ``sql/derived`` (``make generate``), so that they can be read and
reviewed like every other statement.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from sparkify.records import EXTRA, EXTRA_BYTES, EXTRA_KEY, KINDS, Between, Field, RecordKind, Rule
from sparkify.warehouse.statements import Statement, split_statements

_WIDTH = 110
_EXTRA = f"{EXTRA} VARCHAR({EXTRA_BYTES})"
_TYPES = {
    "INTEGER": "INTEGER",
    "BIGINT": "BIGINT",
    "DOUBLE": "DOUBLE PRECISION",
    "BOOLEAN": "BOOLEAN",
}

# Texts that are certainly numbers, and short enough to fit their type.
_DIGITS = {"INTEGER": "^-?[0-9]{1,9}$", "BIGINT": "^-?[0-9]{1,18}$"}
_REAL = "^-?[0-9]{1,17}([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$"
# Texts that look like numbers with a fraction or an exponent: COPY does not tell 1.50 from "1.50".
LOOKS_REAL = "^-?[0-9]+([.][0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$"
# The text of a number takes no more, once our rules have accepted it.
_NUMBER_BYTES = 64


class KindStatements(NamedTuple):
    """The statements of one kind of record.

    Attributes:
        staging_table: Creates the table of accepted records.
        run_table: Creates the table where a run's records land, with a last column ``needs_rereading``.
        accept: Appends the landed records to staging.
        renumber: Gives landed records the new numbers of their files (``run_moves``).
        other_rows: Lists the landed files whose rows are not those of the staged files that they may be
            (``run_moves``).
        landed: Counts the landed records of every file: see :class:`sparkify.pipeline.land.LandedCounts`.
        copy_table: Redshift: creates the table that COPY fills, with every value as text.
        copy_file: Redshift: COPY of one file as delivered.
        copy_packed: Redshift: COPY of packed records, each with the number of its file.
        number_copied: Redshift: sets the file number of the rows copied last.
        count_copied: Redshift: counts the copied records.
        copied_files: Redshift: lists the files with at least one copied record.
        clear_copied: Redshift: empties the table that COPY fills.
        convert: Redshift: converts the copied texts, and marks the rows that need re-reading.
        convert_accepted: Redshift: converts copied records that our rules have accepted.
    """

    staging_table: Statement
    run_table: Statement
    accept: Statement
    renumber: Statement
    other_rows: Statement
    landed: Statement
    copy_table: Statement
    copy_file: Statement
    copy_packed: Statement
    number_copied: Statement
    count_copied: Statement
    copied_files: Statement
    clear_copied: Statement
    convert: Statement
    convert_accepted: Statement


class SharedStatements(NamedTuple):
    """The statements that cover all kinds of records.

    Attributes:
        clear_landed: Empties the tables where records land; one statement per kind.
        unland: Removes the rows of files that need re-reading (``run_files``) from them; one per kind.
        remove: Removes the rows of files (``run_files``) from staging; one statement per kind.
        absent: Names in ``etl.days`` the columns of staging that are NULL in every event of a day.
        settled_fields: Lists the days of which a few events show that after others went it names the same.
        conservation: The check that every record read is loaded, rejected or erased.
        owned_rows: The check that every row of staging belongs to a loaded file.
        vanished_field: The check that a field all days had does not go away.
    """

    clear_landed: tuple[Statement, ...]
    unland: tuple[Statement, ...]
    remove: tuple[Statement, ...]
    absent: Statement
    settled_fields: Statement
    conservation: Statement
    owned_rows: Statement
    vanished_field: Statement


@cache
def statements_of(kind: RecordKind) -> KindStatements:
    """Return the statements of one kind."""
    made = split_statements(write_kind(kind), f"derived/{kind.name}.sql")
    return KindStatements(*made)


@cache
def shared_statements(kinds: tuple[RecordKind, ...] = KINDS) -> SharedStatements:
    """Return the statements of all kinds."""
    made = split_statements(write_shared(kinds), "derived/all_kinds.sql")
    count = len(kinds)
    return SharedStatements(
        made[:count], made[count : 2 * count], made[2 * count : 3 * count], *made[3 * count :]
    )


@cache
def table_statements(tables: tuple[str, ...]) -> tuple[Statement, tuple[Statement, ...]]:
    """Return the statement that counts the rows of the tables, and the DROP statement of each."""
    made = split_statements(write_tables(tables), "derived/tables.sql")
    return made[0], made[1:]


class AdoptionStatements(NamedTuple):
    """The statements that give staging a column for a field, fill it from ``extra``, and take it away again.

    Those that fill and put back look at the rows of files from ``:file_from`` to ``:file_to``.

    Attributes:
        add_column: Adds the column.
        extras: Lists the texts in ``extra`` that may hold the field (``:text`` in them), and how many rows have
            each.
        fill_table: Creates the table of what becomes of a text in ``extra``: ``run_adopted``.
        fill: Fills the column from it.
        values: Lists the values of the column with the texts in ``extra`` beside them, and how many rows have
            both.
        put_back_table: Creates the table of what becomes of these: ``run_put_back``.
        put_back: Puts the values back into ``extra``.
        count_lost: Counts the rows that have a value in the column, and none in ``extra`` (``:text`` in it).
        count_filled: Counts the rows that have a value in the column.
        drop_column: Drops the column.
    """

    add_column: Statement
    extras: Statement
    fill_table: Statement
    fill: Statement
    values: Statement
    put_back_table: Statement
    put_back: Statement
    count_lost: Statement
    count_filled: Statement
    drop_column: Statement


def adoption_statements(kind: RecordKind, field: Field) -> AdoptionStatements:
    """Return the statements that adopt a field, and drop it again."""
    table, column, text = kind.staging, field.column, f"VARCHAR({EXTRA_BYTES})"
    within = f"{table}.file_id BETWEEN :file_from AND :file_to"
    # Redshift casts no text to BOOLEAN, and ignores trailing blanks where texts are compared.
    cast = "m.found = 'true'" if field.type == "BOOLEAN" else f"CAST(m.found AS {column_type(field)})"
    mark = " || '|'" if field.is_text else ""
    same = "m.found" if field.is_text else f"({cast})"
    texts = (
        f"ALTER TABLE {table} ADD COLUMN {column} {column_type(field)}",
        (
            f"SELECT extra, COUNT(*) AS records FROM {table}\nWHERE {within} AND STRPOS(extra, :text) > 0\n"
            "GROUP BY extra"
        ),
        f"CREATE TEMP TABLE IF NOT EXISTS run_adopted (extra {text}, kept {text}, found {text})",
        (
            f"UPDATE {table} SET {column} = {cast}, extra = m.kept\nFROM run_adopted AS m\n"
            f"WHERE {table}.extra = m.extra AND {within}"
        ),
        (
            f"SELECT COALESCE(extra, '') AS extra, {column}{mark} AS found, COUNT(*) AS records\nFROM {table}\n"
            f"WHERE {within} AND {column} IS NOT NULL\nGROUP BY COALESCE(extra, ''), {column}{mark}"
        ),
        f"CREATE TEMP TABLE IF NOT EXISTS run_put_back (extra {text}, found {text}, kept {text})",
        (
            f"UPDATE {table} SET extra = m.kept\nFROM run_put_back AS m\n"
            f"WHERE COALESCE({table}.extra, '') = m.extra AND {table}.{column}{mark} = {same} AND {within}"
        ),
        (
            f"SELECT COUNT(*) AS records FROM {table}\n"
            f"WHERE {column} IS NOT NULL AND STRPOS(COALESCE(extra, ''), :text) = 0"
        ),
        f"SELECT COUNT({column}) AS records FROM {table}",
        f"ALTER TABLE {table} DROP COLUMN {column}",
    )
    path = f"derived/adopt {kind.name} {column}"
    return AdoptionStatements(*(Statement(each, path, 1) for each in texts))


def derived_files(kinds: tuple[RecordKind, ...] = KINDS) -> dict[str, str]:
    """Return the text of every file below ``sql/derived``, by path."""
    return {
        **{f"derived/{kind.name}.sql": write_kind(kind) for kind in kinds},
        "derived/all_kinds.sql": write_shared(kinds),
    }


def for_every_engine(kinds: tuple[RecordKind, ...] = KINDS) -> list[Statement]:
    """Return the derived statements that every engine runs."""
    shared = shared_statements(kinds)
    found = [
        step
        for made in map(statements_of, kinds)
        for step in (
            made.staging_table,
            made.run_table,
            made.accept,
            made.renumber,
            made.other_rows,
            made.landed,
        )
    ]
    return [
        *found,
        *shared.clear_landed,
        *shared.unland,
        *shared.remove,
        shared.absent,
        shared.settled_fields,
        shared.conservation,
        shared.owned_rows,
        shared.vanished_field,
    ]


def write_kind(kind: RecordKind) -> str:
    """Return the statements of one kind, in the order of :class:`KindStatements`."""
    texts: Mapping[str, str] = {
        "staging_table": _staging_table(kind),
        "run_table": _run_table(kind),
        "accept": _accept(kind),
        "renumber": (
            f"-- Give landed {kind.name} the new numbers of their files (run_moves).\n"
            f"UPDATE {kind.landing} SET file_id = run_moves.new_file_id FROM run_moves\n"
            f"WHERE {kind.landing}.file_id = run_moves.file_id"
        ),
        "other_rows": _other_rows(kind),
        "landed": _landed(kind),
        "copy_table": _copy_table(kind),
        "copy_file": _copy(kind, packed=False),
        "copy_packed": _copy(kind, packed=True),
        "number_copied": (
            "-- Set the file number of the rows copied last.\n"
            f"UPDATE {copy_table(kind)} SET file_id = :file_id WHERE file_id IS NULL"
        ),
        "count_copied": (f"-- Count the copied records.\nSELECT COUNT(*) AS copied FROM {copy_table(kind)}"),
        "copied_files": (
            f"-- List the files with at least one copied record.\nSELECT DISTINCT file_id FROM {copy_table(kind)}"
        ),
        "clear_copied": f"-- Empty the table that COPY fills.\nDELETE FROM {copy_table(kind)}",
        "convert": _convert(kind),
        "convert_accepted": _convert_accepted(kind),
    }
    return _file(texts[name] for name in KindStatements._fields)


def write_shared(kinds: tuple[RecordKind, ...]) -> str:
    """Return the statements of all kinds, in the order of :class:`SharedStatements`."""
    texts = [
        *(
            f"-- Remove the rows of an earlier batch of the same run.\nDELETE FROM {each.landing}"
            for each in kinds
        ),
        *(
            "-- Remove the rows of files that need re-reading (run_files).\n"
            f"DELETE FROM {each.landing} WHERE file_id IN (SELECT file_id FROM run_files)"
            for each in kinds
        ),
        *(
            "-- Remove the rows of replaced or retracted files (run_files).\n"
            f"DELETE FROM {each.staging} USING run_files WHERE {each.staging}.file_id = run_files.file_id"
            for each in kinds
        ),
        _absent(kinds),
        _settled_fields(kinds),
        _conservation(kinds),
        _owned_rows(kinds),
        _vanished_field(kinds),
    ]
    return _file(texts)


def write_tables(tables: tuple[str, ...]) -> str:
    """Return the statement that counts the rows of staging and star, and those that drop every table."""
    counted = "\nUNION ALL\n".join(
        f"SELECT '{name}' AS table_name, COUNT(*) AS table_rows FROM {name}"
        for name in tables
        if "." not in name
    )
    return _file(
        [
            f"-- The number of rows in each table.\n{counted}",
            *(f"DROP TABLE IF EXISTS {name}" for name in tables),
        ]
    )


def copy_table(kind: RecordKind) -> str:
    """Return the name of the table that COPY fills."""
    return f"run_{kind.noun}_copy"


def accepted_keys(kind: RecordKind) -> list[str]:
    """Return the keys of records that our rules have accepted, the one of ``extra`` last."""
    return [*(field.accepted_key for field in kind.fields), EXTRA_KEY]


def _file(texts: Iterable[str]) -> str:
    return "\n\n".join(f"{text};" for text in texts) + "\n"


# Tables


def column_type(field: Field) -> str:
    """Return the type of a field's column as Redshift writes it."""
    return f"VARCHAR({field.width})" if field.is_text else _TYPES[field.type]


def _column_list(kind: RecordKind) -> list[str]:
    return [f"{each.column} {column_type(each)}" for each in kind.fields]


def _indented(lines: Iterable[str], separator: str = ",\n") -> str:
    return separator.join(f"    {line}" for line in lines)


def _wrapped(words: Sequence[str], indent: int = 4, separator: str = ", ") -> str:
    """Return words wrapped to as few lines as possible."""
    text = separator.join(word.replace(" ", "\0") for word in words)
    space = " " * indent
    lines = textwrap.wrap(
        text, _WIDTH - indent, initial_indent=space, subsequent_indent=space, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    return "\n".join(lines).replace("\0", " ")


def _staging_table(kind: RecordKind) -> str:
    storage = f" SORTKEY ({kind.moment})" if kind.moment else ""
    why = (
        "-- Sorted by time, because a run recomputes plays by time; distribution and encodings are AUTO, as AWS\n"
        "-- recommends. No key is declared: nothing verifies it, and Redshift's planner would trust it.\n"
        if kind.moment
        else "-- Storage is AUTO, as AWS recommends. No key is declared: nothing verifies it, and Redshift's planner\n"
        "-- would trust it.\n"
    )
    return (
        f"-- {kind.name.capitalize()} as delivered. {kind.grain}\n{why}"
        f"CREATE TABLE IF NOT EXISTS {kind.staging} (\n"
        f"{_indented([*_column_list(kind), 'file_id BIGINT NOT NULL', _EXTRA])}\n){storage}"
    )


def _run_table(kind: RecordKind) -> str:
    columns = [*_column_list(kind), "file_id BIGINT NOT NULL", _EXTRA, "needs_rereading BOOLEAN"]
    return (
        f"-- The {kind.name} of this run's files before they are accepted.\n"
        f"CREATE TEMP TABLE IF NOT EXISTS {kind.landing} (\n{_indented(columns)}\n)"
    )


def copied_bytes(field: Field) -> int:
    """Return how many bytes of text COPY takes for a field; a record with more is an error.

    One more than the column holds, so that what is too long is seen; wider ones would take memory.
    """
    return field.width + 1 if field.width else _NUMBER_BYTES


def _copy_table(kind: RecordKind) -> str:
    texts = [f"{each.accepted_key.lower()} VARCHAR({copied_bytes(each)})" for each in kind.fields]
    columns = [*texts, f"{EXTRA_KEY} VARCHAR({EXTRA_BYTES})", "file_id BIGINT"]
    return (
        f"-- {kind.name.capitalize()} as COPY reads them: every value as text, so that COPY converts, rounds and\n"
        "-- truncates nothing; a text that is too long for its column is an error. The columns are the keys of the\n"
        "-- records, in lower case as Redshift folds names.\n"
        f"CREATE TEMP TABLE IF NOT EXISTS {copy_table(kind)} (\n{_indented(columns)}\n)"
    )


# From the run's tables to staging


def _accept(kind: RecordKind) -> str:
    columns = _wrapped([*kind.columns, "file_id", EXTRA])
    return (
        f"-- Accept the {kind.name} of this run.\n"
        f"INSERT INTO {kind.staging} (\n{columns}\n)\nSELECT\n{columns}\nFROM {kind.landing}"
    )


def _other_rows(kind: RecordKind) -> str:
    columns = _wrapped([f"r.{each}" for each in kind.columns], indent=8)

    def rows(table: str, number: str, weight: int) -> str:
        return (
            f"    SELECT\n        m.file_id,\n        m.new_file_id,\n{columns},\n        {weight} AS weight\n"
            f"    FROM {table} AS r\n    INNER JOIN run_moves AS m ON r.file_id = m.{number}"
        )

    grouped = _wrapped(["d.file_id", "d.new_file_id", *(f"d.{each}" for each in kind.columns)])
    return (
        f"-- The landed files of {kind.name} (file_id in run_moves) that hold other rows than the staged files that\n"
        "-- they may be (new_file_id): a row that one of them has more often. GROUP BY takes NULL for equal.\n"
        f"SELECT DISTINCT d.file_id, d.new_file_id\nFROM (\n{rows(kind.landing, 'file_id', 1)}\n    UNION ALL\n"
        f"{rows(kind.staging, 'new_file_id', -1)}\n) AS d\nGROUP BY\n{grouped}\nHAVING SUM(d.weight) <> 0"
    )


def _landed(kind: RecordKind) -> str:
    fact, moment = "0", ("CAST(NULL AS BIGINT)",) * 2
    if kind.fact:
        column, value = kind.fact
        fact = f"COUNT(CASE WHEN {column} = '{value}' THEN 1 END)"
    if kind.moment:
        moment = f"MIN({kind.moment})", f"MAX({kind.moment})"
    return (
        "-- Counts of every landed file of this run: rows, rows of the fact, the range of their times, rows that\n"
        "-- need re-reading, null values, and rows with fields that have no column.\n"
        "SELECT\n    file_id,\n    COUNT(*) AS landed,\n"
        f"    {fact} AS plays,\n    {moment[0]} AS ts_from,\n    {moment[1]} AS ts_to,\n"
        "    COUNT(CASE WHEN needs_rereading THEN 1 END) AS needs_rereading,\n"
        f"    {len(kind.fields)} * COUNT(*)\n"
        f"{_wrapped([*(f'- COUNT({each})' for each in kind.columns), 'AS null_values,'], separator=' ')}\n"
        f"    COUNT({EXTRA}) AS extras\nFROM {kind.landing}\nGROUP BY file_id"
    )


# COPY, and the conversion of its texts


def _copy(kind: RecordKind, *, packed: bool) -> str:
    keys = [*accepted_keys(kind), "file_id"] if packed else [field.key for field in kind.built_in]
    columns = [key.lower() for key in keys]
    head = (
        f"-- Packed records ({kind.name}), each with the number of its file. The engine appends MANIFEST GZIP and\n"
        "-- REGION, and counts the records that COPY skips.\n"
        if packed
        else f"-- One file of {kind.name}. The engine appends MANIFEST, GZIP or ZSTD, REGION. No MAXERROR: a file\n"
        "-- with an error is skipped as a whole, and read again record by record.\n"
    )
    return (
        f"{head}COPY {copy_table(kind)} (\n{_wrapped(columns)}\n)\nFROM :source\nIAM_ROLE :role\n"
        f"FORMAT AS JSON :jsonpaths\n{'MAXERROR 100000 ' if packed else ''}COMPUPDATE OFF STATUPDATE OFF"
    )


def _convert(kind: RecordKind) -> str:
    columns = _wrapped([*kind.columns, "file_id", EXTRA, "needs_rereading"])
    values = ",\n".join(
        f"    {_judged(each) if each.adopted else _converted(each)} AS {each.column}" for each in kind.fields
    )
    doubts = [doubt for each in kind.built_in for doubt in _doubts(each)]
    doubts += [_broken(kind, rule) for rule in kind.rules]
    nested = "\n            OR ".join(
        f"LEFT(c.{each.key.lower()}, 1) IN ('{{', '[')" for each in kind.built_in if each.is_text
    )
    doubts.append(f"(:nested AND (\n            {nested}\n        ))")
    joined = "\n        OR ".join(doubts)
    return (
        f"-- {kind.name.capitalize()} into the run's table: texts that are certainly numbers are converted. Rows that may\n"
        "-- break a rule, or that COPY may have read differently, need re-reading: their file is read again record\n"
        "-- by record. These are texts that look like numbers with a fraction or an exponent (COPY makes no\n"
        '-- difference between 1.50 and "1.50"), values that are too long, and, in files with nested values, texts\n'
        "-- that begin like an object or array.\n"
        "-- OCTET_LENGTH and LIKE are used because comparisons ignore trailing blanks. What is not built in was judged\n"
        "-- when the records were packed.\n"
        f"INSERT INTO {kind.landing} (\n{columns}\n)\nSELECT\n{values},\n    c.file_id,\n    c.{EXTRA_KEY} AS {EXTRA},\n"
        f"    (\n        {joined}\n    ) AS needs_rereading\nFROM {copy_table(kind)} AS c"
    )


def _converted(field: Field) -> str:
    name = f"c.{field.key.lower()}"
    if field.is_text:
        return f"CASE WHEN OCTET_LENGTH({name}) <= {field.width} THEN {name} END"
    return f"CASE\n        WHEN {name} ~ '{_pattern(field)}'\n            THEN CAST({name} AS {column_type(field)})\n    END"


def _judged(field: Field) -> str:
    """Return the value of a field that our rules have judged."""
    name = f"c.{field.accepted_key.lower()}"
    if field.is_text:
        return name
    if field.type == "BOOLEAN":  # Redshift casts no text to one
        return f"{name} = 'true'"
    return f"CAST({name} AS {column_type(field)})"


def _pattern(field: Field) -> str:
    return _DIGITS.get(field.type, _REAL)


def _doubts(field: Field) -> list[str]:
    """Return the conditions under which a value read by COPY needs re-reading."""
    name = f"c.{field.key.lower()}"
    if field.is_text:
        found = [f"OCTET_LENGTH({name}) > {field.width}"]
        if field.required:
            found.append(f"{name} IS NULL OR {name} = ''")
        if field.trimmed:
            found.append(f"{name} LIKE '% '")
        return [*found, f"{name} ~ '{LOOKS_REAL}'", f"{name} = '-0'"]
    other = f"NOT {name} ~ '{_pattern(field)}'"
    given = f"OCTET_LENGTH({name}) > 0\n            AND {other}"
    found = [f"{name} IS NULL OR {other}"] if field.required else [f"(\n            {given}\n        )"]
    return [*found, f"{name} ~ '^-0+$'"] if field.type == "DOUBLE" else found


def _broken(kind: RecordKind, rule: Rule) -> str:
    """Return the condition under which a record breaks a rule, or may break it."""
    name = f"c.{rule.key.lower()}"
    if isinstance(rule, Between):
        field = next(each for each in kind.built_in if each.key == rule.key)
        return (
            f"COALESCE(\n            CASE WHEN {name} ~ '{_pattern(field)}' THEN CAST({name} AS {column_type(field)}) END\n"
            f"            NOT BETWEEN {rule.low} AND {rule.high - 1}, {str(field.required).upper()}\n        )"
        )
    return f"({name} = '{rule.value}' AND COALESCE(c.{rule.needed.lower()}, '') = '')"


def _convert_accepted(kind: RecordKind) -> str:
    columns = _wrapped([*kind.columns, "file_id", EXTRA, "needs_rereading"])

    def value(field: Field) -> str:
        found = _judged(field)
        return found if found == f"c.{field.column}" else f"{found} AS {field.column}"

    kept = f"c.{EXTRA_KEY} AS {EXTRA}"
    values = [*(value(each) for each in kind.fields), "c.file_id", kept, "FALSE AS needs_rereading"]
    return (
        f"-- {kind.name.capitalize()} that our rules have accepted: every value is converted, and one that cannot be\n"
        f"-- converted is an error.\nINSERT INTO {kind.landing} (\n{columns}\n)\nSELECT\n{_indented(values)}\nFROM {copy_table(kind)} AS c"
    )


# Days


def _optional_columns(kinds: Sequence[RecordKind]) -> list[str]:
    """Return the columns of the kind that fills the fact table which a record may leave empty."""
    return [each.column for kind in kinds if kind.fact for each in kind.fields if not each.required]


def _absent(kinds: Sequence[RecordKind]) -> str:
    (kind,) = (each for each in kinds if each.fact)
    return (
        f"-- The columns that are NULL in every one of a day's {kind.name}, for the days of the run's time range.\n"
        "UPDATE etl.days SET absent = a.names\nFROM (\n    SELECT\n"
        f"        e.{kind.moment} - MOD(e.{kind.moment}, 86400000) AS midnight,\n"
        f"        {_names_of_absent(kinds)} AS names\n"
        f"    FROM {kind.staging} AS e\n    WHERE e.{kind.moment} BETWEEN :days_from AND :days_to\n"
        f"    GROUP BY e.{kind.moment} - MOD(e.{kind.moment}, 86400000)\n) AS a\n"
        "WHERE first_ts BETWEEN a.midnight AND a.midnight + 86399999 AND absent <> a.names"
    )


def _names_of_absent(kinds: Sequence[RecordKind]) -> str:
    named = "\n            || ".join(
        f"CASE WHEN COUNT(e.{each}) = 0 THEN '{each} ' ELSE '' END" for each in _optional_columns(kinds)
    )
    return f"RTRIM(\n            {named}\n        )"


def _settled_fields(kinds: Sequence[RecordKind]) -> str:
    (kind,) = (each for each in kinds if each.fact)
    return (
        f"-- The days whose absent columns are what they were after some {kind.name} went: no column is NULL in\n"
        f"-- more of the {kind.name} of a few minutes than it was in all of the day. A part can only show more of\n"
        "-- them than the day has, and the day no fewer than before. The minutes are those after each 2^25 ms\n"
        "-- (9 hours), so that few blocks are read.\n"
        "SELECT a.midnight\nFROM etl.days AS d\nINNER JOIN (\n    SELECT\n"
        f"        e.{kind.moment} - MOD(e.{kind.moment}, 86400000) AS midnight,\n"
        f"        {_names_of_absent(kinds)} AS names\n"
        f"    FROM {kind.staging} AS e\n"
        f"    WHERE e.{kind.moment} BETWEEN :days_from AND :days_to AND (e.{kind.moment} & 33554431) < 300000\n"
        f"    GROUP BY e.{kind.moment} - MOD(e.{kind.moment}, 86400000)\n"
        ") AS a ON d.first_ts BETWEEN a.midnight AND a.midnight + 86399999\n"
        "WHERE d.absent = a.names\nORDER BY a.midnight"
    )


# Checks


def _conservation(kinds: Sequence[RecordKind]) -> str:
    counted = "\n    UNION ALL\n".join(
        f"    SELECT file_id, COUNT(*) AS staged\n    FROM {each.staging}\n"
        "    WHERE file_id IN (SELECT file_id FROM etl.files WHERE state = 'loaded' AND run_id >= :run_from)  -- few\n"
        "    GROUP BY file_id"
        for each in kinds
    )
    return (
        "-- Each record read is loaded, rejected or erased, and each loaded one is in staging: per file.\n"
        "-- scope: run\n"
        "SELECT\n    f.uri, f.rows_read, f.rows_loaded, f.rows_rejected, COALESCE(s.staged, 0) AS staged\n"
        "    , f.rows_erased  -- erased\n"
        f"FROM etl.files AS f\nLEFT JOIN (\n{counted}\n) AS s ON f.file_id = s.file_id\n"
        "WHERE\n    f.state = 'loaded' AND f.run_id >= :run_from\n"
        "    AND (\n        f.rows_read <> f.rows_loaded + f.rows_rejected\n"
        "        + COALESCE(f.rows_erased, 0)  -- erased\n"
        "        OR f.rows_loaded <> COALESCE(s.staged, 0)\n    )"
    )


def _owned_rows(kinds: Sequence[RecordKind]) -> str:
    def rows(kind: RecordKind) -> str:
        within = f"s.{kind.moment} BETWEEN :ts_from AND :ts_to AND " if kind.moment else ""
        touched = f"    s.{kind.moment} IN (SELECT m.ts FROM run_moments AS m) AND  -- sparse\n"
        return (
            f"SELECT '{kind.staging}' AS in_table, s.file_id, COUNT(*) AS staged\nFROM {kind.staging} AS s\n"
            "LEFT JOIN etl.files AS f ON s.file_id = f.file_id AND f.state = 'loaded'\n"
            f"WHERE\n{touched if kind.moment else ''}    {within}f.file_id IS NULL\nGROUP BY s.file_id"
        )

    return (
        "-- Every row of staging belongs to a loaded file: a failed run has left no rows.\n"
        "-- scope: moments\n" + "\nUNION ALL\n".join(map(rows, kinds))
    )


def _vanished_field(kinds: Sequence[RecordKind]) -> str:
    columns = _optional_columns(kinds)
    named = f"    SELECT '{columns[0]}' AS name\n" + "".join(
        f"    UNION ALL SELECT '{each}' AS name\n" for each in columns[1:]
    )
    return (
        "-- A field that every day had does not go away.\n"
        "-- scope: days\n"
        "-- severity: warn\n"
        "-- Thresholds: of a day with 50 events or more, none has the field, and some did on each of the 7 days with\n"
        "-- events before.\n"
        f"WITH fields AS (\n{named}),\n\n"
        "days AS (\n    SELECT\n        d.day,\n        d.first_ts,\n        d.events,\n        f.name,\n"
        "        CASE WHEN ' ' || d.absent || ' ' LIKE '% ' || f.name || ' %' THEN 1 ELSE 0 END AS is_absent\n"
        "    FROM etl.days AS d\n    CROSS JOIN fields AS f\n),\n\n"
        "judged AS (\n    SELECT\n        d.day,\n        d.first_ts,\n        d.events,\n        d.name,\n"
        "        d.is_absent,\n        COUNT(*) OVER (\n"
        "            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING\n"
        "        ) AS days_before,\n        SUM(d.is_absent) OVER (\n"
        "            PARTITION BY d.name ORDER BY d.day ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING\n"
        "        ) AS absent_before\n    FROM days AS d\n)\n\n"
        "SELECT\n    CAST(j.day AS VARCHAR(10)) || ' ' || j.name AS subject,\n"
        "    'none of ' || CAST(j.events AS VARCHAR(20)) || ' events has a value for ' || j.name\n"
        "    || ', which each of the 7 days before had' AS found\n"
        "FROM judged AS j\nWHERE\n    j.first_ts BETWEEN :days_from AND :days_to\n"
        "    AND j.events >= 50 AND j.is_absent = 1 AND j.days_before = 7 AND j.absent_before = 0\n"
        "ORDER BY subject"
    )
