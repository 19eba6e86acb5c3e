"""Scores: what counts as one, which are better, and what a run is after."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from pyshac.core.basics.arrays import BoolArray, FloatArray

OBJECTIVES = ("max", "min")
# What lies farther below the lower quartile than so many interquartile ranges is far out (Tukey,
# 1977, section 2D).
FAR_OUT = 3


def check_objective(objective: Any) -> str:
    """Returns the objective if it is one; raises otherwise."""
    if objective not in OBJECTIVES:
        raise ValueError(f"objective must be 'max' or 'min'. Got {objective!r} instead.")
    return str(objective)


def is_better_half(scores: FloatArray, objective: str = "max") -> BoolArray:
    """Says which scores are strictly better than the median of those that are numbers.

    Args:
        scores: Shape (n,); NaN stands for a failed sample, which is never better.
        objective: 'max' or 'min'.

    Returns:
        Shape (n,).
    """
    known = scores[~np.isnan(scores)]
    if not len(known):
        return np.zeros(len(scores), dtype=bool)
    median = np.median(known)
    return scores > median if objective == "max" else scores < median


def is_among_best(scores: FloatArray, number: int, objective: str = "max") -> BoolArray:
    """Says which scores are among the best.

    Args:
        scores: Shape (n,); NaN stands for a failed sample, which is never good.
        number: How many are good, at most the scores that are numbers; more where scores are equal.
        objective: 'max' or 'min'.

    Returns:
        Shape (n,).
    """
    values = worst_first(scores, objective)
    return values >= np.sort(values)[-number]


def worst_first(scores: FloatArray, objective: str = "max") -> FloatArray:
    """Returns numbers in whose order scores get better.

    Args:
        scores: Shape (n,); NaN stands for a failed sample, which is worse than any other.
        objective: 'max' or 'min'.

    Returns:
        Shape (n,).
    """
    ascending = scores if objective == "max" else -scores
    return np.where(np.isnan(scores), -np.inf, ascending)


def evened_out(scores: FloatArray, objective: str = "max") -> FloatArray:
    """Returns scores as a model of them learns them most easily: the higher, the better.

    Failed samples and scores that are far out on the bad side are as bad as the worst of the
    others may be. Yeo and Johnson's power transform (2000) then makes both sides equally long.

    Args:
        scores: Shape (n,); NaN stands for a failed sample.
        objective: 'max' or 'min'.

    Returns:
        Shape (n,), with a mean of 0 and a variance of 1, or all 0 if all scores are equal.
    """
    values = worst_first(scores, objective)
    known = values[np.isfinite(values)]
    if not len(known):
        return np.zeros(len(scores))
    # In such units the differences of the largest numbers are still finite.
    unit = np.abs(known).max() or 1.0
    low, high = np.quantile(known / unit, [0.25, 0.75])
    values = _standardised(np.maximum(values / unit, low - FAR_OUT * (high - low)))
    return _standardised(stats.yeojohnson(values)[0]) if values.any() else values


def _standardised(values: FloatArray) -> FloatArray:
    if np.ptp(values) == 0:
        return np.zeros(len(values))
    centred = values - values.mean()
    # The squares of very small numbers would vanish.
    centred /= np.abs(centred).max()
    return centred / centred.std()
