"""Ranking: how promising samples are, judging by all that was learned so far.

Two rankings judge independently, since they err in different places. Trees capture edges, choices
and irrelevant parameters. A Gaussian process captures smooth scores and its own uncertainty.
"""

from __future__ import annotations

from typing import Protocol

from pyshac.core.basics.arrays import FloatArray


class Ranking(Protocol):
    """An order of samples.

    Attributes:
        num_steps: Number of climbing steps applied to each sample that the ranking chose.
    """

    num_steps: int

    def __call__(self, encoded: FloatArray) -> FloatArray:
        """Returns how promising samples are, shape (n,), for rows of shape (n, columns)."""

    def believing(self, encoded: FloatArray, near: FloatArray) -> Ranking:
        """Returns the ranking under the belief that running samples turn out as expected.

        Args:
            encoded: The running samples, shape (m, columns).
            near: The sample around which the ranking is asked, shape (columns,). Of many running
                samples, only the nearest may count.
        """
