"""FeatureMap: samples as points of a Euclidean space."""

from __future__ import annotations

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters import HyperParameterList

# Largest coordinate; its square is finite.
FARTHEST = 1000.0


class FeatureMap:
    """Maps encoded rows to points whose distances measure how different samples are.

    Numbers are mapped to the unit interval by their prior; numbers of a user's own types are scaled
    to the range of the given rows. Unordered choices are one-hot encoded, with a feature for each
    given value and one for all others, so that a given value is at distance 1 from any other.

    Args:
        space: The search space.
        encoded: Rows, shape (n, columns), with n >= 1.

    Attributes:
        columns: The column that each feature belongs to, shape (features,).
    """

    def __init__(self, space: HyperParameterList, encoded: FloatArray) -> None:
        self._space = space
        # Halves, because the difference of two finite numbers may overflow.
        self._low = np.where(space.maps_to_unit, 0.0, encoded.min(axis=0) / 2)
        span = np.where(space.maps_to_unit, 0.5, encoded.max(axis=0) / 2 - self._low)
        self._span = np.where(span > 0, span, 1.0)
        self._known = [
            np.unique(values) if is_choice else None
            for values, is_choice in zip(encoded.T, space.is_choice, strict=True)
        ]
        widths = [1 if known is None else len(known) + 1 for known in self._known]
        self.columns = np.repeat(np.arange(len(widths)), widths)

    def __call__(self, encoded: FloatArray) -> FloatArray:
        """Returns points, shape (n, features), for encoded rows of shape (n, columns)."""
        scaled = (self._space.to_unit_where_possible(encoded) / 2 - self._low) / self._span
        scaled = np.clip(scaled, -FARTHEST, FARTHEST)
        features = [
            scaled[:, [column]] if known is None else _one_hot(encoded[:, [column]], known)
            for column, known in enumerate(self._known)
        ]
        return np.concatenate(features, axis=1)


def _one_hot(column: FloatArray, known: FloatArray) -> FloatArray:
    """Returns a feature for each known value and one for all others, scaled to distance 1."""
    is_value = column == known
    is_other = ~is_value.any(axis=1, keepdims=True)
    return np.concatenate([is_value, is_other], axis=1) / 2**0.5
