"""Bounds on what forbidden combinations take of boxes of the unit cube."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray, IntArray, in_parts
from pyshac.core.hyperparameters import Forbidden, HyperParameterList
from pyshac.core.hyperparameters.unit_map import unit_edges
from pyshac.core.sampling.constraints.column_values import start_of_value
from pyshac.core.sampling.constraints.linear_bounds import LEAST

# Number of boxes times number of conditions in one table.
MAX_TABLE = 2**20


class ForbiddenBounds:
    """Bounds on the margin by which no forbidden combination is met over boxes of the unit cube.

    All combinations have one margin together: it is above 0 where none is met.

    Args:
        relations: The combinations.
        space: The search space.

    Attributes:
        num_trees: 0: it has none.
        cost: Rough number of operations for bounding one box.
    """

    num_trees = 0

    def __init__(self, relations: Sequence[Forbidden], space: HyperParameterList) -> None:
        columns = space.columns
        conditions: dict[tuple[str, str], int] = {}
        parts: list[tuple[int, float, float]] = []
        sizes = []
        numbers = []
        for relation in relations:
            for name, value in relation.values.items():
                key = name, repr(value)
                if key not in conditions:
                    conditions[key] = len(parts)
                    parts.append((columns.place(name), *_part_of(space, name, value)))
                numbers.append(conditions[key])
            sizes.append(len(relation.values))
        # The conditions of all combinations, one after the other, by their numbers.
        self._condition = np.array(numbers)
        self._first = np.cumsum([0, *sizes[:-1]])
        self._owner = np.repeat(np.arange(len(sizes)), sizes)
        # The different conditions: a part of the unit interval of a column each.
        self._column = np.array([column for column, _, _ in parts])
        self._start = np.array([start for _, start, _ in parts])
        self._end = np.array([end for _, _, end in parts])
        self._is_known = space.maps_to_unit[self._column]
        self._hierarchy = space.hierarchy
        self._is_conditional = bool(space.hierarchy.conditional[self._column].any())
        self._edges = sorted(space.hierarchy.edges(self._column.tolist()))
        self.cost = 4 * len(numbers)

    def __call__(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns lower and upper bounds of the margin, shape (n,), over boxes of (n, columns)."""
        return in_parts(self._bound, self._largest_part, low, high)

    def best_split(self, low: FloatArray, high: FloatArray) -> tuple[IntArray, FloatArray]:
        """Returns the column and the edge at which to split each box; column -1 if it has none.

        It cuts along the combination that takes most of the box.
        """
        return in_parts(self._best_cut, self._largest_part, low, high)

    @property
    def _largest_part(self) -> int:
        """The number of boxes that are looked at together."""
        return max(1, MAX_TABLE // len(self._condition))

    def _best_cut(self, low: FloatArray, high: FloatArray) -> tuple[IntArray, FloatArray]:
        share, is_inside = self._shares(low, high)
        return self._cut(low, high, share, is_inside, self._met(share))

    def _met(self, share: FloatArray) -> FloatArray:
        """Returns the share of boxes that combinations take, shape (boxes, combinations)."""
        return np.multiply.reduceat(share[:, self._condition], self._first, axis=1)

    def _bound(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        share, is_inside = self._shares(low, high)
        met = self._met(share)
        is_all = np.logical_and.reduceat(is_inside[:, self._condition], self._first, axis=1)
        total = np.minimum(met.sum(axis=1), 0.99)
        lower = np.where((met > 0).any(axis=1), -total, 1.0)
        upper = np.where(is_all.any(axis=1), -1.0, 1.0 - total)
        is_open = (lower <= 0) & (upper > 0)
        cannot_split = self._cut(low, high, share, is_inside, met)[0] < 0
        # What stays undecided is split last.
        return np.where(is_open & cannot_split, -LEAST, lower), upper

    def _shares(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, BoolArray]:
        """Returns the share of each box's column that each condition takes, and whether it is all.

        Each has shape (boxes, conditions).
        """
        starts, ends = low[:, self._column], high[:, self._column]
        common = np.minimum(ends, self._end) - np.maximum(starts, self._start)
        share = np.clip(common, 0.0, None) / (ends - starts)
        is_inside = (starts >= self._start) & (ends <= self._end)
        # Whether values of a user's own type are met, is not known.
        share, is_inside = np.where(self._is_known, share, 0.5), is_inside & self._is_known
        if self._is_conditional:
            # What is inactive meets none.
            active, inactive = self._hierarchy.bounds(low, high)
            share = np.where(active[:, self._column], share, 0.0)
            is_inside &= ~inactive[:, self._column]
        return share, is_inside

    def _cut(
        self,
        low: FloatArray,
        high: FloatArray,
        share: FloatArray,
        is_inside: BoolArray,
        met: FloatArray,
    ) -> tuple[IntArray, FloatArray]:
        starts, ends = low[:, self._column], high[:, self._column]
        edge = np.where(self._start > starts, self._start, self._end)
        can_split = ~is_inside & self._is_known & (edge > starts) & (edge < ends)
        # The combination that takes most, and in it the column of which it takes least.
        gain = np.where(can_split, 2.0 - share, 0.0)
        worth = gain[:, self._condition] * met[:, self._owner]
        best = np.argmax(worth, axis=1)
        each = np.arange(len(low))
        condition = self._condition[best]
        has_split = worth[each, best] > 0
        column, edge = np.where(has_split, self._column[condition], -1), edge[each, condition]
        # Where nothing can be cut, whether columns are active may still be open.
        for place, value in self._edges:
            is_open = (column < 0) & (low[:, place] < value) & (value < high[:, place])
            column[is_open], edge[is_open] = place, value
        return column, edge


def _part_of(space: HyperParameterList, name: str, value: object) -> tuple[float, float]:
    """Returns the part of the unit interval that maps to a value; all of it if that is not known.

    Numbers that are not whole are drawn with probability 0, so that theirs has no width.
    """
    columns = space.columns
    place = columns.place(name)
    kind = space.column_kinds[place]
    if not columns.is_built_in(name):
        return 0.0, 1.0
    encoded = columns.encode(name, value)
    if not kind.is_separate:
        return 0.0, float(kind.low == kind.high)
    end = unit_edges(lambda unit: space.column_from_unit(place, unit) <= encoded, 1)
    return float(start_of_value(space, place, encoded)), float(end[0])
