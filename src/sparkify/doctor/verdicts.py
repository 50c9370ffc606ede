"""One thing tried, and how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sparkify.errors import ClusterError, SparkifyError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing tried. ``found`` is what was seen, ``remedy`` what to do; a warning is ok and has one."""

    name: str
    ok: bool
    found: str
    remedy: str = ""

    @property
    def verdict(self) -> str:
        """How it went, in a word: ok, warn or FAIL."""
        return ("warn" if self.remedy else "ok") if self.ok else "FAIL"


def tried(name: str, look: Callable[[], str]) -> Finding:
    """Turn a look that returns what it saw, or raises, into a check."""
    try:
        return Finding(name, ok=True, found=look())
    except SparkifyError as exc:
        return Finding(name, ok=False, found=exc.message, remedy=exc.hint)


def asked(name: str, look: Callable[[], str]) -> Finding:
    """Do as :func:`tried`, but warn where AWS does not answer: a run asks it nothing of this."""
    try:
        return Finding(name, ok=True, found=look())
    except ClusterError as exc:
        return unchecked(Finding(name, ok=False, found=exc.message), exc.hint)
    except SparkifyError as exc:
        return Finding(name, ok=False, found=exc.message, remedy=exc.hint)


def unchecked(check: Finding, remedy: str) -> Finding:
    """Turn a failure into a warning, for what a run may do without."""
    return (
        check
        if check.ok
        else Finding(check.name, ok=True, found=f"not checked: {check.found}", remedy=remedy)
    )
