"""Models from files: those of this library pass unchanged, and no other reaches XGBoost."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from pyshac.core.classifiers import ubjson, untrusted_models
from pyshac.core.classifiers.boosted_trees import BoostedTrees


def trained(seed: int, is_compact: bool = True) -> tuple[BoostedTrees, int]:
    """A classifier of random data, and its number of columns."""
    chance = np.random.default_rng(seed)
    rows = chance.random((int(chance.integers(6, 200)), int(chance.integers(1, 8))), np.float32)
    if seed % 3 == 0:
        rows = np.round(rows * 5)
    noise = chance.normal(size=len(rows)) * 0.3
    sums = rows.sum(axis=1)
    trees = BoostedTrees(seed).fit(rows, sums + noise > np.median(sums))
    if is_compact:
        trees.compact()
    return trees, rows.shape[1]


@pytest.mark.parametrize("seed", range(8))
def test_models_of_this_library_pass_bit_for_bit(seed):
    trees, columns = trained(seed, is_compact=seed % 2 == 0)
    again = BoostedTrees.from_bytes(untrusted_models.checked(trees.to_bytes(), columns))
    assert again.to_bytes() == trees.to_bytes()


@pytest.fixture(scope="module")
def model():
    trees, columns = trained(1)
    assert columns == 4
    return ubjson.decode(trees.to_bytes())


def forest(model):
    return model["learner"]["gradient_booster"]["model"]


def refuse(model, message):
    with pytest.raises(ValueError, match=message):
        untrusted_models.checked(ubjson.encode(model), 4)


@pytest.mark.parametrize("columns", [1, 3, 5, 1000])
def test_another_number_of_columns(model, columns):
    with pytest.raises(ValueError, match=f"it is for '4' columns, not {columns}"):
        untrusted_models.checked(ubjson.encode(model), columns)


@pytest.mark.parametrize("value", [[], 3, "x", {}, {"learner": 3}, {"learner": {"a": "b"}}])
def test_something_that_is_no_model(value):
    refuse(value, "it has no valid")


@pytest.mark.parametrize("name", untrusted_models._ARRAYS)
@pytest.mark.parametrize("value", [None, [1, 2], "x", np.zeros(0, np.int32), np.zeros(3, np.int32)])
def test_arrays_that_are_none_or_of_another_length(model, name, value):
    model = copy.deepcopy(model)
    tree = forest(model)["trees"][2]
    assert len(tree["left_children"]) > 3
    if value is None:
        del tree[name]
    else:
        tree[name] = value
    refuse(model, "it has no valid|of tree 2 is not an array of")


@pytest.mark.parametrize(
    ("name", "node", "value"),
    [
        ("left_children", 0, 0),
        ("left_children", 0, -2),
        ("left_children", 0, 10**6),
        ("left_children", 0, -(2**31)),
        ("left_children", 0, 2),
        ("left_children", 0, -1),
        ("right_children", 0, 1),
        ("right_children", 0, -1),
        ("right_children", -1, 3),
        ("left_children", -1, 1),
        ("parents", 1, 7),
        ("parents", 0, 1),
        ("split_indices", 0, 4),
        ("split_indices", 0, -1),
        ("split_indices", -1, 2**31 - 1),
        ("split_type", 0, 1),
        ("default_left", 0, 2),
        ("split_conditions", 0, np.nan),
        ("split_conditions", -1, np.inf),
    ],
)
def test_trees_that_are_none(model, name, node, value):
    model = copy.deepcopy(model)
    forest(model)["trees"][1][name][node] = value
    refuse(model, "tree 1 is not a tree")


def test_circles(model):
    """Two nodes that are each other's child, with all counts right."""
    model = copy.deepcopy(model)
    tree = forest(model)["trees"][0]
    left, right = tree["left_children"], tree["right_children"]
    inner = next(node for node in range(1, len(left)) if left[node] != -1)
    parent = tree["parents"][inner]
    side = left if left[parent] == inner else right
    # The subtree's root changes places with its own child.
    side[parent], left[inner] = left[inner], inner
    tree["parents"][side[parent]], tree["parents"][inner] = parent, inner
    refuse(model, "tree 0 is not a tree")


def test_numbers_that_xgboost_could_not_hold(model):
    model = copy.deepcopy(model)
    tree = forest(model)["trees"][0]
    tree["left_children"] = tree["left_children"].astype(np.int64) + 2**40
    refuse(model, "'left_children' of tree 0 is not an array of")


def test_wider_types_that_hold_the_same_numbers(model):
    """As another version of XGBoost may write them."""
    wide = copy.deepcopy(model)
    for tree in forest(wide)["trees"]:
        tree["left_children"] = tree["left_children"].astype(np.int64)
        tree["base_weights"] = tree["base_weights"].astype(np.float64)
    assert untrusted_models.checked(ubjson.encode(wide), 4) == untrusted_models.checked(
        ubjson.encode(model), 4
    )


def test_what_else_a_file_says_does_not_count(model):
    """Objective, parameters, categories: those are XGBoost's own, whatever the file has."""
    other = copy.deepcopy(model)
    learner = other["learner"]
    learner["objective"]["name"] = "rank:ndcg"
    learner["attributes"] = {"a": "b"}
    learner["learner_model_param"]["num_class"] = "1000000000000"
    learner["learner_model_param"]["base_score"] = "nan"
    learner["gradient_booster"]["name"] = "dart"
    forest(other)["gbtree_model_param"]["num_trees"] = "-1"
    forest(other)["iteration_indptr"] = [0, 10**9]
    forest(other)["tree_info"] = [-5]
    other["version"] = [99, 0, 0]
    for tree in forest(other)["trees"]:
        tree["categories"] = np.array([5], np.int32)
        tree["tree_param"]["num_nodes"] = "1000000000"
        tree["id"] = 10**9
    assert untrusted_models.checked(ubjson.encode(other), 4) == untrusted_models.checked(
        ubjson.encode(model), 4
    )
