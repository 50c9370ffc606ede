"""`make bench`: every comparison, one after the other, and the page of results; `make bench-quick`: a few, small."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from benchmarks import large, load, peers, results, simulate
from benchmarks.timing import Comparison


def main() -> None:
    """Read the options, run the comparisons."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few ratios at small sizes; no page")
    parser.add_argument("--events", type=int, nargs="+", default=peers.SIZES, help="of the peers' warehouses")
    parser.add_argument(
        "--large", type=int, default=large.EVENTS, help=f"of the large one ({large.EVENTS:,})"
    )
    parser.add_argument("--rounds", type=int, default=peers.ROUNDS, help=f"that count ({peers.ROUNDS})")
    options = parser.parse_args()
    if options.quick:
        run_quick()
    else:
        run_all(options.events, options.large, options.rounds)


def run_all(sizes: list[int], large_size: int, rounds: int) -> None:
    """Run everything; write the page after each comparison, so that a run that is stopped leaves what it has."""
    comparisons: list[Comparison] = []
    for comparison in _everything(sizes, large_size, rounds):
        comparisons.append(comparison)
        results.write(comparisons, [])
    results.write(comparisons, simulate.main())
    print("\nwrote benchmarks/results.md")


def _everything(sizes: list[int], large_size: int, rounds: int) -> Iterator[Comparison]:
    yield large.measure(large_size, rounds=rounds)
    for size in sizes:
        yield from peers.measure(size, rounds, dlt=size <= peers.DLT_UP_TO)
    yield from load.measure(rounds=rounds)


def run_quick() -> None:
    """Run each comparison once in three rounds, all of which count."""
    list(peers.measure(100_000, 3, dbt=False, warm=False))
    list(peers.measure(500_000, 3, dlt=False, day=False, warm=False))
    large.measure(100_000, 2_000, 3, only="a day,a song", warm=False)


if __name__ == "__main__":
    main()
