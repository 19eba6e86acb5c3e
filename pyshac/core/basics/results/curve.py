"""Curve: the scores that an evaluation reported while it ran."""

from __future__ import annotations

import bisect
import math
import operator
from dataclasses import dataclass

from pyshac.core.basics.messages.error_text import short_repr

# Points of a curve that are kept.
MAX_POINTS = 10_000
# Steps take at most 64 bits.
STEP_LIMIT = 2**63

# A step, and the worst score with which a curve goes on there.
Limit = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """The scores that an evaluation reported while it ran.

    Attributes:
        steps: The steps of the reports, strictly ascending, from 0.
        scores: The score at each step; NaN if it was not finite.
        is_pruned: Whether the evaluation was pruned after the last report.

    Raises:
        TypeError: If a step is not an int, or a score is not a float.
        ValueError: If there are no steps or too many, they do not ascend, or the number of scores
            differs.
    """

    steps: tuple[int, ...]
    scores: tuple[float, ...]
    is_pruned: bool = False

    def __post_init__(self) -> None:
        for name, values, kind in (("steps", self.steps, int), ("scores", self.scores, float)):
            if type(values) is not tuple or not {*map(type, values)} <= {kind}:
                raise TypeError(
                    f"{name} must be a tuple of {kind.__name__}s. Got {short_repr(values)} instead."
                )
        if not 0 < len(self.steps) <= MAX_POINTS or len(self.scores) != len(self.steps):
            raise ValueError(
                f"A curve must have 1 to {MAX_POINTS} steps, and as many scores. "
                f"Got {len(self.steps)} and {len(self.scores)} instead."
            )
        ascend = all(map(operator.lt, self.steps, self.steps[1:]))
        if not ascend or self.steps[0] < 0 or self.last_step >= STEP_LIMIT:
            raise ValueError(
                "steps must ascend strictly, from 0 on and to 2**63 - 1 at most. "
                f"Got {short_repr(self.steps)} instead."
            )

    @property
    def last_step(self) -> int:
        """The last step."""
        return self.steps[-1]

    def value_at(self, step: int) -> float | None:
        """Returns the last score at or before a step; None before the first report."""
        count = bisect.bisect_right(self.steps, step)
        return self.scores[count - 1] if count else None

    def best_by(self, step: int, sign: int) -> float | None:
        """Returns the best score at or before a step.

        Args:
            step: The step.
            sign: 1 if higher scores are better, -1 if lower ones are.

        Returns:
            The score; NaN if none is finite, None before the first report.
        """
        count = bisect.bisect_right(self.steps, step)
        known = [score for score in self.scores[:count] if not math.isnan(score)]
        if not known:
            return math.nan if count else None
        return max(known) if sign > 0 else min(known)
