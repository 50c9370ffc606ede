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
from sparkify.warehouse.statements import Statement

_REDSHIFT_ONLY = (exp.DistKeyProperty, exp.SortKeyProperty, exp.DistStyleProperty, exp.PrimaryKey)


def transpile(statement: Statement, *, pretty: bool = False) -> str:
    """Return the statement in DuckDB's dialect, on one line or (``pretty``) on several.

    Raises:
        ModelError: sqlglot cannot read it, or DuckDB has no equal for it.
    """
    try:
        tree = sqlglot.parse_one(statement.text, read="redshift")
        for node in list(tree.find_all(*_REDSHIFT_ONLY)):
            node.pop()
        return tree.sql("duckdb", unsupported_level=ErrorLevel.RAISE, comments=False, pretty=pretty)
    except sqlglot.errors.SqlglotError as exc:
        raise ModelError(
            f"{statement.path}, line {statement.line}: cannot be written for DuckDB: {exc}.",
            "Use SQL that both engines know; see docs/decisions.md.",
            path=statement.path,
            line=statement.line,
        ) from exc
