"""Models from untrusted files, made safe for XGBoost to load.

XGBoost trusts the models that it loads: an index out of range crashes it. So it only ever loads a
model of its own making, into which the checked trees of the file are copied. Field names follow
XGBoost's model schema,
https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

from __future__ import annotations

import copy
import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.plain_values import shorten
from pyshac.core.classifiers import ubjson
from pyshac.core.classifiers.boosted_trees import Boosting

# The arrays of a tree, each with one entry per node.
_ARRAYS = (
    "base_weights",
    "default_left",
    "left_children",
    "loss_changes",
    "parents",
    "right_children",
    "split_conditions",
    "split_indices",
    "split_type",
    "sum_hessian",
)
_NO_PARENT = 2**31 - 1


def checked(data: bytes, num_columns: int) -> bytes:
    """Returns a model with the trees of another one, as UBJSON that is safe to load.

    Args:
        data: The other model in UBJSON; any bytes are allowed.
        num_columns: Number of columns that its trees may split on.

    Raises:
        ValueError: If it is not a model of the kind that `BoostedTrees` trains; the message gives
            the reason.
    """
    learner = _entry(ubjson.decode(data), dict, "learner")
    found = _entry(learner, str, "learner_model_param", "num_feature")
    if found != str(num_columns):
        raise ValueError(f"it is for {shorten(found)} columns, not {num_columns}")
    trees = _entry(learner, list, "gradient_booster", "model", "trees")
    model = copy.deepcopy(_own_model())
    parameters = model["learner"]["learner_model_param"]
    parameters["num_feature"] = str(num_columns)
    forest = model["learner"]["gradient_booster"]["model"]
    template = forest["trees"][0]
    forest["trees"] = [
        _checked_tree(tree, number, num_columns, template) for number, tree in enumerate(trees)
    ]
    forest["tree_info"] = [0] * len(trees)
    forest["iteration_indptr"] = list(range(len(trees) + 1))
    forest["gbtree_model_param"]["num_trees"] = str(len(trees))
    return ubjson.encode(model)


@functools.cache
def _own_model() -> Any:
    """Returns a decoded model of the installed XGBoost, with one tree."""
    import xgboost

    rows = xgboost.DMatrix(
        np.array([[0.0], [1.0]], np.float32), np.array([0.0, 1.0], np.float32), nthread=1
    )
    booster = xgboost.Booster(Boosting().parameters, [rows])
    booster.update(rows, 0)
    return ubjson.decode(bytes(booster.save_raw("ubj")))


def _entry(content: Any, kind: type, *path: str) -> Any:
    """Returns the entry of nested objects at a path of keys."""
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    if not isinstance(content, kind):
        raise ValueError(f"it has no valid {'.'.join(path)!r}")
    return content


def _checked_tree(tree: Any, number: int, num_columns: int, template: Any) -> dict[str, Any]:
    arrays = {name: _entry(tree, np.ndarray, name) for name in _ARRAYS}
    size = len(arrays["left_children"])
    for name, array in arrays.items():
        arrays[name] = _converted(array, size, template[name].dtype, f"{name!r} of tree {number}")
    if _is_wrong(arrays, num_columns):
        raise ValueError(f"tree {number} is not a tree")
    parameters = {
        **template["tree_param"], "num_feature": str(num_columns), "num_nodes": str(size),
    }  # fmt: skip
    return {**template, **arrays, "id": number, "tree_param": parameters}


def _converted(
    array: npt.NDArray[Any], size: int, dtype: np.dtype[Any], what: str
) -> npt.NDArray[Any]:
    """Returns an array with the type that XGBoost expects, if it contains the same numbers."""
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(dtype)
    if len(array) != size or not np.array_equal(converted, array, equal_nan=True):
        raise ValueError(f"{what} is not an array of {size} numbers")
    return converted


def _is_wrong(tree: dict[str, npt.NDArray[Any]], num_columns: int) -> bool:
    """Returns whether a walk from the root would leave the tree, cycle, or miss a node."""
    left, right = tree["left_children"].astype(np.int64), tree["right_children"].astype(np.int64)
    inner = np.flatnonzero(left != -1)
    children = np.concatenate([left[inner], right[inner]])
    parents = np.concatenate([inner, inner])
    expected = np.full(len(left), _NO_PARENT)
    if not len(left) or not ((children > 0) & (children < len(left))).all():
        return True
    expected[children] = parents
    return bool(
        # Every node but the root is the child of one node, and comes after it: no cycles.
        not np.array_equal(np.sort(children), np.arange(1, len(left)))
        or (children <= parents).any()
        or not np.array_equal(tree["parents"], expected)
        or (right[left == -1] != -1).any()
        or (tree["split_indices"] < 0).any()
        or (tree["split_indices"] >= num_columns).any()
        or tree["split_type"].any()
        or (tree["default_left"] > 1).any()
        or not np.isfinite(tree["split_conditions"]).all()
    )
