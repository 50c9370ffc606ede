"""What the S3 client raises, turned into sentences and a next step.

By the code S3 answers, not by the HTTP status: an expired token is a 400, an archived object a 403.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from sparkify.errors import (
    CredentialsRefused,
    SourceChanged,
    SourceDenied,
    SourceError,
    SourceNotFound,
    TransientSourceError,
)
from sparkify.settings import AwsSettings
from sparkify.settings.resolution import bucket_region, told_region
from sparkify.text import visible

# What the client raises; a ValueError is a key that is no path to it, such as a//b.
FAILURES = (BaseError, OSError, ValueError)

_TRANSIENT = frozenset({"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling"})
_TRANSIENT_STATUS = frozenset({408, 429, 500, 502, 503, 504})
_OTHER_REGION = frozenset(
    {
        "PermanentRedirect",
        "TemporaryRedirect",
        "Redirect",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraint",
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for when it failed.

    Attributes:
        uri: The object or prefix.
        bucket: Its bucket.
        aws: Whose credentials asked.
        doing: What could not be done with it: ``read``, ``listed``, ``written``, ``emptied``.
    """

    uri: str
    bucket: str
    aws: AwsSettings
    doing: str = "read"


def s3_error(exc: Exception, request: Request) -> SourceError:
    """Return the error of a request that failed."""
    text = str(exc)
    code, status = code_of(text), _status_of(text)
    if code in _KNOWN:
        return _KNOWN[code](request, code)
    if code.startswith("KMS.") or "kms:" in _message_of(text):
        return _kms(request, code)
    if code in _OTHER_REGION or status in (301, 307) or "Received redirect" in text:
        return _other_region(request, code)
    if is_bad_key(exc):
        return _unreadable_key(request, text)
    return _by_status(exc, request, code, status)


def _by_status(exc: Exception, request: Request, code: str, status: int | None) -> SourceError:
    """Return the error of an answer whose code says nothing we know."""
    uri = request.uri
    if isinstance(exc, NotFoundError | FileNotFoundError | PreconditionError) or code == "NoSuchKey":
        return SourceChanged(
            f"{uri} changed or vanished after it was listed.",
            "Run again. If it says so again, an object lies there whose key ends in /: rename or remove it.",
            uri=uri,
        )
    denied = isinstance(exc, PermissionDeniedError | UnauthenticatedError) or status in (401, 403)
    if code == "AccessDenied" or (denied and not code):
        return _denied(request, code)
    if code in _TRANSIENT or status in _TRANSIENT_STATUS or (not code and status is None):
        return _transient(request, code, str(exc))
    answer = " ".join(str(part) for part in (status, code) if part)
    kind = SourceDenied if denied else SourceError
    return kind(
        f"{uri} cannot be {request.doing}: the store answered {answer}{_message_of(str(exc))}.",
        "See what the store says of it; check the bucket, the credentials and [AWS] ENDPOINT_URL.",
        uri=uri,
    )


def code_of(text: str) -> str:
    """Return the code in S3's answer, such as ``AccessDenied``; empty where there is none."""
    found = re.search(r"<Code>\s*([A-Za-z0-9_.]+)\s*</Code>", text)
    return found[1] if found else ""


def is_bad_key(exc: Exception) -> bool:
    """Tell whether a request failed since a key is no path to the client."""
    return isinstance(exc, ValueError | InvalidPathError)


def _unreadable_key(request: Request, text: str) -> SourceError:
    return SourceError(
        f"{request.uri} holds a key that cannot be read: {_first_line(text)}.",
        "Rename that object: no part of its key may be empty, '.' or '..', or hold a control character. With "
        "boto3 (`pip install '.[aws]'`) such objects are named and left out.",
        uri=request.uri,
    )


def _status_of(text: str) -> int | None:
    found = re.search(r"non-2xx status code: (\d{3})", text)
    return int(found[1]) if found else None


def _message_of(text: str) -> str:
    found = re.search(r"<Message>([^<]{1,200})", text)
    return f": {visible(found[1].rstrip('.'))}" if found else ""


def _first_line(text: str) -> str:
    return visible(text.split("\n", 1)[0][:300])


def _whose(aws: AwsSettings) -> str:
    return "[AWS] KEY and SECRET" if aws.key else "those of the profile, the environment or the machine"


def _expired(request: Request, code: str) -> SourceError:
    renew = (
        "Put the new KEY, SECRET and SESSION_TOKEN into [AWS]"
        if request.aws.key
        else "Sign in again (`aws sso login`), or export new keys with their AWS_SESSION_TOKEN"
    )
    return CredentialsRefused(
        f"{request.uri} cannot be {request.doing}: the AWS credentials have expired ({code}).",
        f"{renew}; then run again.",
        uri=request.uri,
    )


