"""From the statement a client sent to what is done with it.

Owns the order of the rules and the choice between PostgreSQL and ourselves. Each rule lives in its own module
and leaves alone what it does not know, so that PostgreSQL's parser sees the client's own text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from .calls import check_calls, rewrite_calls
from .copystatement import CopyStatement, read_copy
from .datatypes import cast_types, read_type
from .errors import NOT_SUPPORTED, RedshiftError, syntax_error
from .merge import check_merge
from .options import Options
from .postgres import TEMPLATE
from .qualify import rewrite_qualify
from .refusals import on_tables, refuse
from .tables import rewrite_column, rewrite_table
from .tokens import Token, join, spaced, tokenize, word
from .words import SETTINGS

Kind = Literal["query", "copy", "truncate", "alone"]


@dataclass(frozen=True)
class RewritePlan:
    """What is done with one statement.

    Args:
        kind: `query` goes to PostgreSQL; `copy`, `truncate` and `alone` (no transaction allowed) stay here.
        sql: What PostgreSQL is given.
        tokens: The statement as it came, cut up.
        tag: The command tag of what stays here.
        writes: The table a DML statement writes, in PostgreSQL's spelling.
        copy: The COPY statement.
        after: A query of our own once it has succeeded.
        asks_query_id: Whether pg_last_query_id() is called.
        makes: The database it makes.
    """

    kind: Kind
    sql: str
    tokens: list[Token] = field(default_factory=list)
    tag: str = ""
    writes: str = ""
    copy: CopyStatement | None = None
    after: str = ""
    asks_query_id: bool = False
    makes: str = ""

    @property
    def local(self) -> bool:
        return self.kind != "query"


@lru_cache(maxsize=1000)  # clients send the same statements again and again
def rewrite(sql: str, options: Options) -> RewritePlan:  # noqa: C901, PLR0911 - one branch per command
    """Decide about one statement.

    Raises:
        RedshiftError: Redshift would refuse it.
    """
    source = tokenize(sql)
    if any(token.text == ";" for token in source):
        raise RedshiftError("42601", "cannot insert multiple commands into a prepared statement")
    if not source:
        return RewritePlan("query", "")
    tokens = [_folded(token) for token in source]
    first = tokens[0].key
    if first == "copy":
        return RewritePlan("copy", sql, source, "COPY", copy=read_copy(tokens))
    refuse(tokens, options)
    if first == "truncate":
        return RewritePlan("truncate", join(tokens), source, "TRUNCATE")
    if first == "vacuum":
        return RewritePlan("alone", "", source, "VACUUM")
    if first in ("analyze", "analyse"):
        return RewritePlan("query", _analyze(tokens), source)
    if first in ("set", "show", "reset"):
        return RewritePlan("query", join(_setting(tokens)), source)
    if first == "lock":
        if any(token.key == "mode" for token in tokens):
            raise syntax_error("in")
        return RewritePlan("query", join(tokens), source)
    if first == "alter":
        return _alter(tokens, source)
    if first in ("create", "drop") and tokens[1].key == "database":
        return _database(tokens, source)
    if first in ("commit", "end") and "lost_commit" in options.infidelities:
        return RewritePlan("query", "ROLLBACK", source)
    return _query(tokens, source)


def _database(tokens: list[Token], source: list[Token]) -> RewritePlan:
    """CREATE DATABASE makes one that answers as Redshift's do: a copy of the template."""
    if len(tokens) != 3:
        raise RedshiftError(NOT_SUPPORTED, "the stand-in knows CREATE and DROP DATABASE without options")
    create = tokens[0].key == "create"
    sql = join(tokens) + (f" TEMPLATE {TEMPLATE}" if create else "")
    made = tokens[2].name if create else ""
    return RewritePlan("alone", sql, source, f"{tokens[0].key.upper()} DATABASE", makes=made)


def _query(tokens: list[Token], source: list[Token]) -> RewritePlan:
    first = tokens[0].key
    after = ""
    if first == "create" and any(token.key == "table" for token in tokens[1:4]):
        if any(token.kind == "parameter" for token in tokens):
            raise syntax_error("$1")
        tokens, after = rewrite_table(tokens)
    elif first == "create" and any(token.key == "view" for token in tokens[1:5]):
        tokens = _view(tokens)
    if first == "merge":
        try:
            check_merge(tokens)
        except IndexError:  # it ends too early
            raise syntax_error(tokens[-1].text) from None
    check_calls(tokens, on_tables=on_tables(tokens))
    tokens = cast_types(tokens)
    tokens = rewrite_calls(tokens)
    tokens = rewrite_qualify(tokens)
    tokens = _words(tokens)
    writes = ""
    if first in ("insert", "update", "delete", "merge"):
        writes = _target(tokens)
    asks = any(token.key == "pg_last_query_id" for token in tokens)
    return RewritePlan("query", join(tokens), source, writes=writes, after=after, asks_query_id=asks)


