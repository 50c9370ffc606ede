"""Two warehouses compared by what they hold: equal or not per table, then which rows.

One pass over each table gives its fingerprint (:mod:`sparkify.warehouse.fingerprints`). Where two differ, a
second pass gives one for each of some thousand parts, cut by the rows' keys; only the rows of parts that
differ are read. Both warehouses must be open for reading.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from sparkify.warehouse.engine import Engine
from sparkify.warehouse.fingerprints import (
    Fingerprint,
    Hashing,
    TableColumns,
    columns_of,
    compared_tables,
    fingerprint,
    fingerprint_parts,
    hashing_for,
    rows_of_parts,
)

# About how many rows of a table are read at most, of either warehouse, to find those that differ.
_READ = 100_000

Row = tuple[Any, ...]


class RowDifference(NamedTuple):
    """A row that only one warehouse has, or whose values differ.

    Attributes:
        key: Its key.
        columns: The columns whose values differ; empty: only one warehouse has it.
        a: Its values in A; None: it is not there.
        b: Its values in B; None: it is not there.
    """

    key: dict[str, Any]
    columns: tuple[str, ...]
    a: dict[str, Any] | None
    b: dict[str, Any] | None


class TableDifference(NamedTuple):
    """A table of two warehouses, compared.

    Attributes:
        table: Its name.
        rows_a: How many rows of it A has; None: A has no such table.
        rows_b: How many B has.
        equal: Whether they hold the same.
        key: The columns by which rows are found.
        left_out: The columns that are not compared, and why.
        columns_only_a: Columns that only A has.
        columns_only_b: Columns that only B has.
        types: Columns that are of another type in B, which are not compared: the type in A, and in B.
        only_a: How many of the rows that were read only A has.
        only_b: How many only B has.
        changed: How many both have, with other values.
        columns: For each column how many of the changed rows differ in it.
        complete: Whether all rows that may differ were read; else there are more.
        rows: The first of them.
    """

    table: str
    rows_a: int | None
    rows_b: int | None
    equal: bool
    key: tuple[str, ...] = ()
    left_out: dict[str, str] = {}  # noqa: RUF012 - a default of a named tuple
    columns_only_a: tuple[str, ...] = ()
    columns_only_b: tuple[str, ...] = ()
    types: dict[str, tuple[str, str]] = {}  # noqa: RUF012
    only_a: int = 0
    only_b: int = 0
    changed: int = 0
    columns: dict[str, int] = {}  # noqa: RUF012
    complete: bool = True
    rows: tuple[RowDifference, ...] = ()


def find_table_differences(
    a: Engine, b: Engine, limit: int, tell: Callable[[str], object] = lambda _table: None
) -> Iterator[TableDifference]:
    """Yield every table that has content, compared.

    Args:
        a: A warehouse, open for reading.
        b: The other one.
        limit: How many rows of each table to return.
        tell: Called with the name of each table before it is read.
    """
    hashing = hashing_for(a, b)
    for content in compared_tables():
        tell(content.name)
        ours, theirs = columns_of(a, content), columns_of(b, content)
        if ours and theirs:
            yield _compare(a, b, ours, theirs, hashing, limit)
        elif found := ours or theirs:
            rows = fingerprint(a if ours else b, found, hashing).rows
            yield TableDifference(content.name, rows if ours else None, rows if theirs else None, equal=False)


def _compare(
    a: Engine, b: Engine, ours: TableColumns, theirs: TableColumns, hashing: Hashing, limit: int
) -> TableDifference:
    only_a = tuple(name for name in ours.names if name not in theirs.names)
    only_b = tuple(name for name in theirs.names if name not in ours.names)
    there = {column.name: column for column in theirs.columns}
    types = {
        column.name: (column.declared, there[column.name].declared)
        for column in ours.columns
        if column.name in there and column.type != there[column.name].type
    }
    both = [name for name in ours.names if name in there and name not in types]
    if not both:
        return TableDifference(
            ours.content.name,
            fingerprint(a, ours, hashing).rows,
            fingerprint(b, theirs, hashing).rows,
            equal=False,
            columns_only_a=only_a,
            columns_only_b=only_b,
            types=types,
        )
    tables = (ours.only(both), theirs.only(both))
    found, other = (fingerprint(e, table, hashing) for e, table in zip((a, b), tables, strict=True))
    result = TableDifference(
        ours.content.name,
        found.rows,
        other.rows,
        equal=found == other and not only_a and not only_b and not types,
        key=tuple(column.name for column in tables[0].keys),
        left_out=ours.content.left_out,
        columns_only_a=only_a,
        columns_only_b=only_b,
        types=types,
    )
    if found == other:
        return result
    parts = [fingerprint_parts(e, table, hashing) for e, table in zip((a, b), tables, strict=True)]
    chosen, complete = _choose(*parts)
    read = [list(rows_of_parts(e, t, hashing, chosen)) for e, t in zip((a, b), tables, strict=True)]
    return _compare_rows(result, both, read[0], read[1], limit)._replace(complete=complete)


def _choose(a: dict[int, Fingerprint], b: dict[int, Fingerprint]) -> tuple[list[int], bool]:
    """Return the parts that differ, as many as may be read, and whether these are all."""
    nothing = Fingerprint(0, 0)
    chosen: list[int] = []
    read = 0
    differing = sorted(part for part in {*a, *b} if a.get(part) != b.get(part))
    for part in differing:
        read += max(a.get(part, nothing).rows, b.get(part, nothing).rows)
        if chosen and read > _READ:
            break
        chosen.append(part)
    return chosen, len(chosen) == len(differing)


def _compare_rows(
    result: TableDifference, columns: Sequence[str], a: Iterable[Row], b: Iterable[Row], limit: int
) -> TableDifference:
    """Find the rows that differ among those of some parts; rows of one key are taken in pairs."""
    places = [columns.index(name) for name in result.key]
    # Equal rows cancel each other out, as often as they stand there.
    left = Counter(map(_comparable, a))
    left.subtract(Counter(map(_comparable, b)))
    by_key: dict[Row, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for row, times in left.items():
        if times:
            by_key[tuple(row[i] for i in places)][times < 0].extend([row] * abs(times))
    only_a = only_b = changed = 0
    differing: Counter[str] = Counter()
    shown: list[RowDifference] = []
    for key in sorted(by_key, key=_order):
        for one, other in zip_longest(*(sorted(rows, key=_order) for rows in by_key[key])):
            names: tuple[str, ...] = ()
            if one is None:
                only_b += 1
            elif other is None:
                only_a += 1
            else:
                changed += 1
                names = tuple(name for name, x, y in zip(columns, one, other, strict=True) if x != y)
                differing.update(names)
            if len(shown) < limit:
                shown.append(
                    RowDifference(
                        dict(zip(result.key, key, strict=True)),
                        names,
                        None if one is None else dict(zip(columns, one, strict=True)),
                        None if other is None else dict(zip(columns, other, strict=True)),
                    )
                )
    return result._replace(
        only_a=only_a,
        only_b=only_b,
        changed=changed,
        columns={name: differing[name] for name in columns if differing[name]},
        rows=tuple(shown),
    )


def _comparable(row: Sequence[Any]) -> Row:
    """Return a row whose values are equal where they are the same: NaN is not equal to itself."""
    return tuple("NaN" if isinstance(value, float) and math.isnan(value) else value for value in row)


def _order(row: Row) -> tuple[tuple[bool, bool, Any], ...]:
    """Return what to sort rows by, in which NULL comes first."""
    return tuple((value is not None, isinstance(value, str), "" if value is None else value) for value in row)
