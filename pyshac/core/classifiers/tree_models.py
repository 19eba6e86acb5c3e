"""The trees of an XGBoost model: reading them, and merging trees of equal shape.

Field names follow XGBoost's JSON model schema,
https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pyshac.core.basics.arrays import BoolArray, Float32Array, IntArray
from pyshac.core.basics.threads import one_thread

if TYPE_CHECKING:
    import xgboost

# Building a new model pays only if it is clearly smaller.
WORTHWHILE_SHARE = 0.75
# Statistics of each node that add up like its leaf values.
_SUMS = ("loss_changes", "sum_hessian", "base_weights")


@dataclass(frozen=True)
class Tree:
    """A decision tree: a row goes left if its feature is below the threshold.

    A row without that feature (NaN) goes in the node's default direction.

    Attributes:
        left: Left child of each node, -1 at leaves, shape (nodes,).
        right: Right child of each node, -1 at leaves, shape (nodes,).
        feature: Column that each inner node splits on, shape (nodes,).
        value: Threshold of an inner node, margin of a leaf; shape (nodes,).
        default_left: Whether rows without the feature go left, shape (nodes,).
    """

    left: IntArray
    right: IntArray
    feature: IntArray
    value: Float32Array
    default_left: BoolArray


def _model(booster: xgboost.Booster) -> dict[str, Any]:
    model: dict[str, Any] = json.loads(bytes(booster.save_raw("json")))
    return model


def load_model(data: bytes) -> xgboost.Booster:
    """Returns a model that XGBoost wrote as JSON or UBJSON, set to use one thread.

    Raises:
        xgboost.core.XGBoostError: If the bytes are not a model.
    """
    import xgboost

    # XGBoost would read the trees with several threads and keep the pool. A forked process that
    # then reads a model, as a generator does, would wait for these threads for ever.
    with one_thread("openmp"):
        booster = xgboost.Booster(model_file=bytearray(data))
    booster.set_param("nthread", "1")
    return booster


def read_trees(booster: xgboost.Booster) -> list[Tree]:
    """Returns the trees of a trained model."""
    trees = _model(booster)["learner"]["gradient_booster"]["model"]["trees"]
    return [
        Tree(
            np.array(tree["left_children"], dtype=np.int64),
            np.array(tree["right_children"], dtype=np.int64),
            np.array(tree["split_indices"], dtype=np.int64),
            np.array(tree["split_conditions"], dtype=np.float32),
            np.array(tree["default_left"], dtype=bool),
        )
        for tree in trees
    ]


def with_raised_margin(booster: xgboost.Booster, by: float) -> xgboost.Booster:
    """Returns a model whose margin is larger by a constant, added to the first tree's leaves."""
    model = _model(booster)
    tree = model["learner"]["gradient_booster"]["model"]["trees"][0]
    for node, child in enumerate(tree["left_children"]):
        if child < 0:
            tree["split_conditions"][node] += by
            tree["base_weights"][node] += by
    return load_model(json.dumps(model).encode())


def merge_equal_shapes(booster: xgboost.Booster) -> xgboost.Booster:
    """Returns an equal function with fewer trees: trees with equal splits are added up.

    Boosting on few samples finds the same splits repeatedly: of 200 trees, often only a handful
    differ. If most trees differ, they remain unchanged, and only training data is dropped.
    """
    model = _model(booster)
    forest = model["learner"]["gradient_booster"]["model"]
    merged: dict[Any, dict[str, Any]] = {}
    for tree in forest["trees"]:
        shape = _shape(tree)
        if shape in merged:
            _add(merged[shape], tree)
        else:
            merged[shape] = tree
    trees = list(merged.values())
    if len(trees) > WORTHWHILE_SHARE * len(forest["trees"]):
        return load_model(bytes(booster.save_raw("ubj")))
    for number, tree in enumerate(trees):
        tree["id"] = number
    forest["trees"] = trees
    forest["tree_info"] = [0] * len(trees)
    forest["iteration_indptr"] = list(range(len(trees) + 1))
    forest["gbtree_model_param"]["num_trees"] = str(len(trees))
    return load_model(json.dumps(model).encode())


def side_by_side(boosters: Sequence[xgboost.Booster]) -> xgboost.Booster:
    """Returns one model of several binary classifiers, with one output for each margin."""
    models = [_model(booster) for booster in boosters]
    forests = [model["learner"]["gradient_booster"]["model"]["trees"] for model in models]
    trees = [tree for forest in forests for tree in forest]
    for number, tree in enumerate(trees):
        tree["id"] = number
    learner, count = models[0]["learner"], str(len(models))
    learner["objective"] = {
        "name": "multi:softprob", "softmax_multiclass_param": {"num_class": count}
    }  # fmt: skip
    # The margin of a binary classifier is 0 before its first tree.
    learner["learner_model_param"].update(num_class=count, base_score="0")
    forest = learner["gradient_booster"]["model"]
    forest["trees"] = trees
    forest["tree_info"] = [output for output, each in enumerate(forests) for _ in each]
    forest["iteration_indptr"] = [0, len(trees)]
    forest["gbtree_model_param"]["num_trees"] = str(len(trees))
    return load_model(json.dumps(models[0]).encode())


def _shape(tree: dict[str, Any]) -> Any:
    """Returns a key that is equal for trees with equal splits."""
    children = tree["left_children"]
    names = ("split_indices", "split_conditions", "default_left")
    splits = zip(children, *(tree[name] for name in names), strict=True)
    return tuple(children), tuple(tuple(split) for child, *split in splits if child >= 0)


def _add(total: dict[str, Any], tree: dict[str, Any]) -> None:
    """Adds the leaves of `tree` to those of `total`, which has the same splits."""
    for name in _SUMS:
        total[name] = [a + b for a, b in zip(total[name], tree[name], strict=True)]
    for node, child in enumerate(tree["left_children"]):
        if child < 0:
            total["split_conditions"][node] += tree["split_conditions"][node]
