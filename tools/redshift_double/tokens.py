"""SQL text as a list of tokens.

Owns the cutting and the joining, nothing about meaning. Text that no rule touches comes out byte for byte as
it went in, because every token carries the blanks and comments before it. As on Redshift, a backslash inside
'...' escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .errors import syntax_error

Kind = Literal["word", "quoted", "string", "number", "parameter", "operator"]

_TOKEN = re.compile(
    r"""
      (?P<blank>(?:\s+|--[^\n]*|/\*.*?\*/)+)
    | (?P<string>[eE]?'(?:[^'\\]|\\.|'')*'|\$\$.*?\$\$)
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<parameter>\$\d+)
    | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    | (?P<word>\#?[^\W\d][\w$]*)
    | (?P<operator>::|<=|>=|<>|!=|\|\||->>|->|\#>>|\#>|@>|<@|!~\*|!~|~\*|[-+*/%^<>=~!@&|?.,;:()\[\]\#])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token and the blanks and comments before it."""

    kind: Kind
    text: str
    before: str = ""

    @property
    def key(self) -> str:
        """The token as rules compare it: words in lower case, everything else as written."""
        return self.text.lower() if self.kind == "word" else self.text

    @property
    def name(self) -> str:
        """The identifier this token stands for, folded to lower case even when quoted, as Redshift does."""
        if self.kind == "quoted":
            return self.text[1:-1].replace('""', '"').lower()
        return self.text.lower()

    @property
    def value(self) -> str:
        """The value of a string literal."""
        if self.text.startswith("$$"):
            return self.text[2:-2]
        body = self.text[self.text.index("'") + 1 : -1].replace("''", "'")
        return re.sub(r"\\(.)", r"\1", body, flags=re.DOTALL)

    @property
    def identifier(self) -> bool:
        return self.kind in ("word", "quoted")


def word(text: str) -> Token:
    """A word of our own, with a blank before it."""
    return Token("word", text, " ")


def tokenize(sql: str) -> list[Token]:
    """Cut one statement into tokens; a final semicolon is dropped, a second statement is refused."""
    tokens: list[Token] = []
    before, position = "", 0
    while position < len(sql):
        match = _TOKEN.match(sql, position)
        if match is None:
            raise syntax_error(sql[position])
        position = match.end()
        if match.lastgroup == "blank":
            before = match.group()
            continue
        kind: Kind = match.lastgroup  # type: ignore[assignment]
        tokens.append(Token(kind, match.group(), before))
        before = ""
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    return tokens


def join(tokens: Sequence[Token]) -> str:
    """The text of the tokens, with a blank wherever two words would otherwise run together."""
    parts: list[str] = []
    for i, token in enumerate(tokens):
        glued = i > 0 and not token.before and token.kind != "operator" and tokens[i - 1].kind != "operator"
        parts.append((" " if glued else token.before) + token.text)
    return "".join(parts)


def close(tokens: Sequence[Token], opening: int) -> int:
    """The index of the bracket that closes the one at `opening`."""
    depth = 0
    for i in range(opening, len(tokens)):
        if tokens[i].text in ("(", "["):
            depth += 1
        elif tokens[i].text in (")", "]"):
            depth -= 1
            if depth == 0:
                return i
    raise syntax_error("end of input")


def split(tokens: Sequence[Token], separator: str = ",") -> list[list[Token]]:
    """Cut at every separator outside brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if depth == 0 and token.text == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def at_depth(tokens: Sequence[Token], start: int) -> Iterator[tuple[int, Token]]:
    """The tokens from `start` to the end of its bracket level, without what lies in deeper brackets."""
    depth = 0
    for i in range(start, len(tokens)):
        token = tokens[i]
        if token.text in (")", "]"):
            depth -= 1
            if depth < 0:
                return
        if depth == 0:
            yield i, token
        if token.text in ("(", "["):
            depth += 1


def spaced(token: Token, text: str) -> Token:
    """The same token with another text."""
    return replace(token, text=text)
