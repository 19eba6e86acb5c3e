"""UnitMap: a map between the unit interval and encoded values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import BoolArray, FloatArray

# All draws from the unit interval, and all edges in it, are multiples of this, which makes
# membership in an interval exact.
GRID = 2.0**-53


class UnitMap(Protocol):
    """A map between the unit interval, on which a prior is uniform, and encoded values."""

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        """Maps values in [0, 1), uniform under the prior, to encoded values of the same shape."""

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        """Returns the prior probability of a draw below each encoded value, of the same shape.

        This is the lower end of the interval that maps to the value. So
        `from_unit(to_unit(encoded))` returns a discrete value exactly. NaN, which means inactive,
        becomes any number or NaN.
        """


def unit_edges(is_below: Callable[[FloatArray], BoolArray], number: int) -> FloatArray:
    """Returns the smallest unit values that are not below given edges, by bisection.

    Draws use the same map, so rounding cannot put a draw on the wrong side.

    Args:
        is_below: Returns which unit values are below their edges, shape (number,) for shape
            (number,); monotone in each value.
        number: Number of edges.

    Returns:
        Multiples of GRID, shape (number,); 1 where all unit values are below.
    """
    below, above = np.zeros(number), np.ones(number)
    while number and (above - below).max() > GRID:
        middle = np.floor((below + above) / 2 / GRID) * GRID
        is_left = is_below(middle)
        below, above = np.where(is_left, middle, below), np.where(is_left, above, middle)
    return np.where(is_below(np.zeros(number)), above, 0.0)


class ColumnMaps:
    """Separate unit maps for the columns of one parameter.

    Args:
        maps: One map for each column.
    """

    def __init__(self, maps: Sequence[UnitMap]) -> None:
        self._maps = tuple(maps)

    def of_column(self, place: int) -> UnitMap:
        """Returns the map of one of the parameter's columns, by index from 0."""
        return self._maps[place]

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        """Maps rows of the parameter's columns, shape (n, columns); see `UnitMap.from_unit`."""
        columns = zip(self._maps, np.asarray(unit).T, strict=True)
        return np.stack([each.from_unit(column) for each, column in columns], axis=1)

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        """Maps rows of the parameter's columns, shape (n, columns); see `UnitMap.to_unit`."""
        columns = zip(self._maps, np.asarray(encoded).T, strict=True)
        return np.stack([each.to_unit(column) for each, column in columns], axis=1)
