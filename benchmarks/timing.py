"""How comparisons are timed: whole processes, in turn, after one round that does not count."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROUNDS = 5

# Installed programs keep their bytecode; a setting that says otherwise would time the compiler.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def time_process(command: Sequence[str | Path]) -> float:
    """Run a command to its end; return the seconds it took."""
    started = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, env=_ENVIRONMENT)
    return time.perf_counter() - started


def compare(title: str, contestants: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> None:
    """Time the contestants in turn and print each median, and its ratio to the first pair by pair."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, run in contestants.items():
            took = run()
            if number:
                seconds[name].append(took)
    print(f"\n{title} ({rounds} rounds, interleaved)")
    base = next(iter(contestants))
    for name, times in seconds.items():
        ratios = [b / t for b, t in zip(seconds[base], times, strict=True)]
        against = "" if name == base else f"  {base} takes {statistics.median(ratios):.2f} x its time"
        print(f"  {name:<28} median {statistics.median(times):7.3f} s{against}", flush=True)


SPARKIFY = [sys.executable, "-m", "sparkify"]
