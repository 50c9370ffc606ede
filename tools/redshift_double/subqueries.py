"""Correlated subqueries that Redshift cannot plan, and outer joins in an UPDATE's FROM.

Owns the cutting of a statement into query blocks, which of them refer to which, and the patterns that the
Developer Guide lists as not supported. A reference counts where it names its table (`s.id`): a bare column
may be anyone's, and no catalogue is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .errors import INTERNAL, NOT_SUPPORTED, RedshiftError
from .tokens import Token, at_depth, close
from .words import RESERVED

_SET_OPERATORS = frozenset({"union", "except", "intersect", "minus"})
# The words that begin a clause of a query block, and the clause's name.
_CLAUSES = {
    "select": "select",
    "from": "from",
    "update": "from",
    "set": "set",
    "where": "where",
    "group": "group",
    "having": "where",
    "qualify": "where",
    "order": "order",
    "limit": "order",
}
_AGGREGATES = frozenset(
    ["avg", "count", "listagg", "median", "stddev", "stddev_pop", "stddev_samp", "sum", "var_pop", "variance"]
)
_NO_ALIAS = RESERVED | {"set", "cross", "inner", "left", "right", "full", "natural", "join", "on", "using"}
_SYSTEM = ("pg_", "stl_", "stv_", "svl_", "svv_", "sys_")


@dataclass(eq=False)
class _Block:
    """One SELECT, or the UPDATE or DELETE around them."""

    parent: _Block | None = None
    link: str = ""  # how the parent has it: exists, not exists, in, not in, from, value
    clause: str = ""  # of the parent, in which it stands
    item: str = ""  # of the parent's select list: its number
    of_union: bool = False  # a branch of a UNION
    in_on: bool = False  # within the ON of a join
    sources: set[str] = field(default_factory=set)
    tables: list[str] = field(default_factory=list)
    qualifiers: list[str] = field(default_factory=list)
    windows: bool = False
    aggregates: bool = False
    grouped: list[str] = field(default_factory=list)  # names and numbers in GROUP BY
    labels: dict[str, str] = field(default_factory=dict)  # of the select list: alias to number

    def ancestors(self) -> Iterator[_Block]:
        block = self.parent
        while block is not None:
            yield block
            block = block.parent


def refuse_subqueries(tokens: Sequence[Token]) -> None:
    """Raise what Redshift would for the subqueries of a statement.

    Raises:
        RedshiftError: in the words that users have published.
    """
    if tokens[0].key == "update":
        _update(tokens)
    if sum(token.key == "select" for token in tokens) + (tokens[0].key in ("update", "delete")) < 2:
        return
    blocks: list[_Block] = []
    _Reader(tokens, blocks).statement()
    for block in blocks:
        _correlations(block)


def _update(tokens: Sequence[Token]) -> None:
    """No outer join in FROM: nor in a derived table, which the planner may merge into it."""
    start = next((i for i, token in at_depth(tokens, 0) if token.key == "from"), None)
    if start is None:
        return
    end = next((i for i, token in at_depth(tokens, start) if token.key == "where"), len(tokens))
    for token, following in zip(tokens[start:end], tokens[start + 1 : end], strict=False):
        if token.key in ("left", "right", "full") and following.key in ("outer", "join"):
            raise RedshiftError(NOT_SUPPORTED, "Target table must be part of an equijoin predicate")


def _correlations(block: _Block) -> None:
    for qualifier in block.qualifiers:
        if qualifier in block.sources:
            continue
        ancestors = list(block.ancestors())
        levels = (n for n, each in enumerate(ancestors, 1) if qualifier in each.sources)
        level = next(levels, 0)
        if level and _unsupported(block, ancestors[level - 1], level):
            raise RedshiftError(
                INTERNAL, "This type of correlated subquery pattern is not supported due to internal error"
            )


def _unsupported(block: _Block, outer: _Block, level: int) -> bool:
    """Whether a reference from a block to that many blocks out is of one of the patterns."""
    label = next((name for name, number in outer.labels.items() if number == block.item), "")
    by_result = block.clause == "group" or (
        block.clause == "select" and bool({label, block.item} & set(outer.grouped) - {""})
    )
    above = [outer]
    while above[-1].link == "from" and above[-1].parent is not None:
        above.append(above[-1].parent)
    return (
        level > 1  # it skips a block
        or block.in_on
        or (block.link == "not in" and any(name.startswith(_SYSTEM) for name in block.tables))
        or block.windows
        or by_result
        or (block.link in ("in", "not in") and block.aggregates and bool(block.grouped))
        # Not documented; a maintainer has met it.
        or (block.link == "not exists" and any(each.of_union for each in above))
    )


class _Reader:
    """Cuts a statement into blocks."""

    def __init__(self, tokens: Sequence[Token], blocks: list[_Block]) -> None:
        self._tokens = tokens
        self._blocks = blocks

    def statement(self) -> None:
        tokens = self._tokens
        first = next(i for i, token in enumerate(tokens) if token.key not in ("explain", "verbose"))
        if tokens[first].key in ("update", "delete"):
            block = _Block()
            self._blocks.append(block)
            self._core(block, first, len(tokens))
            return
        start = next((i for i, t in at_depth(tokens, first) if t.key in ("select", "with")), None)
        if start is not None:
            self._query(start, len(tokens), _Block())
        else:  # CREATE TABLE … AS (SELECT …), (SELECT …) UNION (SELECT …)
            for i, token in at_depth(tokens, first):
                if token.text == "(" and self._is_query(i):
                    self._query(i, len(tokens), _Block())
                    return

    def _is_query(self, opening: int) -> bool:
        i = opening
        while i < len(self._tokens) and self._tokens[i].text == "(":
            i += 1
        return i < len(self._tokens) and self._tokens[i].key in ("select", "with")

    def _query(self, start: int, end: int, like: _Block) -> None:
        """A query expression: WITH, and branches between set operators. Each block is made as ``like`` is."""
        tokens = self._tokens
        if tokens[start].key == "with":
            i = start + 1
            while i < end:
                if tokens[i].text == "(" and self._is_query(i):
                    after = close(tokens, i)
                    self._query(i + 1, after, _Block(like.parent, "from", "from"))
                    i = after
                elif tokens[i].text == "(":
                    i = close(tokens, i)
                elif tokens[i].key == "select":
                    break
                i += 1
            start = i
        cuts = [i for i, token in self._level(start, end) if token.key in _SET_OPERATORS]
        union = like.of_union or any(tokens[i].key == "union" for i in cuts)
        for begin, stop in zip([start - 1, *cuts], [*cuts, end], strict=True):
            at = begin + 1
            if at < stop and tokens[at].key in ("all", "distinct"):
                at += 1
            branch = _Block(like.parent, like.link, like.clause, like.item, union, like.in_on)
            if at < stop and tokens[at].text == "(" and self._is_query(at):
                self._query(at + 1, close(tokens, at), branch)
            elif at < stop:
                self._blocks.append(branch)
                self._core(branch, at, stop)

    def _level(self, start: int, end: int) -> Iterator[tuple[int, Token]]:
        return ((i, token) for i, token in at_depth(self._tokens, start) if i < end)

    def _core(self, block: _Block, start: int, end: int) -> None:  # noqa: C901 - one branch per clause
        """One SELECT, UPDATE or DELETE, without its subqueries, which are read on the way."""
        tokens = self._tokens
        clause, depth, number, on = "", 0, 1, False
        expects_source = False
        i = start
        while i < end:
            token = tokens[i]
            key = token.key if token.kind == "word" else ""
            if token.text == "(" and self._is_query(i):
                after = close(tokens, i)
                link = "from" if expects_source else self._link(i)
                inside = _Block(block, link, clause, str(number) if clause == "select" else "", in_on=on)
                self._query(i + 1, after, inside)
                i = after
                if expects_source:
                    i = self._alias(block, i + 1, end) - 1
                    expects_source = False
            elif token.text in ("(", ")"):
                depth += 1 if token.text == "(" else -1
            elif depth == 0 and key in _CLAUSES and tokens[i - 1].key != "within":  # LISTAGG's own GROUP
                clause = _CLAUSES[key]
                expects_source, on = clause == "from", False
            elif clause == "from" and (
                key == "join"
                or (token.text == "," and depth == 0)
                or (key == "using" and tokens[start].key == "delete")
            ):
                expects_source, on = True, False
            elif clause == "from" and key == "on":
                on = True
            elif clause == "from" and expects_source and token.identifier and key not in ("only", "lateral"):
                while i + 2 < end and tokens[i + 1].text == ".":
                    i += 2
                block.tables.append(tokens[i].name)
                following = self._alias(block, i + 1, end)
                if following == i + 1:
                    block.sources.add(tokens[i].name)
                i, expects_source = following - 1, False
            elif clause == "select" and token.text == "," and depth == 0:
                number += 1
            else:
                self._expression(block, i, end, clause, number, depth)
            i += 1

    def _expression(self, block: _Block, i: int, end: int, clause: str, number: int, depth: int) -> None:
        tokens = self._tokens
        token = tokens[i]
        following = tokens[i + 1].text if i + 1 < end else ""
        if not token.identifier:
            if clause == "group" and token.kind == "number":
                block.grouped.append(token.text)
            return
        if following == "." and tokens[i - 1].text != "." and (i + 3 >= end or tokens[i + 3].text != "("):
            block.qualifiers.append(token.name)
        if following == "(":
            block.windows |= token.key == "over"
            block.aggregates |= token.key in _AGGREGATES
        if clause == "group" and token.key != "by":
            block.grouped.append(token.name)
        if clause == "select" and depth == 0 and following in (",", "from", "FROM", "") and i > 0:
            before = tokens[i - 1]
            if before.key == "as" or before.text == ")" or before.identifier:
                block.labels[token.name] = str(number)

    def _link(self, opening: int) -> str:
        """How the query in these brackets is connected: by the words before them."""
        before = [token.key for token in self._tokens[max(0, opening - 3) : opening]]
        for word in ("exists", "in", "all", "any", "some"):
            if before[-1:] == [word]:
                negated = before[-2:-1] in (["not"], ["<>"], ["!="])
                name = "exists" if word == "exists" else "in"
                return f"not {name}" if negated else name
        return "value"

    def _alias(self, block: _Block, i: int, end: int) -> int:
        """Note the alias that may stand here; where it ends."""
        if i < end and self._tokens[i].key == "as":
            i += 1
        if i < end and self._tokens[i].identifier and self._tokens[i].key not in _NO_ALIAS:
            block.sources.add(self._tokens[i].name)
            i += 1
        return i
