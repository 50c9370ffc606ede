"""What kind of cluster the stand-in pretends to be. Owns the knobs and their defaults, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Views = Literal["all", "provisioned", "serverless"]
Resync = Literal["stream", "line"]
Isolation = Literal["snapshot", "serializable"]


@dataclass(frozen=True)
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
