"""What can be imported from where, and what an import loads."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
import types

import pytest

import pyshac

HEAVY = ["tensorflow", "torch", "keras", "matplotlib", "pandas"]

NAMES = {
    "SHAC": "pyshac.core.engine",
    "Callback": "pyshac.core.callbacks",
    "CallbackList": "pyshac.core.callbacks",
    "CSVLogger": "pyshac.core.callbacks",
    "History": "pyshac.core.callbacks",
    "Dataset": "pyshac.core.dataset",
    "flatten_parameters": "pyshac.core.dataset",
    "HyperParameterList": "pyshac.core.hyperparameters",
    "DiscreteHyperParameter": "pyshac.core.hyperparameters",
    "IntegerHyperParameter": "pyshac.core.hyperparameters",
    "UniformContinuousHyperParameter": "pyshac.core.hyperparameters",
    "LogUniformContinuousHyperParameter": "pyshac.core.hyperparameters",
    "NormalContinuousHyperParameter": "pyshac.core.hyperparameters",
    "MultiDiscreteHyperParameter": "pyshac.core.hyperparameters",
    "MultiUniformContinuousHyperParameter": "pyshac.core.hyperparameters",
    "MultiNormalContinuousHyperParameter": "pyshac.core.hyperparameters",
    "set_custom_parameter_class": "pyshac.core.hyperparameters",
    "NothingAcceptedError": "pyshac.core.errors",
}
ALIASES = {
    "DiscreteHP": "DiscreteHyperParameter",
    "IntegerHP": "IntegerHyperParameter",
    "UniformHP": "UniformContinuousHyperParameter",
    "LogUniformHP": "LogUniformContinuousHyperParameter",
    "NormalHP": "NormalContinuousHyperParameter",
    "DistributionHP": "DistributionHyperParameter",
    "MultiDiscreteHP": "MultiDiscreteHyperParameter",
    "MultiUniformHP": "MultiUniformContinuousHyperParameter",
    "MultiNormalHP": "MultiNormalContinuousHyperParameter",
    "MultiNormlHP": "MultiNormalContinuousHyperParameter",
}
OLD_PATHS = {
    "pyshac.config.hyperparameters": [
        *ALIASES,
        *ALIASES.values(),
        "HyperParameterList",
        "AbstractHyperParameter",
        "set_custom_parameter_class",
        "get_parameter",
    ],
    "pyshac.config.data": ["Dataset", "flatten_parameters"],
    "pyshac.config.callbacks": ["Callback", "CallbackList", "CSVLogger", "History"],
    "pyshac.core.engine": ["SHAC"],
    "pyshac.utils.vis_utils": ["plot_dataset"],
}


def run(code: str) -> str:
    """Runs code in a fresh interpreter and returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def loaded_after(statement: str) -> list[str]:
    code = f"{statement}\nimport sys\nprint(*(m for m in {HEAVY!r} if m in sys.modules))"
    return run(code).split()


class TestFreshInterpreter:
    def test_the_package_loads_nothing_heavy(self):
        assert loaded_after("import pyshac") == []

    def test_parameters_load_nothing_heavy(self):
        assert loaded_after("from pyshac import UniformHP, Dataset, Callback") == []

    def test_the_engine_loads_no_framework_and_no_plots(self):
        # XGBoost loads pandas where it is installed.
        assert set(loaded_after("from pyshac.core.engine import SHAC")) <= {"pandas"}

    def test_imports_leave_logging_and_warnings_alone(self):
        code = """
import logging, warnings
import numpy, scipy.stats, sklearn.model_selection, xgboost, joblib, loky
before = list(warnings.filters), list(logging.getLogger().handlers)
from pyshac import *
assert before == (list(warnings.filters), list(logging.getLogger().handlers))
assert not [h for h in logging.getLogger("pyshac").handlers if type(h) is logging.StreamHandler]
assert logging.getLogger("pyshac").level == logging.NOTSET
print("as it was")
"""
        assert run(code) == "as it was"

    def test_an_old_path_can_be_the_first_import(self):
        module = "pyshac.config.data"
        assert run(f"import {module} as m; print(m.__name__)") == module


class TestNames:
    def test_all_is_every_public_name(self):
        public = {
            name
            for name in dir(pyshac)
            if not name.startswith("_")
            and not isinstance(getattr(pyshac, name), types.ModuleType)
            and getattr(getattr(pyshac, name), "__module__", "").startswith("pyshac")
        }
        assert public == set(pyshac.__all__)
        assert len(set(pyshac.__all__)) == len(pyshac.__all__)

    def test_type_checkers_see_the_same_names(self):
        tree = ast.parse(inspect.getsource(pyshac))
        (block,) = (node for node in tree.body if isinstance(node, ast.If))
        names = {alias.name for node in block.body for alias in node.names}
        assert names == set(pyshac.__all__)

    @pytest.mark.parametrize("name", NAMES)
    def test_names_are_where_they_belong(self, name):
        assert getattr(pyshac, name) is getattr(importlib.import_module(NAMES[name]), name)

    @pytest.mark.parametrize("alias", ALIASES)
    def test_aliases_are_the_types_themselves(self, alias):
        assert getattr(pyshac, alias) is getattr(pyshac, ALIASES[alias])

    @pytest.mark.parametrize("module", OLD_PATHS)
    def test_old_paths_lead_to_the_same_things(self, module):
        for name in OLD_PATHS[module]:
            found = getattr(importlib.import_module(module), name)
            if name in pyshac.__all__:
                assert found is getattr(pyshac, name)
            assert callable(found)

    def test_other_names_are_no_attributes(self):
        with pytest.raises(AttributeError, match="module 'pyshac' has no attribute 'KerasSHACK'"):
            pyshac.KerasSHACK  # noqa: B018

    def test_the_version_is_one(self):
        assert all(part.isdigit() for part in pyshac.__version__.split(".")[:2])
