"""Block: the columns of one parameter of a search space."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.multi import MultiHyperParameter
from pyshac.core.hyperparameters.unit_map import ColumnMaps, UnitMap


@dataclass(frozen=True)
class Block:
    """The columns of one parameter.

    Attributes:
        parameter: The parameter.
        columns: Its columns.
        is_list: Whether its value is a list with one item per column.
        kind: The kind of each column.
        unit_map: The map between the unit interval and each column, or the maps of all columns;
            None for a custom type.
    """

    parameter: AbstractHyperParameter
    columns: slice
    is_list: bool
    kind: ColumnKind
    unit_map: UnitMap | None

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.columns.stop - self.columns.start)

    @property
    def element(self) -> AbstractHyperParameter:
        """The parameter of one column; that of all columns if they depend on one another."""
        parameter = self.parameter
        return parameter.element if isinstance(parameter, MultiHyperParameter) else parameter

    @property
    def are_independent(self) -> bool:
        """Whether each column's value is independent and encoded by `element`."""
        return not self.is_list or self.element is not self.parameter

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        if not self.is_list:
            return [self.parameter.name]
        return [f"{self.parameter.name}_{number + 1}" for number in range(self.width)]

    def require_unit_map(self) -> UnitMap:
        """Returns the map; raises `TypeError` for a custom type."""
        if self.unit_map is None:
            raise TypeError(f"{self.parameter!r} does not map to the unit interval.")
        return self.unit_map

    def map_of(self, column: int) -> UnitMap:
        """Returns the map of a column of the space; raises `TypeError` for a custom type."""
        unit_map = self.require_unit_map()
        if isinstance(unit_map, ColumnMaps):
            return unit_map.of_column(column - self.columns.start)
        return unit_map

    def draw_one_by_one(self, n: int, seed: int) -> FloatArray:
        """Draws and encodes n values of a custom type, shape (n, its columns)."""
        parameter = copy.deepcopy(self.parameter)
        parameter.set_seed(seed)
        encoded = [parameter.encode(parameter.sample()) for _ in range(n)]
        return np.asarray(encoded, dtype=np.float64).reshape(n, self.width)
