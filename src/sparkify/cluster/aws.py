"""The port to AWS: every call of this package goes through :meth:`Aws.call`.

It retries throttled calls and translates AWS's errors into messages with a remedy. Clients, clock and sleep
are injected, so that a test can simulate any sequence; :mod:`sparkify.cluster.credentials` makes the clients.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sparkify.cluster.policy import statement_for
from sparkify.errors import ClusterError, Command, Hint, SparkifyError

# Seconds between tries of a call that AWS throttled; then it is an error.
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
LONGEST_PAUSE_OFFLINE = 2.0

_TRANSIENT = """
    Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException
    RequestLimitExceeded TooManyRequestsException SlowDown BandwidthLimitExceeded
    PriorRequestNotComplete DependentServiceRequestThrottling DependentServiceRequestThrottlingFault
    DependentServiceUnavailableFault InternalFailure InternalError InternalServerException
    ServiceUnavailable ServiceUnavailableException Unavailable RequestTimeout
    RequestTimeoutException 500 502 503 504
"""
TRANSIENT = frozenset(_TRANSIENT.split())
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN_KEY = """
    InvalidClientTokenId InvalidAccessKeyId UnrecognizedClientException SignatureDoesNotMatch
    AuthFailure InvalidSignatureException IncompleteSignature MissingAuthenticationToken
"""
UNKNOWN_KEY = frozenset(_UNKNOWN_KEY.split())
_DENIED = """
    AccessDenied AccessDeniedException AccessDeniedFault UnauthorizedOperation UnauthorizedException
    Unauthorized DependentServiceAccessDenied DependentServiceAccessDeniedFault 403
"""
DENIED = frozenset(_DENIED.split())
QUOTAS = {
    "ClusterQuotaExceeded": "the account's number of clusters",
    "NumberOfNodesQuotaExceeded": "the account's number of nodes",
    "NumberOfNodesPerClusterLimitExceeded": "the number of nodes in one cluster",
    "ClusterSnapshotQuotaExceeded": "the account's number of snapshots",
    "TagLimitExceededFault": "the number of tags",
    "TooManyTagsException": "the number of tags",
    "LimitExceeded": "a limit of the account",
    "LimitExceededFault": "a limit of the account",
    "ServiceQuotaExceededException": "a quota of the account",
    "SecurityGroupLimitExceeded": "the VPC's number of security groups",
    "RulesPerSecurityGroupLimitExceeded": "the number of rules in one security group",
}
CAPACITY = frozenset(
    {"InsufficientClusterCapacity", "InsufficientClusterCapacityFault", "InsufficientCapacityException"}
)
STATE = frozenset({"InvalidClusterState", "InvalidClusterStateFault", "ConflictException"})


@dataclass(frozen=True, slots=True)
class Identity:
    """The account and user that the credentials belong to."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """The AWS partition: aws, aws-cn or aws-us-gov."""
        return self.arn.split(":")[1]

    @property
    def name(self) -> str:
        """The name of the user or session."""
        return self.arn.split(":")[-1].rsplit("/", 1)[-1]


class Aws:
    """One account in one region, with injected clients.

    Args:
        client: Service name (``"redshift"``) → boto3 client.
        region: The region, such as ``us-west-2``.
        clock: Returns the current time, as an aware datetime.
        sleep: Waits for a number of seconds.
    """

    def __init__(
        self,
        client: Callable[[str], Any],
        *,
        region: str,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._client = client
        self.region = region
        self.clock = clock
        self.sleep = sleep

    def client(self, service: str) -> Any:
        """Return boto3's client of a service, for what is not done by :meth:`call`."""
        return self._client(service)

    def call(
        self, service: str, operation: str, *, tolerate: Collection[str] = (), **parameters: Any
    ) -> dict[str, Any]:
        """Make one call and return AWS's answer; an empty one for an error whose code is in ``tolerate``.

        Raises:
            ClusterError: AWS refused, or could not be reached, after the retries that make sense.
        """
        from botocore import exceptions

        client = self._client(service)
        action = iam_action(service, client.meta.method_to_api_mapping[operation])
        for pause in (*PAUSES, None):
            try:
                answer: dict[str, Any] = getattr(client, operation)(**parameters)
            except exceptions.ClientError as exc:
                # A server that is not AWS, and does not know the service, may return anything.
                error = exc.response.get("Error", {})
                code = error.get("Code", "an answer that is not AWS's")
                if code in tolerate:
                    return {}
                if code not in TRANSIENT or pause is None:
                    raise refusal(action, code, error.get("Message", "")) from exc
            except (exceptions.ConnectionError, exceptions.HTTPClientError) as exc:
                # Without a network, or with an unknown region, the error should not take half a minute.
                if pause is None or pause > LONGEST_PAUSE_OFFLINE:
                    raise unreachable(action, exc) from exc
            except exceptions.BotoCoreError as exc:
                raise unusable(action, exc) from exc
            else:
                return answer
            self.sleep(pause)
        raise AssertionError

    @cached_property
    def identity(self) -> Identity:
        """The owner of the credentials; AWS is asked once."""
        answer = self.call("sts", "get_caller_identity")
        return Identity(answer["Account"], answer["Arn"])


