"""Random numbers that depend on who draws and how often they drew, and on nothing else.

Every listener has a stream of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
generators", 2014): a key that a constant is added to for each draw, and a hash of it. So it does not matter
which worker advances whom, or in what order.
Distributions are tables of quantiles looked up with random bits: one hash serves three of them, no search is
needed, and they are exact integers, no library's ``exp``.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]

_WEYL = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
TABLE = 1 << 16


def generator(seed: int, purpose: int) -> np.random.Generator:
    """Return the generator of one part of the set-up, independent of every other part's."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(purpose,))))


def moved(streams: Bits) -> Bits:
    """Return the streams moved on by one draw."""
    return streams + _WEYL


def hashed(streams: Bits) -> Bits:
    """Return 64 random bits for each stream where it stands; or more bits, made from bits already drawn."""
    mixed = moved(streams)
    mixed ^= mixed >> np.uint64(30)
    mixed *= _FIRST
    mixed ^= mixed >> np.uint64(27)
    mixed *= _SECOND
    mixed ^= mixed >> np.uint64(31)
    return mixed


def low_bits(bits: Bits) -> Places:
    """Return the low 16 bits, a place in a quantile table."""
    return (bits & np.uint64(0xFFFF)).view(np.int64)


def middle_bits(bits: Bits) -> Places:
    """Return the 16 bits above the low ones: another draw, independent of them."""
    return ((bits >> np.uint64(16)) & np.uint64(0xFFFF)).view(np.int64)


def high_bits(bits: Bits, count: int) -> Places:
    """Return the high ``count`` bits, at most 32: a third draw, independent of the others."""
    return (bits >> np.uint64(64 - count)).view(np.int64)


def choices(cumulative: Floats, size: int) -> Places:
    """Return the quantiles of a choice, ``size`` of them.

    Args:
        cumulative: Running sum of the shares; what is missing to 1 is one choice more.
        size: So many equally likely places; shares are rounded to that part of 1.
    """
    return np.searchsorted(cumulative, (np.arange(size) + 0.5) / size, side="right")


def log_normal_gaps(log_mean: float, log_deviation: float) -> Integers:
    """Return the quantiles of log-normal gaps: whole seconds, given in milliseconds."""
    if log_deviation == 0:
        return np.full(TABLE, int(math.exp(log_mean)) * 1000, np.int64)
    # One in eight is computed, the rest repeats it: steps of a second hide the difference.
    curve = NormalDist(log_mean, log_deviation)
    coarse = [int(math.exp(curve.inv_cdf((i + 0.5) * 8 / TABLE))) * 1000 for i in range(TABLE // 8)]
    return np.repeat(np.array(coarse, np.int64), 8)


def exponential() -> Floats:
    """Return the quantiles of the exponential distribution of mean 1."""
    return np.array([-math.log1p(-(i + 0.5) / TABLE) for i in range(TABLE)])
