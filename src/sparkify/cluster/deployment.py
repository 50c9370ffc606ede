"""A warehouse on AWS, either provisioned or Serverless.

Owns :class:`Cluster` (its state at one moment) and :class:`Deployment` (the operations on it), implemented by
:mod:`~sparkify.cluster.provisioned` and :mod:`~sparkify.cluster.serverless`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sparkify.cluster.policy import CLUSTER_TAG
from sparkify.cluster.spec import ClusterSpec
from sparkify.cluster.waiting import PollSchedule

AVAILABLE = "available"
PAUSED = "paused"
INCOMPLETE = "incomplete"
DELETING = frozenset({"deleting", "final-snapshot"})
# States that AWS does not leave by itself. Every other state, also an unknown one, is transitional.
FAILED = frozenset(
    {
        "incompatible-hsm",
        "incompatible-network",
        "incompatible-parameters",
        "incompatible-restore",
        "hardware-failure",
        "storage-full",
    }
)
EXPIRES_TAG = "expires-at"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as AWS described it; ``state`` in lower case, ``hourly`` in dollars or None if not known."""

    identifier: str
    state: str
    shape: str
    host: str
    port: int
    database: str
    user: str
    created: datetime | None
    public: bool
    encrypted: bool
    hourly: float | None
    vpc: str
    roles: tuple[str, ...]
    groups: tuple[str, ...]
    secret: str
    tags: Mapping[str, str]

    @property
    def ours(self) -> bool:
        """Whether we created it: it has our tag with its own name."""
        return self.tags.get(CLUSTER_TAG) == self.identifier

    @property
    def expires(self) -> datetime | None:
        """The expiry from its tag; None without a readable tag."""
        try:
            expires = datetime.fromisoformat(self.tags[EXPIRES_TAG])
        except (KeyError, ValueError):
            return None
        return expires if expires.tzinfo else expires.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that is kept, and billed, after its cluster is deleted."""

    name: str
    state: str
    created: datetime | None


class Deployment(Protocol):
    """One warehouse on AWS, which may not exist yet."""

    identifier: str

    def find(self) -> Cluster | None:
        """Return its present state, or None if it does not exist."""

    def create(
        self, spec: ClusterSpec, role: str, group: str, tags: dict[str, str], patience: PollSchedule
    ) -> None:
        """Request every missing part; waits only where one part needs another."""

    def tag(self, tags: dict[str, str]) -> None:
        """Set tags on it."""

    def pause(self) -> None:
        """Stop its compute."""

    def resume(self) -> None:
        """Start its compute again."""

    def delete(self, final_snapshot: str) -> str:
        """Request the next step of its deletion; return the present state, empty when nothing is left.

        An empty ``final_snapshot`` means that no snapshot is taken.
        """

    def snapshots(self) -> list[Snapshot]:
        """Return the manual snapshots; AWS deletes the automated ones itself."""

    def users_of(self, role: str) -> list[str]:
        """Return the other warehouses of the account that use a role."""
