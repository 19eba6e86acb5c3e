"""Trained models of PySHAC 0.3.5.1, in a form that current releases of XGBoost read.

XGBoost 0.90 has none of the formats that are read today. What it prints of its trees is exact, so
they are written down anew, after the schema of
https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

import json
from typing import Any, Dict, List

import published

# XGBoost's sign that a node is the root.
_NO_PARENT = 2**31 - 1


def to_bytes(booster: Any, num_columns: int) -> bytes:
    """Returns a booster as JSON or UBJSON, for `xgboost.Booster(model_file=...)`.

    Args:
        booster: Trained for the objective `binary:logistic`.
        num_columns: Number of columns that it was trained on.
    """
    if published.IS_OF_ITS_TIME:
        return json_model(booster.get_dump(dump_format="json"), num_columns)
    return bytes(booster.save_raw("ubj"))


def json_model(trees: List[str], num_columns: int) -> bytes:
    """Returns a model as JSON.

    Args:
        trees: Each tree as XGBoost prints it in JSON.
        num_columns: Number of columns that the model takes.
    """
    forest = {
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(len(trees))},
        "iteration_indptr": list(range(len(trees) + 1)),
        "tree_info": [0] * len(trees),
        "trees": [
            _tree(json.loads(tree), number, num_columns) for number, tree in enumerate(trees)
        ],
    }
    parameters = {
        # The classifiers of XGBoost 0.90 start at even odds, whatever the labels.
        "base_score": "5E-1",
        "boost_from_average": "0",
        "num_class": "0",
        "num_feature": str(num_columns),
        "num_target": "1",
    }
    learner = {
        "attributes": {},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {"model": forest, "name": "gbtree"},
        "learner_model_param": parameters,
        "objective": {"name": "binary:logistic", "reg_loss_param": {"scale_pos_weight": "1"}},
    }
    return json.dumps({"learner": learner, "version": [2, 0, 0]}).encode()


def _tree(root: Dict[str, Any], number: int, num_columns: int) -> Dict[str, Any]:
    """Returns a tree after the schema, from its root, in which the other nodes are nested."""
    nodes = _nodes(root)
    count = len(nodes["parents"])
    return {
        "id": number,
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(num_columns),
            "num_nodes": str(count),
            "size_leaf_vector": "1",
        },
        **nodes,
        "split_type": [0] * count,
        "default_left": [1] * count,
        # Of use in training only.
        "base_weights": [0.0] * count,
        "loss_changes": [0.0] * count,
        "sum_hessian": [0.0] * count,
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
    }


def _nodes(root: Dict[str, Any]) -> Dict[str, List[Any]]:
    """Returns the arrays of a tree that say what its nodes are, with an entry per node."""
    nodes, parents = [root], [_NO_PARENT]
    left, right, columns, values = [], [], [], []
    # The children that the loop appends are visited in their turn.
    for place, node in enumerate(nodes):
        if "leaf" in node:
            left.append(-1)
            right.append(-1)
            columns.append(0)
            values.append(float(node["leaf"]))
            continue
        children = {child["nodeid"]: child for child in node["children"]}
        left.append(len(nodes))
        right.append(len(nodes) + 1)
        columns.append(int(node["split"].lstrip("f")))
        values.append(float(node["split_condition"]))
        nodes += [children[node["yes"]], children[node["no"]]]
        parents += [place, place]
    return {
        "left_children": left,
        "right_children": right,
        "parents": parents,
        "split_indices": columns,
        "split_conditions": values,
    }
