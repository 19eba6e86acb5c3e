"""Scores, transformed so that a Gaussian process learns them easily."""

from __future__ import annotations

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.dataset.objective import Objective

# Values farther below the lower quartile than this many interquartile ranges are far out (Tukey,
# 1977, section 2D).
FAR_OUT = 3
# Largest number of deviations by which a later score counts as better than all given ones.
LARGEST_GAIN = 1.0
# Range of the parameter of the power transform.
PARAMETERS = (-5.0, 5.0)


class ScoreTransform:
    """Maps scores to a symmetric scale on which higher is better.

    Failed samples and outliers on the bad side count as the worst score that is not an outlier. The
    scores then go through the power transform of Yeo and Johnson (2000). The given scores are
    mapped to mean 0 and variance 1, or all to 0 if they are equal.

    Args:
        scores: Shape (n,); NaN for a failed sample.
        objective: Which scores are better.
    """

    def __init__(self, scores: FloatArray, objective: Objective) -> None:
        self._objective = objective
        values = objective.worst_first(scores)
        known = values[np.isfinite(values)]
        if not len(known):
            known = np.zeros(1)
        # In this unit, differences of even the largest numbers are finite.
        self._unit = float(np.abs(known).max()) or 1.0
        low, high = np.quantile(known / self._unit, [0.25, 0.75])
        self._lowest = max(low - FAR_OUT * (high - low), known.min() / self._unit)
        cut = np.maximum(values / self._unit, self._lowest)
        self._linear = _Standard(cut)
        # Scores that are better than any given one by far would overflow.
        self._highest = float(self._linear(cut).max()) + LARGEST_GAIN
        self._parameter = _most_likely_parameter(self._linear(cut))
        self._final = _Standard(_yeo_johnson(self._linear(cut), self._parameter))

    def __call__(self, scores: FloatArray) -> FloatArray:
        """Returns scores, not necessarily the given ones, on that scale, shape (n,)."""
        values = self._objective.worst_first(scores) / self._unit
        linear = self._linear(np.maximum(values, self._lowest))
        linear = np.minimum(linear, self._highest)
        return self._final(_yeo_johnson(linear, self._parameter))


class _Standard:
    """The linear map of given values to mean 0 and variance 1, or to 0 if they are equal."""

    def __init__(self, values: FloatArray) -> None:
        self._mean = values.mean()
        largest = np.abs(values - self._mean).max()
        # Otherwise the squares of very small numbers would underflow.
        self._scale = largest * ((values - self._mean) / (largest or 1.0)).std()

    def __call__(self, values: FloatArray) -> FloatArray:
        return (values - self._mean) / self._scale if self._scale else np.zeros(len(values))


def _most_likely_parameter(values: FloatArray) -> float:
    """Returns the parameter for which transformed values are most likely normal."""
    from scipy import optimize

    if not values.any():
        return 1.0
    slopes = (np.sign(values) * np.log1p(np.abs(values))).sum()

    def loss(parameter: float) -> float:
        variance = _yeo_johnson(values, parameter).var()
        # Yeo and Johnson, 2000, equation (3.1), up to a constant.
        return len(values) / 2 * float(np.log(variance)) - (parameter - 1) * float(slopes)

    return float(optimize.minimize_scalar(loss, bounds=PARAMETERS).x)


def _yeo_johnson(values: FloatArray, parameter: float) -> FloatArray:
    from scipy import special

    positive = special.boxcox1p(np.maximum(values, 0.0), parameter)
    negative = special.boxcox1p(np.maximum(-values, 0.0), 2 - parameter)
    return positive - negative
