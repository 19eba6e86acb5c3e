"""FeatureMap: samples as points of a Euclidean space."""

from __future__ import annotations

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters import HyperParameterList

# Largest coordinate; its square is finite.
FARTHEST = 1000.0


# Range of scaled values beyond which points on the arc would approach each other again.
ARC = (-1.0, 2.0)


class FeatureMap:
    """Maps encoded rows to points whose distances measure how different samples are.

    - Numbers are mapped to the unit interval by their prior. Numbers of custom types are scaled to
      the range of the given rows.
    - Unordered choices are one-hot encoded, with a feature for each given value and one for all
      others. So a given value is at distance 1 from any other.
    - The values of a conditional number form an arc around the point of an inactive one, at
      distance 1 from it (Swersky et al., arXiv 1409.4011). The distance between the ends of its
      range is also 1.

    Args:
        space: The search space.
        encoded: Rows, shape (n, columns), with n >= 1.

    Attributes:
        columns: The column that each feature belongs to, shape (features,).
    """

    def __init__(self, space: HyperParameterList, encoded: FloatArray) -> None:
        self._space = space
        self._is_conditional = space.hierarchy.conditional
        lowest, highest = (np.nan_to_num(each.reduce(encoded)) for each in (np.fmin, np.fmax))
        # Halves, because the difference of two finite numbers may overflow.
        self._low = np.where(space.maps_to_unit, 0.0, lowest / 2)
        span = np.where(space.maps_to_unit, 0.5, highest / 2 - self._low)
        self._span = np.where(span > 0, span, 1.0)
        self._known = [
            np.unique(values[~np.isnan(values)]) if is_choice else None
            for values, is_choice in zip(encoded.T, space.is_choice, strict=True)
        ]
        widths = [
            1 + int(is_conditional) + (0 if known is None else len(known))
            for known, is_conditional in zip(self._known, self._is_conditional, strict=True)
        ]
        self.columns = np.repeat(np.arange(len(widths)), widths)

    def __call__(self, encoded: FloatArray) -> FloatArray:
        """Returns points, shape (n, features), for encoded rows of shape (n, columns)."""
        scaled = (self._space.to_unit_where_possible(encoded) / 2 - self._low) / self._span
        features = [
            self._features_of(column, scaled[:, [column]], encoded[:, [column]])
            for column in range(len(self._known))
        ]
        return np.concatenate(features, axis=1)

    def _features_of(self, column: int, scaled: FloatArray, encoded: FloatArray) -> FloatArray:
        known, is_conditional = self._known[column], self._is_conditional[column]
        if known is not None:
            return _one_hot(encoded, known, is_conditional)
        if is_conditional:
            return _on_arc(scaled, np.isnan(encoded))
        return np.clip(scaled, -FARTHEST, FARTHEST)


def _on_arc(scaled: FloatArray, is_inactive: BoolArray) -> FloatArray:
    """Returns points around the origin, shape (n, 2); inactive values are at the origin."""
    angle = np.clip(np.where(is_inactive, 0.0, scaled), *ARC) * np.pi / 3
    points = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    return np.where(is_inactive, 0.0, points)


def _one_hot(column: FloatArray, known: FloatArray, is_conditional: bool) -> FloatArray:
    """Returns a feature for each known value and one for all others, scaled to distance 1.

    A conditional column has one more feature, for samples in which it is inactive.
    """
    is_inactive = np.isnan(column)
    is_value = column == known
    is_other = ~is_value.any(axis=1, keepdims=True) & ~is_inactive
    features = [is_value, is_other, *([is_inactive] if is_conditional else [])]
    return np.concatenate(features, axis=1) / 2**0.5
