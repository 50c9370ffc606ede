"""MERGE's own rules on Redshift. Owns the check; PostgreSQL runs the statement as it is."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import NOT_SUPPORTED, RedshiftError, syntax_error
from .tokens import Token, at_depth


def check_merge(tokens: Sequence[Token]) -> None:  # noqa: C901, PLR0912 - one branch per rule
    """No alias on the target, both WHEN clauses, no AND, unqualified SET, source other than the target.

    Raises:
        RedshiftError: for the first rule broken.
    """
    if tokens[1].key != "into":
        raise syntax_error(tokens[1].text)
    i = 2
    while i + 1 < len(tokens) and tokens[i + 1].text == ".":
        i += 2
    target = tokens[i].name
    if tokens[i + 1].key != "using":
        raise syntax_error(tokens[i + 1].text)
    if tokens[i + 2].identifier and _last_name(tokens, i + 2) == target:
        raise RedshiftError(NOT_SUPPORTED, "MERGE: the source table cannot be the target table")
    level = list(at_depth(tokens, 0))
    words = [token.key for _, token in level]
    if "remove" in words:
        raise RedshiftError(NOT_SUPPORTED, "the stand-in does not know MERGE … REMOVE DUPLICATES")
    whens = [n for n, key in enumerate(words) if key == "when"]
    kinds = []
    for n, start in enumerate(whens):
        clause = words[start : whens[n + 1] if n + 1 < len(whens) else None]
        condition = clause[1 : clause.index("then")] if "then" in clause else clause[1:]
        if condition not in (["matched"], ["not", "matched"]):
            raise syntax_error(next((w for w in condition if w not in ("not", "matched")), "when"))
        action = clause[clause.index("then") + 1] if "then" in clause else ""
        allowed = ("update", "delete") if condition == ["matched"] else ("insert",)
        if action not in allowed:
            raise syntax_error(action)
        kinds.append(len(condition))
    if sorted(kinds) != [1, 2]:
        raise syntax_error("end of input")
    setting = False
    for n, (i, token) in enumerate(level):
        if token.key == "when":
            setting = False
        if token.key == "set":
            setting = True
            continue
        begins = n and level[n - 1][1].key in ("set", ",")
        if setting and begins and i + 1 < len(tokens) and tokens[i + 1].text == ".":
            raise syntax_error(".")


def _last_name(tokens: Sequence[Token], start: int) -> str:
    i = start
    while i + 2 < len(tokens) and tokens[i + 1].text == ".":
        i += 2
    return tokens[i].name
