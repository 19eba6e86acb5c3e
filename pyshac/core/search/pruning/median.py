"""MedianPruning: a curve continues while it is as good as the median of the others."""

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
    """Prunes a curve whose score is worse than the median of the other curves at the same step.

    For the other curves, the best score up to the step counts.

    Attributes:
        grace: The first step at which a curve may be pruned; an int of at least 0.
        min_curves: The number of curves that must have reached a step; an int of at least 1.

    Raises:
        TypeError: If one of them is not an int.
        ValueError: If one of them is too low.

    References:
        Golovin et al.: Google Vizier: A Service for Black-Box Optimization, KDD 2017

    Example:
        ```python
        shac.fit(pruning=MedianPruning(min_curves=8))
        ```
    """

    grace: int = 1
    min_curves: int = 4

    def __post_init__(self) -> None:
        check_int("grace", self.grace, "an int of at least 0", lambda number: number >= 0)
        check_positive("min_curves", self.min_curves)

    @without_float_errors
    def limits(self, curves: Sequence[Curve], objective: Objective) -> Mapping[int, float]:
        """Returns the worst score with which a curve continues, by step; see `Pruning`."""
        known, limits = Curves.of(curves), {}
        for step in known.compared_steps(self.grace):
            bests = objective.worst_first(known.bests_by(step, objective.sign))
            if len(bests) >= self.min_curves and np.isfinite(median := np.median(bests)):
                limits[step] = float(objective.sign * median)
        return limits
