"""UnitMap: a map between the unit interval and encoded values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray


class UnitMap(Protocol):
    """A map between the unit interval, on which a prior is uniform, and encoded values."""

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        """Maps values in [0, 1), uniform under the prior, to encoded values of the same shape."""

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        """Returns the prior probability of a draw below each encoded value, of the same shape.

        This is the lower end of the part of the unit interval that maps to the value, so
        `from_unit(to_unit(encoded))` gives a discrete value back exactly.
        """


class ColumnMaps:
    """A unit map of its own for each column of a parameter.

    Args:
        maps: The maps, one for each column.
    """

    def __init__(self, maps: Sequence[UnitMap]) -> None:
        self._maps = tuple(maps)

    def of_column(self, place: int) -> UnitMap:
        """Returns the map of one of the parameter's columns, counted from 0."""
        return self._maps[place]

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        """Maps rows of the parameter's columns, shape (n, columns); see `UnitMap.from_unit`."""
        columns = zip(self._maps, np.asarray(unit).T, strict=True)
        return np.stack([each.from_unit(column) for each, column in columns], axis=1)

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        """Maps rows of the parameter's columns, shape (n, columns); see `UnitMap.to_unit`."""
        columns = zip(self._maps, np.asarray(encoded).T, strict=True)
        return np.stack([each.to_unit(column) for each, column in columns], axis=1)
