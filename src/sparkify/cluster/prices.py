"""AWS's list prices, for the estimated cost in a plan.

On demand, in US dollars, of one region. Other regions, taxes and contracts differ, so every figure shown is
called an estimate and names the region. Storage is billed on top.
"""

from __future__ import annotations

from datetime import timedelta

PRICING_PAGE = "https://aws.amazon.com/redshift/pricing/"
HOURS_A_MONTH = 730
REGION = "us-east-1"

# One node for one hour.
NODE_HOUR = {"ra3.large": 0.543, "ra3.xlplus": 1.086, "ra3.4xlarge": 3.26, "ra3.16xlarge": 13.04}
# What others list, since AWS's own page has not been seen; larger ones are not listed anywhere we know.
NODE_HOUR_UNCONFIRMED = {"rg.large": 0.38, "rg.xlarge": 0.76}
RPU_HOUR = 0.375


def per_hour(node_type: str, nodes: int) -> float | None:
    """Return the cost of a provisioned cluster per running hour; None if the node type has no known price."""
    price = NODE_HOUR.get(node_type, NODE_HOUR_UNCONFIRMED.get(node_type))
    return None if price is None else price * nodes


def serverless_per_hour(rpus: int) -> float:
    """Return the cost of a Serverless workgroup at base capacity per *active* hour."""
    return RPU_HOUR * rpus


def source(region: str, node_type: str = "") -> str:
    """Return where the price is from, for a cluster in a region."""
    whose = "others' list price" if node_type in NODE_HOUR_UNCONFIRMED else "list price"
    return f"{whose} of {REGION}{'' if region == REGION else f', not of {region}'}"


def so_far(hourly: float | None, age: timedelta) -> float | None:
    """Return the maximum cost until now; pauses are not deducted."""
    return None if hourly is None else hourly * age.total_seconds() / 3600
