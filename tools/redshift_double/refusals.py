"""What Redshift refuses and PostgreSQL would take.

Owns the deny-list over whole statements and clauses. Functions are in calls.py, types in datatypes.py; MERGE,
CREATE TABLE and subqueries have modules of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from .errors import NO_FUNCTION, NO_TABLE, NOT_SUPPORTED, RedshiftError, not_on_tables, syntax_error
from .options import Options
from .subqueries import refuse_subqueries
from .tokens import Token, at_depth
from .words import RESERVED

_COMMANDS = frozenset(
    [
        "abort",
        "alter",
        "analyse",
        "analyze",
        "begin",
        "close",
        "comment",
        "commit",
        "copy",
        "create",
        "deallocate",
        "declare",
        "delete",
        "drop",
        "end",
        "execute",
        "explain",
        "fetch",
        "grant",
        "insert",
        "lock",
        "merge",
        "prepare",
        "reset",
        "revoke",
        "rollback",
        "select",
        "set",
        "show",
        "start",
        "truncate",
        "update",
        "vacuum",
        "with",
    ]
)
_CREATED = frozenset(
    [
        "table",
        "temp",
        "temporary",
        "local",
        "view",
        "schema",
        "user",
        "group",
        "role",
        "database",
        "or",
        "materialized",
    ]
)
_OBJECTS = frozenset(
    ["table", "view", "schema", "user", "group", "role", "database", "default", "materialized"]
)
_JSON_OPERATORS = frozenset({"->", "->>", "#>", "#>>", "@>", "<@"})
_LEADER_RELATIONS = ("pg_", "svv_tables", "svv_columns", "information_schema")
_SYSTEM_RELATIONS = (*_LEADER_RELATIONS, "svv_", "sys_", "stl_", "stv_")


def refuse(tokens: Sequence[Token], options: Options) -> None:
    """Raise what Redshift would for this statement, if it would.

    Raises:
        RedshiftError: in Redshift's words, as far as they are known.
    """
    _commands(tokens)
    for i, token in enumerate(tokens):
        if token.kind == "operator" and token.text in _JSON_OPERATORS:
            raise RedshiftError(NO_FUNCTION, f"operator does not exist: {token.text}")
        if token.kind == "word":
            _clause(tokens, i, token.key, tokens[i + 1].key if i + 1 < len(tokens) else "")
            if token.key == "as" and i + 1 < len(tokens):
                _alias(tokens, i + 1)
    first = tokens[0].key
    if first == "insert":
        _insert(tokens)
    elif first == "update":
        _update(tokens)
    elif first == "delete":
        _delete(tokens)
    elif first == "with":
        _with(tokens)
    _views(tokens, options)
    refuse_subqueries(tokens)


def _commands(tokens: Sequence[Token]) -> None:
    first = tokens[0].key
    second = tokens[1].key if len(tokens) > 1 else ""
    if first in ("savepoint", "release") or (first == "rollback" and "to" in [t.key for t in tokens[1:3]]):
        raise RedshiftError(NOT_SUPPORTED, f'SQL command "{first.upper()}" not supported.')
    if first in ("create", "drop", "alter") and "index" in (second, tokens[2].key if len(tokens) > 2 else ""):
        text = " ".join(token.text for token in tokens)
        raise RedshiftError(NOT_SUPPORTED, f'SQL command "{text}" not supported on Redshift tables.')
    if first == "create" and second not in _CREATED:
        raise RedshiftError(NOT_SUPPORTED, f'SQL command "CREATE {second.upper()}" not supported.')
    if first in ("drop", "alter") and second not in _OBJECTS:
        raise RedshiftError(NOT_SUPPORTED, f'SQL command "{first.upper()} {second.upper()}" not supported.')
    if first not in _COMMANDS and tokens[0].text != "(":
        raise syntax_error(tokens[0].text)


def _clause(tokens: Sequence[Token], i: int, key: str, following: str) -> None:  # noqa: C901, PLR0912 - one branch per clause
    before = tokens[i - 1].key if i else ""
    if key == "on" and following in ("conflict", "duplicate"):
        raise syntax_error("on")
    if key == "distinct" and following == "on":
        raise RedshiftError(NOT_SUPPORTED, "SELECT DISTINCT ON is not supported")
    if key == "distinct" and before in ("is", "not") and following == "from":
        raise RedshiftError(NOT_SUPPORTED, "IS DISTINCT FROM is not supported")
    if key in ("returning", "lateral", "tablesample", "overriding"):
        raise syntax_error(key)
    if key == "array" and following == "[":
        raise not_on_tables("array")
    if key == "for" and following in ("update", "share", "no"):
        raise RedshiftError(NOT_SUPPORTED, "SELECT FOR UPDATE is not supported")
    if key in ("intersect", "except", "minus") and following == "all":
        raise RedshiftError(NOT_SUPPORTED, f"{key.upper()} ALL is not supported")
    if key == "values" and before == "(":
        raise syntax_error("values")
    if key == "values" and i == 0:
        raise syntax_error("values")
    if key == "materialized" and before in ("as", "not"):
        raise syntax_error("materialized")
    if key in ("ignore", "respect") and following == "nulls":
        raise syntax_error(key)
    if key == "window" and i + 2 < len(tokens) and tokens[i + 2].key == "as":
        raise syntax_error("window")
    if key == "fetch" and following in ("first", "next") and i > 0:
        raise syntax_error("fetch")


def _alias(tokens: Sequence[Token], i: int) -> None:
    """A reserved word may not be an alias, not even after AS."""
    token = tokens[i]
    if token.kind != "word" or token.key not in RESERVED:
        return
    # AS is also part of CAST(… AS TIMESTAMP), CREATE … AS SELECT, JSON AS, MAXERROR AS, IDENTITY and of
    # frames.
    if token.key in ("timestamp", "select", "with", "interval", "identity", "time"):
        return
    raise syntax_error(token.text)


def _insert(tokens: Sequence[Token]) -> None:
    if len(tokens) < 3 or tokens[1].key != "into":
        raise syntax_error(tokens[min(1, len(tokens) - 1)].text)
    i = _after_name(tokens, 2)
    follows = tokens[i] if i < len(tokens) else tokens[-1]
    aliased = follows.key == "as" or (follows.identifier and follows.key not in RESERVED)
    if aliased and follows.key != "values":
        raise syntax_error(follows.text)


def _update(tokens: Sequence[Token]) -> None:
    for i, token in at_depth(tokens, 0):
        if token.key == "set" and i + 1 < len(tokens) and tokens[i + 1].text == "(":
            raise syntax_error("(")


def _delete(tokens: Sequence[Token]) -> None:
    """The target of DELETE takes no alias, and USING lists tables."""
    start = 2 if len(tokens) > 1 and tokens[1].key == "from" else 1
    i = _after_name(tokens, start)
    if i < len(tokens) and tokens[i].key not in ("using", "where"):
        raise syntax_error(tokens[i].text)
    if i < len(tokens) and tokens[i].key == "using":
        for j, token in at_depth(tokens, i + 1):
            if token.key == "where":
                break
            if token.text == "(":
                raise syntax_error(tokens[j].text)


def _with(tokens: Sequence[Token]) -> None:
    """WITH may lead SELECT, UPDATE and DELETE, and its queries only select."""
    for i, token in at_depth(tokens, 0):
        if token.key in ("insert", "merge"):
            raise syntax_error(token.text)
        if token.text == "(" and i + 1 < len(tokens):
            inner = tokens[i + 1].key
            if inner in ("insert", "update", "delete", "merge"):
                raise syntax_error(inner)


def _after_name(tokens: Sequence[Token], start: int) -> int:
    i = start + 1
    while i + 1 < len(tokens) and tokens[i].text == ".":
        i += 2
    return i


def relations(tokens: Sequence[Token]) -> list[str]:
    """The names that stand where relations stand; CTE names among them."""
    names: list[str] = []
    for i, token in enumerate(tokens[:-1]):
        if token.kind == "word" and token.key in ("from", "join", "into", "update", "using", "table"):
            following = tokens[i + 1]
            if following.identifier and (following.kind == "quoted" or following.key not in RESERVED):
                names.append(following.name)
        elif token.text == "," and i and tokens[i + 1].identifier and names:
            names.append(tokens[i + 1].name)  # a list in FROM; a column's name does no harm here
    return names


def on_tables(tokens: Sequence[Token]) -> bool:
    """Whether the statement reads or writes a table of the user's: compute nodes take part."""
    explicit = [
        tokens[i + 1].name
        for i, token in enumerate(tokens[:-1])
        if token.kind == "word"
        and token.key in ("from", "join", "into", "update", "table")
        and tokens[i + 1].identifier
        and not (token.key == "from" and _inside_call(tokens, i))
    ]
    return any(not name.startswith(_SYSTEM_RELATIONS) for name in explicit)


