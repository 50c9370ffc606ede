"""What a run will need, tried before it runs: each answer is fine, or what to do.

Changes nothing. With the DuckDB engine: the files and the database file. With Redshift also credentials,
cluster, role, port, login and privileges. A check whose ground is missing is left out, not failed twice; one
that cannot be made, and without which a run may well succeed, is a warning.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparkify.cluster import policy
from sparkify.cluster.aws import Aws
from sparkify.cluster.credentials import exposures
from sparkify.cluster.database_login import database_credentials
from sparkify.cluster.deployment import AVAILABLE, Cluster
from sparkify.cluster.lifecycle import deployment_of, overdue, scope_of
from sparkify.cluster.role import ABSENT, POLICY_NAME, find_role
from sparkify.cluster.spec import S3_KEYS
from sparkify.doctor.locations import look_at
from sparkify.doctor.verdicts import Check, asked, tried, unchecked
from sparkify.errors import Command, ConfigError, Hint
from sparkify.settings import ClusterSettings, Settings
from sparkify.warehouse.engine import Engine
from sparkify.warehouse.redshift.login import missing_privileges
from sparkify.warehouse.redshift.refused import not_reached

# How long the cluster's port may take to answer.
REACH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Instruments:
    """How the outside is reached; tests give their own."""

    connect: Callable[[Settings], Aws]
    reach: Callable[[str, int], None]
    log_in: Callable[[ClusterSettings, str, str], Any]
    open_warehouse: Callable[[Settings], Engine]


def examine(settings: Settings, instruments: Instruments) -> Iterator[Check]:
    """Yield the checks that apply to these settings, in the order in which they depend on each other."""
    redshift = settings.dwh.engine == "redshift"
    shown = settings.path or "no dwh.cfg, defaults and environment"
    yield Check("configuration", ok=True, found=f"{shown}; engine {settings.dwh.engine}")
    for exposure in exposures(settings):
        what, _, remedy = exposure.partition(": ")
        yield Check("secrets", ok=True, found=what, remedy=remedy)  # a warning: every run succeeds

    uris = {key: getattr(settings.s3, key.lower()) for key in S3_KEYS}
    s3: Aws | None = None
    aws: Aws | None = None
    if redshift or any(uri.startswith("s3://") for uri in uris.values()):
        s3, aws, check = _credentials(settings, instruments)
        yield check
    for key, uri in uris.items():
        yield from look_at(s3, key, uri, redshift=redshift)
    if redshift:
        yield from _redshift(aws, settings, instruments)
    else:
        yield tried("database", lambda: _duckdb(settings, instruments))


def _credentials(settings: Settings, instruments: Instruments) -> tuple[Aws | None, Aws | None, Check]:
    """Return the ports to S3 and to the rest of AWS, where there are any, and the check of both.

    ENDPOINT_URL may be a server for S3 and nothing else: whom it knows, its answers about S3 alone tell.
    """
    s3: Aws | None = None
    aws: Aws | None = None
    endpoint = settings.aws.endpoint_url

    def look() -> str:
        nonlocal s3, aws
        connected = instruments.connect(settings)
        if endpoint:
            s3 = connected
            if settings.dwh.engine != "redshift":
                return f"for {endpoint}, which is asked about S3 only"
        identity = connected.identity
        s3 = aws = connected
        return f"{identity.arn}, account {identity.account}, region {connected.region}"

    check = tried("credentials", look)
    if s3 and not aws and settings.cluster.db_password:
        check = unchecked(
            check,
            f"Go by the lines below: ENDPOINT_URL, {endpoint}, is a server for S3, and says nothing of "
            "accounts, clusters and roles.",
        )
    return s3, aws, check


def _duckdb(settings: Settings, instruments: Instruments) -> str:
    path = Path(settings.dwh.database).expanduser()
    place = path if path.exists() else path.absolute().parent
    if not place.exists() or not os.access(place, os.W_OK):
        raise ConfigError(
            f"{path} cannot be written: {place} {'is read-only' if place.exists() else 'does not exist'}.",
            "Set [DWH] DATABASE, or --database, to a file you may write.",
        )
    # Opening it says who holds it, if anyone does.
    with closing(instruments.open_warehouse(settings)) as engine, engine.reading() as there:
        return f"{path}, {path.stat().st_size / 1e6:,.1f} MB" if there else f"{path}, made by the first run"


def _redshift(aws: Aws | None, settings: Settings, instruments: Instruments) -> Iterator[Check]:
    if aws:
        yield from _cluster(aws, settings)
    cluster = settings.cluster
    host, port = cluster.host, cluster.db_port
    if not host:
        remedy: str = Hint("{} writes it; run it again.", Command("cluster", "create"))
        yield Check("port", ok=False, found="[CLUSTER] HOST is empty", remedy=remedy)
        return
    try:
        instruments.reach(host, port)
    except (OSError, UnicodeError) as exc:
        error = not_reached(exc, host, port, REACH_SECONDS)
        yield Check("port", ok=False, found=error.message, remedy=error.hint)
        return
    yield Check("port", ok=True, found=f"{host}:{port} is reachable")
    if aws is None and not cluster.db_password:
        return  # who asks AWS for a password needs AWS
    connection: Any = None

    def enter() -> str:
        nonlocal connection
        user, password = cluster.db_user, str(cluster.db_password)
        if aws and not password:
            user, password = database_credentials(aws, settings)
        connection = instruments.log_in(cluster, user, password)
        return f"database {cluster.db_name} lets {user} in"

    yield tried("login", enter)
    if connection is not None:
        with closing(connection):
            missing = missing_privileges(connection)
        remedy = "Have the owner GRANT it." if missing else ""
        yield Check("privileges", not missing, ", ".join(missing) or "create, read and write", remedy)


def _cluster(aws: Aws, settings: Settings) -> Iterator[Check]:
    """Check what AWS says of the cluster, and of the role COPY assumes.

    Where HOST leads to another cluster than the one these credentials see, somebody else runs it: then the
    login tells whether it works, and nothing here is a failure.
    """
    host = settings.cluster.host
    found: Cluster | None = None

    def look() -> str:
        nonlocal found
        deployment = deployment_of(aws, settings)
        found = deployment.find()
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
        check = unchecked(
            check,
            "Go by the login, if somebody else runs HOST; else correct DWH_CLUSTER_IDENTIFIER and REGION.",
        )
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


def _role_policy(aws: Aws, settings: Settings) -> Check:
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
