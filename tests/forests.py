"""Classifiers made by hand, tree by tree, so that what they accept is known exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.tree_models import Tree

# A leaf is a number; an inner node is (column, threshold, below, not below).
Node = Any


def tree(node: Node) -> Tree:
    """Builds a tree from nested tuples."""
    left: list[int] = []
    right: list[int] = []
    feature: list[int] = []
    value: list[float] = []

    def add(node: Node) -> int:
        number = len(left)
        is_leaf = not isinstance(node, tuple)
        left.append(-1)
        right.append(-1)
        feature.append(0 if is_leaf else node[0])
        value.append(node if is_leaf else node[1])
        if not is_leaf:
            left[number] = add(node[2])
            right[number] = add(node[3])
        return number

    add(node)
    return Tree(
        np.array(left),
        np.array(right),
        np.array(feature),
        np.array(value, dtype=np.float32),
        # Both ways of a row without the feature.
        np.arange(len(left)) % 2 == 0,
    )


class Forest(BoostedTrees):
    """A sum of trees that can stand in a cascade in place of trained ones."""

    def __init__(self, *nodes: Node) -> None:
        super().__init__()
        self._trees = [tree(node) for node in nodes]

    @property
    def num_trees(self) -> int:
        return len(self._trees)

    def trees(self) -> list[Tree]:
        return self._trees

    def margin(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        margin = np.zeros(len(features), dtype=np.float32)
        for one in self._trees:
            node = np.zeros(len(features), dtype=np.int64)
            while (one.left[node] >= 0).any():
                values = features[np.arange(len(node)), one.feature[node]]
                is_below = values < one.value[node]
                goes_left = np.where(np.isnan(values), one.default_left[node], is_below)
                child = np.where(goes_left, one.left[node], one.right[node])
                node = np.where(one.left[node] >= 0, child, node)
            margin += one.value[node]
        return margin

    def predict(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        return self.margin(features) > 0
