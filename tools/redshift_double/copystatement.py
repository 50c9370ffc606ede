"""The COPY statement, read into its parts.

Owns the grammar of COPY from S3 with JSON, and the combinations Redshift refuses. Loading is in copying.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .errors import NOT_SUPPORTED, RedshiftError, syntax_error
from .tokens import Token, close, split

MAX_ERRORS = 100_000
_ROLE = re.compile(
    r"^arn:aws(-[a-z]+)*:iam::\d{12}:role/[\w+=,.@/-]+(,arn:aws(-[a-z]+)*:iam::\d{12}:role/[\w+=,.@/-]+)*$"
)
_NOT_WITH_JSON = frozenset(
    [
        "csv",
        "delimiter",
        "escape",
        "fillrecord",
        "fixedwidth",
        "ignoreblanklines",
        "null",
        "readratio",
        "removequotes",
        "quote",
        "parquet",
        "orc",
        "avro",
        "shapefile",
    ]
)
_SWITCHES = frozenset(
    [
        "manifest",
        "gzip",
        "zstd",
        "bzip2",
        "lzop",
        "noload",
        "emptyasnull",
        "blanksasnull",
        "truncatecolumns",
        "acceptanydate",
        "explicit_ids",
        "roundec",
        "trimblanks",
        "ignoreallerrors",
    ]
)


@dataclass
class CopyStatement:
    """A COPY as it was asked for.

    Args:
        table: As PostgreSQL spells it.
        name: Its last part.
        columns: The column list; empty: all.
        source: The URL after FROM.
        role: The ARN, or `default`.
        format: `auto`, `auto ignorecase`, or the URL of a JSONPaths file.
        options: Switches that are on.
        max_errors: MAXERROR.
        time_format: TIMEFORMAT; empty: Redshift's default.
        date_format: DATEFORMAT.
        region: REGION.
        replacement: ACCEPTINVCHARS' character; None: off.
    """

    table: str
    name: str
    source: str
    columns: list[str] = field(default_factory=list)
    role: str = ""
    format: str = ""
    options: set[str] = field(default_factory=set)
    max_errors: int = 0
    time_format: str = ""
    date_format: str = ""
    region: str = ""
    replacement: str | None = None


def read_copy(tokens: Sequence[Token]) -> CopyStatement:
    """Read a COPY statement.

    Raises:
        RedshiftError: Redshift would refuse it, or the stand-in does not know it.
    """
    i = 1
    table = tokens[i].text
    name = tokens[i].name
    while i + 2 < len(tokens) and tokens[i + 1].text == ".":
        table += "." + tokens[i + 2].text
        name = tokens[i + 2].name
        i += 2
    i += 1
    columns: list[str] = []
    if i < len(tokens) and tokens[i].text == "(":
        end = close(tokens, i)
        columns = [part[0].name for part in split(tokens[i + 1 : end])]
        i = end + 1
    if i + 1 >= len(tokens) or tokens[i].key != "from" or tokens[i + 1].kind != "string":
        raise syntax_error(tokens[i].text if i < len(tokens) else "end of input")
    copy = CopyStatement(table, name, tokens[i + 1].value, columns)
    if not copy.source.startswith("s3://"):
        raise RedshiftError(NOT_SUPPORTED, "the stand-in copies from S3 only")
    _Parameters(tokens, i + 2, copy).read()
    if not copy.role:
        raise RedshiftError("XX000", "COPY needs authorization: IAM_ROLE or CREDENTIALS")
    if not copy.format:
        raise RedshiftError(NOT_SUPPORTED, "the stand-in copies JSON only")
    return copy


class _Parameters:
    """What follows FROM, in any order."""

    def __init__(self, tokens: Sequence[Token], start: int, copy: CopyStatement) -> None:
        self._tokens, self._i, self._copy = tokens, start, copy

    def _key(self, offset: int = 0) -> str:
        i = self._i + offset
        return self._tokens[i].key if i < len(self._tokens) else ""

    def _string(self) -> str:
        """The literal after the word, and an AS that means nothing."""
        self._i += 1
        if self._key() == "as":
            self._i += 1
        if self._i >= len(self._tokens) or self._tokens[self._i].kind != "string":
            raise syntax_error(self._key() or "end of input")
        value = self._tokens[self._i].value
        self._i += 1
        return value

    def read(self) -> None:
        seen: set[str] = set()
        while self._i < len(self._tokens):
            key = self._key()
            if key in seen:
                raise RedshiftError("42601", f'conflicting or redundant options: "{key}"')
            seen.add(key)
            self._read_one(key)
        refused = sorted(seen & _NOT_WITH_JSON)
        if refused and self._copy.format:
            raise RedshiftError(NOT_SUPPORTED, f"{refused[0].upper()} is not supported with JSON")

    def _read_one(self, key: str) -> None:  # noqa: C901, PLR0912 - one branch per parameter of COPY
        copy = self._copy
        if key == "iam_role" and self._key(1) == "default":
            copy.role, self._i = "default", self._i + 2
        elif key == "iam_role":
            copy.role = self._checked_role(self._string())
        elif key == "credentials":
            found = re.fullmatch(r"aws_iam_role=(.+)", self._string())
            if not found:
                raise RedshiftError(
                    NOT_SUPPORTED, "the stand-in takes no access keys in SQL, and nobody should"
                )
            copy.role = self._checked_role(found[1])
        elif key in ("access_key_id", "secret_access_key", "session_token"):
            raise RedshiftError(NOT_SUPPORTED, "the stand-in takes no access keys in SQL, and nobody should")
        elif key in ("format", "json"):
            self._format()
        elif key in ("timeformat", "dateformat", "region"):
            value = self._string()
            setattr(copy, {"timeformat": "time_format", "dateformat": "date_format"}.get(key, key), value)
        elif key == "maxerror":
            self._i += 2 if self._key(1) == "as" else 1
            copy.max_errors = self._number()
            if copy.max_errors > MAX_ERRORS:
                raise RedshiftError("22023", f"MAXERROR must be between 0 and {MAX_ERRORS}")
        elif key == "acceptinvchars":
            has_value = self._key(1) == "as" or (
                self._i + 1 < len(self._tokens) and self._tokens[self._i + 1].kind == "string"
            )
            copy.replacement = self._string() if has_value else "?"
            self._i += 0 if has_value else 1
        elif key in ("compupdate", "statupdate"):
            self._i += 2 if self._key(1) in ("on", "off", "preset", "true", "false") else 1
        elif key == "comprows":
            self._i += 1
            self._number()
        elif key == "encoding":
            self._i += 2 if self._key(1) == "as" else 1
            if self._key() not in ("utf8", "'utf8'", "auto"):
                raise RedshiftError(NOT_SUPPORTED, "the stand-in knows UTF8 only")
            self._i += 1
        elif key in _SWITCHES:
            copy.options.add(key)
            self._i += 1
        elif key in _NOT_WITH_JSON:
            self._i += 1
            while self._key() == "as" or (
                self._i < len(self._tokens) and self._tokens[self._i].kind in ("string", "number")
            ):
                self._i += 1
        else:
            raise syntax_error(self._tokens[self._i].text)

    def _format(self) -> None:
        if self._key() == "format":
            self._i += 2 if self._key(1) == "as" else 1
        if self._key() != "json":
            if self._key() in _NOT_WITH_JSON:
                raise RedshiftError(NOT_SUPPORTED, "the stand-in copies JSON only")
            raise syntax_error(self._key() or "end of input")
        following = self._tokens[self._i + 1] if self._i + 1 < len(self._tokens) else None
        if following is not None and (following.key == "as" or following.kind == "string"):
            self._copy.format = self._string()
        else:
            self._copy.format, self._i = "auto", self._i + 1
        known = self._copy.format.lower() in ("auto", "auto ignorecase") or self._copy.format.startswith(
            "s3://"
        )
        if not known:
            raise RedshiftError("XX000", f"Invalid JSON format option: {self._copy.format}")

    def _number(self) -> int:
        token = self._tokens[self._i] if self._i < len(self._tokens) else None
        if token is None or not token.text.isdigit():
            raise syntax_error(token.text if token else "end of input")
        self._i += 1
        return int(token.text)

    @staticmethod
    def _checked_role(role: str) -> str:
        if not _ROLE.match(role):
            raise RedshiftError("XX000", "Invalid IAM role ARN", detail=f"role: {role}")
        return role
