"""Validate a cluster's settings by AWS's rules, before AWS is called.

Sources: the constraints in botocore's service models for CreateCluster, CreateNamespace and CreateWorkgroup,
and the node tables of the Redshift Management Guide. Owns :class:`ClusterSpec`; AWS is not contacted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sparkify.errors import ConfigError
from sparkify.lake.uri import S3Location, is_s3, parse_s3
from sparkify.records import KINDS
from sparkify.settings import Secret, Settings

PORT_RANGES = ((5431, 5455), (8191, 8215))

# node type → fewest and most nodes of a new cluster. The API's own ceiling is 100.
NODE_TYPES: dict[str, tuple[int, int]] = {
    "ra3.large": (1, 16),
    "ra3.xlplus": (1, 16),
    "ra3.4xlarge": (2, 32),
    "ra3.16xlarge": (2, 100),
    "rg.large": (1, 100),
    "rg.xlarge": (1, 100),
    "rg.4xlarge": (1, 100),
    "rg.12xlarge": (1, 100),
}

SUCCESSORS = {
    "dc1.large": "ra3.large",
    "dc1.8xlarge": "ra3.4xlarge",
    "dc2.large": "ra3.large",
    "dc2.8xlarge": "ra3.4xlarge",
    "ds1.xlarge": "ra3.xlplus",
    "ds1.8xlarge": "ra3.4xlarge",
    "ds2.xlarge": "ra3.xlplus",
    "ds2.8xlarge": "ra3.4xlarge",
}

# Words Redshift reserves (Database Developer Guide, "Reserved words").
_RESERVED = """
    aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64 backup
    between binary blanksasnull both bytedict bzip2 case cast check collate column constraint create
    credentials cross current_date current_time current_timestamp current_user current_user_id
    default deferrable deflate defrag delta delta32k desc disable distinct do else emptyasnull
    enable encode encrypt encryption end except explicit false for foreign freeze from full
    globaldict256 globaldict64k grant group gzip having identity ignore ilike in initially inner
    intersect interval into is isnull join leading left like limit localtime localtimestamp lun luns
    lzo lzop minus mostly16 mostly32 mostly8 natural new not notnull null nulls off offline offset
    oid old on only open or order outer overlaps parallel partition percent permissions pivot
    placing primary public raw readratio recover references rejectlog resort respect restore right
    select session_user similar snapshot some sysdate system table tag tdes text255 text32k then
    timestamp to top trailing true truncatecolumns type union unique unnest unpivot user using
    verbose wallet when where with without
