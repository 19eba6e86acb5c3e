"""Proposals: draws from the prior, or from the prior restricted to a cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.cover import Cover

# Numbers in a block: enough to keep XGBoost busy, few enough for caches and memory.
MAX_BLOCK_NUMBERS = 2**19
MAX_BLOCK_ROWS = 2**16
# A user's own types are drawn, and functions that are constraints asked, one by one in Python.
MAX_SCALAR_ROWS = 2**12


@dataclass(frozen=True)
class Proposals:
    """A source of proposals: the prior, or the prior restricted to a cover.

    Attributes:
        space: The search space.
        cover: The cover; None for the prior itself.
    """

    space: HyperParameterList
    cover: Cover | None = None

    @property
    def volume(self) -> float:
        """The prior probability of the region that proposals come from; 0 if it is empty."""
        return 1.0 if self.cover is None else self.cover.volume

    def accepted(
        self, cascade: Cascade, n: int, stream: np.random.SeedSequence, forgiven: int = 0
    ) -> FloatArray:
        """Draws n proposals and returns those that constraints and cascade accept, in order."""
        with np.errstate(all="ignore"):
            if self.cover is None:
                rows = self.space.draw(n, stream)
            else:
                rows = self.cover.draw(n, self.space, stream)
            return rows[accepts(self.space, cascade, rows, forgiven)]

    @property
    def largest_block(self) -> int:
        """The largest number of proposals in a block."""
        if not self.space.is_vectorised or (self.space.has_slow_constraints and not self.cover):
            return MAX_SCALAR_ROWS
        return max(1, min(MAX_BLOCK_ROWS, MAX_BLOCK_NUMBERS // self.space.num_columns))


def accepts(
    space: HyperParameterList, cascade: Cascade, rows: FloatArray, forgiven: int = 0
) -> BoolArray:
    """Returns which rows obey the constraints and at most `forgiven` classifiers reject.

    Functions, which are slow, are asked last.

    Args:
        space: The search space.
        cascade: The classifiers.
        rows: Encoded samples, shape (n, columns).
        forgiven: Number of classifiers' rejections that are overlooked.
    """
    if not space.constraints:
        return cascade.accepts(rows, forgiven)
    accepted = space.obeys_relations(rows)
    for accept in (lambda some: cascade.accepts(some, forgiven), space.obeys_functions):
        if accepted.any():
            accepted[accepted] = accept(rows[accepted])
    return accepted
