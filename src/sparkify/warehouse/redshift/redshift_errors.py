"""Translate the driver's exceptions into our errors.

Errors of a login are in :mod:`~sparkify.warehouse.redshift.refused`.
"""

from __future__ import annotations

import re

from sparkify.errors import Command, EngineError, Hint, LoadError, TransientEngineError
from sparkify.warehouse.engine import AGAIN
from sparkify.warehouse.redshift.causes import cause, server_fields

# The name of a user's own SQL in messages.
_THE_QUERY = "the query"
_RUN_AGAIN = "Run again: nothing was changed. The log of the cluster says more."
# COPY's messages about a file's contents, not about its location, permissions or the statement.
_ABOUT_CONTENTS = re.compile(
    r"Load into table .* failed|decompress|\b(gzip|zlib|zstd|inflate)\b", re.IGNORECASE
)
# Errors after which the same transaction may succeed. Most have the SQLSTATE XX000, as many final ones do.
# Two writers of the same rows: under SNAPSHOT isolation, the default, "could not complete because of conflict
# with concurrent transaction"; under SERIALIZABLE error 1023. DDL of another transaction that was committed
# after our snapshot: error 1018, "table … dropped by concurrent transaction", "could not open relation with
# OID …". https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html
_CONFLICT = re.compile(
    r"^10(18|23)\b|Serializable isolation violation|deadlock detected|could not serialize"
    r"|(conflict with|dropped by) concurrent transaction|could not open relation with OID",
    re.IGNORECASE,
)

_LIMITS = (
    (
        r"Query Monitoring Rule",
        Hint(
            "A query monitoring rule of the cluster ended it: have who runs the cluster raise it for this "
            "user."
        ),
    ),
    (
        r"cancelled by WLM|WLM (query )?time-?out",
        Hint(
            "The time limit of the WLM queue ended it: have who runs the cluster raise it, or take in less "
            "with --batch-bytes."
        ),
    ),
    (
        r"usage limit|deactivat",
        Hint(
            "The workgroup's RPU-hours are used up (--limit-rpu-hours of {}): run again when the period is "
            "over, or have who runs it raise the limit.",
            Command("cluster", "create"),
        ),
    ),
)
_HINTS = (
    *_LIMITS,
    (
        r"not authorized to assume|Invalid IAM role|No role|is not attached",
        Hint(
            "Attach the role of [IAM_ROLE] ARN to the cluster ({} checks it). A new role is known everywhere "
            "after a minute: run again then.",
            Command("doctor"),
        ),
    ),
    (
        r"kms:|KMS\.|AWSKMS",
        Hint(
            "A key of KMS encrypts the bucket: allow the role of [IAM_ROLE] ARN kms:Decrypt with it, and who "
            "runs this kms:GenerateDataKey too, if it is that of STAGING."
        ),
    ),
    (
        r"explicit deny|data perimeter|service control policy",
        Hint(
            "A policy of the organisation, of the bucket or of a VPC endpoint forbids it (aws:ResourceOrgID "
            "keeps others' buckets out): ask who runs the account, or copy the data to a bucket of your own."
        ),
    ),
    (
        r"curl ?Error|Connection timed out|Timeout was reached|could not connect to .*s3",
        Hint(
            "The cluster does not reach S3: its VPC needs a VPC endpoint for S3, or a way to the internet "
            "(with Enhanced VPC Routing in any case)."
        ),
    ),
    (
        r"AccessDenied|Access Denied|Status 403|InvalidAccessKeyId",
        Hint(
            "The role of [IAM_ROLE] ARN may not read it; {} prints what it needs.",
            Command("cluster", "policy", "copy"),
        ),
    ),
    (
        r"PermanentRedirect|Status 301|must be addressed using",
        "The bucket is in another region than the cluster: name the bucket's with [S3] REGION.",
    ),
    (
        r"NoSuchKey|does not exist.*prefix|prefix .* does not exist|key does not exist|NoSuchBucket",
        "An object vanished after it was listed, or the cluster sees another store than we do. Run again.",
    ),
    (
        r"must be owner",
        "Only the owner of the table may change it: run this as the user who made the tables.",
    ),
    (
        r"permission denied",
        Hint("Have the owner GRANT it ({} lists what is missing).", Command("doctor")),
    ),
    (
        r"Packet for query is too large|response exceeded",
        Hint(
            "The Data API returns rows of up to 64 KB, and 500 MB in all: set [CLUSTER] TRANSPORT = driver, "
            "or SPARKIFY_CLUSTER_TRANSPORT=driver for once."
        ),
    ),
    (r"disk full|Disk Full|no space", "The cluster's storage is full: delete or resize, then run again."),
)
_HINTS_OF_QUERY = (
    (
        r"read-only transaction|transaction is read-only",
        "Ask with SELECT; use another client to change what is not the pipeline's.",
    ),
    (
        r"(relation|column) .* does not exist",
        "Correct the name; information_schema.columns lists the tables and columns there are.",
    ),
)
_CORRECT = "Correct the query; it is sent as it is, in Redshift's own dialect."
_REPORT = Hint(
    "Run {}: nothing was changed. If all is well there, report this with what --debug shows.",
    Command("doctor"),
)


def is_lost(exc: BaseException) -> bool:
    """Return whether the connection is unusable after this error of the driver."""
    fields = server_fields(exc)
    return fields is None or fields.get("C", "").startswith(("08", "57P"))


def explain(exc: Exception, what: str, host: str) -> EngineError:
    """Return an error of the driver as ours.

    Args:
        exc: The exception.
        what: Name of the statement for the message.
        host: The cluster.
    """
    fields = server_fields(exc)
    asked = what == _THE_QUERY
    if fields is None or fields.get("C", "").startswith(("08", "57P")):
        return TransientEngineError(f"the connection to {host} was lost at {what}: {cause(exc)}.", _RUN_AGAIN)
    code, message, detail = (fields.get(name, "") for name in "CMD")
    said = f"{message} {detail}".strip()
    if code in ("40001", "40P01") or _CONFLICT.search(message) or _CONFLICT.search(detail):
        return TransientEngineError(
            f"another transaction came between at {what}: {said}",
            "Run again when the other one has finished: nothing was changed.",
        )
    limit = next((hint for pattern, hint in _LIMITS if re.search(pattern, said, re.IGNORECASE)), "")
    if code == "57014" and not limit:
        return EngineError(
            f"{what} took longer than a statement may: {message}",
            f"{'Ask for less' if asked else 'Take in less with --batch-bytes'}, or look for what holds it up "
            "in the cluster's query monitor: nothing was changed.",
        )
    hints = (*_HINTS_OF_QUERY, *_HINTS) if asked else _HINTS
    hint = next((hint for pattern, hint in hints if re.search(pattern, said, re.IGNORECASE)), "")
    return EngineError(f"Redshift refused {what}: {said}", hint or (_CORRECT if asked else _REPORT))


def about_contents(exc: BaseException | None) -> LoadError | None:
    """Return COPY's error about a file's contents as a :class:`LoadError`; None for any other error."""
    fields = server_fields(exc) if exc else None
    said = f"{fields.get('M', '')} {fields.get('D', '')}".strip() if fields else ""
    if not _ABOUT_CONTENTS.search(said):
        return None
    return LoadError(said, AGAIN, uri="")
