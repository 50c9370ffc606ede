"""What a warehouse on AWS is, whichever way Redshift is bought: provisioned, or Serverless.

Owns :class:`Cluster` (one look at it) and :class:`Deployment` (what can be done with it); the two ways are
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
# States AWS does not leave by itself. Any other, unknown ones too, is on its way somewhere.
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
        """Whether we made it: it carries our tag with its own name."""
        return self.tags.get(CLUSTER_TAG) == self.identifier

    @property
    def expires(self) -> datetime | None:
        """When it was meant to be gone; None when it was not said, or not readably."""
        try:
            expires = datetime.fromisoformat(self.tags[EXPIRES_TAG])
        except (KeyError, ValueError):
            return None
        return expires if expires.tzinfo else expires.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that stays, and is billed, after its cluster is gone."""

    name: str
    state: str
    created: datetime | None


class Deployment(Protocol):
    """One warehouse on AWS, there or not yet."""

    identifier: str

    def find(self) -> Cluster | None:
        """Return it as it is now, or None."""

    def create(
        self, spec: ClusterSpec, role: str, group: str, tags: dict[str, str], patience: PollSchedule
    ) -> None:
        """Ask for whatever of it is missing; waits only between steps that need each other."""

    def tag(self, tags: dict[str, str]) -> None:
        """Set tags on it."""

    def pause(self) -> None:
        """Stop its compute."""

    def resume(self) -> None:
        """Start its compute again."""

    def delete(self, final_snapshot: str) -> str:
        """Ask for the next step of its deletion; return what goes on, empty when nothing is left.

        ``final_snapshot`` empty means none is taken.
        """

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots people asked for; AWS deletes its automated ones itself."""

    def users_of(self, role: str) -> list[str]:
        """Return the other warehouses of the account that use a role."""
