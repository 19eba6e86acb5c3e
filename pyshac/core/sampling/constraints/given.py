"""Given: values that samples have, while the others are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.unit_map import GRID
from pyshac.core.sampling.constraints.column_values import start_of_value
from pyshac.core.sampling.cover import Cover

# A number is given by a few parts of the unit interval of this width, more than rounding takes.
MARGIN = 2.0**-40


@dataclass(frozen=True)
class Given:
    """Values that samples have, while the others are drawn.

    Attributes:
        encoded: An encoded sample that has them, shape (columns,).
        columns: Which of its columns are given, shape (columns,).
        values: The values by the names of columns.
    """

    encoded: FloatArray
    columns: BoolArray
    values: dict[str, Any]

    def put_into(self, rows: FloatArray, space: HyperParameterList) -> FloatArray:
        """Returns rows with the given values in place of their own, if all of these are active.

        Args:
            rows: Complete encoded rows, shape (n, columns).
            space: The search space.
        """
        filled = space.hierarchy.deactivate(np.where(self.columns, self.encoded, rows))
        return filled[~np.isnan(filled[:, self.columns]).any(axis=1)]

    def box(self, space: HyperParameterList) -> tuple[FloatArray, FloatArray]:
        """Returns the corners of a narrow box of the unit cube around them, of shape (columns,)."""
        low, high = np.zeros(len(self.columns)), np.ones(len(self.columns))
        kinds = space.column_kinds
        for column in np.flatnonzero(self.columns & space.maps_to_unit).tolist():
            if kinds[column].is_separate:
                low[column] = start_of_value(space, column, self.encoded[column])
                high[column] = low[column] + GRID
            else:
                unit = float(space.column_to_unit(column, self.encoded[column]))
                place = min(np.floor(unit / MARGIN), 1 / MARGIN - 1)
                low[column] = max(place - 1, 0) * MARGIN
                high[column] = min(place + 2, 1 / MARGIN) * MARGIN
        return low, high

    def widened(self, cover: Cover, space: HyperParameterList) -> Cover:
        """Returns a cover inside the box, stretched to the unit cube in the given columns.

        There it does not matter what is drawn, and many narrow columns have no volume.
        """
        low, high = self.box(space)
        scale = np.where(self.columns, high - low, 1.0)
        start = np.where(self.columns, low, 0.0)
        # Rounded to what draws are multiples of.
        ends = [np.round((each - start) / scale / GRID) * GRID for each in (cover.low, cover.high)]
        return replace(cover, low=ends[0], high=ends[1])
