"""CREATE TABLE: Redshift's definition in, PostgreSQL's out.

Owns the reading of columns, constraints and table attributes, and their checks. Keys are read, checked and
left out, because Redshift does not enforce them; a primary key still makes its columns NOT NULL.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from .backend import quote
from .datatypes import UnknownType, read_type
from .errors import NOT_SUPPORTED, RedshiftError, syntax_error
from .tokens import Token, close, join, split, word
from .words import RESERVED

_TIMES = ("date", "time", "timetz", "timestamp", "timestamptz")
_WHOLE = ("smallint", "int2", "integer", "int", "int4", "bigint", "int8")
_STRINGS = ("varchar", "char")
_ENCODINGS: dict[str, tuple[str, ...] | None] = {  # None: any type
    "raw": None, "lzo": None, "zstd": None, "runlength": None, "auto": None,
    "az64": (*_WHOLE, "numeric", *_TIMES),
    "bytedict": (*_WHOLE, "numeric", "float4", "real", "float8", *_TIMES, *_STRINGS),
    "delta": (*_WHOLE, "numeric", *_TIMES),
    "delta32k": (*_WHOLE, "numeric", *_TIMES),
    "mostly8": (*_WHOLE, "numeric"),
    "mostly16": (*_WHOLE, "numeric"),
    "mostly32": (*_WHOLE, "numeric"),
    "text255": ("varchar",),
    "text32k": ("varchar",),
}  # fmt: skip
_COLUMN_WORDS = frozenset(
    [
        "default",
        "identity",
        "generated",
        "encode",
        "distkey",
        "sortkey",
        "not",
        "null",
        "unique",
        "primary",
        "references",
        "collate",
        "check",
    ]
)


@dataclass
class Attributes:
    """What Redshift keeps of a table and PostgreSQL does not."""

    diststyle: str = ""
    distkey: str = ""
    sortkeys: list[str] = field(default_factory=list)
    encodings: dict[str, str] = field(default_factory=dict)

    def insert(self, table: str) -> str:
        """The query of our own that records them, once per table."""
        style = {"key": f"KEY({self.distkey})", "": "AUTO(ALL)"}.get(self.diststyle, self.diststyle.upper())
        if self.distkey:
            style = f"KEY({self.distkey})"
        keys = ", ".join(quote(key) for key in self.sortkeys)
        oid = f"{quote(table)}::regclass"
        return (
            f"INSERT INTO pg_catalog.redshift_attributes SELECT {oid}, {quote(style)}, {quote(self.distkey)},"
            f" ARRAY[{keys}]::text[], {quote(json.dumps(self.encodings))}::jsonb"
            f" WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.redshift_attributes WHERE table_oid = {oid})"
        )


@dataclass
class Column:
    """One column as Redshift defines it."""

    name: str
    type: str
    rest: list[Token] = field(default_factory=list)
    not_null: bool = False


def rewrite_table(tokens: list[Token]) -> tuple[list[Token], str]:
    """PostgreSQL's CREATE TABLE, and the query that records the rest.

    Raises:
        RedshiftError: for what Redshift would not take.
    """
    i = next(i for i, token in enumerate(tokens) if token.key == "table") + 1
    if [token.key for token in tokens[i : i + 3]] == ["if", "not", "exists"]:
        i += 3
    head = list(tokens[:i])
    name = [tokens[i]]
    i += 1
    while i + 1 < len(tokens) and tokens[i].text == ".":
        name += tokens[i : i + 2]
        i += 2
    _check_name(name[-1])
    if name[-1].name.startswith("#") and not {"temp", "temporary"} & {token.key for token in head}:
        head.insert(1, word("TEMP"))
    definitions: list[Token] = []
    if i < len(tokens) and tokens[i].text == "(":
        end = close(tokens, i)
        definitions, i = tokens[i + 1 : end], end + 1
    attributes = Attributes()
    i = _attributes(tokens, i, attributes)
    table = join(name).strip()
    if i < len(tokens):  # CREATE TABLE … AS
        columns = [Token("operator", "(", " "), *definitions, Token("operator", ")")] if definitions else []
        if definitions and any(len(part) != 1 for part in split(definitions)):
            raise syntax_error("as")
        return [*head, *name, *columns, *tokens[i:]], attributes.insert(table)
    columns_out = _columns(definitions, name[-1].name, attributes)
    return [
        *head,
        *name,
        Token("operator", "(", " "),
        *columns_out,
        Token("operator", ")"),
    ], attributes.insert(table)


def rewrite_column(definition: Sequence[Token], table: str) -> list[Token]:
    """PostgreSQL's definition of one column of ALTER TABLE … ADD COLUMN."""
    return _defined(_column(definition, table, Attributes()))


