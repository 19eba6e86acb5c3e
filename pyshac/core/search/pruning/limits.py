"""Limits: applies a pruning rule to the evaluations of a search so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import without_float_errors
from pyshac.core.basics.checks import check_int, check_score
from pyshac.core.basics.results.curve import STEP_LIMIT, Limit
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.objective import Objective
from pyshac.core.search.batch import MAX_LIMITS
from pyshac.core.search.pruning.rule import Pruning


@without_float_errors
def limits_of(
    pruning: Pruning | None, dataset: Dataset, count: int, objective: Objective
) -> list[Limit] | None:
    """Returns the limits for evaluations that are drawn now, by ascending steps.

    Pruning never stops a curve that would be the best of the search, or one at the last step.

    Args:
        pruning: The rule; None for no pruning.
        dataset: The samples of the search.
        count: Number of the first sample that does not count.
        objective: Which scores are better.

    Returns:
        None without pruning.

    Raises:
        TypeError: If the rule does not return a mapping from steps to numbers.
        ValueError: If it returns a step that is not allowed, or too many.
    """
    if pruning is None:
        return None
    stop = int(np.searchsorted(np.array(dataset.ids, dtype=np.int64), count))
    scores, table = dataset.scores[:stop], dataset.details.curves
    curves = table.curves(~np.isnan(scores) | table.are_pruned[:stop])
    best = objective.best(scores)
    if best is None or not len(curves):
        return []
    sign, limits = objective.sign, _checked(pruning, pruning.limits(curves, objective))
    return sorted(
        (step, sign * min(sign * limit, sign * float(scores[best])))
        for step, limit in limits.items()
        if step < curves.last_step
    )


def _checked(pruning: Pruning, limits: Any) -> dict[int, float]:
    """Returns the result of a rule as a dict without NaN."""
    what = f"{pruning!r}.limits()"
    if not isinstance(limits, Mapping):
        raise TypeError(f"{what} must return a mapping of steps to scores. Got {limits!r} instead.")
    if len(limits) > MAX_LIMITS:
        raise ValueError(
            f"{what} must return at most {MAX_LIMITS} limits. Got {len(limits)} instead."
        )
    allowed = "an int from 0 to 2**63 - 1"
    checked = {
        check_int(f"A step of {what}", step, allowed, lambda number: 0 <= number < STEP_LIMIT):
            check_score(limit, f"a step of {what}")
        for step, limit in limits.items()
    }  # fmt: skip
    return {step: limit for step, limit in checked.items() if not np.isnan(limit)}
