"""Errors as the stand-in sends them.

Owns the exception that carries an ErrorResponse's fields and the wordings more than one module needs. The
SQLSTATEs and the words come from messages people have published; docs/redshift-double.md says which are only
believed.
"""

from __future__ import annotations

SYNTAX = "42601"
NOT_SUPPORTED = "0A000"
NO_FUNCTION = "42883"
NO_TABLE = "42P01"
INTERNAL = "XX000"  # what Redshift calls COPY failures and serialisation failures


class RedshiftError(Exception):
    """An error to send to the client: SQLSTATE, message and, if there is one, detail."""

    def __init__(self, code: str, message: str, *, detail: str = "", info: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail
        self.info = info
        """A notice of severity INFO that Redshift sends just before the error."""


def syntax_error(near: str) -> RedshiftError:
    return RedshiftError(SYNTAX, f'syntax error at or near "{near}"')


def not_on_tables(what: str) -> RedshiftError:
    """Something only the leader node can do, asked for where compute nodes would have to do it."""
    return RedshiftError(
        NOT_SUPPORTED,
        "Specified types or functions (one per INFO message) not supported on Redshift tables.",
        info=f'Function "{what}" not supported.',
    )
