"""Translate what the Data API and the database behind it say into our errors.

The Data API keeps a failed statement's message alone: ``ERROR: relation "x" does not exist``, with a line
``Detail:`` where there is one and an id of AWS's own at the end. There is no SQLSTATE; those that our own
translation tells apart are found by the words.
"""

from __future__ import annotations

import re

from sparkify.errors import Command, EngineError, Hint, TransientEngineError

# The error code of a call, where the same call may succeed in a moment.
TRANSIENT = re.compile(
    r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|Active(Sessions|Statements|WaitingRequests)Exceeded"
    r"|InternalServer|InternalFailure|InternalError|ServiceUnavailable|DatabaseConnection|QueryTimeout"
    r"|RequestTimeout|^50[0234]$"
)
NO_SESSION_FREE = re.compile(r"Active(Sessions|Statements)Exceeded")
_DENIED = re.compile(r"AccessDenied|Unauthorized|^403$")
_EXPIRED = re.compile(r"Expired|TokenRefreshRequired")
_UNKNOWN_KEY = re.compile(
    r"InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature"
    r"|IncompleteSignature|MissingAuthenticationToken|AuthFailure"
)
# "Session is not available": reclaimed. "Session with Id: … is invalid": there never was one.
_NO_SESSION = re.compile(
    r"\bsession\b.*\b(not available|invalid|not exist|not found|expired|closed|ended|terminated)\b",
    re.IGNORECASE,
)

# SQLSTATE by the words of the message.
_STATES = (
    ("08006", r"terminating connection|broken pipe|I/O error"),
    # Not of a column or table of such a name.
    (
        "08006",
        r"^[^\"']*\b(connection|session)\b[^\"']*\b(closed|reset|lost|ended|expired|terminated|aborted)",
    ),
    ("57014", r"quer(y|ies) (was )?cancell?ed|cancell?ing statement|statement timeout|user's request"),
    ("3D000", r'^database ".*" does not exist'),
    ("28000", r"password authentication failed|authentication failed|^(user|role) \".*\" does not exist"),
)
_SEVERITY = re.compile(r"^(ERROR|FATAL|PANIC):\s*")
_ERROR_ID = re.compile(r"\s*\[ErrorId: [^\]]*\]\s*$")
_PARTS = re.compile(r"\s+(?=(?:Detail|Hint|Position|Where|Location):)")


class StatementFailedError(Exception):
    """A statement that failed; its argument has the fields of the error, as those of AWS's driver have."""


def failed(text: str, status: str) -> StatementFailedError:
    """Return the error of a statement from what DescribeStatement says.

    Args:
        text: Its ``Error``; empty: it has none.
        status: FAILED or ABORTED.
    """
    text = _ERROR_ID.sub("", _SEVERITY.sub("", text.strip()))
    if not text:
        text = "Query cancelled on user's request" if status == "ABORTED" else "no reason was given"
    message, *parts = _PARTS.split(text)
    detail = next((part.partition(":")[2] for part in parts if part.startswith("Detail:")), "")
    state = next((code for code, words in _STATES if re.search(words, message, re.IGNORECASE)), "XX000")
    return StatementFailedError({"C": state, "M": message.strip(), "D": detail.strip()})


def gone(why: str) -> StatementFailedError:
    """Return the error of a statement whose session is no more, or does not answer."""
    return StatementFailedError({"C": "08006", "M": why})


def is_denied(code: str) -> bool:
    """Return whether the refusal of a call says that the caller may not make it."""
    return bool(_DENIED.search(code))


def is_gone(code: str, message: str) -> bool:
    """Return whether the refusal of a call says that there is no session any more."""
    return code in ("ValidationException", "ResourceNotFoundException") and bool(_NO_SESSION.search(message))


def refused_call(code: str, message: str, action: str, what: str, place: str) -> EngineError:
    """Return the refusal of a call as our error.

    Args:
        code: AWS's code.
        message: AWS's message.
        action: The action that IAM knows the call by.
        what: The statement.
        place: The cluster or workgroup.
    """
    if NO_SESSION_FREE.search(code):
        return TransientEngineError(
            f"the Data API takes no more statements for {place} now ({code}).",
            "Run again when other jobs have finished; 500 sessions or statements at once are AWS's limit.",
        )
    if TRANSIENT.search(code):
        return TransientEngineError(
            f"the Data API put {what} off until we gave up ({code}).", "Run again in some minutes."
        )
    if _DENIED.search(code):
        named = re.search(r"perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)", message)
        return EngineError(
            f"these credentials may not do {named[1] if named else action}. {message}".rstrip(),
            Hint("{} prints the policy that allows it.", Command("cluster", "policy", "etl")),
        )
    if _EXPIRED.search(code):
        return EngineError(
            f"the AWS credentials have expired ({code}).",
            "Renew them (`aws sso login`, or new keys), then run again.",
        )
    if _UNKNOWN_KEY.search(code):
        return EngineError(
            f"AWS does not know these credentials ({code}).",
            "Check KEY and SECRET in dwh.cfg, or the profile (`aws sts get-caller-identity`).",
        )
    return EngineError(
        f"the Data API refused {what} for {place}: {message or code}",
        Hint(
            "Correct [DWH] DWH_CLUSTER_IDENTIFIER and DWH_CLUSTER_TYPE, [CLUSTER] DB_NAME and DB_USER, and "
            "[AWS] REGION: {} shows the cluster there is.",
            Command("cluster", "status"),
        ),
    )


def unreachable(exc: Exception, *, before: bool) -> EngineError:
    """Return the error of a call that got no answer.

    Args:
        exc: The exception of botocore.
        before: Whether there was an answer to an earlier call.
    """
    said = f"the Data API cannot be reached: {exc}"
    if before:
        return TransientEngineError(said, "Run again when the network is back: nothing was changed.")
    return EngineError(
        said,
        "Check the network, and REGION in [AWS]. From inside a VPC without a way to the internet it takes an "
        "interface endpoint for redshift-data.",
    )
