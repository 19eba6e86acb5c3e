"""Pruning: the interface of pruning rules, and the rules by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from pyshac.core.basics.results.curve import Curve
from pyshac.core.dataset.objective import Objective
from pyshac.core.search.pruning.forecast import ForecastPruning
from pyshac.core.search.pruning.halving import HalvingPruning
from pyshac.core.search.pruning.median import MedianPruning


class Pruning(Protocol):
    """The interface of a rule that decides from earlier curves which later ones are hopeless.

    Example:
        ```python
        class AboveChance:
            def limits(self, curves, objective):
                return {5: 0.5}  # at step 5, a curve needs a score of 0.5

        shac.fit(pruning=AboveChance())
        ```
    """

    def limits(self, curves: Sequence[Curve], objective: Objective) -> Mapping[int, float]:
        """Returns the worst score with which a curve continues, by step. Other steps have no limit.

        The engine relaxes a limit that is stricter than the best final score. It ignores limits at
        or after the last step of all curves.

        Args:
            curves: The curves of evaluations with a score and of pruned ones, in order. Evaluations
                without a report are left out.
            objective: Which scores are better.

        Returns:
            A mapping from steps to scores.
        """


RULES: dict[str, Callable[[], Pruning]] = {
    "halving": HalvingPruning,
    "median": MedianPruning,
    "forecast": ForecastPruning,
}


def get_pruning(pruning: Any) -> Pruning | None:
    """Returns the rule with a name, a user's rule unchanged, or None for no pruning.

    Raises:
        TypeError: If it is something else.
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
