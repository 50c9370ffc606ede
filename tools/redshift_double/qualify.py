"""QUALIFY, which PostgreSQL lacks: the query becomes a subquery that carries the condition as a column.

Owns that rewriting and Redshift's rules for QUALIFY: directly after FROM and WHERE, every relation with an
alias.
"""

from __future__ import annotations

from collections.abc import Sequence

from .errors import NOT_SUPPORTED, RedshiftError, syntax_error
from .tokens import Token, at_depth, close, split, word
from .words import RESERVED

_SET_OPERATORS = frozenset({"union", "except", "intersect", "minus"})
_JOIN_WORDS = frozenset(
    ["join", "inner", "left", "right", "full", "outer", "cross", "natural", "on", "using"]
)


def rewrite_qualify(tokens: list[Token]) -> list[Token]:
    """Replace every QUALIFY, innermost last, until none is left."""
    while True:
        found = [i for i, token in enumerate(tokens) if token.kind == "word" and token.key == "qualify"]
        if not found:
            return tokens
        tokens = _replace(tokens, found[-1])


def _replace(tokens: list[Token], qualify: int) -> list[Token]:  # noqa: C901 - one step per clause
    start = _select_of(tokens, qualify)
    end = _end_of(tokens, qualify)
    clauses = _clauses(tokens, start, qualify)
    if "group" in clauses or "having" in clauses:
        raise syntax_error("qualify")
    if "from" not in clauses:
        raise syntax_error("qualify")
    tail = {token.key: i for i, token in at_depth(tokens[:end], qualify + 1) if token.kind == "word"}
    order = next((i for i, t in at_depth(tokens[:end], qualify + 1) if t.key == "order"), end)
    limit = next((i for i, t in at_depth(tokens[:end], qualify + 1) if t.key in ("limit", "offset")), end)
    if start and (tokens[start - 1].key in _SET_OPERATORS or tokens[start - 1].key == "all"):
        end = order = limit = min(order, limit)  # what follows orders the whole union
    if "group" in tail or "having" in tail:
        raise syntax_error("group")
    condition = tokens[qualify + 1 : min(order, limit)]
    items_start = start + 1
    distinct = tokens[items_start].key == "distinct"
    if distinct:
        items_start += 1
    items = split(tokens[items_start : clauses["from"]])
    from_end = clauses.get("where", qualify)
    aliases = _aliases(tokens[clauses["from"] + 1 : from_end])

    inner: list[Token] = []
    outer: list[Token] = []
    names: list[str] = []
    expressions: dict[str, list[Token]] = {}
    for item in items:
        if item[-1].text == "*" and len(item) in (1, 3):
            wanted = aliases if len(item) == 1 else [item[0].name]
            for alias in wanted:
                name = f"_c{len(names)}"
                names.append(name)
                inner += [*_comma(inner), Token("quoted", f'"{alias}"', " ")]
                outer += [*_comma(outer), word(f"(_qualified.{name}).*")]
            continue
        expression, label = _label(item)
        name = f"_c{len(names)}"
        names.append(name)
        inner += [*_comma(inner), *_spaced(expression)]
        outer += [*_comma(outer), word(f"_qualified.{name}")]
        if label:
            outer += [word("AS"), Token("quoted", f'"{label}"', " ")]
            if len(item) > len(expression):
                expressions[label] = expression
    condition = _without_aliases(condition, expressions)
    order_by = _without_aliases(tokens[order:limit], expressions)
    query = [
        tokens[start],
        *([word("DISTINCT")] if distinct else []),
        *outer,
        word("FROM"), Token("operator", "(", " "), Token("word", "SELECT"), *inner,
        Token("operator", ","), Token("operator", "(", " "), *condition, Token("operator", ")"),
        *tokens[clauses["from"] : qualify],
        *order_by,
        Token("operator", ")", " "), word("AS"), word("_qualified"),
        Token("operator", "(", " "),
        word(", ".join([*names, "_qualifies"])),
        Token("operator", ")"),
        word("WHERE"), word("_qualified._qualifies"),
        *tokens[limit:end],
    ]  # fmt: skip
    return [*tokens[:start], *query, *tokens[end:]]


