"""Branches: values of choices that determine which parameters are active.

Samples of one branch reveal little about another. So a search that follows only its rankings stays
in the branch that looks best after a few samples. Each branch therefore receives some samples in
any case. Their number grows with the square root of all samples, like that of forced exploration in
Garivier and Kaufmann, arXiv 1602.04589, section 3.
"""

from __future__ import annotations

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters import HyperParameterList

# What the root of the number of samples is multiplied by, and the largest share of all samples that
# the branches of a choice are given together.
FACTOR = 1.5
LARGEST_SHARE = 0.7

# A column, and the encoded value that it must have.
Branch = tuple[int, float]


class Branches:
    """The values of unordered choices on which other parameters depend.

    Args:
        space: The search space.
    """

    def __init__(self, space: HyperParameterList) -> None:
        hierarchy, kinds = space.hierarchy, space.column_kinds
        parents = {rule.column for n in hierarchy.conditional_blocks for rule in hierarchy.rules[n]}
        self._columns = [column for column in sorted(parents) if space.is_choice[column]]
        self._values = [kinds[column].all_values() for column in self._columns]

    def due(self, rows: FloatArray, n: int) -> list[Branch | None]:
        """Returns the branch that each of the next samples must be in; None if any will do.

        Args:
            rows: Encoded samples so far, shape (m, columns).
            n: Number of samples.
        """
        missing: list[tuple[float, Branch]] = []
        for column, values in zip(self._columns, self._values, strict=True):
            counts = np.count_nonzero(rows[:, [column]] == values, axis=0)
            # Where the choice itself is inactive, nothing is due.
            total = int(counts.sum()) + n
            floor = min(FACTOR * total**0.5, LARGEST_SHARE * total / len(values))
            for value, count in zip(values.tolist(), counts.tolist(), strict=True):
                lacks = range(count, int(floor))
                missing += [(floor - each, (column, value)) for each in lacks]
        missing.sort(reverse=True)
        due = [branch for _, branch in missing[:n]]
        return [*due, *[None] * (n - len(due))]


def in_branch(rows: FloatArray, branch: Branch | None) -> BoolArray:
    """Returns which rows are in a branch, shape (n,), for rows of shape (n, columns)."""
    if branch is None:
        return np.ones(len(rows), dtype=bool)
    return np.asarray(rows[:, branch[0]] == branch[1])
