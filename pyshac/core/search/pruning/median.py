"""MedianPruning: stops curves that are worse than the median of the others."""

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
    """Stops a curve whose score is worse than the median of the other curves at the same step.

    The other curves count with their best scores up to that step.

    Example:
        ```python
        rule = pyshac.MedianPruning(grace=3, min_curves=5)
        shac = pyshac.SHAC(evaluate, [pyshac.UniformHP("x", -5, 5)], 100, 10)
        shac.fit(pruning=rule)
        ```

    Attributes:
        grace: The first step at which a curve may be stopped; an int from 0 on.
        min_curves: Number of curves that must have reached a step; an int from 1 on.

    Raises:
        TypeError: If one of them is not an int.
        ValueError: If one of them is too low.

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
        """Returns the worst score with which a curve continues, by step; see `Pruning`."""
        known, limits = Curves.of(curves), {}
        for step in known.compared_steps(self.grace):
            bests = objective.worst_first(known.bests_by(step, objective.sign))
            if len(bests) >= self.min_curves and np.isfinite(median := np.median(bests)):
                limits[step] = float(objective.sign * median)
        return limits
