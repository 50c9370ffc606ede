"""Find the cause of a driver error, whatever exception wraps it. Does not import the driver.

The server's errors arrive as ``ProgrammingError`` with the fields in a dictionary (``C`` is the SQLSTATE,
``M`` the message, ``D`` the detail). A broken connection may raise almost any exception: the driver wraps the
network's error in a tuple, fails to unpack a truncated answer, or suggests longer time-outs where the server
has closed the connection.
"""

from __future__ import annotations

import ssl
import struct
from typing import Any

_CUT_SHORT = (struct.error, AttributeError, TypeError, LookupError, UnicodeError)


def server_fields(exc: BaseException) -> dict[str, Any] | None:
    """Return the fields of a server error by their letters; None if the error is not the server's."""
    first = exc.args[0] if exc.args else None
    return first if isinstance(first, dict) else None


def network_error(exc: BaseException) -> OSError | None:
    """Return the error of the network or of TLS inside an exception; None if there is none."""
    return next((each for each in (exc, *exc.args) if isinstance(each, OSError)), None)


def cause(exc: BaseException) -> str:
    """Return a short phrase that says why a connection broke."""
    fields = server_fields(exc)
    if fields is not None:
        return str(fields.get("M", "no reason was given")).rstrip(".")
    below = network_error(exc)
    if isinstance(below, TimeoutError):
        return "no answer came in time"
    if isinstance(below, ssl.SSLError):
        return f"TLS failed ({(below.reason or 'unexpected end').replace('_', ' ').lower()})"
    if below is not None:
        return (below.strerror or str(below)).lower()
    if isinstance(exc, _CUT_SHORT):
        return "an answer broke off"
    said = str(exc) or type(exc).__name__
    return "the server closed it" if "socket closed" in said else said.split("\n", 1)[0][:300]