def _select_of(tokens: Sequence[Token], qualify: int) -> int:
    depth = 0
    for i in range(qualify - 1, -1, -1):
        depth += (tokens[i].text == ")") - (tokens[i].text == "(")
        if depth < 0:
            break
        if depth == 0 and tokens[i].kind == "word" and tokens[i].key == "select":
            return i
    raise syntax_error("qualify")


def _end_of(tokens: Sequence[Token], qualify: int) -> int:
    for i, token in at_depth(tokens, qualify + 1):
        if token.kind == "word" and token.key in _SET_OPERATORS:
            return i
    depth = 0
    for i in range(qualify + 1, len(tokens)):
        depth += (tokens[i].text == "(") - (tokens[i].text == ")")
        if depth < 0:
            return i
    return len(tokens)


def _clauses(tokens: Sequence[Token], start: int, end: int) -> dict[str, int]:
    clauses: dict[str, int] = {}
    for i, token in at_depth(tokens[:end], start):
        if token.kind == "word" and token.key in ("from", "where", "group", "having", "order"):
            clauses.setdefault(token.key, i)
    return clauses


def _aliases(tokens: Sequence[Token]) -> list[str]:
    """The aliases in a FROM list, in order.

    Raises:
        RedshiftError: a relation has none, as QUALIFY demands.
    """
    aliases: list[str] = []
    for part in split(tokens):
        level = [(i, token) for i, token in at_depth(part, 0)]
        starts = [0] + [i + 1 for i, token in level if token.kind == "word" and token.key == "join"]
        for start in starts:
            i = close(part, start) + 1 if part[start].text == "(" else start + 1
            while i < len(part) and part[i].text == ".":
                i += 2
            if i < len(part) and part[i].key == "as":
                i += 1
            usable = i < len(part) and part[i].identifier
            if not usable or (part[i].kind == "word" and part[i].key in RESERVED | _JOIN_WORDS):
                raise syntax_error("qualify")
            aliases.append(part[i].name)
        if any(token.key in ("using", "natural") for _, token in level):
            raise RedshiftError(NOT_SUPPORTED, "the stand-in does not know QUALIFY with JOIN … USING")
    return aliases


def _label(item: list[Token]) -> tuple[list[Token], str]:
    """An item of a SELECT list: its expression, and the name of the column it gives."""
    if len(item) >= 3 and item[-2].key == "as":
        return item[:-2], item[-1].name
    last = item[-1]
    if len(item) >= 2 and last.identifier and item[-2].text != "." and _ends_value(item[-2], last):
        return item[:-1], last.name
    if last.identifier:
        return item, last.name if len(item) == 1 or item[-2].text == "." else ""
    if len(item) > 2 and item[0].identifier and item[1].text == "(":
        return item, item[0].name
    return item, ""


def _ends_value(token: Token, following: Token) -> bool:
    if following.kind == "word" and following.key in RESERVED:
        return False
    if token.kind == "operator":
        return token.text in (")", "]")
    return not (token.kind == "word" and token.key in RESERVED - {"end", "null", "true", "false", "sysdate"})


def _without_aliases(tokens: Sequence[Token], expressions: dict[str, list[Token]]) -> list[Token]:
    """QUALIFY may use the names of the SELECT list; a subquery's inside may not."""
    result: list[Token] = []
    for i, token in enumerate(tokens):
        qualified = (i and tokens[i - 1].text == ".") or (
            i + 1 < len(tokens) and tokens[i + 1].text in (".", "(")
        )
        if token.identifier and not qualified and token.name in expressions:
            result += [Token("operator", "(", " "), *expressions[token.name], Token("operator", ")")]
        else:
            result.append(token)
    return result


def _comma(before: Sequence[Token]) -> list[Token]:
    return [Token("operator", ",")] if before else []


def _spaced(tokens: Sequence[Token]) -> list[Token]:
    return [Token(tokens[0].kind, tokens[0].text, tokens[0].before or " "), *tokens[1:]]
