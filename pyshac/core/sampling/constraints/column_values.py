"""ColumnValues: the numbers that a column takes in parts of the unit interval."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray, IntArray
from pyshac.core.basics.checks import to_float
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.unit_map import GRID

# Relative error with which quantile functions may depart from being monotone.
ROUNDING = 2.0**-40
# Stands for numbers without bounds: sums and differences of a few stay finite.
LARGEST = 1e300


class ColumnValues:
    """The numbers that a column takes in parts of the unit interval.

    Args:
        space: The search space.
        name: Name of the column.

    Attributes:
        place: Number of the column.
        is_known: Whether the unit interval maps to the column.
        is_exact: Whether the numbers are free from rounding: whole numbers, and choices.
    """

    def __init__(self, space: HyperParameterList, name: str) -> None:
        self._space, self._name = space, name
        self.place = space.columns.place(name)
        self.kind = space.column_kinds[self.place]
        # A share of what the columns before it leave depends on these; the first has none.
        is_relative = self.kind.is_relative and not space.columns.is_first(name)
        self.is_known = bool(space.maps_to_unit[self.place]) and not is_relative
        self.is_exact = self.kind.is_separate
        self._extremes: RangeExtremes | None = None
        if self.kind.choices is not None:
            self._extremes = RangeExtremes(np.array([*map(to_float, self.kind.choices)]))

    def __call__(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns the smallest and the largest number in parts of the unit interval.

        Args:
            low: Lower ends, shape (n,).
            high: Upper ends, which are excluded, shape (n,).
        """
        if not self.is_known:
            least, most = (0.0, 1.0) if self.kind.is_relative else (-LARGEST, LARGEST)
            return np.full(len(low), least), np.full(len(low), most)
        ends = self._space.column_from_unit(self.place, np.stack([low, high - GRID]))
        if self._extremes is not None:
            first, last = ends.astype(np.int64)
            return self._extremes(first, last)
        first, last = self._numbers(ends)
        return np.minimum(first, last), np.maximum(first, last)

    def _numbers(self, encoded: FloatArray) -> FloatArray:
        rows = np.zeros((encoded.size, self._space.num_columns))
        rows[:, self.place] = encoded.ravel()
        return self._space.columns.numbers(rows, self._name).reshape(encoded.shape)

    def middle(self, low: FloatArray, high: FloatArray) -> FloatArray:
        """Returns where to split parts of the unit interval; their lower end if they have no split.

        Values that take a part of the interval each are not divided.
        """
        middle = np.floor((low + high) / 2 / GRID) * GRID
        if not self.is_exact:
            return middle
        edge = self._start_of_value(middle)
        last = self._start_of_value(high - GRID)
        edge = np.where(edge > low, edge, last)
        return np.where((edge > low) & (edge < high), edge, low)

    def _start_of_value(self, unit: FloatArray) -> FloatArray:
        encoded = self._space.column_from_unit(self.place, unit)
        return start_of_value(self._space, self.place, encoded)


def start_of_value(space: HyperParameterList, column: int, encoded: npt.ArrayLike) -> FloatArray:
    """Returns the smallest unit values that draws map to encoded values of a separate kind."""
    return np.ceil(space.column_to_unit(column, encoded) / GRID) * GRID


class RangeExtremes:
    """The smallest and the largest of successive numbers, found in constant time.

    Args:
        numbers: Shape (n,).
    """

    def __init__(self, numbers: FloatArray) -> None:
        # Row k has the extremes of 2**k successive numbers from each place on.
        self._smallest, self._largest = [numbers], [numbers]
        width = 1
        while 2 * width <= len(numbers):
            for table, extreme in ((self._smallest, np.minimum), (self._largest, np.maximum)):
                table.append(extreme(table[-1][:-width], table[-1][width:]))
            width *= 2

    def __call__(self, first: IntArray, last: IntArray) -> tuple[FloatArray, FloatArray]:
        """Returns the extremes from one place to another, included; each of shape (n,)."""
        level = np.log2(last - first + 1).astype(np.int64)
        smallest, largest = np.empty(len(first)), np.empty(len(first))
        for one in np.unique(level):
            here = level == one
            left, right = first[here], last[here] + 1 - 2**one
            smallest[here] = np.minimum(self._smallest[one][left], self._smallest[one][right])
            largest[here] = np.maximum(self._largest[one][left], self._largest[one][right])
        return smallest, largest
