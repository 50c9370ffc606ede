"""Translate Redshift's SQL into DuckDB's dialect; the only module that imports sqlglot.

Redshift gets the source text verbatim. For DuckDB it is transpiled, never the other way round. Properties
that only Redshift has (distribution, sort keys) are removed. Keys are removed too: DuckDB would enforce them
with an index that costs more than the load, and the checks verify them. Functions that DuckDB lacks are
macros (:mod:`sparkify.warehouse.duckdb.functions`).
"""

from __future__ import annotations

import sqlglot
from sqlglot import ErrorLevel, exp

from sparkify.errors import ModelError
from sparkify.warehouse.duckdb.functions import MD5_BITS
from sparkify.warehouse.statements import Statement

_REDSHIFT_ONLY = (exp.DistKeyProperty, exp.SortKeyProperty, exp.DistStyleProperty, exp.PrimaryKey)

# Functions of another name, which sqlglot does not know.
_NAMES = {"OCTET_LENGTH": "STRLEN"}


def transpile(statement: Statement) -> str:
    """Return the statement in DuckDB's dialect, on several lines.

    Raises:
        ModelError: sqlglot cannot parse the statement, or DuckDB has no equivalent.
    """
    try:
        tree = sqlglot.parse_one(statement.text, read="redshift")
        for node in list(tree.find_all(*_REDSHIFT_ONLY)):
            node.pop()
        for call in tree.find_all(exp.Anonymous):
            call.set("this", _NAMES.get(call.name.upper(), call.name))
        _quicken(tree)
        _name_schemas(tree)
        return tree.sql("duckdb", unsupported_level=ErrorLevel.RAISE, comments=False, pretty=True)
    except sqlglot.errors.SqlglotError as exc:
        raise ModelError(
            f"{statement.path}, line {statement.line}: cannot be written for DuckDB: {exc}.",
            "Use SQL that both engines know; see docs/decisions.md.",
            path=statement.path,
            line=statement.line,
        ) from exc


def _name_schemas(tree: exp.Expr) -> None:
    """Write the schema ``public`` by DuckDB's name for it, and name that of the tables that a view stands on.

    In a file that another database attaches, DuckDB looks for them in the view's own schema only.
    """
    for table in tree.find_all(exp.Table):
        if table.db == "public":
            table.set("db", exp.to_identifier("main"))
    if not (isinstance(tree, exp.Create) and tree.kind == "VIEW"):
        return
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if table.name and not table.db and table.name not in own:
            table.set("db", exp.to_identifier("main"))


def _quicken(tree: exp.Expr) -> None:
    """Replace the first 60 bits of an MD5 by our macro, which is faster than hex digits."""
    one, fifteen, sixteen = (exp.Literal.number(number) for number in (1, 15, 16))
    for md5 in list(tree.find_all(exp.MD5)):
        digits = exp.Substring(this=md5.copy(), start=one, length=fifteen)
        number = md5.find_ancestor(exp.FromBase)
        if number and number == exp.FromBase(this=digits, expression=sixteen):
            number.replace(exp.func(MD5_BITS, md5.this))
