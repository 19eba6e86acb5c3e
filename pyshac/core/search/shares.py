"""Shares: how many samples each ranking chooses, learned from the quality of its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.dataset.objective import Objective

# A sample counts if it is among this share of the best so far; one that is the best, twice more.
BEST_SHARE = 0.25
WORTH_OF_BEST = 2.0
# Factor by which the weight of earlier samples shrinks with each new one.
MEMORY = 0.98
# How sharply shares follow success, and the smallest share.
POWER = 1.5
SMALLEST_SHARE = 0.15


@dataclass
class Shares:
    """How often each ranking has chosen samples, and how often they were good.

    Attributes:
        chosen: Number of samples that each ranking chose, shape (rankings,); recent ones count
            most.
        good: The value of these samples, shape (rankings,).
    """

    chosen: list[float] = field(default_factory=list)
    good: list[float] = field(default_factory=list)

    def of(self, num_rankings: int) -> FloatArray:
        """Returns the share of each ranking, shape (num_rankings,); they sum to 1."""
        # A save directory may have more, such as one of a later version.
        chosen, good = (numbers[:num_rankings] for numbers in self._padded(num_rankings))
        shares = ((good + 1) / (chosen + 2)) ** POWER
        shares = np.maximum(shares / shares.sum(), SMALLEST_SHARE)
        return shares / shares.sum()

    def learn(
        self, chosen_by: Sequence[int], before: FloatArray, new: FloatArray, objective: Objective
    ) -> Shares:
        """Returns the shares after a batch.

        Args:
            chosen_by: Number of the ranking that chose each sample of the batch. Samples that no
                ranking chose come last and are left out.
            before: Scores of all samples before the batch, shape (n,); NaN if failed.
            new: Scores of the batch, shape (m,).
            objective: Which scores are better.
        """
        best = objective.worst_first(before).max(initial=-np.inf)
        values = objective.worst_first(np.concatenate([before, new]))
        chosen, good = self._padded(max(chosen_by, default=-1) + 1)
        for ranking, value in zip(chosen_by, objective.worst_first(new), strict=False):
            chosen, good = chosen * MEMORY, good * MEMORY
            chosen[ranking] += 1
            good[ranking] += np.mean(values < value) >= 1 - BEST_SHARE
            good[ranking] += WORTH_OF_BEST * (value > best)
        return Shares(chosen.tolist(), good.tolist())

    def _padded(self, number: int) -> tuple[FloatArray, FloatArray]:
        missing = [0.0] * max(number - len(self.chosen), 0)
        return np.array([*self.chosen, *missing]), np.array([*self.good, *missing])
