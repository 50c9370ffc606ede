"""`make bench`: every comparison, one after the other."""

from __future__ import annotations

from benchmarks import large, load, simulate

load.main()
large.measure(large.EVENTS, large.SONGS, large.ROUNDS)
simulate.main()
