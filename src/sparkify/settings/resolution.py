"""Who asks AWS, at which address and for which region: one answer for the lake, COPY and the cluster.

Owns what an empty value of ``[AWS]`` means. dwh.cfg (with ``SPARKIFY_*`` and flags) comes first, then
``AWS_*`` of the environment, then the profile, in the order of AWS's own documentation:

- credentials: KEY, SECRET and SESSION_TOKEN together; else ``[AWS] PROFILE``; else the standard chain.
- region of the cluster: ``[AWS] REGION``, AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-west-2.
- region of a bucket: ``[S3] REGION``, what S3 answers, that of the cluster.
- address of S3: ``[AWS] ENDPOINT_URL``, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's, AWS's own.

The only reader of ``AWS_*`` besides the libraries it gives their values to. Only boto3 reads profiles; where
it is not installed there are none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sparkify.errors import ConfigError
from sparkify.settings.keys import AwsSettings, is_endpoint

if TYPE_CHECKING:
    from boto3.session import Session

# Where the mission's bucket is. Only for a configuration, environment and profile that name no region.
DEFAULT_REGION = "us-west-2"

_SECONDS_TO_ANSWER = 10.0
# How long the S3 client may keep what the chain gave; the chain itself renews what expires.
_KEPT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class S3Access:
    """How one bucket is reached.

    Attributes:
        region: What requests are signed for.
        endpoint: The URL of the server, without the bucket.
        credentials: Gives the S3 client its credentials; None: boto3 is not installed, and the client has a
            chain of its own (environment, instance metadata).
    """

    region: str
    endpoint: str
    credentials: Callable[[], dict[str, Any]] | None


def s3_access(aws: AwsSettings, bucket: str) -> S3Access:
    """Return how a bucket is reached; S3 is asked for the region where nothing else names it.

    Raises:
        ConfigError: There are no credentials, or only a part of them.
    """
    credentials = _s3_credentials(aws)
    region = bucket_region(aws, bucket)
    return S3Access(region, s3_endpoint(aws) or _amazon(region), credentials)


def cluster_region(aws: AwsSettings) -> str:
    """Return the region of everything but buckets."""
    named = aws.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return named or _profile(aws)[0].get("region") or DEFAULT_REGION


def bucket_region(aws: AwsSettings, bucket: str) -> str:
    """Return the region of a bucket: the one given, else the one S3 tells, else the cluster's."""
    return aws.bucket_region or told_region(aws, bucket) or cluster_region(aws)


def told_region(aws: AwsSettings, bucket: str) -> str:
    """Return the region S3 says a bucket is in; empty where it does not say, or cannot be reached.

    The answer needs no credentials and has the header whatever its status is. Servers that are not AWS mostly
    leave it out.
    """
    server = s3_endpoint(aws) or _amazon(cluster_region(aws))
    try:
        return _header_of(f"{server.rstrip('/')}/{bucket}")
    except (OSError, ValueError):  # what follows will meet it as well, and says it better
        return ""


def s3_endpoint(aws: AwsSettings) -> str:
    """Return the URL of the S3 server; empty: AWS.

    Raises:
        ConfigError: What the environment or the profile names is no URL.
    """
    if aws.endpoint_url:
        return aws.endpoint_url
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return ""
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        if value := os.environ.get(name):
            return _verified(value, f"the environment variable {name}")
    profile, services = _profile(aws)
    if str(profile.get("ignore_configured_endpoint_urls", "")).lower() == "true":
        return ""
    service = services.get(profile.get("services", ""), {}).get("s3", {})
    value = service.get("endpoint_url") or profile.get("endpoint_url") or ""
    return value and _verified(value, "endpoint_url of the AWS profile")


