"""Bounded scores: how good samples that were pruned can be, for what learns from scores."""

from __future__ import annotations

from typing import Literal

import numpy as np

from pyshac.core.basics.arrays import FloatArray, IntArray
from pyshac.core.dataset.curves.curves_table import CurveEnds
from pyshac.core.dataset.objective import Objective


def bounded_scores(scores: FloatArray, ends: CurveEnds, objective: Objective) -> FloatArray:
    """Returns scores with a bound in place of those that samples lack because they were pruned.

    A sample that was pruned counts as the worst of the scores of all samples whose curves went on
    past its last step, so it is never better than one of those. Its own last score, which is on
    another scale early in a curve, only counts if none of them has a score: then it is the worst
    of that and those of the curves that were pruned later. Failed samples keep NaN, and so does
    one whose curve ended with NaN.

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
    """Returns the lowest value of those whose steps are at least, or above, each start.

    Args:
        steps: The steps, shape (n,).
        values: Their values, shape (n,).
        starts: The starts, shape (m,).
        side: 'left' for steps from each start on, 'right' for those above it.

    Returns:
        Shape (m,); infinity where there is none.
    """
    order = np.argsort(steps)
    lowest = np.append(np.minimum.accumulate(values[order][::-1])[::-1], np.inf)
    found: FloatArray = lowest[np.searchsorted(steps[order], starts, side=side)]
    return found
