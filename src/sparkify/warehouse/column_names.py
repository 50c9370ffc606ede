"""Names that a column may have on every database that we know."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 100
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


def as_column_name(field: str) -> str:
    """Return a field's name as a column is written: ``deviceType`` is ``device_type``, ``año`` is ``ano``."""
    plain = unicodedata.normalize("NFKD", field).encode("ascii", "ignore").decode()
    return "_".join(word.lower() for word in _WORD.findall(plain))


def why_no_column_name(name: str) -> str | None:
    """Return why a column cannot be called this, as a clause; None: it can."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        return f"a name has small letters, digits and underscores, begins with a letter, at most {_LONGEST}"
    if name in _reserved():
        return "it is a reserved word"
    return None


def _reserved() -> frozenset[str]:
    # Not needed most days.
    from sqlglot.dialects.duckdb import DuckDB
    from sqlglot.dialects.redshift import Redshift

    return frozenset(Redshift.Generator.RESERVED_KEYWORDS | DuckDB.Generator.RESERVED_KEYWORDS)