def _folded(token: Token) -> Token:
    """Identifiers in lower case, quoted or not; #name quoted, as PostgreSQL would not take it otherwise."""
    if token.kind == "quoted":
        return spaced(token, '"' + token.name.replace('"', '""') + '"')
    if token.kind == "word" and token.text.startswith("#"):
        return Token("quoted", f'"{token.name}"', token.before)
    return token


def _words(tokens: list[Token]) -> list[Token]:
    """MINUS, DELETE without FROM, SELECT TOP."""
    result = list(tokens)
    for i, token in enumerate(result):
        if (
            token.kind == "word"
            and token.key == "minus"
            and i + 1 < len(result)
            and result[i + 1].key in ("select", "(")
        ):
            result[i] = spaced(token, "EXCEPT")
    if result[0].key == "delete" and result[1].key != "from":
        result.insert(1, word("FROM"))
    if result[0].key == "select" and result[1].key == "top" and result[2].kind == "number":
        result = [result[0], *result[3:], word("LIMIT"), Token("number", result[2].text, " ")]
    return result


def _target(tokens: list[Token]) -> str:
    i = 2 if tokens[1].key in ("into", "from") else 1
    name = tokens[i].text
    while i + 2 < len(tokens) and tokens[i + 1].text == ".":
        name += "." + tokens[i + 2].text
        i += 2
    return name


def _view(tokens: list[Token]) -> list[Token]:
    """A late-binding view becomes an ordinary one."""
    if [token.key for token in tokens[-4:]] == ["with", "no", "schema", "binding"]:
        return tokens[:-4]
    return tokens


def _analyze(tokens: list[Token]) -> str:
    words = [token.key for token in tokens]
    if "compression" in words:
        raise RedshiftError(NOT_SUPPORTED, "the stand-in does not know ANALYZE COMPRESSION")
    for ending in (["predicate", "columns"], ["all", "columns"]):
        if words[-2:] == ending:
            tokens = tokens[:-2]
    return join(tokens)


def _setting(tokens: list[Token]) -> list[Token]:
    i = 1
    while i < len(tokens) and tokens[i].key in ("local", "session") and len(tokens) > i + 1:
        i += 1
    if i == len(tokens) or tokens[i].name not in SETTINGS:
        return tokens
    if tokens[i].name == "enable_case_sensitive_identifier" and tokens[-1].key in ("true", "on"):
        raise RedshiftError(NOT_SUPPORTED, "the stand-in does not know case-sensitive identifiers")
    return [*tokens[:i], spaced(tokens[i], f"redshift.{tokens[i].name}"), *tokens[i + 1 :]]


def _alter(tokens: list[Token], source: list[Token]) -> RewritePlan:
    """ALTER TABLE: keys, distribution and encoding change nothing here; APPEND and a new type stand alone."""
    words = [token.key for token in tokens]
    if words[1] != "table":
        return RewritePlan("query", join(tokens), source)
    name_end = 3
    while name_end + 1 < len(tokens) and tokens[name_end].text == ".":
        name_end += 2
    action = words[name_end:]
    if action[:1] == ["append"]:
        target, origin = join(tokens[2:name_end]), join(tokens[name_end + 2 :])
        sql = f"INSERT INTO {target} SELECT * FROM {origin}; DELETE FROM {origin}"
        return RewritePlan("alone", sql, source, "ALTER TABLE APPEND")
    if action[:1] == ["add"] and action[1:2] not in (["primary"], ["unique"], ["foreign"], ["constraint"]):
        start = name_end + (2 if action[1:2] == ["column"] else 1)
        column = rewrite_column(tokens[start:], tokens[name_end - 1].name)
        return RewritePlan("query", join([*tokens[:start], *column]), source)
    if action[:1] == ["add"] or (
        action[:1] == ["alter"] and {"diststyle", "sortkey", "distkey", "encode"} & set(action)
    ):
        return RewritePlan("query", "COMMENT ON SCHEMA public IS NULL", source)
    if action[:2] == ["alter", "column"] and action[3:4] == ["type"]:
        spelled, _ = read_type(tokens, name_end + 4)
        return RewritePlan("alone", join([*tokens[: name_end + 4], *spelled]), source, "ALTER TABLE")
    return RewritePlan("query", join(tokens), source)
