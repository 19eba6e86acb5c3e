"""ForecastPruning: stops curves that a usual gain cannot make good."""

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
    """Stops a curve that needs an unusually large gain to end among the best tenth.

    The gains of complete curves from a step to their ends show what a curve may still gain from
    there. The rule grants the 90th percentile of these gains. If gains from a step differ widely,
    the step predicts little, and few curves are stopped there.

    Example:
        ```python
        rule = pyshac.ForecastPruning(grace=3, min_curves=10)
        shac = pyshac.SHAC(evaluate, [pyshac.UniformHP("x", -5, 5)], 100, 10)
        shac.fit(pruning=rule)
        ```

    Attributes:
        grace: The first step at which a curve may be stopped; an int from 0 on.
        min_curves: Number of complete curves that the rule needs; an int from 1 on.

    Raises:
        TypeError: If one of them is not an int.
        ValueError: If one of them is too low.
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
