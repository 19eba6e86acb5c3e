"""PriorScaling: encoded values on the scale of their prior."""

from __future__ import annotations

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.space import HyperParameterList


class PriorScaling:
    """Scales each column by its prior: an affine image of a space becomes the space itself.

    Each map is monotone, so it takes no split from a tree and adds none. A number becomes its place
    in its range, or its distance from the mean in standard deviations; what is encoded as a
    logarithm, the same of the logarithm. Values of SciPy's distributions, whose tails may be
    longer than numbers reach, become their cumulative probability. Choices and a user's own types
    stay as they are.

    Args:
        space: The search space.
    """

    def __init__(self, space: HyperParameterList) -> None:
        scales = [kind.scale for kind in space.column_kinds]
        self._space = space
        self._by_probability = {column for column, scale in enumerate(scales) if scale is None}
        self._origin = np.array([0.0 if scale is None else scale[0] for scale in scales])
        self._unit = np.array([1.0 if scale is None else scale[1] for scale in scales])

    def rows(self, encoded: FloatArray) -> FloatArray:
        """Scales encoded rows, shape (n, columns)."""
        scaled: FloatArray = encoded - self._origin
        scaled /= self._unit
        for column in self._by_probability:
            scaled[:, column] = self._space.column_to_unit(column, encoded[:, column])
        return scaled

    def column(self, column: int, encoded: FloatArray) -> FloatArray:
        """Scales encoded values of one column, of any shape, exactly as `rows` does."""
        if column in self._by_probability:
            return self._space.column_to_unit(column, encoded)
        scaled: FloatArray = (encoded - self._origin[column]) / self._unit[column]
        return scaled
