"""PriorScaling: encoded values on the scale of their prior."""

from __future__ import annotations

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.space.parameter_list import HyperParameterList


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
        self._space = space
        self._scales = [kind.scale for kind in space.column_kinds]

    def __call__(self, column: int, encoded: FloatArray) -> FloatArray:
        """Scales encoded values of one column, of any shape; NaN stays NaN."""
        scale = self._scales[column]
        if scale is None:
            probability = self._space.column_to_unit(column, encoded)
            return np.where(np.isnan(encoded), np.nan, probability)
        origin, unit = scale
        return (encoded - origin) / unit
