"""Redshift's data types: their names, their sizes, what PostgreSQL calls them.

Owns the reading of one type out of a token list.
"""

from __future__ import annotations

from collections.abc import Sequence

from .errors import NOT_SUPPORTED, RedshiftError, syntax_error
from .tokens import Token, close

MAX_VARCHAR = 65535
MAX_CHAR = 4096

_PLAIN = frozenset(
    [
        "smallint",
        "int2",
        "integer",
        "int",
        "int4",
        "bigint",
        "int8",
        "real",
        "float4",
        "float8",
        "boolean",
        "bool",
        "date",
        "interval",
        "oid",
        "name",
        "regclass",
    ]
)
_NOT_MODELLED = frozenset({"super", "geometry", "geography", "hllsketch", "varbyte", "varbinary"})


class UnknownType(Exception):
    """A type Redshift does not have; the caller knows the words for its place."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def read_type(tokens: Sequence[Token], start: int) -> tuple[list[Token], int]:
    """The type that begins at `start`, as PostgreSQL spells it, and the index after it.

    Raises:
        UnknownType: Redshift has no such type.
        RedshiftError: it has, but not so.
    """
    first = tokens[start]
    if not first.identifier:
        raise syntax_error(first.text)
    name, position = first.name, start + 1

    def at(offset: int = 0) -> str:
        return tokens[position + offset].key if position + offset < len(tokens) else ""

    if name == "double" and at() == "precision":
        name, position = "float8", position + 1
    elif name in ("character", "char", "nchar") and at() == "varying":
        name, position = "varchar", position + 1
    arguments: list[str] = []
    if at() == "(" and name != "interval":
        end = close(tokens, position)
        arguments = [token.key for token in tokens[position + 1 : end] if token.text != ","]
        position = end + 1
    if name in ("timestamp", "time"):
        if arguments:
            raise RedshiftError(NOT_SUPPORTED, f"{name.upper()} takes no precision on Redshift")
        if at() in ("with", "without") and at(1) == "time" and at(2) == "zone":
            name += "tz" if at() == "with" else ""
            position += 3
    if at() == "[":
        raise RedshiftError(NOT_SUPPORTED, f'Array type "{name}[]" is not supported.')
    spelled = _spell(name, arguments)
    return [Token("word", spelled, first.before or " ")], position


def _spell(name: str, arguments: list[str]) -> str:  # noqa: C901 - one branch per type
    if name in ("varchar", "nvarchar", "text"):
        if name == "text" and arguments:
            raise syntax_error("(")
        size = {"max": MAX_VARCHAR}.get(arguments[0]) if arguments else 256
        size = size or int(arguments[0])
        if not 0 < size <= MAX_VARCHAR:
            raise RedshiftError("22023", f"length for type varchar cannot exceed {MAX_VARCHAR}")
        return f"varchar({size})"
    if name in ("char", "character", "nchar", "bpchar"):
        size = int(arguments[0]) if arguments else 256 if name == "bpchar" else 1
        if not 0 < size <= MAX_CHAR:
            raise RedshiftError("22023", f"length for type char cannot exceed {MAX_CHAR}")
        return f"char({size})"
    if name in ("numeric", "decimal"):
        precision = int(arguments[0]) if arguments else 18
        scale = int(arguments[1]) if len(arguments) > 1 else 0
        if not 0 < precision <= 38 or not 0 <= scale <= 37:
            raise RedshiftError("22023", f"DECIMAL precision {precision} must be between 1 and 38")
        return f"numeric({precision},{scale})"
    if name == "float":
        return f"float({arguments[0]})" if arguments else "float8"
    if name in ("timestamp", "timestamptz", "time", "timetz") or (name in _PLAIN and not arguments):
        return name
    if name in _NOT_MODELLED:
        raise RedshiftError(NOT_SUPPORTED, f"the stand-in does not know the type {name}")
    raise UnknownType(name)


def cast_types(tokens: list[Token]) -> list[Token]:
    """Respell the types after `::` and in `CAST(… AS …)`."""
    result: list[Token] = []
    casts: list[int] = []  # where the AS of each open CAST may come, by bracket depth
    depth, i = 0, 0
    while i < len(tokens):
        token = tokens[i]
        if token.text == "(":
            depth += 1
            if i and tokens[i - 1].key == "cast":
                casts.append(depth)
        elif token.text == ")":
            if casts and casts[-1] == depth:
                casts.pop()
            depth -= 1
        result.append(token)
        i += 1
        if token.text == "::" or (token.key == "as" and casts and casts[-1] == depth):
            try:
                spelled, i = read_type(tokens, i)
            except UnknownType as unknown:
                raise RedshiftError("42704", f'type "{unknown.name}" does not exist') from None
            result.extend(spelled)
    return result
