"""MedianPruning: a curve goes on as long as it is as good as the median of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import without_float_errors
from pyshac.core.basics.checks import check_int, check_positive
from pyshac.core.basics.results.curve import Curve
from pyshac.core.dataset.curves.curves import Curves
from pyshac.core.dataset.objective import Objective


@dataclass(frozen=True)
class MedianPruning:
    """Gives up a curve that is worse than the median of what others had reached at the same step.

    What counts of the others is their best score up to the step.

    Attributes:
        grace: The first step at which a curve may be given up; an int from 0 on.
        min_curves: Number of curves that must have been at a step; an int from 1 on.

    Raises:
        TypeError: If one of them is not an int.
        ValueError: If it is too low.

    References:
        Golovin et al.: Google Vizier: A Service for Black-Box Optimization, KDD 2017
    """

    grace: int = 1
    min_curves: int = 4

    def __post_init__(self) -> None:
        check_int("grace", self.grace, "an int of at least 0", lambda number: number >= 0)
        check_positive("min_curves", self.min_curves)

    @without_float_errors
    def limits(self, curves: Sequence[Curve], objective: Objective) -> Mapping[int, float]:
        """Returns the worst score with which a curve goes on, by step; see `Pruning`."""
        known, limits = Curves.of(curves), {}
        for step in known.compared_steps(self.grace):
            bests = objective.worst_first(known.bests_by(step, objective.sign))
            if len(bests) >= self.min_curves and np.isfinite(median := np.median(bests)):
                limits[step] = float(objective.sign * median)
        return limits
