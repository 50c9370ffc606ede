"""The page of results: the machine, the tables, a bar for each median."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import duckdb

from benchmarks.timing import Comparison

PAGE = Path(__file__).parent / "results.md"
_BAR = 40


def write(comparisons: Sequence[Comparison], simulator: Sequence[str], page: Path = PAGE) -> None:
    """Write the page of one run."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = (
        f"Written by `make bench` on a machine of {os.cpu_count()} cores and {memory:.0f} GiB of memory, "
        f"{platform.system()}, with Python {platform.python_version()} and DuckDB {duckdb.__version__}. "
        "Contestants ran in turn, so that what else the machine did fell on all of them: read the ratios, "
        "not the seconds. A figure is the median of the rounds. Ratios, taken round by round, are to the "
        "first line of a table: 2.00 is twice its time. Memory is the peak of the largest process."
    )
    lines = [
        "# Results of one run",
        "",
        machine,
    ]
    for comparison in comparisons:
        lines += [
            "",
            f"## {comparison.title}",
            "",
            *_table(comparison),
            "",
            "```text",
            *_bars(comparison),
            "```",
        ]
    if simulator:
        lines += ["", "## The simulator", "", *(f"- {line}" for line in simulator)]
    page.write_text("\n".join(lines) + "\n")


def _table(comparison: Comparison) -> list[str]:
    rounds = comparison.rounds
    noted = any(comparison.notes.values())
    head = [
        f"{rounds} rounds",
        "seconds",
        "ratio",
        "of processors",
        "ratio",
        "memory",
        *(["changed"] if noted else []),
    ]
    lines = [_row(head), _row(["---", *["---:"] * 5, *(["---"] if noted else [])])]
    for name in comparison.usages:
        cells = [name]
        for measure in ("seconds", "processor"):
            cells += [f"{comparison.median(name, measure):.2f}", f"{comparison.ratio(name, measure):.2f}"]
        cells.append(f"{comparison.median(name, 'peak') / 1e6:,.0f} MB")
        lines.append(_row(cells + ([comparison.notes.get(name, "")] if noted else [])))
    return lines


def _bars(comparison: Comparison) -> list[str]:
    """Return a bar a contestant, as long as its ratio of processor time."""
    ratios = {name: comparison.ratio(name, "processor") for name in comparison.usages}
    longest, width = max(ratios.values()), max(map(len, ratios))
    return [
        "time of processors",
        *(
            f"{name:<{width}}  {'█' * max(1, round(_BAR * ratio / longest))} {ratio:.2f}"
            for name, ratio in ratios.items()
        ),
    ]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
