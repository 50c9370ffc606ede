"""Function calls: which are allowed, and how Redshift's own spellings become PostgreSQL's.

Owns what is written `name(…)`, and the few functions Redshift writes without brackets. Functions of the same
spelling and another meaning are replaced in catalog.sql instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .errors import NO_FUNCTION, NOT_SUPPORTED, RedshiftError, not_on_tables, syntax_error
from .tokens import Token, close, spaced, split, word
from .words import (
    DATE_PART_FUNCTIONS,
    FRAMED,
    FUNCTIONS,
    LEADER_FUNCTIONS,
    LEADER_WORDS,
    NOT_CALLS,
    NOT_MODELLED,
    RESERVED,
)

_NAMES_FOLLOW = frozenset(
    [
        "into",
        "table",
        "exists",
        "view",
        "references",
        "analyze",
        "vacuum",
        "update",
        "truncate",
        "lock",
        "recursive",
        "schema",
        "join",
    ]
)


def find_calls(tokens: Sequence[Token]) -> Iterator[int]:
    """Indexes of the names of called functions."""
    for i in range(len(tokens) - 1):
        token = tokens[i]
        if (
            not token.identifier
            or tokens[i + 1].text != "("
            or (token.kind == "word" and token.key in NOT_CALLS)
        ):
            continue
        first = i
        while first >= 2 and tokens[first - 1].text == ".":
            first -= 2
        before = tokens[first - 1] if first else None
        if (
            before is None
            or before.key in _NAMES_FOLLOW
            or before.text == ")"
            or before.key in ("as", "with")
        ):
            continue
        if before.identifier and before.key not in RESERVED and before.key not in NOT_CALLS | _VERBS:
            continue  # `FROM t alias (a, b)`
        if before.text == "," and _defines_cte(tokens, i):
            continue
        yield i


_VERBS = frozenset(
    [
        "by",
        "return",
        "values",
        "set",
        "over",
        "exclude",
        "preceding",
        "following",
        "rows",
        "call",
        "begin",
        "and",
        "or",
        "approximate",
    ]
)


def _defines_cte(tokens: Sequence[Token], i: int) -> bool:
    end = close(tokens, i + 1)
    return end + 2 < len(tokens) and tokens[end + 1].key == "as" and tokens[end + 2].text == "("


def check_calls(tokens: Sequence[Token], *, on_tables: bool) -> None:
    """Refuse what Redshift does not have, and what only its leader node has when tables are involved.

    Raises:
        RedshiftError: for the first such call.
    """
    calls = list(find_calls(tokens))
    for i in calls:
        name = tokens[i].name
        if name in LEADER_FUNCTIONS:
            if on_tables:
                raise not_on_tables(f"{name}()")
        elif name in NOT_MODELLED:
            raise RedshiftError(NOT_SUPPORTED, f"the stand-in does not know the function {name}")
        elif name not in FUNCTIONS:
            raise RedshiftError(NO_FUNCTION, f"function {name}() does not exist")
        end = close(tokens, i + 1)
        if end + 1 < len(tokens) and tokens[end + 1].key == "filter":
            raise syntax_error("(")
        if name == "concat" and len(split(tokens[i + 2 : end])) != 2:
            raise RedshiftError(NO_FUNCTION, "function concat() takes two arguments on Redshift")
        _check_window(tokens, name, end)
    for i, token in enumerate(tokens):
        if on_tables and token.kind == "word" and token.key in LEADER_WORDS and i not in calls:
            raise not_on_tables(f"{token.key}()")


def _check_window(tokens: Sequence[Token], name: str, end: int) -> None:
    """An aggregate OVER (… ORDER BY …) needs a ROWS frame; no frame but ROWS; no NULLS clause."""
    if not (end + 2 < len(tokens) and tokens[end + 1].key == "over"):
        return
    if tokens[end + 2].text != "(":
        raise syntax_error(tokens[end + 2].text)  # no WINDOW clause
    inside = [token.key for token in tokens[end + 3 : close(tokens, end + 2)]]
    for refused in ("range", "groups", "exclude", "nulls"):
        if refused in inside:
            raise syntax_error(refused)
    if "order" in inside and "rows" not in inside and name in FRAMED:
        raise RedshiftError(
            NOT_SUPPORTED, "Aggregate window functions with an ORDER BY clause require a frame clause"
        )


def rewrite_calls(tokens: list[Token]) -> list[Token]:
    """Redshift's spellings in PostgreSQL's."""
    i = 0
    tokens = list(tokens)
    while i < len(tokens):
        token = tokens[i]
        key = token.key if token.kind == "word" else ""
        if key == "sysdate":
            tokens[i : i + 1] = [token, Token("operator", "("), Token("operator", ")")]
            i += 2
        elif key == "approximate":
            del tokens[i]
            continue
        elif i + 1 < len(tokens) and tokens[i + 1].text == "(":
            end = close(tokens, i + 1)
            if key in DATE_PART_FUNCTIONS and tokens[i + 2].kind == "word" and tokens[i + 3].text == ",":
                tokens[i + 2] = Token("string", f"'{tokens[i + 2].key}'")
            elif key == "nvl":
                tokens[i] = spaced(token, "coalesce")
            elif key in ("nvl2", "decode"):
                arguments = split(tokens[i + 2 : end])
                tokens[i : end + 1] = _case(token, key, arguments)
                continue  # its arguments may hold calls of their own
            elif key == "listagg":
                i = _listagg(tokens, i, end)
            elif key == "median":
                tokens[i : end + 1] = [
                    spaced(token, "percentile_cont(0.5) WITHIN GROUP (ORDER BY"),
                    *_apart(tokens[i + 2 : end]),
                    Token("operator", ")"),
                ]
        i += 1
    return tokens


def _apart(tokens: Sequence[Token]) -> list[Token]:
    return [Token(tokens[0].kind, tokens[0].text, tokens[0].before or " "), *tokens[1:]] if tokens else []


def _case(name: Token, key: str, arguments: list[list[Token]]) -> list[Token]:
    start = spaced(name, "CASE")
    if key == "nvl2":
        if len(arguments) != 3:
            raise RedshiftError(NO_FUNCTION, "function nvl2() takes three arguments")
        tested, given, missing = map(_apart, arguments)
        return [
            start, word("WHEN"), Token("operator", "(", " "), *tested, Token("operator", ")"), word("IS"),
            word("NOT"), word("NULL"), word("THEN"), *given, word("ELSE"), *missing, word("END"),
        ]  # fmt: skip
    if len(arguments) < 3:
        raise RedshiftError(NO_FUNCTION, "function decode() takes at least three arguments")
    subject, rest = _apart(arguments[0]), arguments[1:]
    result = [start]
    while len(rest) >= 2:
        result += [word("WHEN"), Token("operator", "(", " "), *subject, Token("operator", ")")]
        result += [word("IS"), word("NOT"), word("DISTINCT"), word("FROM"), Token("operator", "(", " ")]
        result += [*_apart(rest[0]), Token("operator", ")"), word("THEN"), *_apart(rest[1])]
        rest = rest[2:]
    if rest:
        result += [word("ELSE"), *_apart(rest[0])]
    return [*result, word("END")]


def _listagg(tokens: list[Token], i: int, end: int) -> int:
    """LISTAGG(…) WITHIN GROUP (ORDER BY …) to an ordered aggregate; returns where its arguments begin."""
    arguments = list(tokens[i + 2 : end])
    if len(split(arguments)) == 1:
        arguments += [Token("operator", ","), Token("string", "''", " ")]
    after = end + 1
    if after + 1 < len(tokens) and tokens[after].key == "within" and tokens[after + 1].key == "group":
        group_end = close(tokens, after + 2)
        arguments += _apart(tokens[after + 3 : group_end])
        after = group_end + 1
    over = after < len(tokens) and tokens[after].key == "over"
    call = [Token("word", "listagg"), Token("operator", "("), *arguments, Token("operator", ")")]
    limited = [Token("word", "redshift_listagg"), Token("operator", "("), *call, Token("operator", ")")]
    new = call if over else limited
    new[0] = spaced(Token("word", "", tokens[i].before), new[0].text)
    tokens[i:after] = new
    return i + (1 if over else 3)
