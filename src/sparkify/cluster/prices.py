"""What AWS asks for it: list prices, so that a plan can say what it will cost before it costs anything.

On demand, us-east-1, in US dollars; other regions, taxes and contracts differ, so every figure shown from
here is called an estimate. Storage is billed on top.
"""

from __future__ import annotations

from datetime import timedelta

PRICING_PAGE = "https://aws.amazon.com/redshift/pricing/"
HOURS_A_MONTH = 730

# One node for one hour. The rg types are not here: we have no list price for them that we could stand behind.
NODE_HOUR = {"ra3.large": 0.543, "ra3.xlplus": 1.086, "ra3.4xlarge": 3.26, "ra3.16xlarge": 13.04}
RPU_HOUR = 0.375


def per_hour(node_type: str, nodes: int) -> float | None:
    """Return what a provisioned cluster costs per running hour; None for a node type without a price here."""
    price = NODE_HOUR.get(node_type)
    return None if price is None else price * nodes


def serverless_per_hour(rpus: int) -> float:
    """Return what a Serverless workgroup at its base capacity costs per *active* hour."""
    return RPU_HOUR * rpus


def so_far(hourly: float | None, age: timedelta) -> float | None:
    """Return the most it can have cost until now; pauses are not deducted."""
    return None if hourly is None else hourly * age.total_seconds() / 3600
