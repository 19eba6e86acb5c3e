"""Given: values that samples have, while the others are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters import HyperParameterList

# Half the width of the part of the unit interval that stands for a number: wider than rounding, so
# that the number lies inside.
MARGIN = 2.0**-40


@dataclass(frozen=True)
class Given:
    """Values that samples have, while the others are drawn.

    Attributes:
        encoded: An encoded sample that has them, shape (columns,).
        columns: Which of its columns are given, shape (columns,).
    """

    encoded: FloatArray
    columns: BoolArray

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
        for column in np.flatnonzero(self.columns & space.maps_to_unit).tolist():
            unit = float(space.column_to_unit(column, self.encoded[column]))
            place = min(np.floor(unit / MARGIN), 1 / MARGIN - 1)
            # A choice, or a whole number, begins there; another number may lie on either side.
            low[column] = max(place - 1, 0) * MARGIN
            high[column] = min(place + 2, 1 / MARGIN) * MARGIN
        return low, high
