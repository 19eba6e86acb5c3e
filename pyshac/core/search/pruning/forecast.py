"""ForecastPruning: a curve continues while a usual gain could still make it good."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import without_float_errors
from pyshac.core.basics.checks import check_int, check_positive
from pyshac.core.basics.results.curve import Curve
from pyshac.core.dataset.curves.curves import Curves
from pyshac.core.dataset.objective import Objective

# Of all gains, so many are smaller than the one that a curve is granted.
GRANTED = 0.9
# The share of the complete curves that one which goes on must be able to reach.
BEST_SHARE = 0.1


@dataclass(frozen=True)
class ForecastPruning:
    """Prunes a curve that would need an unusual gain to end among the best tenth.

    The rule measures what complete curves gained between a step and their ends. A curve is granted
    a gain that nine in ten of them did not exceed. So a step that predicts little prunes little,
    because the gains from it differ widely.

    Attributes:
        grace: The first step at which a curve may be pruned; an int of at least 0.
        min_curves: The number of complete curves that the rule needs; an int of at least 1.

    Raises:
        TypeError: If one of them is not an int.
        ValueError: If one of them is too low.

    Example:
        ```python
        shac.fit(pruning=ForecastPruning(grace=3))
        ```
    """

    grace: int = 1
    min_curves: int = 8

    def __post_init__(self) -> None:
        check_int("grace", self.grace, "an int of at least 0", lambda number: number >= 0)
        check_positive("min_curves", self.min_curves)

    @without_float_errors
    def limits(self, curves: Sequence[Curve], objective: Objective) -> Mapping[int, float]:
        """Returns the worst score with which a curve continues, by step; see `Pruning`."""
        complete = Curves.of(curves).complete()
        if len(complete) < self.min_curves:
            return {}
        ends = np.sort(objective.worst_first(complete.ends))
        target, limits = ends[-math.ceil(BEST_SHARE * len(ends))], {}
        for step in complete.compared_steps(self.grace):
            gains = objective.sign * complete.gains_from(step)
            gains = gains[np.isfinite(gains)]
            if len(gains) >= self.min_curves:
                limits[step] = float(objective.sign * (target - np.quantile(gains, GRANTED)))
        return {step: limit for step, limit in limits.items() if math.isfinite(limit)}
