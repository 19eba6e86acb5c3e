"""Ranking: how promising samples are, given everything learned so far.

Rankings judge independently, since they err in different places. Trees capture edges, choices and
irrelevant parameters. A Gaussian process captures smooth scores and its own uncertainty.
"""

from __future__ import annotations

from typing import Protocol

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.selection.surrogate import Surrogate


class Ranking(Protocol):
    """An order of samples."""

    @property
    def num_steps(self) -> int:
        """Number of climbing steps for each sample that the ranking chooses."""

    def __call__(self, encoded: FloatArray, surrogate: Surrogate) -> FloatArray:
        """Returns how promising samples are, shape (n,).

        Args:
            encoded: Samples, shape (n, columns).
            surrogate: The Gaussian process, which takes running samples into account.
        """
