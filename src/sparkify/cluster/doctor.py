"""What a run will need, tried before it runs: each answer is fine, or what to do.

Changes nothing. With the DuckDB engine: the files and the database file. With Redshift also credentials,
cluster, role, port, login and privileges. A check whose ground is missing is left out, not failed twice.
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
from sparkify.cluster.deployment import AVAILABLE, Cluster
from sparkify.cluster.lifecycle import deployment_of, overdue, scope_of
from sparkify.cluster.login import database_credentials
from sparkify.cluster.role import ABSENT, POLICY_NAME, find_role
from sparkify.cluster.rules import S3_KEYS, s3_location
from sparkify.errors import ConfigError, SourceNotFound, SparkifyError
from sparkify.settings import ClusterSettings, Settings
from sparkify.warehouse.redshift.login import missing_privileges
from sparkify.wording import counted

NOT_THERE = ("404", "NoSuchBucket", "NoSuchKey", "NotFound")
# Larger is no JSONPaths file: ours has 18 lines.
JSONPATHS_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing tried. ``found`` is what was seen, ``remedy`` what to do where it is not fine."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Instruments:
    """How the outside is reached; tests give their own."""

    connect: Callable[[Settings], Aws]
    reach: Callable[[str, int], None]
    log_in: Callable[[ClusterSettings, str, str], Any]


def examine(settings: Settings, instruments: Instruments) -> Iterator[Check]:
    """Yield the checks that apply to these settings, in the order in which they depend on each other."""
    redshift = settings.dwh.engine == "redshift"
    shown = settings.path or "no dwh.cfg, defaults and environment"
    yield Check("configuration", ok=True, found=f"{shown}; engine {settings.dwh.engine}")
    for exposure in exposures(settings):
        what, _, remedy = exposure.partition(": ")
        yield Check("secrets", ok=False, found=what, remedy=remedy)

    uris = {key: getattr(settings.s3, key.lower()) for key in S3_KEYS}
    aws: Aws | None = None
    if redshift or any(uri.startswith("s3://") for uri in uris.values()):
        aws, check = _credentials(settings, instruments)
        yield check
    for key, uri in uris.items():
        yield from _location(aws, key, uri, redshift=redshift)
    if not redshift:
        yield _tried("database", lambda: _duckdb(settings))
    elif aws:
        yield from _redshift(aws, settings, instruments)


def _tried(name: str, look: Callable[[], str]) -> Check:
    """Turn a look that returns what it saw, or raises, into a check."""
    try:
        return Check(name, ok=True, found=look())
    except SparkifyError as exc:
        return Check(name, ok=False, found=exc.message, remedy=exc.hint)


def _credentials(settings: Settings, instruments: Instruments) -> tuple[Aws | None, Check]:
    aws: Aws | None = None

    def look() -> str:
        nonlocal aws
        connected = instruments.connect(settings)
        found = f"{connected.identity.arn}, account {connected.identity.account}, region {connected.region}"
        aws = connected
        return found

    check = _tried("credentials", look)
    return aws, check


def _location(aws: Aws | None, key: str, uri: str, *, redshift: bool) -> Iterator[Check]:
    if not uri:
        if key in {"LOG_DATA", "SONG_DATA"}:
            yield Check(key, ok=False, found="empty", remedy=f"Set [S3] {key} in dwh.cfg.")
        elif key == "STAGING" and redshift:
            yield Check(key, ok=True, found="empty; songs are sent as literals")
        return
    if not uri.startswith("s3://"):
        if redshift:
            found = f"{uri} is a local path"
            yield Check(key, ok=False, found=found, remedy="Redshift reads s3:// only: copy the files to S3.")
        else:
            yield _tried(key, lambda: _local(key, Path(uri).expanduser()))
    elif aws:
        yield _tried(key, lambda: _bucket(aws, key, uri))


def _local(key: str, path: Path) -> str:
    try:
        if key == "LOG_JSONPATH":
            return f"{path}: {_jsonpaths(path.read_bytes(), str(path))}"
        first = path if path.is_file() else next((file for file in path.rglob("*") if file.is_file()), None)
    except OSError as exc:
        raise SourceNotFound(
            f"{path} cannot be read: {exc.strerror}.", f"Correct [S3] {key}.", uri=str(path)
        ) from exc
    if first is None:
        raise SourceNotFound(f"{path} holds no files.", f"Correct [S3] {key}.", uri=str(path))
    if not os.access(first, os.R_OK):
        raise SourceNotFound(f"{first} may not be read.", "Give yourself the right to.", uri=str(first))
    return f"{path}, such as {first.name}"


def _bucket(aws: Aws, key: str, uri: str) -> str:
    try:
        place = s3_location(uri)
    except ValueError as exc:
        raise ConfigError(
            f"{uri} is not an S3 location.", f"Correct [S3] {key}: s3://bucket/prefix."
        ) from exc
    head = aws.call("s3", "head_bucket", tolerate=NOT_THERE, Bucket=place.bucket)
    if not head:
        raise SourceNotFound(f"the bucket {place.bucket} does not exist.", f"Correct [S3] {key}.", uri=uri)
    region = head.get("BucketRegion", "")
    where = f"{uri} in {region or 'an unnamed region'}"
    if region and region != aws.region:
        where += f" (the cluster's is {aws.region}: transfer is billed)"
    if key == "LOG_JSONPATH":
        answer = aws.call("s3", "get_object", tolerate=NOT_THERE, Bucket=place.bucket, Key=place.prefix)
        if not answer:
            raise SourceNotFound(f"{uri} does not exist.", "Correct [S3] LOG_JSONPATH.", uri=uri)
        return f"{where}: {_jsonpaths(answer['Body'].read(JSONPATHS_BYTES), uri)}"
    answer = aws.call("s3", "list_objects_v2", Bucket=place.bucket, Prefix=place.prefix, MaxKeys=1)
    if key == "STAGING":
        return f"{where} (writing is not tried)"
    if not answer.get("Contents"):
        raise SourceNotFound(f"{uri} holds no objects.", f"Correct [S3] {key}.", uri=uri)
    return f"{where}, such as {answer['Contents'][0]['Key']}"


def _jsonpaths(data: bytes, uri: str) -> str:
    """Check the shape COPY asks for; with another key it would silently fall back to 'auto'."""
    try:
        paths = json.loads(data)["jsonpaths"]
        assert isinstance(paths, list)
        assert paths
    except (ValueError, KeyError, TypeError, AssertionError) as exc:
        raise ConfigError(
            f"{uri} is not a JSONPaths file.", 'It is one object: {"jsonpaths": ["$[\'artist\']", …]}.'
        ) from exc
    return counted(len(paths), "path")


def _duckdb(settings: Settings) -> str:
    from sparkify.warehouse.connect import open_engine

    path = Path(settings.dwh.database).expanduser()
    place = path if path.exists() else path.absolute().parent
    if not place.exists() or not os.access(place, os.W_OK):
        raise ConfigError(
            f"{path} cannot be written: {place} {'is read-only' if place.exists() else 'does not exist'}.",
            "Set [DWH] DATABASE, or --database, to a file you may write.",
        )
    # Opening it says who holds it, if anyone does.
    with open_engine(settings, wait=0).reading() as there:
        return f"{path}, {path.stat().st_size / 1e6:,.1f} MB" if there else f"{path}, made by the first run"


def _redshift(aws: Aws, settings: Settings, instruments: Instruments) -> Iterator[Check]:
    found: Cluster | None = None

    def look() -> str:
        nonlocal found
        deployment = deployment_of(aws, settings)
        found = deployment.find()
        if found is None:
            raise ConfigError(
                f"there is no cluster {deployment.identifier} in {aws.region}.",
                "`sparkify cluster create`, or correct DWH_CLUSTER_IDENTIFIER and REGION.",
            )
        late = overdue(found, aws.clock())
        if late or found.state != AVAILABLE:
            raise ConfigError(late or f"{found.identifier} is {found.state}.", "`sparkify cluster status`")
        return f"{found.identifier} is available, {found.shape}"

    yield _tried("cluster", look)
    yield from _role(aws, settings, found)
    host, port = settings.cluster.host, settings.cluster.db_port
    if not host:
        remedy = "`sparkify cluster create` writes it; run it again."
        yield Check("port", ok=False, found="[CLUSTER] HOST is empty", remedy=remedy)
        return
    try:
        instruments.reach(host, port)
    except OSError as exc:
        remedy = "`sparkify cluster open-port`; behind a proxy or VPN: `--cidr` with the address AWS sees."
        yield Check("port", ok=False, found=f"{host}:{port} is not reachable: {exc}", remedy=remedy)
        return
    yield Check("port", ok=True, found=f"{host}:{port} is reachable")
    connection: Any = None

    def enter() -> str:
        nonlocal connection
        user, password = database_credentials(aws, settings)
        connection = instruments.log_in(settings.cluster, user, password)
        return f"database {settings.cluster.db_name} lets {user} in"

    yield _tried("login", enter)
    if connection is not None:
        with closing(connection):
            missing = missing_privileges(connection)
        remedy = "Have the owner GRANT it." if missing else ""
        yield Check("privileges", not missing, ", ".join(missing) or "create, read and write", remedy)


def _role(aws: Aws, settings: Settings, cluster: Cluster | None) -> Iterator[Check]:
    """Check the role COPY assumes: there, trusted, allowed, and attached."""
    name = settings.dwh.dwh_iam_role_name
    again = "`sparkify cluster create` makes it as it should be; run it again."

    def look() -> str:
        role = find_role(aws, name)
        if role is None:
            raise ConfigError(f"there is no role {name}.", again)
        if settings.iam_role.arn != role.arn:
            raise ConfigError(f"[IAM_ROLE] ARN is {settings.iam_role.arn!r}, not {role.arn}.", again)
        if "redshift.amazonaws.com" not in json.dumps(role.trust):
            raise ConfigError(
                f"{name} does not trust Redshift.", "Its trust: `sparkify cluster policy copy --trust`."
            )
        if cluster and role.arn not in cluster.roles:
            raise ConfigError(f"{name} is not attached to {cluster.identifier}.", "Attach it in the console.")
        return f"{role.arn} trusts Redshift"

    check = _tried("role", look)
    yield check
    if not check.ok:
        return
    answer = aws.call("iam", "get_role_policy", tolerate=ABSENT, RoleName=name, PolicyName=POLICY_NAME)
    wanted = policy.copy(scope_of(aws, settings))
    if not answer:
        found = f"{name} was not made by us: compare it with `sparkify cluster policy copy`"
        yield Check("role policy", ok=True, found=found)
    elif answer["PolicyDocument"] == wanted:
        yield Check("role policy", ok=True, found="reads exactly the configured locations")
    else:
        found = f"{name} may not read exactly what [S3] says"
        yield Check("role policy", ok=False, found=found, remedy=again)
