"""Tables that replace quantile functions for which SciPy needs a search for each value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.types.distributions.quantiles import (
    LOST_SHARE,
    KnownQuantiles,
    within_ends,
)

# The table of a real number covers all but a billionth of the draws at either end, if SciPy can.
# Its cells have equal widths in normal scores; each is cut into parts of equal width in values.
_HIGHEST_SCORE = 6.0
_NUM_CELLS = 64
_NUM_PARTS = 64
# The table of a whole number is extended until it has all but this share of the draws.
_SMALL_SHARE = 2.0**-40
_FIRST_REACH = 2**10
_LAST_REACH = 2**17
# Floats are exact for all whole numbers next to these.
_LARGEST = 2**52


class RealTable:
    """A table of a continuous distribution, interpolated in normal scores.

    The normal score of a value is the quantile of the standard normal distribution at the value's
    probability. Values are almost linear in it, even in the tails. Probabilities have an error of
    at most about one millionth, and each map is the exact inverse of the other.

    Args:
        distribution: A frozen distribution.

    Raises:
        ValueError: In the cases of `KnownQuantiles`.
    """

    def __init__(self, distribution: Any) -> None:
        from scipy import special

        grid = special.ndtr(np.linspace(-_HIGHEST_SCORE, _HIGHEST_SCORE, _NUM_CELLS + 1))
        known = KnownQuantiles(distribution, grid, LOST_SHARE)
        self._values, self._scores = _tabulated(distribution, known)

    def quantile(self, unit: FloatArray) -> FloatArray:
        from scipy import special

        return np.asarray(np.interp(special.ndtri(unit), self._scores, self._values))

    def below(self, value: FloatArray) -> FloatArray:
        from scipy import special

        probability = special.ndtr(np.interp(value, self._values, self._scores))
        return within_ends(value, probability, self._values[0], self._values[-1])


def _tabulated(distribution: Any, known: KnownQuantiles) -> tuple[FloatArray, FloatArray]:
    """Returns ascending values and their ascending normal scores."""
    from scipy import special

    starts, widths = known.values[:-1], np.diff(known.values)
    parts = starts[:, None] + widths[:, None] * np.arange(_NUM_PARTS) / _NUM_PARTS
    values = np.unique(np.append(parts.ravel(), known.values[-1]))
    median = np.interp(0.5, known.units, known.values)
    with np.errstate(all="ignore"):
        # Probabilities next to 1 are less exact than those next to 0.
        low = special.ndtri(distribution.cdf(values[values <= median]))
        high = -special.ndtri(distribution.sf(values[values > median]))
    scores = np.append(low, high)
    kept = np.flatnonzero(np.isfinite(scores))
    values, scores = values[kept], np.maximum.accumulate(scores[kept])
    kept = np.flatnonzero(np.diff(scores, prepend=-np.inf) > 0)
    return values[kept], scores[kept]


class WholeTable:
    """A table of all values of a discrete distribution that can be reached.

    Args:
        distribution: A frozen distribution.

    Raises:
        ValueError: If the probabilities of at most 262,144 values do not add up to 1; the message
            describes the sum.
    """

    def __init__(self, distribution: Any) -> None:
        reach = _FIRST_REACH
        while True:
            self._first, sums, is_whole = _summed(distribution, reach)
            if is_whole or reach >= _LAST_REACH or sums[-1] >= 1 - _SMALL_SHARE:
                break
            reach *= 2
        if not abs(sums[-1] - 1) <= LOST_SHARE:
            last = self._first + len(sums) - 1
            raise ValueError(
                f"the probabilities of {self._first} to {last} add up to {sums[-1]:.6g}"
            )
        # Below each value, and below the one after the last, which takes what lies beyond.
        self._below = np.concatenate([[0.0], np.minimum(sums[:-1], 1.0), [1.0]])

    def quantile(self, unit: FloatArray) -> FloatArray:
        place = np.searchsorted(self._below, unit, side="right") - 1
        return self._first + np.minimum(place, len(self._below) - 2).astype(np.float64)

    def below(self, value: FloatArray) -> FloatArray:
        place = np.clip(value - self._first, 0, len(self._below) - 1).astype(np.int64)
        return self._below[place]


def _summed(distribution: Any, reach: int) -> tuple[int, FloatArray, bool]:
    """Returns the first value, the cumulative sums from there, and whether these are all values."""
    low, high = (float(bound) for bound in distribution.support())
    with np.errstate(all="ignore"):
        mean = float(distribution.mean())
    centre = mean if math.isfinite(mean) else low
    first, last = max(low, centre - reach), min(high, centre + reach)
    if not abs(centre) <= _LARGEST:
        raise ValueError(f"its values lie around {centre:.6g}, where floats are far apart")
    first, last = math.floor(first), math.floor(last)
    with np.errstate(all="ignore"):
        masses = np.asarray(distribution.pmf(np.arange(first, last + 1)), dtype=np.float64)
    return first, np.cumsum(masses), (first, last) == (low, high)
