"""Ranking: how promising samples are, going by all that was learned so far.

Two rankings judge independently, since each is wrong elsewhere: trees know edges, choices and what
does not matter; a Gaussian process knows that scores change gently, and where little is known.
"""

from __future__ import annotations

from typing import Protocol

from pyshac.core.basics.arrays import FloatArray


class Ranking(Protocol):
    """Says how promising samples are.

    Attributes:
        num_steps: In how many steps samples are to be improved; 0 where steps lead nowhere.
    """

    num_steps: int

    def __call__(self, encoded: FloatArray) -> FloatArray:
        """Returns how promising samples are, shape (n,), for rows of shape (n, columns)."""

    def believing(self, encoded: FloatArray) -> Ranking:
        """Returns the ranking as it would be if samples, shape (m, columns), had their scores.

        These are being evaluated, and taken to turn out as expected.
        """
