"""The results of trials as a search learns from them."""

from __future__ import annotations

import math

from optuna.trial import FrozenTrial, TrialState

from pyshac.core.basics.results.curve import MAX_POINTS, Curve
from pyshac.core.basics.results.details import Details


def score_of(trial: FrozenTrial) -> float:
    """Returns the score of a trial that has ended; NaN if it failed or was pruned.

    An infinite value counts as failed, as one of an evaluation does.
    """
    value = trial.value if trial.state == TrialState.COMPLETE else None
    return value if value is not None and math.isfinite(value) else math.nan


def details_of(trial: FrozenTrial) -> Details:
    """Returns the curve of a trial that has ended: its intermediate values."""
    # Steps below 0, which Optuna allows, are none of a curve.
    points = sorted(item for item in trial.intermediate_values.items() if item[0] >= 0)
    if not points:
        return Details()
    points = points[-MAX_POINTS:]
    scores = tuple(float(score) if math.isfinite(score) else math.nan for _, score in points)
    is_pruned = trial.state == TrialState.PRUNED
    return Details(curve=Curve(tuple(int(step) for step, _ in points), scores, is_pruned))
