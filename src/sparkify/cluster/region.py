"""Refuse to look for a cluster in a region where it is not.

Two things besides ``[AWS] REGION`` say where a cluster is: the name of its endpoint, and the role that was
made for it. Where they differ, a command would find nothing and call the cluster gone, while AWS bills it
elsewhere.
"""

from __future__ import annotations

import re

from sparkify.cluster.role import Role
from sparkify.errors import ConfigError

_ENDPOINT = re.compile(r"[^.]+\.[^.]+\.([a-z0-9-]+)\.redshift(?:-serverless)?\.amazonaws\.com(?:\.cn)?")


def region_of_host(host: str) -> str:
    """Return the region in the name of a cluster's endpoint; empty for any other name."""
    found = _ENDPOINT.fullmatch(host.lower())
    return found[1] if found else ""


def verify_host(host: str, identifier: str, region: str) -> None:
    """Raise where HOST is the endpoint of this cluster in another region.

    Raises:
        ConfigError: It is.
    """
    named = region_of_host(host)
    if host.lower().startswith(f"{identifier}.") and named not in ("", region):
        raise _elsewhere(f"[CLUSTER] HOST is the cluster {identifier} in {named}", named, region)


def verify_role(role: Role | None, identifier: str, region: str) -> None:
    """Raise where the role was made for this cluster in another region.

    Raises:
        ConfigError: It was.
    """
    if role and role.made_for == identifier and role.region not in ("", region):
        made = f"the role {role.name} was made for the cluster {identifier} in {role.region}"
        raise _elsewhere(made, role.region, region)


def _elsewhere(said: str, named: str, region: str) -> ConfigError:
    return ConfigError(
        f"{said}, and REGION leads to {region}: nothing was changed.",
        f"Set REGION = {named} in [AWS] of dwh.cfg. For another cluster in {region}: give it a "
        "DWH_CLUSTER_IDENTIFIER and a DWH_IAM_ROLE_NAME of its own, and leave HOST empty.",
    )
