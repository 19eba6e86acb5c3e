"""Climbing: local search for the sample that a ranking prefers, inside the accepted region.

The most promising of a few dozen draws is still far from the local optimum, and the distance grows
with the number of columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.selection.neighbours import Neighbours

# Number of neighbours that are checked at once.
NUM_CHECKED = 16


@dataclass(frozen=True)
class Climber:
    """Improves samples by local search.

    Attributes:
        neighbours: Draws the neighbours of a sample.
        generator: The generator that draws.
    """

    neighbours: Neighbours
    generator: np.random.Generator

    def climb(
        self,
        start: FloatArray,
        others: FloatArray,
        rank: Callable[[FloatArray], FloatArray],
        num_steps: int,
        is_allowed: Callable[[FloatArray], BoolArray],
    ) -> FloatArray:
        """Moves a sample to its best neighbour repeatedly.

        Args:
            start: An encoded sample, shape (columns,).
            others: Encoded samples from which neighbours take values, shape (n, columns).
            rank: Returns how promising samples are, shape (m,) for shape (m, columns).
            num_steps: Maximum number of steps.
            is_allowed: Returns which samples may be chosen, shape (m,) for shape (m, columns).

        Returns:
            An encoded sample, shape (columns,); `start` if no sample is better.
        """
        best = start
        for _ in range(num_steps):
            rows = self.neighbours(best, others, self.generator)
            ranks = rank(np.concatenate([best[None], rows]))
            better = 1 + np.flatnonzero(ranks[1:] > ranks[0])
            better = better[np.argsort(-ranks[better], kind="stable")]
            allowed = _first_allowed(rows[better - 1], is_allowed)
            if allowed is None:
                break
            best = allowed
        return best


def _first_allowed(
    rows: FloatArray, is_allowed: Callable[[FloatArray], BoolArray]
) -> FloatArray | None:
    """Returns the first row that is allowed, shape (columns,); None if none is."""
    for start in range(0, len(rows), NUM_CHECKED):
        block = rows[start : start + NUM_CHECKED]
        allowed = block[is_allowed(block)]
        if len(allowed):
            return np.asarray(allowed[0])
    return None
