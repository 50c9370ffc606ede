"""What kind of cluster the stand-in pretends to be. Owns the knobs and their defaults, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Views = Literal["all", "provisioned", "serverless"]
Resync = Literal["stream", "line"]
Isolation = Literal["snapshot", "serializable"]
# Ways in which a cluster could be another than documentation and this stand-in have it: what `sparkify prove`
# is to notice. The first ones are of COPY from JSON into texts, then those of SQL and of transactions.
Infidelity = Literal[
    "booleans_as_digits",  # true is loaded as 1
    "decimals_shortened",  # 1.50 is loaded as 1.5
    "exponents_expanded",  # 1e3 is loaded as 1000
    "nested_reprinted",  # nested values are written anew, with other blanks
    "surrogates_apart",  # a pair of escapes is two replacement characters
    "empty_is_null",  # "" is loaded as NULL
    "trailing_blanks_significant",  # in comparisons
    "regex_end_before_newline",  # $ matches before a last line break, too
    "milliseconds_lost",  # by DATEADD
    "weeks_not_iso",  # EXTRACT(week) counts from the first of January
    "snapshot_before_lock",  # LOCK comes after the snapshot of its transaction
    "lost_commit",  # COMMIT is answered, and nothing is kept
]


@dataclass(frozen=True, eq=False)  # each is its own: what is made for one may be kept by it
class Options:
    """A cluster's face.

    Args:
        user: The administrator.
        password: The administrator's password.
        database: The first database.
        s3_endpoint: Where COPY finds S3; without it COPY fails as a cluster without network does.
        s3_key: The key the *cluster* uses there, standing for its IAM role; never the client's.
        s3_secret: The secret to it.
        iam_roles: ARNs attached to the cluster; None accepts every well-formed one.
        region: The cluster's region.
        bucket_regions: Regions of buckets that lie elsewhere; COPY from them needs REGION.
        views: `provisioned` has no SYS_* views, `serverless` no STL_*/STV_*, `all` both.
        slices: Rows of STV_SLICES.
        tls: Whether an SSLRequest is answered with TLS (a self-signed certificate) or with N.
        resync: Where COPY goes on after an object that is no JSON: after the line where parsing broke
            (`stream`), or after the line where the object began (`line`). Nobody has published which of the
            two Redshift does.
        infidelities: In what it is another than it should be; those of SQL show in databases that are made
            (CREATE DATABASE) after they were set.
        latency: Seconds until an answer arrives, once for each time the client waits for one: twice a
            statement, since the driver has it parsed before it has it executed.
        isolation: That of the databases; SNAPSHOT is Redshift's default. Conflicts have other words in each.
    """

    user: str = "awsuser"
    password: str = "Stand-in1"
    database: str = "dev"
    s3_endpoint: str | None = None
    s3_key: str = ""
    s3_secret: str = ""
    iam_roles: frozenset[str] | None = None
    region: str = "us-west-2"
    bucket_regions: Mapping[str, str] = field(default_factory=dict)
    views: Views = "all"
    slices: int = 4
    tls: bool = False
    resync: Resync = "stream"
    latency: float = 0.0
    isolation: Isolation = "snapshot"
    infidelities: frozenset[Infidelity] = frozenset()