def _defined(column: Column) -> list[Token]:
    not_null = [word("NOT NULL")] if column.not_null else []
    return [Token("quoted", f'"{column.name}"', " "), word(column.type), *column.rest, *not_null]


def _check_name(token: Token) -> None:
    if not token.identifier or (token.kind == "word" and token.key in RESERVED):
        raise syntax_error(token.text)


def _attributes(tokens: Sequence[Token], start: int, attributes: Attributes) -> int:  # noqa: C901 - one branch per clause of the grammar
    """Read table attributes; returns where AS stands, or the end."""
    i = start

    def at(offset: int) -> str:
        return tokens[i + offset].key if i + offset < len(tokens) else ""

    while i < len(tokens):
        key = at(0)
        if key == "as":
            break
        if key == "backup" and at(1) in ("yes", "no"):
            i += 2
        elif key == "diststyle" and at(1) in ("auto", "even", "key", "all"):
            attributes.diststyle = at(1)
            i += 2
        elif key == "distkey" and at(1) == "(":
            attributes.distkey = tokens[i + 2].name
            i = close(tokens, i + 1) + 1
        elif key in ("compound", "interleaved") and at(1) == "sortkey":
            i += 1
        elif key == "sortkey" and at(1) == "auto":
            i += 2
        elif key == "sortkey" and at(1) == "(":
            end = close(tokens, i + 1)
            attributes.sortkeys = [part[0].name for part in split(tokens[i + 2 : end])]
            i = end + 1
        elif key == "encode" and at(1) == "auto":
            i += 2
        else:
            raise syntax_error(tokens[i].text)
    return i


def _columns(definitions: Sequence[Token], table: str, attributes: Attributes) -> list[Token]:  # noqa: C901, PLR0912 - one branch per clause of the grammar
    columns: list[Column] = []
    likes: list[list[Token]] = []
    primary: list[str] = []
    for part in split(definitions):
        if not part:
            raise syntax_error(",")
        if part[0].key == "constraint" and len(part) > 2:
            part = part[2:]  # noqa: PLW2901 - the name of a constraint means nothing here
        key = part[0].key if part[0].kind == "word" else ""
        if key in ("primary", "unique", "foreign"):
            primary += _table_key(part)
        elif key in ("check", "exclude"):
            raise RedshiftError(NOT_SUPPORTED, f"{key.upper()} constraint is not supported")
        elif key == "like":
            likes.append(part)
        else:
            columns.append(_column(part, table, attributes))
    names = [column.name for column in columns]
    for column in columns:
        column.not_null = column.not_null or column.name in primary
    if columns and not likes:
        for key in [*primary, *attributes.sortkeys, *([attributes.distkey] if attributes.distkey else [])]:
            if key not in names:
                raise RedshiftError("42703", f'column "{key}" named in key does not exist')
    if attributes.diststyle == "key" and not attributes.distkey:
        raise RedshiftError("42601", "DISTKEY column must be specified for DISTSTYLE KEY")
    if attributes.distkey and attributes.diststyle not in ("", "key"):
        raise RedshiftError("42601", f"cannot specify DISTKEY with DISTSTYLE {attributes.diststyle.upper()}")
    out: list[Token] = []
    for column in columns:
        out += [Token("operator", ",")] if out else []
        out += _defined(column)
    for like in likes:
        out += [Token("operator", ",")] if out else []
        out += like
    return out


