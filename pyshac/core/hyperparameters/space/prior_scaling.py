"""PriorScaling: encoded values on the scale of their prior."""

from __future__ import annotations

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.space.parameter_list import HyperParameterList


class PriorScaling:
    """Scales each column by its prior, so that affine changes of a range have no effect.

    Each map is monotone, so trees can make the same splits before and after it:

    - A number becomes its position in its range, or its distance from the mean in standard
      deviations.
    - For logarithmic encodings, the same applies to the logarithm.
    - Values of SciPy's distributions become cumulative probabilities, since their tails may exceed
      the range of numbers.
    - Choices and custom types do not change.

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
