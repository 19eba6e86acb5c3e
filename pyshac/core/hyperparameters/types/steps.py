"""Steps: numbers at equal distances, exact to their last decimal digit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.types.whole_numbers import index_from_unit

# Below this share of the larger bound, floats do not tell steps apart after some arithmetic.
LEAST_STEP = 2.0**-46
# Whole numbers up to the first, and powers of ten up to the second, are floats.
_MAX_WHOLE = 2**53
_MAX_POWER = 22
# A value may be off by this share of a step, as sums of steps are.
_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Steps:
    """The numbers `(first + k * step) / 10**digits` for k from 0 to `count - 1`.

    Each number is the float nearest to the decimal number: 0.15, not the sum 0.15000000000000002.

    Attributes:
        first: The lowest number, multiplied by 10**digits.
        step: The distance between two neighbours, multiplied by 10**digits.
        digits: Number of decimal digits.
        count: How many numbers there are.
    """

    first: int
    step: int
    digits: int
    count: int

    @classmethod
    def between(cls, owner: str, low: float, high: float, step: float) -> Steps:
        """Returns the numbers from `low` up to at most `high`.

        Args:
            owner: The parameter's name, for errors.
            low: The lowest number.
            high: Upper bound.
            step: The distance between two neighbours.

        Raises:
            ValueError: If `step` is not above 0, is larger than the range although `low < high`, or
                is too small for floats to distinguish neighbours.
        """
        parts = [Decimal(repr(number)) for number in (low, high, step)]
        digits = max(0, *(-int(part.as_tuple().exponent) for part in parts))
        first, last, distance = (int(part.scaleb(digits)) for part in parts)
        least = LEAST_STEP * max(abs(low), abs(high))
        if step <= 0 or step < least or first < last < first + distance:
            raise ValueError(
                f"step of {owner!r} must be above 0, at least {least:g} (2**-46 of the larger "
                "bound) and at most max_value - min_value, but got "
                f"(min_value={low!r}, max_value={high!r}, step={step!r})."
            )
        return cls(first, distance, digits, (last - first) // distance + 1)

    @property
    def low(self) -> float:
        """The lowest number."""
        return self._one(0)

    @property
    def high(self) -> float:
        """The highest number."""
        return self._one(self._last)

    @property
    def _last(self) -> int:
        return self.count - 1

    def _one(self, place: int) -> float:
        # Division of Python's ints is correctly rounded.
        return (self.first + place * self.step) / 10**self.digits

    def at(self, place: npt.ArrayLike) -> FloatArray:
        """Returns the numbers at indices from 0. Indices are floats; the shape is the same."""
        place = np.asarray(place, dtype=np.float64)
        largest = max(abs(self.first), abs(self.first + self.count * self.step))
        if largest <= _MAX_WHOLE and self.digits <= _MAX_POWER:
            # Both are exact, and floats are divided with correct rounding, too.
            return (self.first + place * self.step) / 10.0**self.digits
        numbers = [each if np.isnan(each) else self._one(int(each)) for each in place.ravel()]
        return np.array(numbers, dtype=np.float64).reshape(place.shape)

    def first_not_below(self, numbers: npt.ArrayLike) -> FloatArray:
        """Returns the index of the lowest number that is not below each given one, as a float.

        Returns:
            An array of the same shape; `count` if all numbers are below, NaN for NaN.
        """
        numbers = np.asarray(numbers, dtype=np.float64)
        bounded = np.clip(numbers, self.low, self.high)
        place: FloatArray = np.clip(np.ceil((bounded - self.low) / self._distance), 0, self._last)
        # The quotient may round across a whole number.
        place -= (place > 0) & (self.at(np.maximum(place - 1, 0)) >= numbers)
        place += self.at(place) < numbers
        return place

    def nearest(self, number: float) -> float:
        """Returns the number nearest to a given one."""
        bounded = min(max(number, self.low), self.high)
        return self._one(min(round((bounded - self.low) / self._distance), self._last))

    def matching(self, number: float) -> float | None:
        """Returns the number that equals a given one except for rounding; None if there is none."""
        nearest = self.nearest(number)
        return nearest if abs(number - nearest) <= _TOLERANCE * self._distance else None

    @property
    def _distance(self) -> float:
        return self.step / 10**self.digits

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        """Maps unit values to the numbers, all equally likely; see `UnitMap.from_unit`."""
        return self.at(index_from_unit(unit, self.count))

    def to_unit(self, numbers: npt.ArrayLike) -> FloatArray:
        """Returns the fraction of the numbers below each given one; see `UnitMap.to_unit`."""
        return np.clip(self.first_not_below(numbers) / self.count, 0.0, 1.0)

    def all(self) -> FloatArray:
        """Returns all numbers in ascending order, shape (count,)."""
        return self.at(np.arange(self.count))

    def contain(self, others: Steps) -> bool:
        """Returns whether these steps include all numbers of other steps."""
        digits = max(self.digits, others.digits)
        first, step = (part * 10 ** (digits - self.digits) for part in (self.first, self.step))
        scale = 10 ** (digits - others.digits)
        theirs, distance = others.first * scale, others.step * scale
        fits = (theirs - first) % step == 0 and (others.count == 1 or distance % step == 0)
        return fits and self.low <= others.low and others.high <= self.high


def check_no_log(owner: str, step: float | None, **flags: bool) -> None:
    """Raises `ValueError` if a parameter with steps should also be logarithmic.

    Args:
        owner: The parameter's name.
        step: Its step, or None.
        flags: Logarithmic arguments by name.
    """
    named = [name for name, is_set in flags.items() if is_set]
    if step is not None and named:
        raise ValueError(
            f"step of {owner!r} must be left out with {named[0]}=True. Got {step!r} instead: for "
            "values at equal ratios take DiscreteHP with a list of them."
        )