def open_session(aws: AwsSettings) -> Session:
    """Return boto3's session with these credentials, for the cluster's region; nothing is sent yet.

    Raises:
        ConfigError: boto3 is not installed, the profile does not exist, or KEY and SECRET are incomplete.
    """
    aws.verify_keys()
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError as exc:
        raise ConfigError(
            "this command talks to AWS and boto3 is not installed.", "pip install '.[aws]'"
        ) from exc
    region = cluster_region(aws)
    try:
        return boto3.session.Session(
            aws_access_key_id=str(aws.key) or None,
            aws_secret_access_key=str(aws.secret) or None,
            aws_session_token=str(aws.session_token) or None,
            profile_name=aws.profile or None,
            region_name=region,
        )
    except BotoCoreError as exc:
        raise _no_profile(aws, exc) from exc


def s3_client(aws: AwsSettings, bucket: str) -> Any:
    """Return boto3's client of S3 for a bucket; slower than the lake's own, it knows every key there can be.

    Raises:
        ConfigError: As for :func:`open_session`.
    """
    session = open_session(aws)
    from botocore.config import Config

    access = s3_access(aws, bucket)
    config = Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": 8})
    return session.client("s3", region_name=access.region, endpoint_url=access.endpoint, config=config)


def _s3_credentials(aws: AwsSettings) -> Callable[[], dict[str, Any]] | None:
    aws.verify_keys()
    if aws.key:
        # The S3 client itself would add a session token it finds in the environment.
        fixed = {
            "access_key_id": str(aws.key),
            "secret_access_key": str(aws.secret),
            "token": str(aws.session_token) or None,
            "expires_at": None,
        }
        return lambda: fixed
    try:
        from botocore.exceptions import BotoCoreError
    except ImportError:
        if aws.profile:
            raise ConfigError(
                f"[AWS] PROFILE is {aws.profile}, but boto3, which reads profiles, is not installed.",
                "Install it with `pip install '.[aws]'`, or set KEY and SECRET.",
            ) from None
        return None
    session = open_session(aws)
    try:
        found = session.get_credentials()
    except BotoCoreError as exc:
        raise ConfigError(f"the AWS credentials cannot be used: {exc}.", "Check [AWS] PROFILE.") from exc
    if found is None:
        raise ConfigError(
            "no AWS credentials were found: [AWS] KEY is empty and the standard chain has none.",
            "Set KEY and SECRET in dwh.cfg, AWS_PROFILE, or run `aws configure`.",
        )

    def current() -> dict[str, Any]:
        frozen = found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + _KEPT,
        }

    return current


def _profile(aws: AwsSettings) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return what the profile in use says, and the ``services`` sections; both empty without boto3."""
    try:
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session
    except ImportError:
        return {}, {}
    session = Session(profile=aws.profile or None)
    try:
        return session.get_scoped_config(), session.full_config.get("services", {})
    except BotoCoreError as exc:
        raise _no_profile(aws, exc) from exc


def _no_profile(aws: AwsSettings, exc: Exception) -> ConfigError:
    name = aws.profile or os.environ.get("AWS_PROFILE", "")
    if type(exc).__name__ == "ProfileNotFound":
        return ConfigError(
            f"there is no AWS profile {name!r}.",
            "See `aws configure list-profiles`, then correct PROFILE in dwh.cfg or AWS_PROFILE.",
        )
    return ConfigError(f"the AWS configuration cannot be used: {exc}.", "Correct ~/.aws/config.")


def _verified(value: str, place: str) -> str:
    if not is_endpoint(value):
        raise ConfigError(f"{place} is {value!r}, which is no URL.", "Write it as https://s3.example.com.")
    return value


def _amazon(region: str) -> str:
    return f"https://s3.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


@cache
def _header_of(url: str) -> str:
    """Ask once in a process. A redirect is not followed: it has the header."""
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        answer = build_opener(Stay).open(Request(url, method="HEAD"), timeout=_SECONDS_TO_ANSWER)  # noqa: S310
    except HTTPError as exc:
        answer = exc
    with answer:
        return str(answer.headers.get("x-amz-bucket-region") or "")