def _table_key(part: Sequence[Token]) -> list[str]:
    """Check a key constraint; the columns it makes NOT NULL."""
    opening = next((i for i, token in enumerate(part) if token.text == "("), None)
    if opening is None:
        raise syntax_error(part[-1].text)
    if part[0].key == "foreign" and not any(token.key == "references" for token in part):
        raise syntax_error(part[-1].text)
    names = [token.name for token in part[opening + 1 : close(part, opening)] if token.identifier]
    return names if part[0].key == "primary" else []


def _column(part: Sequence[Token], table: str, attributes: Attributes) -> Column:  # noqa: C901, PLR0912 - one branch per clause of the grammar
    _check_name(part[0])
    if len(part) < 2:
        raise syntax_error(part[0].text)
    name = part[0].name
    try:
        spelled, i = read_type(part, 1)
    except UnknownType as unknown:
        text = f'Column "{table}.{name}" has unsupported type "{unknown.name}".'
        raise RedshiftError(NOT_SUPPORTED, text) from None
    column = Column(name, spelled[0].text)

    def at(offset: int) -> str:
        return part[i + offset].key if i + offset < len(part) else ""

    while i < len(part):
        key = at(0)
        if key == "not" and at(1) == "null":
            column.not_null, i = True, i + 2
        elif key in ("null", "unique"):
            i += 1
        elif key == "primary" and at(1) == "key":
            column.not_null, i = True, i + 2
        elif key == "distkey":
            if attributes.distkey:
                raise RedshiftError("42601", "only one DISTKEY column is allowed")
            attributes.distkey, i = name, i + 1
        elif key == "sortkey":
            attributes.sortkeys.append(name)
            i += 1
        elif key == "encode":
            _encode(name, column.type, at(1), attributes)
            i += 2
        elif key == "collate":
            i += 2
        elif key == "references":
            i += 2
            while at(0) == ".":
                i += 2
            if at(0) == "(":
                i = close(part, i) + 1
        elif key == "identity" or (key == "generated" and at(1) == "by"):
            column.rest, i = _identity(part, i)
            column.not_null = True
        elif key == "default":
            end = _default_end(part, i + 1)
            column.rest += [word("DEFAULT"), *part[i + 1 : end]]
            i = end
        else:
            raise syntax_error(part[i].text)
    return column


def _encode(name: str, type_: str, encoding: str, attributes: Attributes) -> None:
    if encoding not in _ENCODINGS:
        raise RedshiftError("42601", f'encoding type "{encoding}" does not exist')
    types = _ENCODINGS[encoding]
    if types is not None and type_.partition("(")[0] not in types:
        raise RedshiftError(NOT_SUPPORTED, f'invalid encoding type specified for column "{name}"')
    attributes.encodings[name] = encoding


def _default_end(part: Sequence[Token], start: int) -> int:
    depth = 0
    for i in range(start, len(part)):
        depth += (part[i].text == "(") - (part[i].text == ")")
        if depth == 0 and i > start and part[i].kind == "word" and part[i].key in _COLUMN_WORDS:
            return i
    return len(part)


def _identity(part: Sequence[Token], i: int) -> tuple[list[Token], int]:
    """IDENTITY(seed, step): with gaps, as a cluster's slices make them."""
    always = part[i].key == "identity"
    while part[i].text != "(":
        i += 1
    end = close(part, i)
    seed, step = (int(join(number)) for number in split(part[i + 1 : end]))
    kind = "ALWAYS" if always else "BY DEFAULT"
    return [
        word(f"GENERATED {kind} AS IDENTITY (START {seed} INCREMENT {step * 4} MINVALUE {seed})")
    ], end + 1
