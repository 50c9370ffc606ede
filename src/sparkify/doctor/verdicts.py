"""One thing tried, and how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sparkify.errors import ClusterError, SparkifyError


@dataclass(frozen=True, slots=True)
class Check:
    """One thing tried. ``found`` is what was seen, ``remedy`` what to do; a warning is ok and has one."""

    name: str
    ok: bool
    found: str
    remedy: str = ""

    @property
    def verdict(self) -> str:
        """How it went, in a word: ok, warn or FAIL."""
        return ("warn" if self.remedy else "ok") if self.ok else "FAIL"


def tried(name: str, look: Callable[[], str]) -> Check:
    """Turn a look that returns what it saw, or raises, into a check."""
    try:
        return Check(name, ok=True, found=look())
    except SparkifyError as exc:
        return Check(name, ok=False, found=exc.message, remedy=exc.hint)


def asked(name: str, look: Callable[[], str]) -> Check:
    """Do as :func:`tried`, but warn where AWS does not answer: a run asks it nothing of this."""
    try:
        return Check(name, ok=True, found=look())
    except ClusterError as exc:
        return unchecked(Check(name, ok=False, found=exc.message), exc.hint)
    except SparkifyError as exc:
        return Check(name, ok=False, found=exc.message, remedy=exc.hint)


def unchecked(check: Check, remedy: str) -> Check:
    """Turn a failure into a warning, for what a run may do without."""
    return (
        check if check.ok else Check(check.name, ok=True, found=f"not checked: {check.found}", remedy=remedy)
    )