def _wrong_token(request: Request, code: str) -> SourceError:
    where = "[AWS] SESSION_TOKEN" if request.aws.key else "AWS_SESSION_TOKEN"
    return CredentialsRefused(
        f"{request.uri} cannot be {request.doing}: the session token is not the access key's ({code}).",
        f"Set {where} to the token that came with the key, or clear it where the key is a lasting one.",
        uri=request.uri,
    )


def _unknown_key(request: Request, code: str) -> SourceError:
    return CredentialsRefused(
        f"{request.uri} cannot be {request.doing}: the store does not know the access key (403 {code}).",
        f"Check the access key that is used, {_whose(request.aws)}: deleted, mistyped, of another server?",
        uri=request.uri,
    )


def _wrong_secret(request: Request, code: str) -> SourceError:
    return CredentialsRefused(
        f"{request.uri} cannot be {request.doing}: the secret is not that of the access key (403 {code}).",
        f"Check the secret that is used, {_whose(request.aws)}: copied whole, without blanks or quotes?",
        uri=request.uri,
    )


def _denied(request: Request, code: str) -> SourceError:
    needed = (
        "s3:ListBucket on the bucket and s3:GetObject on the prefix"
        if request.doing in ("read", "listed")
        else "s3:ListBucket on the bucket, and s3:PutObject and s3:DeleteObject on the prefix"
    )
    return SourceDenied(
        f"{request.uri} may not be {request.doing}: the store answered {code or 'a refusal'}.",
        f"Check whose credentials are used, {_whose(request.aws)}, and that they allow {needed}.",
        uri=request.uri,
    )


def _clock(request: Request, code: str) -> SourceError:
    return CredentialsRefused(
        f"{request.uri} cannot be {request.doing}: this machine's clock is wrong by more than 15 minutes "
        f"({code}).",
        "Set the clock (`timedatectl set-ntp true`, or that of the virtual machine's host), then run again.",
        uri=request.uri,
    )


def _kms(request: Request, code: str) -> SourceError:
    return SourceDenied(
        f"{request.uri} cannot be {request.doing}: its KMS key cannot be used ({code}).",
        "Ask the key's owner to enable it, and to allow kms:Decrypt (kms:GenerateDataKey to write) to "
        f"the credentials used, {_whose(request.aws)}.",
        uri=request.uri,
    )


def _archived(request: Request, code: str) -> SourceError:
    return SourceError(
        f"{request.uri} is archived (S3 Glacier) and cannot be read before it is restored ({code}).",
        "Restore it (`aws s3api restore-object`), or move it out of the prefix; then run again.",
        uri=request.uri,
    )


def _no_bucket(request: Request, _: str) -> SourceError:
    return SourceNotFound(
        f"the bucket {request.bucket} does not exist.",
        "Check the bucket's name in dwh.cfg, and [AWS] ENDPOINT_URL if it is not on AWS.",
        uri=request.uri,
    )


def _other_region(request: Request, code: str) -> SourceError:
    asked, told = bucket_region(request.aws, request.bucket), told_region(request.aws, request.bucket)
    known = told and told != asked
    return SourceError(
        f"{request.uri} cannot be {request.doing}: the bucket {request.bucket} is not in {asked}"
        f"{f' but in {told}' if known else ''} ({code or 'a redirect'}).",
        f"Set [S3] REGION to {told if known else 'the region of the bucket'}"
        f"{', or leave it empty to have S3 asked' if request.aws.bucket_region else ''}.",
        uri=request.uri,
    )


def _transient(request: Request, code: str, text: str) -> SourceError:
    if code == "SlowDown":
        return TransientSourceError(
            f"{request.uri} cannot be {request.doing}: the store is busy ({code}), after every retry.",
            "Run again later: nothing was changed.",
            uri=request.uri,
        )
    return TransientSourceError(
        f"{request.uri} cannot be {request.doing}: {code or _first_line(text)}",
        "Check the network and [AWS] ENDPOINT_URL; if the store is busy, run again: nothing was changed.",
        uri=request.uri,
    )


_KNOWN: dict[str, Callable[[Request, str], SourceError]] = {
    "ExpiredToken": _expired,
    "ExpiredTokenException": _expired,
    "TokenRefreshRequired": _expired,
    "RequestExpired": _expired,
    "InvalidToken": _wrong_token,
    "InvalidAccessKeyId": _unknown_key,
    "SignatureDoesNotMatch": _wrong_secret,
    "RequestTimeTooSkewed": _clock,
    "InvalidObjectState": _archived,
    "NoSuchBucket": _no_bucket,
}
