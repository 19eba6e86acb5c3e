"""Objective: which scores are better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Objective:
    """Which scores are better. Scores have shape (n,); NaN means a failed sample.

    Attributes:
        name: 'max' or 'min'.
        sign: 1 if higher scores are better, -1 if lower scores are.
    """

    name: str
    sign: int

    @property
    def text(self) -> str:
        """The objective in words."""
        return "higher is better" if self.sign > 0 else "lower is better"

    def worst_first(self, scores: FloatArray) -> FloatArray:
        """Returns numbers that are higher for better scores; -inf for failed samples."""
        return np.where(np.isnan(scores), -np.inf, self.sign * scores)

    def better_half(self, scores: FloatArray) -> BoolArray:
        """Returns which scores are strictly better than the median of all scores except NaN."""
        known = scores[~np.isnan(scores)]
        if not len(known):
            return np.zeros(len(scores), dtype=bool)
        return self.sign * scores > self.sign * np.median(known)

    def among_best(self, scores: FloatArray, number: int) -> BoolArray:
        """Returns which scores are among the best `number`, or equal to the last of them.

        Args:
            scores: Shape (n,).
            number: At most the number of scores that are not NaN.
        """
        values = self.worst_first(scores)
        return values >= np.sort(values)[-number]

    def better(self, first: float, second: float) -> float:
        """Returns the better of two scores, neither of which is NaN."""
        return max(first, second) if self.sign > 0 else min(first, second)

    def best(self, scores: FloatArray) -> int | None:
        """Returns the index of the first best score; None if there is no score."""
        if np.isnan(scores).all():
            return None
        return int(np.nanargmax(self.sign * scores))

    def best_first(self, scores: FloatArray) -> IntArray:
        """Returns the indices of all scores except NaN, best first; equal ones keep their order."""
        places = np.flatnonzero(~np.isnan(scores))
        order: IntArray = places[np.argsort(-self.sign * scores[places], kind="stable")]
        return order

    def best_so_far(self, scores: FloatArray) -> FloatArray:
        """Returns the best of the first n scores for each n, NaN before the first one."""
        return self.sign * np.fmax.accumulate(self.sign * scores)


MAX = Objective("max", 1)
MIN = Objective("min", -1)
OBJECTIVES = {objective.name: objective for objective in (MAX, MIN)}


def get_objective(name: Any) -> Objective:
    """Returns the objective with a name; raises `ValueError` if the name is unknown."""
    if not isinstance(name, str) or name not in OBJECTIVES:
        raise ValueError(f"objective must be 'max' or 'min'. Got {name!r} instead.")
    return OBJECTIVES[name]
