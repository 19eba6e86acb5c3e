"""Climbing: local search for the sample that a ranking prefers, inside the accepted region.

The most promising of a few dozen draws is still far from the local optimum, and the distance grows
with the number of columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.selection.ranking import Ranking

# Number of neighbours that are ranked before each step.
NUM_NEIGHBOURS = 128
# A neighbour differs in one column, in this share of them, or in any number between.
LARGEST_SHARE = 0.5
# Range of the standard deviation of a difference on the unit interval.
STEP_SIZES = (0.001, 0.3)


@dataclass(frozen=True)
class Climber:
    """Improves samples by local search.

    Attributes:
        space: The search space.
        generator: Generator of the neighbours.
    """

    space: HyperParameterList
    generator: np.random.Generator

    def climb(
        self,
        start: FloatArray,
        others: FloatArray,
        ranking: Ranking,
        is_allowed: Callable[[FloatArray], BoolArray],
    ) -> FloatArray:
        """Moves a sample to its best neighbour, for as many steps as the ranking asks for.

        Args:
            start: An encoded sample, shape (columns,).
            others: Encoded samples from which neighbours take values, shape (n, columns).
            ranking: The order of samples.
            is_allowed: Returns which samples may be chosen, shape (m,) for shape (m, columns).

        Returns:
            An encoded sample, shape (columns,); `start` if there is no better one.
        """
        best = start
        for _ in range(ranking.num_steps):
            rows = self.neighbours(best, others)
            ranks = ranking(np.concatenate([best[None], rows]))
            better = np.flatnonzero(ranks[1:] > ranks[0])
            better = better[is_allowed(rows[better])]
            if not len(better):
                break
            best = rows[better[np.argmax(ranks[1:][better])]]
        return best

    def neighbours(self, row: FloatArray, others: FloatArray) -> FloatArray:
        """Returns samples that differ from a given one in some columns.

        There, half of them take the values of another sample, and the others slightly larger or
        smaller values. Choices and a user's own types always take values of other samples.

        Args:
            row: Encoded sample, shape (columns,).
            others: Encoded samples, shape (n, columns).

        Returns:
            Shape (NUM_NEIGHBOURS, columns).
        """
        differs = self._columns_that_differ(len(row))
        theirs = others[self.generator.integers(len(others), size=NUM_NEIGHBOURS)]
        has_steps = self.space.maps_to_unit & ~self.space.is_choice
        is_step = has_steps & (self.generator.random((NUM_NEIGHBOURS, 1)) < 0.5)
        values = np.where(is_step, self._steps(row), theirs)
        return np.where(differs, values, row)

    def _columns_that_differ(self, num_columns: int) -> BoolArray:
        """Returns where neighbours differ, shape (NUM_NEIGHBOURS, columns)."""
        shares = self._log_uniform(1 / num_columns, max(LARGEST_SHARE, 1 / num_columns))
        differs = self.generator.random((NUM_NEIGHBOURS, num_columns)) < shares
        one = self.generator.integers(num_columns, size=NUM_NEIGHBOURS)
        differs[np.arange(NUM_NEIGHBOURS), one] = True
        return differs

    def _steps(self, row: FloatArray) -> FloatArray:
        """Returns samples that differ by a step in all columns, shape (NUM_NEIGHBOURS, columns)."""
        noise = self.generator.standard_normal((NUM_NEIGHBOURS, len(row)))
        unit = self.space.to_unit_where_possible(row[None]) + noise * self._log_uniform(*STEP_SIZES)
        # Reflected at the ends of the unit interval, which excludes 1.
        unit = np.abs((unit + 1) % 2 - 1)
        return self.space.from_unit_where_possible(np.minimum(unit, np.nextafter(1, 0)))

    def _log_uniform(self, low: float, high: float) -> FloatArray:
        """Returns log-uniform numbers from an interval, shape (NUM_NEIGHBOURS, 1)."""
        return np.exp(self.generator.uniform(np.log(low), np.log(high), (NUM_NEIGHBOURS, 1)))
