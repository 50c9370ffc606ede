"""How much of the star a run has to compute anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

# Beyond any time a log can hold, and within what a TIMESTAMP can: 0001-01-01 and 9999-12-31, in ms.
_FIRST = -62_135_596_800_000
_LAST = 253_402_300_799_999
_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Scope:
    """The range of event times, in ms since 1970, whose plays are replaced; empty when ``ts_from > ts_to``.

    Users are compared with the events of the same range, or (``all_users``) with every event there is:
    when an event goes, the one before it may lie anywhere.
    """

    ts_from: int = 1
    ts_to: int = 0
    all_users: bool = False

    @classmethod
    def everything(cls) -> Self:
        """Return the scope of a full refresh."""
        return cls(_FIRST, _LAST, all_users=True)

    @property
    def empty(self) -> bool:
        """Whether no event's time is in it."""
        return self.ts_from > self.ts_to

    def including(self, ts_from: int | None, ts_to: int | None) -> Scope:
        """Return the scope grown to a range; None, None is no range."""
        if ts_from is None or ts_to is None:
            return self
        if self.empty:
            return replace(self, ts_from=ts_from, ts_to=ts_to)
        return replace(self, ts_from=min(self.ts_from, ts_from), ts_to=max(self.ts_to, ts_to))

    def with_all_users(self) -> Scope:
        """Return the scope with users compared to every event."""
        return replace(self, all_users=True)

    def joined(self, other: Scope) -> Scope:
        """Return the scope grown to the range of another one."""
        return self if other.empty else self.including(other.ts_from, other.ts_to)

    def parameters(self) -> dict[str, int]:
        """Return the values of the models' parameters; ``days`` are the whole UTC days of the range."""
        return {
            "ts_from": self.ts_from,
            "ts_to": self.ts_to,
            "users_from": _FIRST if self.all_users else self.ts_from,
            "users_to": _LAST if self.all_users else self.ts_to,
            "days_from": self.ts_from if self.empty else self.ts_from - self.ts_from % _DAY,
            "days_to": self.ts_to if self.empty else self.ts_to - self.ts_to % _DAY + _DAY - 1,
        }
