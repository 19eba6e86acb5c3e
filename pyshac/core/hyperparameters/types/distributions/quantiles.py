"""The quantile functions of SciPy's distributions, checked over their whole range.

SciPy inverts some distribution functions by a search that takes milliseconds for each value. A run
draws a hundred thousand values, so these functions become tables; see `quantile_tables.py`.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from pyshac.core.basics.arrays import FloatArray

# At most this share of the draws of a new distribution, one in 16,384, may lie beyond the known
# quantiles at either end. They take the outermost one.
LOST_SHARE = 2.0**-14


class Quantiles(Protocol):
    """A distribution, as a map between the unit interval and its values."""

    def quantile(self, unit: FloatArray) -> FloatArray:
        """Returns the value of each unit value."""

    def below(self, value: FloatArray) -> FloatArray:
        """Returns the probability of a draw below each value; discrete values must be integers."""


class KnownQuantiles:
    """Quantiles of a distribution at some unit values, around the median.

    They end before the first value that is not finite or not ascending, since SciPy has computed it
    wrongly.

    Args:
        distribution: A frozen distribution.
        units: Ascending unit values that include 1/2.
        lost_share: The maximum share of draws beyond either end.

    Raises:
        ValueError: If a larger share is beyond an end; the message describes the quantile where
            that end begins.
    """

    def __init__(self, distribution: Any, units: FloatArray, lost_share: float) -> None:
        values, reasons = _find(distribution, units)
        middle = int(np.argmin(np.abs(units - 0.5)))
        first = middle - _num_ascending(-values[middle::-1]) + 1
        last = middle + _num_ascending(values[middle:]) - 1
        for place, lost in ((last + 1, 1 - units[last]), (first - 1, units[first])):
            if first > last or lost > lost_share:
                verb = "falls to" if np.isfinite(values[place]) else "is"
                result = reasons.get(place, f"{verb} {values[place]:.6g}")
                raise ValueError(f"its quantile function {result} at {units[place]:.6g}")
        self.units, self.values = units[first : last + 1], values[first : last + 1]
        self.is_cut_below, self.is_cut_above = first > 0, last < len(units) - 1


def _num_ascending(values: FloatArray) -> int:
    """Returns the length of the part, from the start, that is finite and ascends."""
    with np.errstate(invalid="ignore"):
        is_good = np.isfinite(values) & (np.diff(values, prepend=values[:1]) >= 0)
    return len(values) if is_good.all() else int(np.argmin(is_good))


def _find(distribution: Any, units: FloatArray) -> tuple[FloatArray, dict[int, str]]:
    """Returns quantiles, NaN where SciPy raises an exception, and these exceptions by index."""
    reasons: dict[int, str] = {}
    with np.errstate(all="ignore"):
        try:
            return np.array(distribution.ppf(units), dtype=np.float64), reasons
        except Exception:
            values = np.full(np.shape(units), np.nan)
        for place, unit in enumerate(np.ravel(units)):
            try:
                values.flat[place] = distribution.ppf(unit)
            except Exception as error:
                reasons[place] = f"raises {type(error).__name__}: {error}"
    return values, reasons


class DirectQuantiles:
    """SciPy's own quantile function, within its finite range.

    Args:
        distribution: A frozen distribution.
        is_discrete: Whether its values are integers.
        lost_share: As for `KnownQuantiles`.

    Raises:
        ValueError: In the cases of `KnownQuantiles`.
    """

    def __init__(self, distribution: Any, is_discrete: bool, lost_share: float) -> None:
        # Unit values are multiples of 2**-53; the quantile of 0 may be minus infinity.
        shares = 2.0 ** -np.arange(54, 1, -1)
        units = np.concatenate([shares, np.arange(9, 24) / 32, 1 - shares[:0:-1]])
        known = KnownQuantiles(distribution, units, lost_share)
        median = np.interp(0.5, known.units, known.values)
        if not distribution.cdf(np.nextafter(median, np.inf)) > 0.49:
            raise ValueError(f"its distribution function is too low at its median, {median:.6g}")
        self._distribution = distribution
        self._known = known
        self._is_discrete = is_discrete
        self._low, self._lowest, self._high, self._highest = 2.0**-54, -np.inf, 1.0, np.inf
        if known.is_cut_below:
            self._low, self._lowest = known.units[0], known.values[0]
        if known.is_cut_above:
            self._high, self._highest = known.units[-1], known.values[-1]

    def quantile(self, unit: FloatArray) -> FloatArray:
        unit = np.clip(unit, self._low, self._high)
        values, _ = _find(self._distribution, unit)
        is_wrong = ~np.isfinite(values)
        if is_wrong.any():
            # Some functions of SciPy fail at single points.
            values = np.where(is_wrong, self._between(unit), values)
        values = self._in_order(unit, values)
        if self._is_discrete:
            # `ppf` gives a value the upper end of its interval, `from_unit` the lower end.
            values += unit >= self._distribution.cdf(values)
        return values

    def _in_order(self, unit: FloatArray, values: FloatArray) -> FloatArray:
        """Returns quantiles, each bounded by its known neighbours.

        Some of SciPy's functions decrease among the smallest numbers.
        """
        known, last = self._known, len(self._known.values) - 1
        place = np.searchsorted(known.units, unit, side="right")
        low = known.values[np.maximum(place - 1, 0)]
        return np.clip(values, low, known.values[np.minimum(place, last)])

    def _between(self, unit: FloatArray) -> FloatArray:
        """Returns quantiles computed from those of both known neighbours."""
        values = np.interp(unit, self._known.units, self._known.values)
        return np.floor(values) if self._is_discrete else np.asarray(values)

    def below(self, value: FloatArray) -> FloatArray:
        probability = np.asarray(self._distribution.cdf(value - self._is_discrete))
        return within_ends(value, probability, self._lowest, self._highest)


def within_ends(
    value: FloatArray, probability: FloatArray, lowest: float, highest: float
) -> FloatArray:
    """Returns the probabilities of draws below values, bounded by two ends."""
    return np.where(value > highest, 1.0, np.where(value > lowest, probability, 0.0))
