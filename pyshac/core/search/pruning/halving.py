"""HalvingPruning: keeps only the best curves at a few steps with growing distances."""

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


@dataclass(frozen=True)
class HalvingPruning:
    """Keeps the best curves at the steps grace, grace * eta, grace * eta**2 and so on.

    At each of these steps, a curve must be among the best `1 / eta` of the earlier curves that
    reached it. This is asynchronous successive halving: evaluations do not wait for each other.

    Example:
        ```python
        rule = pyshac.HalvingPruning(eta=2, grace=3)
        shac = pyshac.SHAC(evaluate, [pyshac.UniformHP("x", -5, 5)], 100, 10)
        shac.fit(pruning=rule)
        ```

    Attributes:
        eta: One in `eta` curves continues; also the ratio of two consecutive steps. An int from 2
            on.
        grace: The first step at which a curve may be stopped; an int from 1 on.

    Raises:
        TypeError: If one of them is not an int.
        ValueError: If one of them is too low.

    References:
        Li et al.: A System for Massively Parallel Hyperparameter Tuning,
        https://arxiv.org/abs/1810.05934
    """

    eta: int = 3
    grace: int = 1

    def __post_init__(self) -> None:
        check_int("eta", self.eta, "an int of at least 2", lambda number: number >= 2)
        check_positive("grace", self.grace)

    @without_float_errors
    def limits(self, curves: Sequence[Curve], objective: Objective) -> Mapping[int, float]:
        """Returns the worst score with which a curve continues, by step; see `Pruning`."""
        known, limits, step = Curves.of(curves), {}, self.grace
        while step < known.last_step:
            values = np.sort(objective.worst_first(known.values_at(step)))
            if len(values) >= self.eta:
                limit = values[-math.ceil(len(values) / self.eta)]
                if np.isfinite(limit):
                    limits[step] = float(objective.sign * limit)
            step *= self.eta
        return limits
