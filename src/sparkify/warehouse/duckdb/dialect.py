"""Redshift's SQL for DuckDB; the only user of sqlglot.

The source text goes to Redshift verbatim. For DuckDB it is transpiled, never the other way. What only
Redshift has (distribution, sort keys) is taken off the tree; keys too, since DuckDB would enforce them
with an index that costs more than the load, and the checks verify them. Functions that DuckDB lacks are
macros of the engine.
"""

from __future__ import annotations

import sqlglot
from sqlglot import ErrorLevel, exp

from sparkify.errors import ModelError
from sparkify.warehouse.duckdb.functions import MD5_BITS
from sparkify.warehouse.statements import Statement

_REDSHIFT_ONLY = (exp.DistKeyProperty, exp.SortKeyProperty, exp.DistStyleProperty, exp.PrimaryKey)


def transpile(statement: Statement) -> str:
    """Return the statement in DuckDB's dialect, on several lines.

    Raises:
        ModelError: sqlglot cannot read it, or DuckDB has no equal for it.
    """
    try:
        tree = sqlglot.parse_one(statement.text, read="redshift")
        for node in list(tree.find_all(*_REDSHIFT_ONLY)):
            node.pop()
        _quicken(tree)
        return tree.sql("duckdb", unsupported_level=ErrorLevel.RAISE, comments=False, pretty=True)
    except sqlglot.errors.SqlglotError as exc:
        raise ModelError(
            f"{statement.path}, line {statement.line}: cannot be written for DuckDB: {exc}.",
            "Use SQL that both engines know; see docs/decisions.md.",
            path=statement.path,
            line=statement.line,
        ) from exc


def _quicken(tree: exp.Expr) -> None:
    """Write an MD5's first 60 bits as a function of ours, which does not go by hex digits."""
    one, fifteen, sixteen = (exp.Literal.number(number) for number in (1, 15, 16))
    for md5 in list(tree.find_all(exp.MD5)):
        digits = exp.Substring(this=md5.copy(), start=one, length=fifteen)
        number = md5.find_ancestor(exp.FromBase)
        if number and number == exp.FromBase(this=digits, expression=sixteen):
            number.replace(exp.func(MD5_BITS, md5.this))
