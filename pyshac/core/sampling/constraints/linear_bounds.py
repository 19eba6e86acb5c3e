"""Bounds on how far linear relations hold over boxes of the unit cube."""

from __future__ import annotations

import math

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray, IntArray
from pyshac.core.hyperparameters import HyperParameterList, Less, LinearConstraint
from pyshac.core.sampling.constraints.column_values import LARGEST, ROUNDING, ColumnValues

# What holds, or does not, by nothing has this margin.
LEAST = 1e-300


class LinearBounds:
    """Bounds on the margin by which a linear relation holds over boxes of the unit cube.

    A relation holds where its margin is above 0.

    Args:
        relation: The relation.
        space: The search space.

    Attributes:
        num_trees: 0: it has none.
        cost: Rough number of operations for bounding one box.
    """

    num_trees = 0

    def __init__(self, relation: Less | LinearConstraint, space: HyperParameterList) -> None:
        self._relation, self._is_less = relation, isinstance(relation, Less)
        if isinstance(relation, Less):
            weights = {relation.low: 1.0, relation.high: -1.0}
            self._lower, self._upper = -math.inf, 0.0
        else:
            weights = relation.coefficients
            self._lower, self._upper = relation.lower, relation.upper
        self._weights = [*weights.values()]
        self._values = [ColumnValues(space, name) for name in weights]
        self._places = [values.place for values in self._values]
        self._hierarchy = space.hierarchy
        self._is_conditional = bool(space.hierarchy.conditional[self._places].any())
        self._edges = sorted(space.hierarchy.edges(self._places))
        self.cost = 20 * len(weights)

    def __call__(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns lower and upper bounds of the margin, shape (n,), over boxes of (n, columns)."""
        smallest, largest = self._terms(low, high)
        # In the order in which the relation itself adds them, so that a point is decided exactly.
        least = most = np.zeros(len(low))
        for terms in zip(smallest, largest, strict=True):
            least, most = least + terms[0], most + terms[1]
        slack = self._slack(smallest, largest)
        lower = np.minimum(self._upper - most, least - self._lower) - slack
        upper = np.minimum(self._upper - least, most - self._lower) + slack
        if isinstance(self._relation, LinearConstraint):
            # Its bounds may be reached, up to rounding.
            tolerances = map(self._relation.tolerance, _sizes(smallest, largest))
            lower, upper = (m + t for m, t in zip((lower, upper), tolerances, strict=True))
            lower = np.where(lower >= 0, np.maximum(lower, LEAST), lower)
            upper = np.where(upper >= 0, np.maximum(upper, LEAST), upper)
        if self._is_less and self._is_conditional:
            # It holds if one of the two is inactive.
            active, inactive = self._activity(low, high)
            upper = np.where(inactive.any(axis=1), np.maximum(upper, 1.0), upper)
            never = ~active.all(axis=1)
            lower, upper = np.where(never, 1.0, lower), np.where(never, 1.0, upper)
        lower, upper = np.clip(lower, -LARGEST, LARGEST), np.clip(upper, -LARGEST, LARGEST)
        # What stays undecided is split last.
        is_final = (lower <= 0) & (upper > 0) & (self._widest(low, high, smallest, largest)[0] < 0)
        return np.where(is_final, -np.minimum(LEAST, upper * 1e-9), lower), upper

    def best_split(self, low: FloatArray, high: FloatArray) -> tuple[IntArray, FloatArray]:
        """Returns the column and the edge at which to split each box; column -1 if it has none.

        It is the middle of the column that contributes most to what is undecided.
        """
        return self._widest(low, high, *self._terms(low, high))

    def _widest(
        self,
        low: FloatArray,
        high: FloatArray,
        smallest: list[FloatArray],
        largest: list[FloatArray],
    ) -> tuple[IntArray, FloatArray]:
        """Returns the best splits, given the smallest and the largest terms; see `best_split`."""
        column, edge, widest = np.full(len(low), -1), np.zeros(len(low)), np.zeros(len(low))
        for number, values in enumerate(self._values):
            if not values.is_known:
                continue
            start, end = low[:, values.place], high[:, values.place]
            middle = values.middle(start, end)
            width = np.where(middle > start, largest[number] - smallest[number], 0.0)
            is_wider = width > widest
            column[is_wider], edge[is_wider] = values.place, middle[is_wider]
            widest = np.maximum(widest, width)
        # Whether the columns are active comes first.
        for place, value in self._edges:
            is_inside = (low[:, place] < value) & (value < high[:, place])
            column[is_inside], edge[is_inside] = place, value
        return column, edge

    def _activity(self, low: FloatArray, high: FloatArray) -> tuple[BoolArray, BoolArray]:
        """Returns whether each column may be active, or inactive, in boxes: shape (n, terms)."""
        active, inactive = self._hierarchy.bounds(low, high)
        return active[:, self._places], inactive[:, self._places]

    def _terms(
        self, low: FloatArray, high: FloatArray
    ) -> tuple[list[FloatArray], list[FloatArray]]:
        """Returns the smallest and the largest term of the sum for each column, shape (n,)."""
        smallest, largest = [], []
        for weight, values in zip(self._weights, self._values, strict=True):
            ends = values(low[:, values.place], high[:, values.place])
            first, last = (np.clip(weight * end, -LARGEST, LARGEST) for end in ends)
            smallest.append(np.minimum(first, last))
            largest.append(np.maximum(first, last))
        if self._is_conditional and not self._is_less:
            # What is inactive counts 0.
            active, inactive = self._activity(low, high)
            for number in range(len(smallest)):
                least, most = smallest[number], largest[number]
                may_be_0 = inactive[:, number]
                least = np.where(may_be_0, np.minimum(least, 0.0), least)
                most = np.where(may_be_0, np.maximum(most, 0.0), most)
                smallest[number] = np.where(active[:, number], least, 0.0)
                largest[number] = np.where(active[:, number], most, 0.0)
        return smallest, largest

    def _slack(self, smallest: list[FloatArray], largest: list[FloatArray]) -> FloatArray:
        """Returns how much rounding may change the margin, shape (n,)."""
        size = np.zeros(len(smallest[0]))
        is_point: BoolArray = np.ones(len(size), dtype=bool)
        for first, last in zip(smallest, largest, strict=True):
            size += np.maximum(np.abs(first), np.abs(last))
            is_point &= first == last
        bounds = [abs(bound) for bound in (self._lower, self._upper) if math.isfinite(bound)]
        size += max(bounds)
        are_exact = all(values.is_exact for values in self._values)
        are_whole = all(float(weight).is_integer() for weight in [*self._weights, *bounds])
        rounding = 2.0**-50 if are_exact else ROUNDING
        is_exact = is_point | (are_exact & are_whole & self._has_whole_values & (size < 2**53))
        return np.where(is_exact, 0.0, size * rounding)

    @property
    def _has_whole_values(self) -> bool:
        return all(
            values.kind.is_whole or all(type(each) is int for each in values.kind.choices or ())
            for values in self._values
        )


def _sizes(smallest: list[FloatArray], largest: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Returns the least and the most that the sizes of terms sum to, each of shape (n,)."""
    least = most = np.zeros(len(smallest[0]))
    for first, last in zip(smallest, largest, strict=True):
        least = least + np.maximum(np.maximum(first, -last), 0.0)
        most = most + np.maximum(np.abs(first), np.abs(last))
    return least, most
