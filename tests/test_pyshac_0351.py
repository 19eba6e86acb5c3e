"""PySHAC 0.3.5.1 in the benchmarks: which environment it gets, and what is read back from it."""

import ast
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import xgboost

from pyshac.core.classifiers.boosted_trees import BoostedTrees

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
INSIDE = BENCHMARKS / "inside_0351"


@pytest.fixture
def pyshac_0351(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("pyshac_0351")


@pytest.mark.parametrize("path", sorted(INSIDE.glob("*.py")), ids=lambda path: path.name)
def test_what_runs_inside_the_environment_is_python_3_6(path):
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    # Of the standard library, what came with 3.7.
    assert not imported & {"__future__", "contextvars", "dataclasses", "importlib.resources"}


@pytest.mark.parametrize(
    ("python", "problem"),
    [
        (sys.executable, f"which is Python 3.{sys.version_info.minor}"),
        ("/there/is/no/python", "which does not run as an interpreter"),
    ],
)
def test_an_interpreter_that_cannot_run_it_as_published_is_refused(
    pyshac_0351, monkeypatch, tmp_path, python, problem
):
    monkeypatch.setenv("PYSHAC_0351_PYTHON", python)
    monkeypatch.setenv("PYSHAC_0351_ENVIRONMENT", str(tmp_path / "environment"))
    with pytest.raises(ValueError) as refusal:
        pyshac_0351.environment()
    message = str(refusal.value)
    assert message.startswith(f"PYSHAC_0351_PYTHON is {python!r}, {problem}")
    assert "3.6 and 3.7" in message
    assert "set PYSHAC_0351_PYTHON to" in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("version", ["3.6", "3.7"])
def test_both_kinds_of_environment_can_exist(pyshac_0351, monkeypatch, tmp_path, version):
    monkeypatch.setenv("PYSHAC_0351_ENVIRONMENT", str(tmp_path / "environment"))
    monkeypatch.delenv("PYSHAC_0351_PYTHON", raising=False)
    current = pyshac_0351._recipe()
    monkeypatch.setattr(pyshac_0351, "_version_of_its_time", lambda python: version)
    monkeypatch.setenv("PYSHAC_0351_PYTHON", "/old/python")
    published = pyshac_0351._recipe()
    assert current.folder == tmp_path / "environment"
    assert published.folder == tmp_path / f"environment-python{version}"
    assert (current.python, published.python) == (sys.executable, "/old/python")
    assert "collections.Iterable" in current.text
    assert "collections.Iterable" not in published.text


@pytest.fixture
def models(monkeypatch):
    monkeypatch.syspath_prepend(INSIDE)
    return importlib.import_module("models")


# As XGBoost 0.90 prints them: whole numbers have no point, and pruned nodes leave gaps.
PRINTED = [
    """{ "nodeid": 0, "depth": 0, "split": "f1", "split_condition": 2, "yes": 1, "no": 2,
         "missing": 1, "children": [
        { "nodeid": 1, "leaf": -0.120000005 },
        { "nodeid": 2, "depth": 1, "split": "f0", "split_condition": 0.662704229, "yes": 5,
          "no": 6, "missing": 5, "children": [
            { "nodeid": 5, "leaf": -0 },
            { "nodeid": 6, "leaf": 1 }
        ]}
    ]}""",
    """{ "nodeid": 0, "leaf": 0.25 }""",
]


def test_trees_that_xgboost_0_90_prints_are_read(models):
    trees = BoostedTrees.from_bytes(models.json_model(PRINTED, 2))
    rows = np.array([[0.0, 1.0], [0.0, 2.0], [0.6627042, 3.0], [0.7, 2.0]], dtype=np.float32)
    np.testing.assert_allclose(trees.margin(rows), [0.13, 0.25, 1.25, 1.25], atol=1e-6)


@pytest.mark.parametrize("is_compact", [False, True])
def test_trees_that_were_printed_classify_as_before(models, is_compact):
    random = np.random.default_rng(0)
    rows = random.random((40, 3)).astype(np.float32)
    trained = BoostedTrees(0).fit(rows, rows.sum(axis=1) + 0.3 * random.random(40) > 1.6)
    assert isinstance(trained.booster, xgboost.Booster)
    printed = trained.booster.get_dump(dump_format="json")

    again = BoostedTrees.from_bytes(models.json_model(printed, 3))
    if is_compact:
        again.compact()
    others = random.random((5000, 3)).astype(np.float32)
    np.testing.assert_allclose(again.margin(others), trained.margin(others), atol=1e-4)
