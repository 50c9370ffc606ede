"""Network access: our own security group, and its ingress rules.

The VPC's default group and other people's rules are never changed; our tag marks what we created.
"""

from __future__ import annotations

import ipaddress
import urllib.request
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sparkify.cluster.aws import Aws
from sparkify.cluster.policy import CLUSTER_TAG
from sparkify.errors import ClusterError, ConfigError
from sparkify.text import counted

CHECK_ADDRESS = "https://checkip.amazonaws.com"
# Networks wider than these are open to strangers: 65,536 IPv4 addresses, one provider's IPv6 allocation.
WIDEST = {4: 16, 6: 32}

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Group:
    """A security group of ours."""

    id: str
    name: str
    vpc: str


@dataclass(frozen=True, slots=True)
class IngressRule:
    """One ingress rule. ``source`` is a CIDR, or the id of another group or a prefix list."""

    id: str
    group: str
    source: str
    first_port: int
    last_port: int
    description: str
    ours: bool


def group_name(identifier: str) -> str:
    """Return the name of a cluster's security group."""
    return f"sparkify-redshift-{identifier}"


def find_groups(aws: Aws, identifier: str) -> list[Group]:
    """Return the security groups created for a cluster, in any VPC."""
    answer = aws.call(
        "ec2",
        "describe_security_groups",
        Filters=[{"Name": f"tag:{CLUSTER_TAG}", "Values": [identifier]}],
    )
    return [
        Group(group["GroupId"], group["GroupName"], group.get("VpcId", ""))
        for group in answer["SecurityGroups"]
    ]


def vpc_for(aws: Aws, subnet_group: str) -> str:
    """Return the VPC of a cluster subnet group, or the default VPC.

    Raises:
        ClusterError: There is none.
    """
    if subnet_group:
        answer = aws.call("redshift", "describe_cluster_subnet_groups", ClusterSubnetGroupName=subnet_group)
        return str(answer["ClusterSubnetGroups"][0]["VpcId"])
    answer = aws.call("ec2", "describe_vpcs", Filters=[{"Name": "is-default", "Values": ["true"]}])
    if not answer["Vpcs"]:
        raise ClusterError(
            f"the region {aws.region} has no default VPC in this account.",
            "Name a cluster subnet group with --subnet-group, or make a default VPC:"
            " `aws ec2 create-default-vpc`.",
        )
    return str(answer["Vpcs"][0]["VpcId"])


def ensure_group(aws: Aws, identifier: str, vpc: str, tags: dict[str, str]) -> str:
    """Create the group in a VPC if it is missing; return its id. A new group has no ingress rules."""
    for group in find_groups(aws, identifier):
        if group.vpc == vpc:
            return group.id
    answer = aws.call(
        "ec2",
        "create_security_group",
        GroupName=group_name(identifier),
        Description=f"Who may connect to the Redshift cluster {identifier}",
        VpcId=vpc,
        TagSpecifications=[_tagged("security-group", tags)],
    )
    return str(answer["GroupId"])


def rules(aws: Aws, groups: Collection[str], identifier: str) -> list[IngressRule]:
    """Return the ingress rules of these groups."""
    if not groups:
        return []
    answer = aws.call(
        "ec2",
        "describe_security_group_rules",
        Filters=[{"Name": "group-id", "Values": sorted(groups)}],
    )
    return [_rule(rule, identifier) for rule in answer["SecurityGroupRules"] if not rule["IsEgress"]]


def _rule(rule: dict[str, Any], identifier: str) -> IngressRule:
    source = (
        rule.get("CidrIpv4")
        or rule.get("CidrIpv6")
        or rule.get("PrefixListId")
        or rule.get("ReferencedGroupInfo", {}).get("GroupId", "")
    )
    tags = {tag["Key"]: tag["Value"] for tag in rule.get("Tags", [])}
    return IngressRule(
        rule["SecurityGroupRuleId"],
        rule["GroupId"],
        source,
        rule.get("FromPort", -1),
        rule.get("ToPort", -1),
        rule.get("Description", ""),
        tags.get(CLUSTER_TAG) == identifier,
    )


def open_port(
    aws: Aws, group: str, network: IpNetwork, port: int, *, description: str, tags: dict[str, str]
) -> bool:
    """Allow a network on one port; return whether the rule is new."""
    version = {4: ("IpRanges", "CidrIp"), 6: ("Ipv6Ranges", "CidrIpv6")}[network.version]
    answer = aws.call(
        "ec2",
        "authorize_security_group_ingress",
        tolerate=("InvalidPermission.Duplicate",),
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                version[0]: [{version[1]: str(network), "Description": description}],
            }
        ],
        TagSpecifications=[_tagged("security-group-rule", tags)],
    )
    return bool(answer)


def close_ports(aws: Aws, opened: Collection[IngressRule]) -> None:
    """Remove ingress rules; a missing rule is no error."""
    for group in sorted({rule.group for rule in opened}):
        aws.call(
            "ec2",
            "revoke_security_group_ingress",
            tolerate=("InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound"),
            GroupId=group,
            SecurityGroupRuleIds=sorted(rule.id for rule in opened if rule.group == group),
        )


def delete_group(aws: Aws, group: str) -> None:
    """Request the deletion of a group; a refusal because something is attached to it is no error."""
    aws.call(
        "ec2",
        "delete_security_group",
        tolerate=("DependencyViolation", "InvalidGroup.NotFound"),
        GroupId=group,
    )


def caller_address(fetch: Callable[[str], str] | None = None) -> IpNetwork:
    """Return our public address as AWS sees it, as a network of that one address.

    Raises:
        ClusterError: The check service cannot be reached, or answers something else.
    """
    hint = "Name the address yourself: --cidr 203.0.113.7/32."
    try:
        answer = (fetch or _fetch)(CHECK_ADDRESS).strip()
        return ipaddress.ip_network(answer)
    except OSError as exc:
        raise ClusterError(f"our own address could not be asked from {CHECK_ADDRESS}: {exc}", hint) from exc
    except ValueError as exc:
        raise ClusterError(f"{CHECK_ADDRESS} did not answer with an address.", hint) from exc


def _fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # a constant https address
        return str(answer.read(100).decode("ascii", "replace"))


def network_from(cidr: str, *, wide: bool) -> IpNetwork:
    """Parse ``--cidr``; a wide network is accepted only with ``wide``.

    Raises:
        ConfigError: The text is not a network, or the network is too wide.
    """
    try:
        network = ipaddress.ip_network(cidr)
    except ValueError as exc:
        raise ConfigError(
            f"--cidr {cidr} is not a network: {exc}.", "Such as 203.0.113.7/32 or 10.1.0.0/16."
        ) from exc
    if network.prefixlen < WIDEST[network.version] and not wide:
        raise ConfigError(
            f"--cidr {cidr} lets {counted(network.num_addresses, 'address', 'addresses')} "
            "try your database's password.",
            "Use your own address (leave --cidr out), or say --i-know-what-i-am-doing.",
        )
    return network


def _tagged(kind: str, tags: dict[str, str]) -> dict[str, Any]:
    return {
        "ResourceType": kind,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
