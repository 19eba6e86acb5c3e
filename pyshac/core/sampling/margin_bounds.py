"""Bounds on a classifier's margin over boxes of the unit cube.

A classifier is a sum of trees, so its margin over a box is at most the sum over the trees of the
largest leaf that can be reached there, and at least the sum of the smallest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics.arrays import BoolArray, Float32Array, FloatArray, IntArray, in_parts
from pyshac.core.classifiers.features import Features
from pyshac.core.classifiers.tree_models import Tree
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.conditions.hierarchy import Hierarchy
from pyshac.core.hyperparameters.unit_map import unit_edges

# Number of leaves times number of boxes in one table; larger tables do not fit into caches.
CACHED_VALUES = 2**19


@dataclass(frozen=True)
class Splits:
    """The distinct splits of a classifier: rows below `edge` in their `column` go left.

    Attributes:
        column: Shape (splits,).
        edge: In the unit interval, shape (splits,).
        weight: Change of the margin across the split, summed over trees, shape (splits,); 0 where
            boxes cannot be split, because the unit interval does not map to the column.
    """

    column: IntArray
    edge: FloatArray
    weight: FloatArray

    def join(self, other: Splits) -> Splits:
        """Returns the splits of both."""
        return Splits(
            np.concatenate([self.column, other.column]),
            np.concatenate([self.edge, other.edge]),
            np.concatenate([self.weight, other.weight]),
        )


class MarginBounds:
    """Bounds on one classifier's margin over boxes of the unit cube.

    Args:
        trees: The classifier's trees.
        space: The search space.
        features: What the classifier sees of encoded samples.

    Attributes:
        splits: The splits at which the bounds change, those of conditions included.
        num_trees: Number of trees.
        cost: Rough number of operations for bounding one box.
    """

    def __init__(
        self, trees: Sequence[Tree], space: HyperParameterList, features: Features
    ) -> None:
        self._hierarchy = space.hierarchy
        nodes = _Nodes(trees, self._hierarchy.conditional)
        self._of_trees = nodes.splits(space, features)
        self._default_left = np.array(nodes.default_left, dtype=bool)[:, None]
        self.splits = self._of_trees.join(_splits_of_conditions(self._of_trees, self._hierarchy))
        self.num_trees = len(trees)
        # Indices into a table of conditions: "left at split s is possible", "right ...", "true".
        self._paths = nodes.paths(len(self._of_trees.edge))
        self._value = nodes.leaf_value.astype(np.float32)
        self._first_leaf = nodes.first_leaf
        largest = np.maximum.reduceat(np.abs(self._value), self._first_leaf).sum()
        # XGBoost adds the leaves in single precision, in an unspecified order.
        self._slack = float(largest * self.num_trees * 2.0**-23)
        self.cost = int(self._paths.size + 2 * len(self._of_trees.edge))

    def __call__(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns lower and upper bounds of the margin, shape (n,), over boxes of (n, columns)."""
        # As many boxes at a time as keep the table in the cache.
        step = max(16, CACHED_VALUES // len(self._value))
        lower, upper = in_parts(self._bound, step, low, high)
        return lower - self._slack, upper + self._slack

    def best_split(self, low: FloatArray, high: FloatArray) -> tuple[IntArray, FloatArray]:
        """Returns the column and the edge at which to split each box; column -1 if it has none.

        It is the split with the largest change in the margin.
        """
        splits = self.splits
        if not len(splits.edge):
            return np.full(len(low), -1), np.zeros(len(low))
        is_inside = (low[:, splits.column] < splits.edge) & (splits.edge < high[:, splits.column])
        # Where a column has no value in the whole box, its splits change nothing.
        is_inside &= self.may_matter(low, high)
        weight = np.where(is_inside, splits.weight, 0.0)
        best = np.argmax(weight, axis=1)
        has_split = weight[np.arange(len(low)), best] > 0
        return np.where(has_split, splits.column[best], -1), splits.edge[best]

    def _bound(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        can = np.concatenate([*self._ways(low, high), np.ones((1, len(low)), dtype=bool)])
        reached = can[self._paths[0]]
        for conditions in self._paths[1:]:
            reached &= can[conditions]
        value = self._value[:, None]
        lowest = np.minimum.reduceat(np.where(reached, value, np.float32(np.inf)), self._first_leaf)
        highest = np.maximum.reduceat(
            np.where(reached, value, np.float32(-np.inf)), self._first_leaf
        )
        return lowest.sum(axis=0, dtype=np.float64), highest.sum(axis=0, dtype=np.float64)

    def may_matter(self, low: FloatArray, high: FloatArray) -> BoolArray:
        """Returns which splits may matter in boxes, as an array that fits (boxes, splits).

        Those of columns that have no value in a whole box do not.
        """
        if self._hierarchy.is_trivial:
            return np.ones((1, 1), dtype=bool)
        return self._hierarchy.bounds(low, high)[0][:, self.splits.column]

    def _ways(self, low: FloatArray, high: FloatArray) -> tuple[BoolArray, BoolArray]:
        """Returns at which splits a row of each box may go left or right, (splits, boxes) each."""
        column, edge = self._of_trees.column, self._of_trees.edge[:, None]
        left, right = low.T[column] < edge, high.T[column] > edge
        if self._hierarchy.is_trivial:
            return left, right
        active, inactive = (each.T[column] for each in self._hierarchy.bounds(low, high))
        left = (left & active) | (inactive & self._default_left)
        return left, (right & active) | (inactive & ~self._default_left)


def _splits_of_conditions(splits: Splits, hierarchy: Hierarchy) -> Splits:
    """Returns splits where columns become active, as heavy as all the splits of these columns."""
    weights: dict[tuple[int, float], float] = {}
    for column in np.unique(splits.column[hierarchy.conditional[splits.column]]):
        weight = float(splits.weight[splits.column == column].sum())
        for place in hierarchy.edges([int(column)]):
            weights[place] = weights.get(place, 0.0) + weight
    places = np.array([*weights], dtype=np.float64).reshape(-1, 2)
    return Splits(places[:, 0].astype(np.int64), places[:, 1], np.array([*weights.values()]))


class _Nodes:
    """The nodes of a forest, walked from the roots to the leaves.

    Args:
        trees: The trees.
        conditional: Which columns may lack a value, shape (columns,).

    Attributes:
        default_left: Whether rows without a value go left, of each distinct split.
    """

    def __init__(self, trees: Sequence[Tree], conditional: BoolArray) -> None:
        self._conditional = conditional.tolist()
        self._split_number: dict[tuple[int, float, bool], int] = {}
        self._weights: list[float] = []
        self.default_left: list[bool] = []
        self._leaf_paths: list[list[tuple[int, bool]]] = []
        leaf_values: list[float] = []
        first_leaf: list[int] = []
        for tree in trees:
            first_leaf.append(len(leaf_values))
            self._walk(tree, leaf_values)
        self.leaf_value = np.array(leaf_values)
        self.first_leaf = np.array(first_leaf)

    def _walk(self, tree: Tree, leaf_values: list[float]) -> None:
        left, right = tree.left.tolist(), tree.right.tolist()
        feature, value = tree.feature.tolist(), tree.value.tolist()
        default_left = tree.default_left.tolist()
        means = _node_means(left, right, value)
        waiting: list[tuple[int, list[tuple[int, bool]]]] = [(0, [])]
        while waiting:
            node, path = waiting.pop()
            if left[node] < 0:
                self._leaf_paths.append(path)
                leaf_values.append(value[node])
                continue
            split = self._number(feature[node], value[node], default_left[node])
            self._weights[split] += abs(means[left[node]] - means[right[node]])
            waiting.append((right[node], [*path, (split, False)]))
            waiting.append((left[node], [*path, (split, True)]))

    def _number(self, feature: int, threshold: float, default_left: bool) -> int:
        key = feature, threshold, default_left and self._conditional[feature]
        number = self._split_number.setdefault(key, len(self._weights))
        if number == len(self._weights):
            self._weights.append(0.0)
            self.default_left.append(default_left)
        return number

    def splits(self, space: HyperParameterList, features: Features) -> Splits:
        keys = np.array([key[:2] for key in self._split_number], dtype=np.float64).reshape(-1, 2)
        column = keys[:, 0].astype(np.int64)
        is_drawn = space.maps_to_unit[column]
        # A box reaches both sides of a split if it cannot restrict the column.
        edge = np.full(len(column), 0.5)
        threshold = keys[is_drawn, 1].astype(np.float32)
        edge[is_drawn] = split_edges(space, features, column[is_drawn], threshold)
        return Splits(column, edge, np.where(is_drawn, self._weights, 0.0))

    def paths(self, num_splits: int) -> IntArray:
        """Returns the conditions on the path to each leaf, shape (depth, leaves)."""
        depth = max((len(path) for path in self._leaf_paths), default=0)
        paths = np.full((max(depth, 1), len(self._leaf_paths)), 2 * num_splits, dtype=np.int64)
        for leaf, path in enumerate(self._leaf_paths):
            for step, (split, goes_left) in enumerate(path):
                paths[step, leaf] = split if goes_left else num_splits + split
        return paths


def _node_means(left: list[int], right: list[int], value: list[float]) -> list[float]:
    """Returns the mean over the two subtrees of each node; children come after their parents."""
    means = list(value)
    for node in range(len(value) - 1, -1, -1):
        if left[node] >= 0:
            means[node] = (means[left[node]] + means[right[node]]) / 2
    return means


def split_edges(
    space: HyperParameterList, features: Features, column: IntArray, threshold: Float32Array
) -> FloatArray:
    """Returns the smallest unit values whose features are at least the thresholds.

    Args:
        space: The search space.
        features: What the classifier sees of encoded samples.
        column: Columns of the thresholds, shape (n,).
        threshold: Shape (n,).

    Returns:
        Shape (n,); 1 where no draw reaches the threshold.
    """
    edge = np.empty(len(column))
    for one in np.unique(column):
        here = column == one
        wanted = threshold[here]

        def is_below(unit: FloatArray, one: int = one, wanted: Float32Array = wanted) -> BoolArray:
            return features.column(one, space.column_from_unit(one, unit)) < wanted

        edge[here] = unit_edges(is_below, len(wanted))
    return edge