def iam_action(service: str, api_name: str) -> str:
    """Return the IAM action that an API call needs, such as ``redshift:CreateCluster``.

    For the services we call it has the call's name; for some calls of S3 it would not.
    """
    return f"{service}:{api_name}"


def refusal(action: str, code: str, message: str) -> SparkifyError:
    """Translate an error response of AWS into a message with a remedy."""
    if code in DENIED:
        return _denied(action, message)
    sentence, remedy = next((words for codes, *words in _REFUSALS if code in codes), _OTHERWISE)
    text = sentence.format(action=action, code=code, message=message, quota=QUOTAS.get(code, ""))
    return ClusterError(text.rstrip(": "), remedy, action=action)


_OTHERWISE = [
    "AWS refused {action} ({code}): {message}",
    "If this was a passing fault, run the same command again: it continues where it stopped.",
]
_REFUSALS: tuple[tuple[Collection[str], str, str], ...] = (
    (
        TRANSIENT,
        "AWS kept putting {action} off ({code}), " + f"{len(PAUSES) + 1} times in {sum(PAUSES):.0f} s.",
        "Wait a few minutes and run the same command again; it continues where it stopped.",
    ),
    (
        EXPIRED,
        "the AWS credentials have expired ({code}).",
        "Renew them (`aws sso login`, or new keys), then run the same command again: it continues.",
    ),
    (
        UNKNOWN_KEY,
        "AWS does not know these credentials ({code}).",
        "Check KEY and SECRET in dwh.cfg, or the profile; `aws sts get-caller-identity` says who you are.",
    ),
    (
        QUOTAS,
        "AWS refused {action}: {quota} is used up ({code}). {message}",
        "Ask for more in the Service Quotas console, or delete what is no longer used.",
    ),
    (
        CAPACITY,
        "AWS has no capacity left for {action} now. {message}",
        "Try again later, another node type (DWH_NODE_TYPE), or another region (REGION).",
    ),
    (
        STATE,
        "AWS refused {action} in the present state: {message}",
        Hint("See {}, then run the same command again.", Command("cluster", "status", "--wait")),
    ),
)


def _denied(action: str, message: str) -> ClusterError:
    # AWS often names another action than the one called, such as iam:PassRole in CreateCluster.
    named = re.search(r"perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)", message)
    missing = named[1] if named else action
    found = statement_for(missing)
    if "explicit deny" in message:
        remedy: str = (
            "A policy of the organisation forbids it, whatever else allows it: ask who runs the account."
        )
    elif found:
        ours = Command("cluster", "policy", found[0])
        remedy = Hint("It is in statement {} of {}: ask for that policy.", str(found[1]), ours)
    else:
        remedy = f"Ask your administrator to allow {missing}."
    return ClusterError(f"these credentials may not do {missing}. {message}".rstrip(), remedy, action=missing)


def unreachable(action: str, exc: Exception) -> SparkifyError:
    """Translate a connection error into a message with a remedy."""
    return ClusterError(
        f"AWS could not be reached for {action}: {exc}",
        "Check the network, REGION and ENDPOINT_URL, then run the same command again: it continues.",
        action=action,
    )


def unusable(action: str, exc: Exception) -> SparkifyError:
    """Translate a local error (no credentials, a wrong parameter) into a message with a remedy."""
    kind = type(exc).__name__
    if kind in {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}:
        hint = "Run `aws configure` or `aws sso login`, set PROFILE in dwh.cfg, or KEY and SECRET."
        return ClusterError("there are no AWS credentials.", hint, action=action)
    if "SSO" in kind or "Token" in kind:
        return ClusterError(f"the AWS sign-in has expired ({kind}).", "Run `aws sso login`.", action=action)
    return ClusterError(f"{action} was not sent: {exc}", "Correct the settings it names.", action=action)
