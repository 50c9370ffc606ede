"""`make bench`: every comparison, one after the other."""

from __future__ import annotations

from benchmarks import load, simulate

load.main()
simulate.main()
