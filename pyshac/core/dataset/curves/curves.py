"""Curves: many curves, stored as columns, with statistics at single steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray, IntArray
from pyshac.core.basics.results.curve import Curve
from pyshac.core.dataset.rows import LazyList

# Number of steps at which curves are compared, at most.
MAX_STEPS = 128


class Curves(LazyList[Curve]):
    """Curves, stored as columns. It behaves like a list and creates each curve on access.

    Args:
        steps: The steps of all curves, one curve after another.
        scores: The scores at these steps, of the same shape.
        lengths: Number of points of each curve, shape (n,).
        are_pruned: Whether each curve was pruned, shape (n,).
    """

    def __init__(
        self, steps: IntArray, scores: FloatArray, lengths: IntArray, are_pruned: BoolArray
    ) -> None:
        self._steps, self._scores = steps, scores
        self._lengths, self._are_pruned = lengths, are_pruned
        self._ends = np.cumsum(lengths, dtype=np.int64)
        self._starts = self._ends - lengths
        # The best score so far at each point, times the sign, by sign.
        self._bests: dict[int, FloatArray] = {}

    @classmethod
    def of(cls, curves: Iterable[Curve]) -> Curves:
        """Returns curves in this form."""
        if isinstance(curves, Curves):
            return curves
        kept = [*curves]
        return cls(
            np.array([step for curve in kept for step in curve.steps], dtype=np.int64),
            np.array([score for curve in kept for score in curve.scores], dtype=np.float64),
            np.array([len(curve.steps) for curve in kept], dtype=np.int64),
            np.array([curve.is_pruned for curve in kept], dtype=bool),
        )

    def __len__(self) -> int:
        return len(self._lengths)

    @overload
    def __getitem__(self, place: int) -> Curve: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Curve]: ...
    def __getitem__(self, place: int | slice) -> Curve | Sequence[Curve]:
        places = range(len(self))[place]
        if isinstance(places, range):
            return [self[each] for each in places]
        part = slice(self._starts[places], self._ends[places])
        steps, scores = self._steps[part].tolist(), self._scores[part].tolist()
        return Curve(tuple(steps), tuple(scores), bool(self._are_pruned[places]))

    def complete(self) -> Curves:
        """Returns the curves that were not pruned."""
        return self.where(~self._are_pruned)

    @property
    def ends(self) -> FloatArray:
        """The last score of each curve, shape (n,)."""
        return self._scores[self._ends - 1]

    def gains_from(self, step: int) -> FloatArray:
        """Returns the last score minus the score at a step, for each curve that reached it."""
        lasts = np.repeat(self.ends, self._lengths)
        return self._at(lasts, step) - self._at(self._scores, step)

    def where(self, are_kept: BoolArray) -> Curves:
        """Returns the selected curves, given a selection of shape (n,)."""
        points = np.repeat(are_kept, self._lengths)
        lengths, are_pruned = self._lengths[are_kept], self._are_pruned[are_kept]
        return Curves(self._steps[points], self._scores[points], lengths, are_pruned)

    @property
    def steps(self) -> IntArray:
        """All steps at which a curve has a point, ascending."""
        return np.unique(self._steps)

    def compared_steps(self, grace: int) -> list[int]:
        """Returns steps for comparing curves, ascending, from a given step to before the last.

        Their number is limited. They are evenly spaced among all steps at which a curve has a
        point.
        """
        steps = self.steps
        steps = steps[(steps >= grace) & (steps < self.last_step)]
        if len(steps) > MAX_STEPS:
            steps = steps[np.linspace(0, len(steps) - 1, MAX_STEPS).round().astype(np.int64)]
        compared: list[int] = steps.tolist()
        return compared

    @property
    def last_step(self) -> int:
        """The last step of all curves; -1 without curves."""
        return int(self._steps.max(initial=-1))

    def values_at(self, step: int) -> FloatArray:
        """Returns the last score at or before a step, for each curve that reached the step."""
        return self._at(self._scores, step)

    def bests_by(self, step: int, sign: int) -> FloatArray:
        """Returns the best score at or before a step, for each curve that reached the step.

        Args:
            step: The step.
            sign: 1 if higher scores are better, -1 if lower scores are.
        """
        if sign not in self._bests:
            parts = np.split(sign * self._scores, self._ends[:-1])
            self._bests[sign] = np.concatenate([np.fmax.accumulate(part) for part in parts])
        return sign * self._at(self._bests[sign], step)

    def _at(self, values: FloatArray, step: int) -> FloatArray:
        if not len(self):
            return values
        counts = np.add.reduceat(self._steps <= step, self._starts, dtype=np.int64)
        seen = (counts > 0) & (self._steps[self._ends - 1] >= step)
        found: FloatArray = values[(self._starts + counts - 1)[seen]]
        return found
