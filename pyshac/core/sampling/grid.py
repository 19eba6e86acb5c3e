"""Grid: all points of a small finite search space."""

from __future__ import annotations

import math

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters import HyperParameterList

MAX_POINTS = 50_000
MAX_SLOW_POINTS = 5_000


class Grid:
    """All points of a finite search space that obey its constraints.

    Args:
        space: The search space; see `grid_of`.

    Attributes:
        points: Encoded points, shape (points, columns).
    """

    def __init__(self, space: HyperParameterList) -> None:
        values, shares = [], []
        for column, kind in enumerate(space.column_kinds):
            values.append(kind.all_values())
            ends = np.append(space.column_to_unit(column, values[-1]), 1.0)
            shares.append(np.diff(ends))
        self.points = _combinations(values)
        # The prior probability of each point, in logarithms.
        with np.errstate(divide="ignore"):
            self._log_priors = np.log(_combinations(shares)).sum(axis=1)
        if space.constraints:
            is_allowed = space.feasible(self.points)
            self.points, self._log_priors = self.points[is_allowed], self._log_priors[is_allowed]
        self._bytes = [point.tobytes() for point in self.points]

    def __len__(self) -> int:
        return len(self.points)

    def unseen(self, seen: set[bytes]) -> BoolArray:
        """Returns which points are not among encoded rows, given as bytes; shape (points,)."""
        return np.array([point not in seen for point in self._bytes], dtype=bool)

    def draw(self, which: BoolArray, n: int, stream: np.random.SeedSequence) -> FloatArray:
        """Draws different points from the prior, one after the other.

        Args:
            which: The points to draw from, shape (points,).
            n: Number of points.
            stream: Random stream.

        Returns:
            Encoded points, shape (n, columns), or fewer if there are no more.
        """
        places = np.flatnonzero(which)
        # Exponential clocks: the order in which they ring is that of draws without replacement.
        keys = np.random.default_rng(stream).standard_exponential(len(self))[places]
        order = np.argsort(np.log(keys) - self._log_priors[places], kind="stable")
        return self.points[places[order[:n]]]


def grid_of(space: HyperParameterList) -> Grid | None:
    """Returns the grid of a search space; None if it has no end, or more than 50,000 points.

    Where a constraint is a function that looks at one point at a time, it may have 5,000.
    """
    size = math.prod(kind.num_values for kind in space.column_kinds)
    most = MAX_SLOW_POINTS if space.has_slow_constraints else MAX_POINTS
    return Grid(space) if size <= most else None


def _combinations(values: list[FloatArray]) -> FloatArray:
    """Returns all combinations of values of columns, shape (points, columns)."""
    return np.stack([axis.ravel() for axis in np.meshgrid(*values, indexing="ij")], axis=1)
