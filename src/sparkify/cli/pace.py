"""How fast bytes are read over the last seconds, and how long the rest will take, where that can be told."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

# Seconds the pace is measured over, and seconds it takes to be one.
_WINDOW = 20.0
_SHORTEST = 3.0
# What it takes before the rest is estimated: seconds, and a share of all bytes that are done for certain.
# What DuckDB says of a statement under way comes late and in jumps: of that alone, an estimate was three
# times too high.
_SECONDS = 5.0
_SHARE = 0.02


class Pace:
    """The pace of one piece of work.

    Args:
        done: Bytes that were done before it began.
        clock: Returns seconds.
    """

    def __init__(self, done: float = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun, self._before = clock(), done
        self._finished = done
        self._samples = deque([(self._begun, done)])

    def note(self, done: float, finished: float | None = None) -> None:
        """Note how many bytes are done, and how many of them for certain; None for all."""
        now = self._clock()
        self._finished = done if finished is None else finished
        if done > self._samples[-1][1]:
            self._samples.append((now, done))
        # The latest one from before the window tells where it began.
        while len(self._samples) > 1 and self._samples[1][0] <= now - _WINDOW:
            self._samples.popleft()

    @property
    def bytes_a_second(self) -> float | None:
        """The pace over the last seconds; None where there is none yet, or nothing came in."""
        (since, first), (_, last) = self._samples[0], self._samples[-1]
        seconds = self._clock() - since
        return (last - first) / seconds if last > first and seconds >= _SHORTEST else None

    def seconds_left(self, total: float) -> float | None:
        """Return the seconds until ``total`` bytes are done; None as long as nobody can tell."""
        done, rate = self._samples[-1][1], self.bytes_a_second
        finished = self._finished - self._before
        early = self._clock() - self._begun < _SECONDS or finished < _SHARE * total
        return None if early or rate is None or done >= total else (total - done) / rate
