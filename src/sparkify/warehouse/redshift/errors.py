"""What the driver raises, as our errors: the one boundary.

The server's errors come as ``ProgrammingError`` with its fields in a dictionary (``C`` is the SQLSTATE, ``M``
the message, ``D`` the detail). A connection that breaks surfaces as nearly anything: the driver unpacks an
answer that was cut short.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from redshift_connector.error import Error

from sparkify.errors import EngineError, LoadError, TransientEngineError

# What the driver raises; of a cut connection it reads too little, or from a file that is None.
DRIVER_ERRORS = (Error, OSError, struct.error, AttributeError, TypeError, IndexError)

_AGAIN = "Nothing was changed. Run again; the log of the cluster says more."
# What COPY says of a file, and not of the place it lies in, its own rights or the statement.
_ABOUT_CONTENTS = re.compile(
    r"Load into table .* failed|decompress|\b(gzip|zlib|zstd|inflate)\b", re.IGNORECASE
)
_CONFLICT = re.compile(
    r"^1023\b|Serializable isolation violation|deadlock detected|could not serialize", re.IGNORECASE
)

_HINTS = (
    (
        r"not authorized to assume|Invalid IAM role|No role|is not attached",
        "Attach the role of [IAM_ROLE] ARN to the cluster (`sparkify doctor` checks it).",
    ),
    (
        r"AccessDenied|Access Denied|Status 403|InvalidAccessKeyId",
        "The role of [IAM_ROLE] ARN may not read it; `sparkify cluster policy copy` prints what it needs.",
    ),
    (
        r"PermanentRedirect|Status 301|must be addressed using",
        "The bucket is in another region than the cluster: name the bucket's with [AWS] REGION.",
    ),
    (
        r"NoSuchKey|does not exist.*prefix|prefix .* does not exist|key does not exist|NoSuchBucket",
        "An object vanished after it was listed, or the cluster sees another store than we do. Run again.",
    ),
    (
        r"permission denied|must be owner",
        "Have the owner GRANT it (`sparkify doctor` lists what is missing).",
    ),
    (r"disk full|Disk Full|no space", "The cluster's storage is full: delete or resize, then run again."),
)


def is_lost(exc: BaseException) -> bool:
    """Tell whether the connection cannot be used any more after this error of the driver."""
    fields = _fields(exc)
    return fields is None or fields.get("C", "").startswith(("08", "57P"))


def explain(exc: Exception, what: str, host: str) -> EngineError:
    """Return an error of the driver as ours.

    Args:
        exc: What was raised.
        what: The statement, as a person would name it.
        host: The cluster.
    """
    fields = _fields(exc)
    if fields is None or fields.get("C", "").startswith(("08", "57P")):
        said = (fields or {}).get("M") or _first_line(exc)
        return TransientEngineError(f"the connection to {host} was lost at {what}: {said}", _AGAIN)
    code, message, detail = (fields.get(name, "") for name in "CMD")
    said = f"{message} {detail}".strip()
    if code in ("40001", "40P01") or _CONFLICT.search(message) or _CONFLICT.search(detail):
        return TransientEngineError(
            f"another transaction came between at {what}: {said}",
            "Nothing was changed. Run again when the other one has finished.",
        )
    if code == "57014":
        return EngineError(
            f"{what} took longer than a statement may: {message}",
            "Nothing was changed. Take in less at once with --batch-bytes, or look for what holds it up in "
            "the cluster's query monitor.",
        )
    hint = next((hint for pattern, hint in _HINTS if re.search(pattern, said, re.IGNORECASE)), "")
    return EngineError(f"Redshift refused {what}: {said}", hint or "Nothing was changed.")


def about_contents(exc: BaseException | None) -> LoadError | None:
    """Return COPY's refusal of a file's contents as a :class:`LoadError`; None of everything else."""
    fields = _fields(exc) if exc else None
    said = f"{fields.get('M', '')} {fields.get('D', '')}".strip() if fields else ""
    if not _ABOUT_CONTENTS.search(said):
        return None
    return LoadError(said, "The file will be read record by record.", uri="")


def _fields(exc: BaseException) -> dict[str, Any] | None:
    first = exc.args[0] if exc.args else None
    return first if isinstance(first, dict) else None


def _first_line(exc: Exception) -> str:
    return (str(exc) or type(exc).__name__).split("\n", 1)[0][:300]
