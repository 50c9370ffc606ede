"""How DuckDB reads our files: one statement parses, converts and marks what it is not sure of.

DuckDB's strict reader rounds 12.7 into an integer column, reads ``true`` as 1 and an object as text. So
whole numbers are read as text and converted here, and every row that may not be what it seems is marked
``suspect``; the pipeline reads its file again, carefully, by our own rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import duckdb

from sparkify.errors import LoadError
from sparkify.warehouse.records import EVENT_FIELDS, SONG_FIELDS, TS_FROM, TS_TO, Field

_LEVELS = 50
# Left to itself DuckDB takes a folder named level=paid for the level of every record in it.
_NAMED = "filename = true, hive_partitioning = false"
# Beyond this a double may stand for several whole numbers.
_EXACT = 2**53
_NESTED_ODDLY = (
    "(regexp_matches(json, '(?i)[[,:]\\s*-?(nan|inf)') "
    f"OR strlen(json) - strlen(replace(replace(json, '[', ''), '{{', '')) > {_LEVELS})"
)


def events_sql(files: str, *, plain: bool) -> str:
    """Return the statement that lands log files; ``run_paths`` says which file_id each path has.

    Where values are texts, digits and null and nothing else (``plain``), numbers can be read as numbers, and
    no text need be looked at for being an object or array.

    Args:
        files: The list of their paths, in SQL.
        plain: Whether values are.
    """
    suspect = _any_of(
        (
            *_suspicions(EVENT_FIELDS, plain=plain),
            f"TRY_CAST(j.ts AS BIGINT) NOT BETWEEN {TS_FROM} AND {TS_TO - 1}",
            "(j.page = 'NextSong' AND COALESCE(j.\"userId\", '') = '')",
        )
    )
    return _land_sql("run_events", EVENT_FIELDS, suspect, _read_json(EVENT_FIELDS, files, plain=plain))


def song_files_sql(files: str) -> str:
    """Return the statement that lands song files as they lie; ``run_paths`` says which file_id each path has.

    For reading: a run packs them first, see :func:`songs_sql`.
    """
    source = _read_json(SONG_FIELDS, files, form="unstructured")
    return _land_sql("run_songs", SONG_FIELDS, _any_of(_suspicions(SONG_FIELDS)), source)


def songs_sql(path: str, file_key: str) -> str:
    """Return the statement that lands packed song records, whose ``file_key`` holds the file_id."""
    number = Field(file_key, "file_id", "BIGINT")
    suspect = _any_of(_suspicions(SONG_FIELDS))
    return (
        f"INSERT INTO run_songs\nSELECT\n    {_values((*SONG_FIELDS, number))},\n    {suspect}\n"
        f"FROM {_read_json((*SONG_FIELDS, number), listed([path]))} AS j"
    )


def _land_sql(table: str, fields: Sequence[Field], suspect: str, source: str) -> str:
    return (
        f"INSERT INTO {table}\nSELECT\n    {_values(fields)},\n    p.file_id,\n    {suspect}\n"
        f"FROM {source} AS j\nINNER JOIN run_paths AS p ON j.filename = p.path"
    )


def survey_sql(paths: Sequence[str]) -> str:
    """Return the query that counts every key of every file: path, key, occurrences.

    The key NULL counts the lines that may hold, within a value, what the strict parser takes and JSON
    does not know, or more levels than a careful reader can follow.
    """
    return (
        "SELECT filename, key, COUNT(*) FROM (SELECT filename, UNNEST(json_keys(json) || "  # noqa: S608
        f"CASE WHEN {_NESTED_ODDLY} THEN [NULL] ELSE [] END) AS key FROM "
        f"read_ndjson_objects({listed(paths)}, {_NAMED})) GROUP BY filename, key"
    )


def load_error(exc: Exception) -> LoadError | None:
    """Return the error as one about a file's contents, or None when it is about something else.

    The pipeline reads such a file carefully and finds the place by itself; the text is for the log.
    """
    text = str(exc).split("\n", 1)[0]
    wrong_json = isinstance(exc, duckdb.InvalidInputException | duckdb.ConversionException)
    # Of a stream it says what is wrong, and not where; whatever is about a file as such names it in quotes.
    wrong_stream = isinstance(exc, duckdb.IOException) and (
        '"' not in text or re.search(r"gzip|zstd|compress|corrupt", text, re.IGNORECASE)
    )
    # DuckDB quotes the file in its message, and may cut the quotation within a character.
    cut_quotation = isinstance(exc, UnicodeDecodeError)
    if not (wrong_json or wrong_stream or cut_quotation):
        return None
    return LoadError(text, "The file will be read record by record.", uri="")


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def listed(paths: Sequence[str]) -> str:
    """Return paths as a list in SQL."""
    return f"[{', '.join(literal(path) for path in paths)}]"


def _read_json(
    fields: Sequence[Field], files: str, *, plain: bool = False, form: str = "newline_delimited"
) -> str:
    columns = ",\n        ".join(
        f"{literal(each.key)}: {literal(_read_as(each, plain=plain))}" for each in fields
    )
    return (
        f"read_json(\n    {files},\n    format = '{form}',\n    columns = {{\n        {columns}\n    }},\n"
        f"    {_NAMED},\n    ignore_errors = false\n)"
    )


def _read_as(field: Field, *, plain: bool) -> str:
    # Whole numbers as DOUBLE, which does not round them, or as text, which hides nothing of them.
    return "DOUBLE" if field.type == "DOUBLE" or (plain and field.type != "VARCHAR") else "VARCHAR"


def _values(fields: Sequence[Field]) -> str:
    return ",\n    ".join(
        f'TRY_CAST(j."{each.key}" AS {each.type})'
        if each.type in ("INTEGER", "BIGINT")
        else f'j."{each.key}"'
        for each in fields
    )


def _any_of(conditions: Iterable[str]) -> str:
    # Three-valued logic: one that is true decides, whatever is NULL beside it.
    return "COALESCE(\n        " + "\n        OR ".join(conditions) + ",\n        FALSE\n    )"


def _suspicions(fields: Sequence[Field], *, plain: bool = False) -> list[str]:
    """Return the conditions under which a row wants a closer look; NULL means no."""
    found = []
    for each in fields:
        name = f'j."{each.key}"'
        if each.required:
            found.append(f"{name} IS NULL")
        if each.type == "VARCHAR":
            if not plain:
                # An object or array reads as its text. CASE, since AND would parse every value.
                opens = f"prefix({name}, '{{') OR prefix({name}, '[')"
                found.append(f"CASE WHEN {opens} THEN json_valid({name}) ELSE FALSE END")
            if each.width is not None:
                found.append(f"strlen({name}) > {each.width}")
            if each.required:
                found.append(f"{name} = ''")
            if each.trimmed:
                found.append(f"suffix({name}, ' ')")
        elif each.type == "DOUBLE":
            # true and false read as 1 and 0.
            found.append(f"NOT isfinite({name})" if plain else f"{name} IN (0, 1) OR NOT isfinite({name})")
        elif plain:
            found.append(f"TRY_CAST({name} AS {each.type}) IS DISTINCT FROM {name} OR {name} >= {_EXACT}")
        else:
            # DuckDB takes 0x10, 1_000, 1e3 and 5e-324 for whole numbers; plain digits come back the same.
            found.append(f"TRY_CAST({name} AS {each.type})::VARCHAR IS DISTINCT FROM {name}")
    return found
