"""How comparisons are timed: whole processes, in turn, after one round that does not count."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROUNDS = 5
SPARKIFY = [sys.executable, "-m", "sparkify"]

# Installed programs keep their bytecode; a setting that says otherwise would time the compiler.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
_LAUNCH = [sys.executable, "-S", str(Path(__file__).parent / "launch.py")]

Measure = Literal["seconds", "processor", "peak"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used.

    Attributes:
        seconds: From its start to its end.
        processor: Seconds of processors, its children's included.
        peak: The most resident memory, in bytes; of the largest process where it starts others.
    """

    seconds: float
    processor: float
    peak: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What each contestant used in each round.

    Attributes:
        title: What was compared.
        usages: By contestant, one a round; the first is what others are compared with.
        notes: By contestant, what is to be said beside its figures.
    """

    title: str
    usages: Mapping[str, Sequence[Usage]]
    notes: Mapping[str, str]

    @property
    def base(self) -> str:
        """The contestant that others are compared with."""
        return next(iter(self.usages))

    @property
    def rounds(self) -> int:
        """How often each one ran."""
        return len(self.usages[self.base])

    def median(self, name: str, measure: Measure) -> float:
        """Return the median of a contestant's rounds."""
        return statistics.median(float(getattr(usage, measure)) for usage in self.usages[name])

    def ratio(self, name: str, measure: Measure) -> float:
        """Return how many times what the first one used a contestant used: the median of rounds."""
        pairs = zip(self.usages[name], self.usages[self.base], strict=True)
        return statistics.median(
            float(getattr(its, measure)) / float(getattr(base, measure)) for its, base in pairs
        )


def run_process(command: Sequence[str | Path]) -> Usage:
    """Run a command to its end; return what it used. Its stdout is dropped, its stderr shown if it fails."""
    parts = [*_LAUNCH, *(str(part) for part in command)]
    done = subprocess.run(parts, capture_output=True, text=True, env=_ENVIRONMENT, check=False)
    told = json.loads(done.stdout) if done.returncode == 0 else {"code": done.returncode}
    if code := told.pop("code"):
        sys.stderr.write(done.stderr)
        raise subprocess.CalledProcessError(code, parts[len(_LAUNCH) :])
    return Usage(**told)


def compare(
    title: str,
    contestants: Mapping[str, Callable[[], Usage]],
    rounds: int = ROUNDS,
    notes: Mapping[str, str] | None = None,
    *,
    warm: bool = True,
) -> Comparison:
    """Time the contestants in turn, print and return what came of it.

    Args:
        title: What is compared.
        contestants: By name; the first is what others are compared with.
        rounds: Rounds that count.
        notes: By contestant, what is said beside its figures; may be filled while they run.
        warm: Whether a round that does not count comes first.
    """
    usages: dict[str, list[Usage]] = {name: [] for name in contestants}
    for number in range(rounds + warm):
        for name, run in contestants.items():
            used = run()
            if number >= warm:
                usages[name].append(used)
    comparison = Comparison(title, usages, notes or {})
    print("\n" + "\n".join(in_text(comparison)), flush=True)
    return comparison


def in_text(comparison: Comparison) -> list[str]:
    """Return a comparison as lines for a terminal."""
    lines = [f"{comparison.title} (medians of {comparison.rounds} rounds, interleaved)"]
    width = max(map(len, comparison.usages))
    against = f"x {comparison.base}"
    lines.append(f"  {'':<{width}}  seconds  processor     peak  {against}: time, processor")
    for name in comparison.usages:
        seconds, processor = comparison.median(name, "seconds"), comparison.median(name, "processor")
        peak = comparison.median(name, "peak") / 1e6
        lines.append(
            f"  {name:<{width}} {seconds:8.3f} {processor:10.3f} {peak:5,.0f} MB"
            f"  {comparison.ratio(name, 'seconds'):6.2f}, {comparison.ratio(name, 'processor'):6.2f}"
            f"  {comparison.notes.get(name, '')}".rstrip()
        )
    return lines
