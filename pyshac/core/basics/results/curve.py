"""Curve: the scores that an evaluation has reported on its way to the final one."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

# Points of a curve that are kept.
MAX_POINTS = 10_000
# Steps take at most 64 bits.
STEP_LIMIT = 2**63

# A step, and the worst score with which a curve goes on there.
Limit = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """The scores that an evaluation has reported on its way to the final one.

    Attributes:
        steps: The steps at which it reported, strictly ascending, from 0 on.
        scores: The score at each step; NaN if it was not finite.
        is_pruned: Whether the evaluation was given up after the last of them.
    """

    steps: tuple[int, ...]
    scores: tuple[float, ...]
    is_pruned: bool = False

    @property
    def last_step(self) -> int:
        """The last step; -1 without any."""
        return self.steps[-1] if self.steps else -1

    def value_at(self, step: int) -> float | None:
        """Returns the last score at or before a step; None before the first report."""
        count = bisect.bisect_right(self.steps, step)
        return self.scores[count - 1] if count else None

    def best_by(self, step: int, sign: int) -> float | None:
        """Returns the best score at or before a step; NaN if none is finite.

        Args:
            step: The step.
            sign: 1 if higher scores are better, -1 if lower ones are.

        Returns:
            None before the first report.
        """
        count = bisect.bisect_right(self.steps, step)
        known = [score for score in self.scores[:count] if not math.isnan(score)]
        if not known:
            return math.nan if count else None
        return max(known) if sign > 0 else min(known)
