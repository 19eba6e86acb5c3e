"""Cover: boxes of the unit cube that contain the accepted region.

On the unit cube the prior is uniform, so the prior probability of a box is its volume. Proposals
drawn from the boxes, in proportion to their volumes, are draws from the prior restricted to them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray, IntArray
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.unit_map import GRID


@dataclass(frozen=True)
class Cover:
    """Disjoint boxes of the unit cube that contain every point that a cascade accepts.

    The first margins are those of constraints, if there are any, which are never overlooked.

    Attributes:
        low: Lower corners, shape (boxes, columns).
        high: Upper corners, exclusive, shape (boxes, columns).
        lower: Lower bounds of the margins of constraints and classifiers, shape (boxes, margins).
        upper: Upper bounds of these margins, shape (boxes, margins).
        forgiven: Number of classifiers' rejections that are overlooked.
        num_constraints: Number of margins of constraints.
    """

    low: FloatArray
    high: FloatArray
    lower: FloatArray
    upper: FloatArray
    forgiven: int = 0
    num_constraints: int = 0

    @classmethod
    def everything(cls, num_columns: int, forgiven: int = 0) -> Cover:
        """Returns the cover of no classifiers: the whole cube."""
        corner, none = np.zeros((1, num_columns)), np.empty((1, 0))
        return cls(corner, corner + 1.0, none, none, forgiven)

    def __len__(self) -> int:
        return len(self.low)

    @property
    def volumes(self) -> FloatArray:
        """The boxes' prior probabilities, shape (boxes,)."""
        return np.prod(self.high - self.low, axis=1)

    @property
    def volume(self) -> float:
        """The prior probability of the cover."""
        return min(float(self.volumes.sum()), 1.0)

    @property
    def is_undecided(self) -> BoolArray:
        """Which boxes may contain both accepted and rejected points, shape (boxes,)."""
        return self._breaks(self.lower)

    @property
    def is_rejected(self) -> BoolArray:
        """Which boxes certainly contain no accepted point, shape (boxes,)."""
        return self._breaks(self.upper)

    def _breaks(self, margins: FloatArray) -> BoolArray:
        """Returns which boxes are rejected if their margins are the given ones, shape (boxes,)."""
        constraints, classifiers = np.split(margins <= 0, [self.num_constraints], axis=1)
        is_rejected: BoolArray = classifiers.sum(axis=1) > self.forgiven
        return is_rejected | constraints.any(axis=1)

    def select(self, boxes: BoolArray | IntArray) -> Cover:
        """Returns the cover of some of the boxes."""
        return replace(
            self,
            low=self.low[boxes],
            high=self.high[boxes],
            lower=self.lower[boxes],
            upper=self.upper[boxes],
        )

    def without_rejected(self) -> Cover:
        """Returns the cover without the boxes that are certainly rejected."""
        return self.select(~self.is_rejected)

    def join(self, other: Cover) -> Cover:
        """Returns the union of two covers, which must be disjoint."""
        return replace(
            self,
            low=np.concatenate([self.low, other.low]),
            high=np.concatenate([self.high, other.high]),
            lower=np.concatenate([self.lower, other.lower]),
            upper=np.concatenate([self.upper, other.upper]),
        )

    def bounded(self, lower: FloatArray, upper: FloatArray) -> Cover:
        """Returns the cover with bounds of one more margin, each of shape (boxes,)."""
        return replace(
            self,
            lower=np.column_stack([self.lower, lower]),
            upper=np.column_stack([self.upper, upper]),
        )

    def without_bounds(self) -> Cover:
        """Returns a cover that can be drawn from, but not refined; it takes less memory."""
        none = np.empty((len(self), 0))
        return Cover(self.low, self.high, none, none, self.forgiven)

    def draw(self, n: int, space: HyperParameterList, stream: np.random.SeedSequence) -> FloatArray:
        """Draws rows from the prior, conditioned on lying in the cover.

        Args:
            n: Number of rows.
            space: The search space.
            stream: The random stream to draw from.

        Returns:
            Encoded rows, shape (n, columns).
        """
        return space.encode_unit(self._draw_unit(n, stream), stream)

    def draw_complete(
        self, n: int, space: HyperParameterList, stream: np.random.SeedSequence
    ) -> FloatArray:
        """Draws as `draw` does, but a value for inactive parameters, too."""
        return space.encode_complete(self._draw_unit(n, stream), stream)

    def _draw_unit(self, n: int, stream: np.random.SeedSequence) -> FloatArray:
        """Draws rows of the unit cube, shape (n, columns)."""
        random = np.random.default_rng(stream)
        edges = np.cumsum(self.volumes)
        box = np.searchsorted(edges, random.random(n) * edges[-1], side="right")
        box = np.minimum(box, len(self) - 1)
        low, width = self.low[box], self.high[box] - self.low[box]
        steps = np.floor(random.random(low.shape) * (width / GRID))
        unit: FloatArray = low + np.minimum(steps, width / GRID - 1) * GRID
        return unit
