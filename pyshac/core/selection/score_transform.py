"""Scores, transformed so that a Gaussian process learns them easily."""

from __future__ import annotations

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.dataset.objective import Objective

# Values farther below the lower quartile than this many interquartile ranges are far out (Tukey,
# 1977, section 2D).
FAR_OUT = 3


def power_transformed(scores: FloatArray, objective: Objective) -> FloatArray:
    """Returns scores on a symmetric scale on which higher is better.

    Failed samples, and scores that are far out on the bad side, count as the worst score that is
    not far out. The rest is the power transform of Yeo and Johnson (2000).

    Args:
        scores: Shape (n,); NaN for a failed sample.
        objective: Which scores are better.

    Returns:
        Shape (n,), with mean 0 and variance 1, or all 0 if all scores are equal.
    """
    values = objective.worst_first(scores)
    known = values[np.isfinite(values)]
    if not len(known):
        return np.zeros(len(scores))
    # In this unit, differences of even the largest numbers are finite.
    unit = np.abs(known).max() or 1.0
    low, high = np.quantile(known / unit, [0.25, 0.75])
    values = _standardised(np.maximum(values / unit, low - FAR_OUT * (high - low)))
    if not values.any():
        return values
    from scipy import stats

    return _standardised(stats.yeojohnson(values)[0])


def _standardised(values: FloatArray) -> FloatArray:
    if np.ptp(values) == 0:
        return np.zeros(len(values))
    centred = values - values.mean()
    # Otherwise the squares of very small numbers would underflow.
    centred /= np.abs(centred).max()
    return centred / centred.std()
