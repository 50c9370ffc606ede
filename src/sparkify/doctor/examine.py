"""What a run will need, tried before it runs: each answer is fine, or what to do.

Holds the order and the verdicts only. The answers are those of a run's own objects: stores of the lake,
STAGING, the JSONPaths rule, the engine. What a run refuses fails here in the same words, and what fails here
a run cannot do. AWS alone is asked what no run asks: who we are, cluster and role. A check whose ground is
missing is left out, not failed twice; one without which a run may well succeed is a warning. Leaves nothing
behind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from sparkify.cluster import policy
from sparkify.cluster.aws import Aws
from sparkify.cluster.credentials import exposures
from sparkify.cluster.deployment import AVAILABLE, Cluster
from sparkify.cluster.lifecycle import deployment_of, find_here, overdue, scope_of
from sparkify.cluster.region import region_of_host, verify_host
from sparkify.cluster.role import ABSENT, POLICY_NAME, find_role
from sparkify.custom.definitions import read_folder
from sparkify.doctor.locations import look_at, used_places
from sparkify.doctor.verdicts import Finding, asked, tried, unchecked
from sparkify.errors import Command, ConfigError, Hint, SparkifyError
from sparkify.lake.bucket import open_bucket
from sparkify.lake.uri import is_s3
from sparkify.settings import Settings
from sparkify.text import counted
from sparkify.warehouse.engine import Engine


@dataclass(frozen=True, slots=True)
class Instruments:
    """How the outside is reached; tests give their own."""

    connect: Callable[[Settings], Aws]
    open_warehouse: Callable[[Settings], Engine]


def examine(settings: Settings, instruments: Instruments) -> Iterator[Finding]:
    """Yield the checks that apply to these settings, in the order in which they depend on each other."""
    redshift = settings.dwh.engine == "redshift"
    shown = settings.path or "no dwh.cfg, defaults and environment"
    yield Finding("configuration", ok=True, found=f"{shown}; engine {settings.dwh.engine}")
    for exposure in exposures(settings):
        what, _, remedy = exposure.partition(": ")
        yield Finding("secrets", ok=True, found=what, remedy=remedy)  # a warning: every run succeeds

    s3: Aws | None = None
    aws: Aws | None = None
    able = True
    if redshift or any(map(is_s3, used_places(settings).values())):
        s3, aws, check = _credentials(settings, instruments)
        able = check.ok
        yield check
    yield from look_at(settings, s3, credentials=able)
    if settings.dwh.models:
        yield tried("models", lambda: _models(settings.dwh.models))
    if redshift and aws:
        yield from _cluster(aws, settings)
    yield from _warehouse(settings, instruments)


def _schemas(folder: str) -> set[str]:
    """Return the schemas of the user's own models, as far as the folder can be read."""
    if not folder:
        return set()
    try:
        return {model.schema for model in read_folder(folder).models}
    except SparkifyError:  # has had its own line
        return set()


def _credentials(settings: Settings, instruments: Instruments) -> tuple[Aws | None, Aws | None, Finding]:
    """Return the ports to S3 and to the rest of AWS, where there are any, and the check of both.

    A failure is only what a run cannot do without: credentials for the S3 it opens. Whose they are AWS may
    not tell, and ENDPOINT_URL may be a server for S3 and nothing else.
    """
    s3: Aws | None = None
    aws: Aws | None = None
    endpoint = settings.aws.endpoint_url

    def identify() -> str:
        nonlocal s3, aws
        s3 = instruments.connect(settings)
        if endpoint and settings.dwh.engine != "redshift":
            return f"for {endpoint}, which is asked about S3 only"
        identity = s3.identity
        aws = s3
        return f"{identity.arn}, account {identity.account}, region {s3.region}"

    def open_one() -> str:
        place = next(filter(is_s3, used_places(settings).values()), "")
        if place:
            open_bucket("credentials", settings.aws)  # nothing is contacted
        return ""

    ground = tried("credentials", open_one)
    if not ground.ok:
        return None, None, ground
    check = tried("credentials", identify)
    server = f"{endpoint} (ENDPOINT_URL) serves S3, and may know nothing of accounts, clusters and roles."
    remedy = (
        f"Go by the lines below: {server}" if endpoint else Hint("Go by the lines below. {}", check.remedy)
    )
    return s3, aws, unchecked(check, remedy)


def _models(folder: str) -> str:
    """Read the user's own models and checks, as the beginning of a run does."""
    found = read_folder(folder)
    models, checks = counted(len(found.models), "model"), counted(len(found.checks), "check")
    return f"{models} and {checks} of yours in {folder}"


