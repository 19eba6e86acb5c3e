"""Bounded scores: a bound on the scores of pruned samples, for models that learn from scores."""

from __future__ import annotations

from typing import Literal

import numpy as np

from pyshac.core.basics.arrays import FloatArray, IntArray
from pyshac.core.dataset.curves.curves_table import CurveEnds
from pyshac.core.dataset.objective import Objective


def bounded_scores(scores: FloatArray, ends: CurveEnds, objective: Objective) -> FloatArray:
    """Returns scores in which pruned samples have a bound instead of a missing score.

    A pruned sample counts as the worst score of all samples whose curves continued past its last
    step, so it is never better than one of those. Its own last score is on another scale early in a
    curve. It counts only if none of those samples has a score. The bound is then the worst of that
    score and those of curves that were pruned later. Failed samples keep NaN, as does a curve that
    ended with NaN.

    Args:
        scores: The scores, shape (n,); NaN for samples that failed or were pruned.
        ends: The last points of their curves.
        objective: Which scores are better.
    """
    is_bound = ends.are_pruned & np.isnan(scores) & ~np.isnan(ends.scores)
    if not is_bound.any():
        return scores
    steps, lasts = ends.steps[is_bound], objective.sign * ends.scores[is_bound]
    is_full = (ends.steps >= 0) & ~np.isnan(scores)
    full_steps, full = ends.steps[is_full], objective.sign * scores[is_full]
    # One with a score has passed its last step; one that was pruned has not.
    bounds = _worst_from(full_steps, full, steps, "left")
    own = np.minimum(lasts, _worst_from(steps, lasts, steps, "right"))
    bounds = np.where(np.isinf(bounds), own, bounds)
    bounded = scores.copy()
    bounded[is_bound] = objective.sign * bounds
    return bounded


def _worst_from(
    steps: IntArray, values: FloatArray, starts: IntArray, side: Literal["left", "right"]
) -> FloatArray:
    """Returns the lowest of the values whose steps are at or after each start, or only after it.

    Args:
        steps: The steps, shape (n,).
        values: Their values, shape (n,).
        starts: The starts, shape (m,).
        side: 'left' to include the step at each start, 'right' to exclude it.

    Returns:
        Shape (m,); infinity where there is no such value.
    """
    order = np.argsort(steps)
    lowest = np.append(np.minimum.accumulate(values[order][::-1])[::-1], np.inf)
    found: FloatArray = lowest[np.searchsorted(steps[order], starts, side=side)]
    return found
