"""Pruning: the interface of rules, and the rules by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from pyshac.core.basics.results.curve import Curve
from pyshac.core.dataset.objective import Objective
from pyshac.core.search.pruning.forecast import ForecastPruning
from pyshac.core.search.pruning.halving import HalvingPruning
from pyshac.core.search.pruning.median import MedianPruning


class Pruning(Protocol):
    """A rule that learns from the curves of ended evaluations which further ones are hopeless."""

    def limits(self, curves: Sequence[Curve], objective: Objective) -> Mapping[int, float]:
        """Returns the worst score with which a curve continues, by step; other steps have no limit.

        Two corrections apply to every rule. A limit is never stricter than the best final score,
        and limits from the last step of all curves on are ignored.

        Args:
            curves: The curves of the evaluations that have a score or were pruned, in their order.
                Evaluations without a report are left out.
            objective: Which scores are better.
        """


RULES: dict[str, Callable[[], Pruning]] = {
    "halving": HalvingPruning,
    "median": MedianPruning,
    "forecast": ForecastPruning,
}


def get_pruning(pruning: Any) -> Pruning | None:
    """Returns the rule with a name. A custom rule and None (no pruning) are returned unchanged.

    Raises:
        TypeError: If the argument is something else.
        ValueError: If no rule has the name.
    """
    allowed = f"None, one of {list(RULES)!r}, or a rule such as HalvingPruning(eta=4)"
    if isinstance(pruning, str):
        if pruning not in RULES:
            raise ValueError(f"pruning must be {allowed}. Got {pruning!r} instead.")
        return RULES[pruning]()
    if pruning is None:
        return None
    if isinstance(pruning, type) or not callable(getattr(pruning, "limits", None)):
        raise TypeError(
            f"pruning must be {allowed}: an object with a method limits(curves, objective). "
            f"Got {pruning!r} instead."
        )
    rule: Pruning = pruning
    return rule