def _warehouse(settings: Settings, instruments: Instruments) -> Iterator[Finding]:
    """Try the way into the warehouse step by step, as its engine goes it."""
    ways = {"driver": "port", "data-api": "data api"}
    first = ways[settings.cluster.transport] if settings.dwh.engine == "redshift" else "database"
    # STAGING has had its own line, and nothing of it is needed to get in.
    inside = replace(settings, s3=replace(settings.s3, staging=""))
    try:
        engine = instruments.open_warehouse(inside)
    except SparkifyError as exc:
        yield Finding(first, ok=False, found=exc.message, remedy=exc.hint)
        return
    with closing(engine):
        for step in engine.probe(_schemas(settings.dwh.models)):
            check = tried(step.name, step.attempt)
            yield check
            if not check.ok:
                return


def _cluster(aws: Aws, settings: Settings) -> Iterator[Finding]:
    """Check what AWS says of the cluster, and of the role COPY assumes.

    Where HOST leads to another cluster than the one these credentials see, somebody else runs it: then the
    login tells whether it works, and nothing here is a failure.
    """
    host = settings.cluster.host
    found: Cluster | None = None

    def look() -> str:
        nonlocal found
        deployment = deployment_of(aws, settings)
        verify_host(host, deployment.identifier, aws.region)
        found = find_here(aws, deployment, settings)
        if found is None:
            raise ConfigError(
                f"there is no cluster {deployment.identifier} in {aws.region}.",
                Hint("{}, or correct DWH_CLUSTER_IDENTIFIER and REGION.", Command("cluster", "create")),
            )
        if host and found.host and found.host != host:
            raise ConfigError(
                f"HOST is not the endpoint of {found.identifier}, which is {found.host}.",
                "Correct HOST, or DWH_CLUSTER_IDENTIFIER.",
            )
        late = overdue(found, aws.clock())
        if late or found.state != AVAILABLE:
            raise ConfigError(
                late or f"{found.identifier} is {found.state}.", Hint("{}", Command("cluster", "status"))
            )
        return f"{found.identifier} is available, {found.shape}"

    check = tried("cluster", look)
    elsewhere = bool(host) and (found is None or found.host not in ("", host))
    if elsewhere:
        remedy = (
            "Go by the login, if somebody else runs HOST; else correct DWH_CLUSTER_IDENTIFIER and REGION."
        )
        check = unchecked(check, remedy if region_of_host(host) in ("", aws.region) else check.remedy)
    yield check
    if elsewhere:
        role = unchecked(
            tried("role", lambda: _role(aws, settings, None)),
            "Ask who runs HOST for the role that reads S3, and name it in [IAM_ROLE] ARN.",
        )
    else:
        role = asked("role", lambda: _role(aws, settings, found))
    yield role
    if role.verdict == "ok":
        yield _role_policy(aws, settings)


_AGAIN = Hint("{} makes it as it should be; run it again.", Command("cluster", "create"))


def _role(aws: Aws, settings: Settings, cluster: Cluster | None) -> str:
    """Look at the role COPY assumes: there, trusted, and attached."""
    name = settings.dwh.dwh_iam_role_name
    role = find_role(aws, name)
    if role is None:
        raise ConfigError(f"there is no role {name}.", _AGAIN)
    if settings.iam_role.arn != role.arn:
        raise ConfigError(f"[IAM_ROLE] ARN is {settings.iam_role.arn!r}, not {role.arn}.", _AGAIN)
    if "redshift.amazonaws.com" not in json.dumps(role.trust):
        raise ConfigError(
            f"{name} does not trust Redshift.",
            Hint("Its trust: {}.", Command("cluster", "policy", "copy", "--trust")),
        )
    if cluster and role.arn not in cluster.roles:
        raise ConfigError(f"{name} is not attached to {cluster.identifier}.", "Attach it in the console.")
    return f"{role.arn} trusts Redshift"


def _role_policy(aws: Aws, settings: Settings) -> Finding:
    """Check that the role may read exactly what [S3] says."""
    name = settings.dwh.dwh_iam_role_name

    def look() -> str:
        answer = aws.call("iam", "get_role_policy", tolerate=ABSENT, RoleName=name, PolicyName=POLICY_NAME)
        if not answer:
            return Hint(
                "{} was not made by us: compare it with {}", name, Command("cluster", "policy", "copy")
            )
        if answer["PolicyDocument"] != policy.copy(scope_of(aws, settings)):
            raise ConfigError(f"{name} may not read exactly what [S3] says", _AGAIN)
        return "reads exactly the configured locations"

    return asked("role policy", look)
