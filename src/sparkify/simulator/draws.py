"""Random numbers that depend only on the listener and on the number of earlier draws.

Every listener has a stream of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
generators", 2014): a key that a constant is added to for each draw, and a hash of it. So it does not matter
which worker advances whom, or in what order.
Distributions are tables of quantiles looked up with random bits: one hash serves three of them, no search is
needed, and they are exact integers, no library's ``exp``.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]
_T = TypeVar("_T", bound=np.generic)

_WEYL = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_16, _27, _30, _31 = np.uint64(16), np.uint64(27), np.uint64(30), np.uint64(31)
_LOW = np.uint64(0xFFFF)
TABLE = 1 << 16
GAPS_SHIFT = 3


def generator(seed: int, purpose: int) -> np.random.Generator:
    """Return the generator of one part of the set-up, independent of every other part's."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(purpose,))))


def drawn(streams: Bits) -> tuple[Bits, Bits]:
    """Return 64 random bits for each stream, and the streams after that draw."""
    moved = streams + _WEYL
    mixed = moved ^ (moved >> _30)
    mixed *= _FIRST
    mixed ^= mixed >> _27
    mixed *= _SECOND
    mixed ^= mixed >> _31
    return mixed, moved


def more(bits: Bits) -> Bits:
    """Return other random bits, made from bits already drawn."""
    return drawn(bits)[0]


def places(marks: npt.NDArray[np.bool_]) -> Places:
    """Return where the marks are set; `numpy.flatnonzero` takes twice as long for a few hundred."""
    return marks.nonzero()[0]


def low_bits(bits: Bits) -> Places:
    """Return the low 16 bits, a place in a quantile table."""
    return (bits & _LOW).view(np.int64)


def middle_bits(bits: Bits) -> Places:
    """Return the 16 bits above the low ones: another draw, independent of them."""
    return ((bits >> _16) & _LOW).view(np.int64)


def high_bits(bits: Bits, count: int) -> Places:
    """Return the high ``count`` bits, at most 32: a third draw, independent of the others."""
    return (bits >> np.uint64(64 - count)).view(np.int64)


def choices(cumulative: Floats, size: int, targets: npt.NDArray[_T]) -> npt.NDArray[_T]:
    """Return the quantiles of a choice, ``size`` of them.

    Args:
        cumulative: Running sum of the shares; what is missing to 1 is one choice more.
        size: So many equally likely places; shares are rounded to that part of 1.
        targets: What is chosen, one more than shares.
    """
    # Where each choice ends, not which each place has: there are few choices and many places.
    ends = np.searchsorted(_middles(size), cumulative)
    return np.repeat(targets, np.diff(ends, prepend=0, append=size))


@cache
def _middles(size: int) -> Floats:
    return (np.arange(size) + 0.5) / size


def log_normal_gaps(log_mean: float, log_deviation: float) -> Integers:
    """Return the quantiles of log-normal gaps: whole seconds, given in milliseconds.

    They are an eighth of other tables (look up ``low_bits(bits) >> GAPS_SHIFT``): steps of a second hide the
    difference, and the table stays in the processor's cache.
    """
    places = TABLE >> GAPS_SHIFT
    if log_deviation == 0:
        return np.full(places, int(math.exp(log_mean)) * 1000, np.int64)
    curve = NormalDist(log_mean, log_deviation)
    return np.array([int(math.exp(curve.inv_cdf((i + 0.5) / places))) * 1000 for i in range(places)])


def exponential() -> Floats:
    """Return the quantiles of the exponential distribution of mean 1."""
    return -np.fromiter(map(math.log1p, (-_middles(TABLE)).tolist()), np.float64, TABLE)
