"""What is meant by an error of the driver, whatever it was wrapped in. Does without the driver itself.

The server's errors come as ``ProgrammingError`` with its fields in a dictionary (``C`` is the SQLSTATE, ``M``
the message, ``D`` the detail). A connection that breaks surfaces as nearly anything: the driver wraps what
the network said in a tuple, unpacks an answer that was cut short, and suggests other time-outs wherever a
peer has closed.
"""

from __future__ import annotations

import ssl
import struct
from typing import Any

_CUT_SHORT = (struct.error, AttributeError, TypeError, LookupError, UnicodeError)


def server_fields(exc: BaseException) -> dict[str, Any] | None:
    """Return what the server said, by the letters of its fields; None where the error is not the server's."""
    first = exc.args[0] if exc.args else None
    return first if isinstance(first, dict) else None


def network_error(exc: BaseException) -> OSError | None:
    """Return what the network, or TLS, said; None where it said nothing."""
    return next((each for each in (exc, *exc.args) if isinstance(each, OSError)), None)


def cause(exc: BaseException) -> str:
    """Return in a few words why a connection broke."""
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
