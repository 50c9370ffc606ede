"""What a user's SELECT reads and has, by sqlglot; nothing is generated here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from sparkify.custom.sql_file import SqlFile

# It tells of statements that it does not know, which is told as an error here.
logging.getLogger("sqlglot").setLevel(logging.ERROR)
# What a SELECT must not have within it: whatever writes, or changes what is there.
_WRITES = (
    *(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Create, exp.Drop, exp.Alter),
    *(exp.Command, exp.Copy, exp.TruncateTable),
)
_SELECT_ALONE = "Write one SELECT, with WITH before it if you like, and nothing else."


class Parsed(NamedTuple):
    """A SELECT.

    Attributes:
        references: The tables, views and models that it reads, with the line of the first reference. What is
            in the default schema stands without it.
        columns: The names of its columns, empty where one has none; None where only the database can tell
            (``*``).
        by_file: Whether it may read the numbers of files: those of staging change when files move.
    """

    references: Mapping[str, int]
    columns: tuple[str, ...] | None
    by_file: bool


def without_end(text: str) -> str:
    """Return a text without the semicolon that ends it, and the comments behind that."""
    try:
        tokens = sqlglot.tokenize(text, read="redshift")
    except sqlglot.errors.SqlglotError:
        return text  # it is told when the text is parsed
    while tokens and tokens[-1].token_type == sqlglot.TokenType.SEMICOLON:
        text = text[: tokens.pop().start]
    return text.rstrip()


def parse(source: SqlFile) -> Parsed:
    """Parse a file's SELECT.

    Raises:
        ModelError: It is none.
    """
    try:
        trees = [tree for tree in sqlglot.parse(source.text, read="redshift") if tree is not None]
    except sqlglot.errors.ParseError as exc:
        wrong = exc.errors[0]
        near = f" near {wrong['highlight']!r}" if wrong.get("highlight") else ""
        line = wrong.get("line") or 1
        raise source.wrong(f"this is no SQL{near}: {wrong['description']}", _SELECT_ALONE, line) from exc
    except sqlglot.errors.SqlglotError as exc:
        said = str(exc).split("\n", 1)[0]
        raise source.wrong(f"this is no SQL: {said}", "Look for a quote that is not closed.") from exc
    tree = trees[0] if len(trees) == 1 else None
    if not isinstance(tree, exp.Query):
        found = f"{len(trees)} statements" if len(trees) != 1 else "a statement of another kind"
        raise source.wrong(f"this is {found}, not one SELECT", _SELECT_ALONE)
    if writes := tree.find(*_WRITES):
        raise source.wrong(f"this writes ({writes.key.upper()})", _SELECT_ALONE)
    columns = None if tree.is_star else tuple(map(_name, tree.selects))
    by_file = any(column.name.lower() == "file_id" for column in tree.find_all(exp.Column)) or any(
        select.is_star for select in tree.find_all(exp.Select)
    )
    return Parsed(_references(tree), columns, by_file)


def _name(column: exp.Expr) -> str:
    """Return the name that every database gives a column, in small letters; empty: each gives another."""
    return column.output_name.lower() if isinstance(column, exp.Alias | exp.Column) else ""


def _references(tree: exp.Query) -> dict[str, int]:
    """Return what is read, but for what the SELECT itself names (WITH) and functions that return rows."""
    found: dict[str, int] = {}
    for scope in traverse_scope(tree):
        for table in scope.sources.values():
            if not isinstance(table, exp.Table) or not table.name:
                continue
            schema = table.db.lower()
            if schema in scope.sources:  # the elements of a column: FROM t, t.column AS element
                continue
            name = table.name.lower() if schema in ("", "public") else f"{schema}.{table.name.lower()}"
            found.setdefault(name, int(table.this.meta.get("line", 1)))
    return found
