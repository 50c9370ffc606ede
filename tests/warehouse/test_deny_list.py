"""What Amazon Redshift rejects, or runs on its leader node only, stands in none of our SQL.

Parsers of its dialect accept several of these, so we keep a list of our own. Each entry brings examples that
it must catch and near misses that it must let pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from sparkify.warehouse.statements import Statement, read_statements
from tests.models import MODEL_FILES

# From the Database Developer Guide, "Reserved words".
RESERVED = frozenset(Path(__file__).with_name("reserved_words.txt").read_text().split())


@dataclass(frozen=True)
class Rule:
    """Something no statement may hold: as a pattern of its code, or as a test of its tree."""

    name: str
    found: Callable[[str], bool]
    caught: tuple[str, ...]
    passed: tuple[str, ...] = ()


def code(text: str) -> str:
    """Return SQL without comments and with every literal empty."""
    return re.sub(r"'(?:[^']|'')*'", "''", re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL))


def pattern(regex: str) -> Callable[[str], bool]:
    compiled = re.compile(regex, re.IGNORECASE)
    return lambda text: bool(compiled.search(code(text)))


def tree(check: Callable[[exp.Expr], bool]) -> Callable[[str], bool]:
    # What begins and ends a transaction gives no names, and sqlglot does not know all of it.
    return lambda text: (
        code(text).split()[0].upper() not in ("BEGIN", "COMMIT", "ROLLBACK", "LOCK", "COPY")
        and check(sqlglot.parse_one(text, read="redshift"))
    )


def _names(root: exp.Expr) -> Iterator[str]:
    """Yield every name a statement gives: to columns, tables and expressions."""
    for node in root.find_all(exp.Alias, exp.TableAlias):
        yield node.alias if isinstance(node, exp.Alias) else node.name
        yield from (column.name for column in node.args.get("columns") or ())
    for definition in root.find_all(exp.ColumnDef):
        yield definition.name


def _gives_reserved_names(root: exp.Expr) -> bool:
    return any(name.lower() in RESERVED for name in _names(root))


def _qualifies_without_alias(root: exp.Expr) -> bool:
    for select in root.find_all(exp.Select):
        if select.args.get("qualify"):
            sources = [select.args.get("from_") or select.args.get("from"), *(select.args.get("joins") or ())]
            if any(source is None or not source.this.alias for source in sources):
                return True
    return False


def _qualifies_after_group_by(root: exp.Expr) -> bool:
    return any(
        select.args.get("qualify") and (select.args.get("group") or select.args.get("having"))
        for select in root.find_all(exp.Select)
    )


RULES = (
    Rule("ON CONFLICT", pattern(r"\bON\s+CONFLICT\b"), ("INSERT INTO t SELECT 1 ON CONFLICT DO NOTHING",)),
    # No plain anti join, where a column may be NULL.
    Rule(
        "NOT IN of a query",
        pattern(r"\bNOT\s+IN\s*\(\s*(SELECT|WITH)\b"),
        ("SELECT a FROM t WHERE a NOT IN (SELECT b FROM u)",),
        ("SELECT a FROM t WHERE a NOT IN (1, 2)",),
    ),
    Rule("RETURNING", pattern(r"\bRETURNING\b"), ("DELETE FROM t RETURNING a",)),
    Rule("LATERAL", pattern(r"\bLATERAL\b"), ("SELECT 1 FROM t, LATERAL (SELECT 2) AS x",)),
    Rule(
        "sequences",
        pattern(r"\b(CREATE|ALTER|DROP)\s+SEQUENCE\b|\b(NEXTVAL|CURRVAL|SETVAL)\s*\("),
        ("CREATE SEQUENCE s", "SELECT nextval('s')"),
    ),
    Rule(
        "SERIAL", pattern(r"\b(BIG|SMALL)?SERIAL[248]?\b"), ("CREATE TABLE t (a SERIAL)", "ADD a BIGSERIAL")
    ),
    Rule(
        "indexes",
        pattern(r"\b(CREATE|DROP)\s+(UNIQUE\s+)?INDEX\b"),
        ("CREATE UNIQUE INDEX i ON t (a)", "DROP INDEX i"),
    ),
    Rule(
        "DISTINCT ON",
        pattern(r"\bDISTINCT\s+ON\b"),
        ("SELECT DISTINCT ON (a) a, b FROM t",),
        ("SELECT DISTINCT one FROM t",),
    ),
    Rule("FILTER(", pattern(r"\bFILTER\s*\("), ("SELECT COUNT(*) FILTER (WHERE a > 1) FROM t",)),
    Rule(
        "VALUES as a table",
        pattern(r"(\b(FROM|JOIN|AS)|,)\s*\(\s*VALUES\b"),
        ("SELECT * FROM (VALUES (1)) AS v (a)", "WITH v AS (VALUES (1)) SELECT 1 FROM v"),
        ("INSERT INTO t (a) VALUES (1)",),
    ),
    Rule(
        "arrays",
        pattern(r"\bARRAY\s*\[|\[\s*\]|\b(ARRAY_AGG|UNNEST)\s*\("),
        ("SELECT ARRAY[1]", "CREATE TABLE t (a INT[])", "SELECT unnest(a)", "SELECT ARRAY_AGG(a) FROM t"),
    ),
    Rule(
        "types it lacks",
        pattern(r"(?<!FORMAT\sAS\s)\b(UUID|JSONB|JSON|MONEY|XML|BIT\s+VARYING|ENUM)\b"),
        ("CREATE TABLE t (a UUID)", "SELECT a::JSONB FROM t"),
        ("SELECT JSON_PARSE('x') AS jsons", "COPY t FROM 's3://b/k' IAM_ROLE default FORMAT AS JSON 'auto'"),
    ),
    Rule("savepoints", pattern(r"\bSAVEPOINT\b"), ("SAVEPOINT s", "ROLLBACK TO SAVEPOINT s")),
    Rule("STRING_AGG", pattern(r"\bSTRING_AGG\s*\("), ("SELECT STRING_AGG(a, ',') FROM t",)),
    Rule(
        "generate_series", pattern(r"\bGENERATE_SERIES\s*\("), ("SELECT * FROM generate_series(1, 9) AS g",)
    ),
    Rule(
        "NULLS in a window",
        pattern(r"\bOVER\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\bNULLS\s+(FIRST|LAST)\b"),
        (
            "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b DESC NULLS LAST) FROM t",
            "SELECT MAX(a) OVER (ORDER BY COALESCE(b, ABS(c)) NULLS FIRST) FROM t",
        ),
        ("SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t ORDER BY b NULLS LAST",),
    ),
    Rule("TRUNCATE, which commits", pattern(r"\bTRUNCATE\b"), ("TRUNCATE t", "TRUNCATE TABLE t")),
    Rule("APPEND, which commits", pattern(r"\bAPPEND\s+FROM\b"), ("ALTER TABLE t APPEND FROM s",)),
    Rule(
        "CREATE OR REPLACE TABLE",
        pattern(r"\bCREATE\s+OR\s+REPLACE\s+(TEMP(ORARY)?\s+)?TABLE\b"),
        ("CREATE OR REPLACE TABLE t (a INT)",),
        ("CREATE OR REPLACE VIEW v AS SELECT 1",),
    ),
    Rule(
        "an alias of MERGE's target",
        pattern(r"\bMERGE\s+INTO\s+[\w.\"]+\s+(?!USING\b)\w"),
        ("MERGE INTO t AS x USING s ON x.a = s.a", "MERGE INTO etl.t x USING s ON x.a = s.a"),
        ("MERGE INTO etl.t USING s AS x ON t.a = x.a",),
    ),
    Rule(
        "AND in MERGE's WHEN",
        pattern(r"\bWHEN\s+(NOT\s+)?MATCHED\s+AND\b"),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND t.b = 1 THEN DELETE",),
    ),
    Rule(
        "functions of the leader node",
        pattern(r"\b(NOW|AGE|SUBSTR|CURRENT_SCHEMA|PG_GET_\w+|HAS_\w+_PRIVILEGE)\s*\("),
        ("SELECT now()", "SELECT AGE(a, b) FROM t", "SELECT substr(a, 1, 2) FROM t"),
        ("SELECT SUBSTRING(a, 1, 2), page(b) FROM t",),
    ),
    Rule(
        "the leader node's clock",
        pattern(r"\b(CURRENT_TIMESTAMP|CURRENT_TIME|LOCALTIME|LOCALTIMESTAMP)\b"),
        ("SELECT CURRENT_TIMESTAMP", "INSERT INTO t SELECT localtimestamp"),
        ("SELECT GETDATE(), SYSDATE",),
    ),
    Rule(
        "IF NOT EXISTS with CREATE TABLE AS",
        pattern(
            r"\bTABLE\s+IF\s+NOT\s+EXISTS\s+[\w.\"]+\s+(?:(DISTSTYLE|DISTKEY|SORTKEY)[^;]*?)?\bAS\s*\(?\s*(SELECT|WITH)\b"
        ),
        ("CREATE TEMP TABLE IF NOT EXISTS t AS SELECT 1", "CREATE TABLE IF NOT EXISTS a.t AS (SELECT 1)"),
        ("CREATE TABLE t AS SELECT 1", "CREATE TABLE IF NOT EXISTS t (a INT)"),
    ),
    Rule(
        "QUALIFY without an alias",
        tree(_qualifies_without_alias),
        (
            "SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1",
            "SELECT 1 FROM (SELECT a FROM t AS x, u QUALIFY RANK() OVER (ORDER BY a) = 1) AS y",
        ),
        ("SELECT x.a FROM t AS x QUALIFY ROW_NUMBER() OVER (ORDER BY x.a) = 1",),
    ),
    Rule(
        "QUALIFY after GROUP BY",
        tree(_qualifies_after_group_by),
        ("SELECT x.a FROM t AS x GROUP BY x.a QUALIFY ROW_NUMBER() OVER (ORDER BY x.a) = 1",),
    ),
    Rule(
        "reserved words as names",
        tree(_gives_reserved_names),
        (
            'SELECT a AS "user" FROM t',
            'SELECT 1 FROM t AS "open"',
            'CREATE TABLE t ("tag" INT)',
            'WITH "system" AS (SELECT 1) SELECT 1 FROM x',
        ),
        ("SELECT a AS level, b AS users FROM t AS method", "SELECT CAST(a AS TIMESTAMP) AS time FROM t"),
    ),
)


@pytest.mark.parametrize("path", MODEL_FILES)
def test_no_file_holds_what_redshift_rejects(path: str):
    held = [
        f"{path}, line {step.line}: {rule.name}"
        for step in read_statements(path)
        for rule in RULES
        # The doctor asks the catalogue, which the leader node holds anyway.
        if rule.found(step.text) and not (path.startswith("doctor/") and "leader node" in rule.name)
    ]
    assert held == []


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_a_rule_catches_its_examples_and_lets_near_misses_pass(rule: Rule):
    over_lines = [f"-- a comment\n{text.replace(' ', chr(10))}" for text in rule.caught]
    assert [text for text in (*rule.caught, *over_lines) if not rule.found(text)] == []
    assert [text for text in rule.passed if rule.found(text)] == []


def test_words_in_comments_and_literals_are_not_code():
    text = "SELECT 'RETURNING', 'it''s TRUNCATE' AS a -- now() FILTER (\n/* SAVEPOINT */ FROM t"
    assert [rule.name for rule in RULES if rule.found(text)] == []


def test_every_statement_is_read():
    """The rules see every statement: none is hidden behind another on one line."""
    for path in MODEL_FILES:
        steps: tuple[Statement, ...] = read_statements(path)
        assert all(";" not in code(step.text) for step in steps), path