"""
RESERVED = frozenset(_RESERVED.split())


def aws_location(uri: str) -> S3Location:
    """Split ``s3://bucket/prefix``, whose bucket a cluster can read: its name must be one that AWS allows.

    Raises:
        ConfigError: It is no such location.
    """
    place = parse_s3(uri)
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", place.bucket):
        raise ConfigError(
            f"AWS allows no bucket of the name {place.bucket}.",
            "3 to 63 lower-case letters, digits, dots and hyphens.",
        )
    return place


@dataclass(frozen=True, slots=True)
class Sources:
    """Where on S3 the cluster reads, and the one prefix where the ETL writes."""

    data: tuple[S3Location, ...] = ()
    jsonpath: S3Location | None = None
    staging: S3Location | None = None

    @property
    def read(self) -> tuple[S3Location, ...]:
        """Every location COPY reads, the JSONPaths file and our manifests included."""
        return (*self.data, *(place for place in (self.jsonpath, self.staging) if place))


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """Validated properties of a cluster. ``nodes`` is for provisioned, ``base_rpus`` for Serverless.

    ``limit_rpu_hours`` is the Serverless workgroup's allowance per day, in RPU-hours.
    """

    identifier: str
    serverless: bool
    node_type: str
    nodes: int
    base_rpus: int
    limit_rpu_hours: int
    database: str
    user: str
    password: Secret
    port: int
    role_name: str
    public: bool
    subnet_group: str
    sources: Sources

    @property
    def managed_password(self) -> bool:
        """Whether AWS generates and stores the password, in Secrets Manager."""
        return not self.password


def is_serverless(settings: Settings) -> bool:
    """Whether the configured warehouse is Redshift Serverless."""
    return settings.dwh.dwh_cluster_type == "serverless"


def identifier_of(settings: Settings) -> str:
    """Return the cluster's name as AWS stores it, in lower case.

    Raises:
        ConfigError: AWS does not allow such a name.
    """
    identifier = settings.dwh.dwh_cluster_identifier.lower()
    problem = _identifier_problem(identifier, serverless=is_serverless(settings))
    if problem:
        raise ConfigError(
            f"[DWH] DWH_CLUSTER_IDENTIFIER is {identifier!r}: {problem}.",
            "Choose another name; nothing was sent to AWS.",
        )
    return identifier


def spec_from(
    settings: Settings,
    *,
    base_rpus: int = 8,
    limit_rpu_hours: int = 24,
    public: bool = True,
    subnet_group: str = "",
) -> ClusterSpec:
    """Validate every setting of a new cluster, and return them.

    Raises:
        ConfigError: One or more settings break a rule of AWS; the message names each.
    """
    serverless = is_serverless(settings)
    problems = list(_problems(settings, base_rpus, limit_rpu_hours, subnet_group))
    if problems:
        raise ConfigError(
            "AWS would not accept this cluster:\n" + "\n".join(f"  {problem}" for problem in problems),
            f"Correct {settings.path or 'dwh.cfg'}; nothing was sent to AWS.",
        )
    single = settings.dwh.dwh_cluster_type == "single-node"
    return ClusterSpec(
        identifier=identifier_of(settings),
        serverless=serverless,
        node_type="" if serverless else settings.dwh.dwh_node_type,
        nodes=0 if serverless else 1 if single else settings.dwh.dwh_num_nodes or 0,
        base_rpus=base_rpus if serverless else 0,
        limit_rpu_hours=limit_rpu_hours if serverless else 0,
        database=settings.cluster.db_name,
        user=settings.cluster.db_user,
        password=settings.cluster.db_password,
        port=settings.cluster.db_port,
        role_name=settings.dwh.dwh_iam_role_name,
        public=public,
        subnet_group=subnet_group,
        sources=sources_from(settings),
    )


def sources_from(settings: Settings) -> Sources:
    """Return the S3 locations of the settings; local folders and empty values are left out."""
    found = {name: aws_location(uri) for name in S3_KEYS if is_s3(uri := settings.s3.value(name))}
    data = tuple(dict.fromkeys(found[name] for name in DATA_KEYS if name in found))
    return Sources(data, found.get("LOG_JSONPATH"), found.get("STAGING"))


# The keys of [S3] that name locations: those of the kinds of records, then the others that COPY reads.
DATA_KEYS = tuple(kind.setting for kind in reversed(KINDS))
S3_KEYS = (*DATA_KEYS, "LOG_JSONPATH", "STAGING")


def _problems(settings: Settings, base_rpus: int, limit_rpu_hours: int, subnet_group: str) -> Iterator[str]:
    dwh, cluster = settings.dwh, settings.cluster
    serverless = is_serverless(settings)

    problem = _identifier_problem(dwh.dwh_cluster_identifier.lower(), serverless=serverless)
    if problem:
        yield f"[DWH] DWH_CLUSTER_IDENTIFIER is {dwh.dwh_cluster_identifier!r}: {problem}."
    if serverless:
        yield from _capacity_problems(base_rpus, limit_rpu_hours, subnet_group)
    else:
        yield from _node_problems(dwh.dwh_node_type, dwh.dwh_cluster_type, dwh.dwh_num_nodes or 0)
    if not re.fullmatch(r"[a-z_][a-z0-9_$]{0,63}", cluster.db_name) or cluster.db_name in RESERVED:
        yield (
            f"[CLUSTER] DB_NAME is {cluster.db_name!r}: 1 to 64 lower-case letters, digits, _ and $,"
            " starting with a letter or _, and not a reserved word."
        )
    if not re.fullmatch(r"[a-z][a-z0-9_+.@-]{0,127}", cluster.db_user) or cluster.db_user in RESERVED:
        yield (
            f"[CLUSTER] DB_USER is {cluster.db_user!r}: 1 to 128 lower-case letters, digits and _ + . @ -,"
            " starting with a letter, and not a reserved word."
        )
    if cluster.db_password:
        missing = password_problems(cluster.db_password)
        if missing:
            yield f"[CLUSTER] DB_PASSWORD needs {', '.join(missing)} (or leave it empty: AWS makes one)."
    if not any(low <= cluster.db_port <= high for low, high in PORT_RANGES):
        ranges = " or ".join(f"{low}-{high}" for low, high in PORT_RANGES)
        yield f"[CLUSTER] DB_PORT is {cluster.db_port}: AWS allows {ranges}."
    if not re.fullmatch(r"[A-Za-z0-9_+=,.@-]{1,64}", dwh.dwh_iam_role_name):
        yield f"[DWH] DWH_IAM_ROLE_NAME is {dwh.dwh_iam_role_name!r}: 1 to 64 letters, digits and _+=,.@-."
    yield from _source_problems(settings)


def _identifier_problem(identifier: str, *, serverless: bool) -> str:
    if serverless:
        if not re.fullmatch(r"[a-z0-9-]{3,64}", identifier):
            return "3 to 64 letters, digits and hyphens"
        return ""
    if (
        not re.fullmatch(r"[a-z][a-z0-9-]{0,62}", identifier)
        or identifier.endswith("-")
        or "--" in identifier
    ):
        return (
            "1 to 63 letters, digits and hyphens, starting with a letter,"
            " not ending with a hyphen, no two hyphens together"
        )
    return ""


def _node_problems(node_type: str, cluster_type: str, nodes: int) -> Iterator[str]:
    if node_type in SUCCESSORS:
        yield (
            f"[DWH] DWH_NODE_TYPE is {node_type}, which AWS has retired and no longer creates:"
            f" use {SUCCESSORS[node_type]}."
        )
        return
    if node_type not in NODE_TYPES:
        yield f"[DWH] DWH_NODE_TYPE is {node_type!r}: one of {', '.join(NODE_TYPES)}."
        return
    fewest, most = NODE_TYPES[node_type]
    if cluster_type == "single-node":
        if fewest > 1:
            yield f"[DWH] DWH_CLUSTER_TYPE is single-node: {node_type} needs at least {fewest} nodes."
        return
    fewest = max(fewest, 2)
    if not fewest <= nodes <= most:
        yield (
            f"[DWH] DWH_NUM_NODES is {nodes}: a multi-node cluster of {node_type} has {fewest} to {most}"
            " (for one node: DWH_CLUSTER_TYPE = single-node)."
        )


def _capacity_problems(base_rpus: int, limit_rpu_hours: int, subnet_group: str) -> Iterator[str]:
    step = 8 if base_rpus <= 512 else 32
    if not (base_rpus == 4 or (8 <= base_rpus <= 1024 and base_rpus % step == 0)):
        yield (
            f"--base-rpus is {base_rpus}: 4, a multiple of 8 from 8 to 512, or of 32 to 1024 (4, and more"
            " than 512, in some regions only)."
        )
    if limit_rpu_hours < 1:
        yield f"--limit-rpu-hours is {limit_rpu_hours}: at least 1."
    if subnet_group:
        yield "--subnet-group is for provisioned clusters; Serverless uses the default VPC's subnets."


def password_problems(password: str) -> list[str]:
    """Return the rules of AWS's password policy that a password breaks, never the password."""
    rules = (
        (8 <= len(password) <= 64, "8 to 64 characters"),
        (re.search("[A-Z]", password), "an upper-case letter"),
        (re.search("[a-z]", password), "a lower-case letter"),
        (re.search("[0-9]", password), "a digit"),
        (
            all(33 <= ord(character) <= 126 and character not in "'\"\\/@" for character in password),
            "only printable ASCII without space ' \" \\ / @",
        ),
    )
    return [rule for kept, rule in rules if not kept]


def _source_problems(settings: Settings) -> Iterator[str]:
    for name in S3_KEYS:
        uri = settings.s3.value(name)
        required = name in DATA_KEYS
        if not uri:
            if required:
                yield f"[S3] {name} is empty: the cluster's role is made for exactly the configured prefixes."
            continue
        try:
            aws_location(uri)
        except ConfigError:
            yield f"[S3] {name} is {uri!r}: a cluster reads from s3://bucket/prefix only."
