"""Grid: all points of a small finite search space."""

from __future__ import annotations

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.hyperparameters import HyperParameterList

MAX_POINTS = 50_000
MAX_SLOW_POINTS = 5_000


class Grid:
    """All points of a finite search space that obey its constraints.

    Args:
        points: Encoded points, shape (points, columns).
        shares: Prior probabilities of their values, of the same shape.

    Attributes:
        points: Encoded points, shape (points, columns).
    """

    def __init__(self, points: FloatArray, shares: FloatArray) -> None:
        self.points = points
        # The prior probability of each point, in logarithms.
        with np.errstate(divide="ignore"):
            self._log_priors = np.log(shares).sum(axis=1)
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
    most = MAX_SLOW_POINTS if space.has_slow_constraints else MAX_POINTS
    kinds = space.column_kinds
    if any(kind.num_values > MAX_POINTS for kind in kinds):
        return None
    points = np.full((1, space.num_columns), np.nan)
    shares = np.ones((1, space.num_columns))
    for column in space.hierarchy.columns_in_order:
        values = kinds[column].all_values()
        is_active = space.hierarchy.active(points)[:, column]
        counts = np.where(is_active, len(values), 1)
        if counts.sum() > most:
            return None
        places = np.flatnonzero(is_active.repeat(counts))
        points, shares = points.repeat(counts, axis=0), shares.repeat(counts, axis=0)
        ends = np.append(space.column_to_unit(column, values), 1.0)
        points[places, column] = np.tile(values, is_active.sum())
        shares[places, column] = np.tile(np.diff(ends), is_active.sum())
    is_allowed = space.feasible(points) if space.constraints else slice(None)
    return Grid(points[is_allowed], shares[is_allowed])