def _inside_call(tokens: Sequence[Token], i: int) -> bool:
    """Whether this FROM belongs to EXTRACT, TRIM, SUBSTRING, OVERLAY or IS DISTINCT FROM."""
    depth = 0
    for j in range(i - 1, -1, -1):
        depth += (tokens[j].text == ")") - (tokens[j].text == "(")
        if depth < 0:
            return j > 0 and tokens[j - 1].key in ("extract", "trim", "substring", "overlay")
        if depth == 0 and tokens[j].key == "select":
            return False
    return False


def _views(tokens: Sequence[Token], options: Options) -> None:
    for i, token in enumerate(tokens):
        if not token.identifier or (i and tokens[i - 1].text == "." and tokens[i - 2].name != "pg_catalog"):
            continue
        name = token.name
        absent = (name.startswith("sys_") and options.views == "provisioned") or (
            name.startswith(("stl_", "stv_")) and options.views == "serverless"
        )
        if absent and i and tokens[i - 1].key in ("from", "join", ",", "."):
            raise RedshiftError(NO_TABLE, f'relation "{name}" does not exist')
    names = relations(tokens)
    leader = [name for name in names if name.startswith(_LEADER_RELATIONS)]
    if leader and on_tables(tokens):
        raise not_on_tables(leader[0])
