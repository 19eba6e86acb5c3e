"""Proposals: draws from the prior, or from the prior restricted to a cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.cover import Cover

# Numbers in a block: large enough that XGBoost is busy, small enough for caches and memory.
MAX_BLOCK_NUMBERS = 2**19
MAX_BLOCK_ROWS = 2**16
# A user's own types are drawn one by one in Python.
MAX_SCALAR_ROWS = 2**12


@dataclass(frozen=True)
class Proposals:
    """Where proposals come from: the prior, or the prior restricted to a cover.

    Attributes:
        space: The search space.
        cover: The cover; None for the prior itself.
    """

    space: HyperParameterList
    cover: Cover | None = None

    @property
    def volume(self) -> float:
        """The prior probability of what is proposed."""
        return 1.0 if self.cover is None else self.cover.volume

    def draw(self, n: int, stream: np.random.SeedSequence) -> FloatArray:
        """Draws n proposals, shape (n, columns)."""
        if self.cover is None:
            return self.space.draw(n, stream)
        return self.cover.draw(n, self.space, stream)

    def accepted(
        self, cascade: Cascade, n: int, stream: np.random.SeedSequence, forgiven: int = 0
    ) -> FloatArray:
        """Draws n proposals and returns those that the cascade accepts, in order."""
        rows = self.draw(n, stream)
        return rows[cascade.accepts(rows, forgiven)]

    @property
    def largest_block(self) -> int:
        """The largest number of proposals that are drawn at once."""
        if not self.space.is_vectorised:
            return MAX_SCALAR_ROWS
        return max(1, min(MAX_BLOCK_ROWS, MAX_BLOCK_NUMBERS // self.space.num_columns))
