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

FRAMEWORKS = ["tensorflow", "torch", "keras", "matplotlib", "pandas"]
# What takes long to import, and is only needed once a search learns.
LEARNING = ["scipy", "sklearn", "xgboost"]

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


def loaded_after(statement: str, modules: list[str] = FRAMEWORKS + LEARNING) -> list[str]:
    code = f"{statement}\nimport sys\nprint(*(m for m in {modules!r} if m in sys.modules))"
    return run(code).split()


def own_modules_after(statement: str) -> set[str]:
    """The folders of the package that are loaded, `core.basics` and so on."""
    code = f"{statement}\nimport sys\nprint(*(m for m in sys.modules if m.startswith('pyshac.')))"
    return {".".join(module.split(".")[1:3]) for module in run(code).split()}


MAKE_AN_ENGINE = """
from pyshac import SHAC, DiscreteHP, IntegerHP, LogUniformHP, NormalHP, UniformHP
space = [UniformHP("a", 0, 1), LogUniformHP("b", 1, 9), NormalHP("c", 0, 1),
         IntegerHP("d", 1, 9), DiscreteHP("e", ["x", "y"])]
SHAC(lambda worker_id, parameters: 0.0, space, total_budget=100, num_batches=10)
"""


class TestFreshInterpreter:
    def test_the_package_loads_nothing(self):
        assert loaded_after("import pyshac") == []
        assert own_modules_after("import pyshac") == {"version"}

    def test_parameters_load_nothing_heavy(self):
        assert loaded_after("from pyshac import UniformHP, Dataset, Callback") == []

    def test_making_an_engine_loads_nothing_that_only_learning_needs(self):
        assert loaded_after(MAKE_AN_ENGINE) == []

    @pytest.mark.parametrize("module", ["worker", "executor_worker"])
    def test_worker_processes_load_little(self, module):
        statement = f"import pyshac.core.evaluation.{module}"
        assert loaded_after(statement, [*FRAMEWORKS, *LEARNING, "joblib", "loky"]) == []
        assert own_modules_after(statement) == {
            "version", "core", "core.basics", "core.errors", "core.evaluation",
        }  # fmt: skip

    @pytest.mark.parametrize("name", ["torch", "tf", "keras"])
    def test_worker_processes_of_managed_engines_load_no_engine(self, name):
        statement = f"import pyshac.core.managed.{name}_evaluator"
        assert loaded_after(statement) == []
        assert "core.engine" not in own_modules_after(statement)

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


BROKEN = """
import numpy
numpy.no_such_type
"""


class TestBrokenDependency:
    """As with a NumPy that another package does not know yet."""

    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "threadpoolctl.py").write_text(BROKEN)
        return tmp_path

    @pytest.mark.parametrize(
        "statement", ["from pyshac import SHAC", "import pyshac; pyshac.SHAC", "import pyshac.cli"]
    )
    def test_its_error_is_shown(self, folder, statement):
        code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{statement}"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 1
        assert "module 'numpy' has no attribute 'no_such_type'" in done.stderr
        assert "threadpoolctl.py" in done.stderr

    def test_it_is_an_import_error_that_names_the_module(self, folder):
        code = f"""
import sys
sys.path.insert(0, {str(folder)!r})
try:
    from pyshac import SHAC
except ImportError as error:
    print(error.name, type(error.__cause__).__name__)
    print(error)
from pyshac import UniformHP
"""
        first, second = run(code).splitlines()
        assert first == "pyshac.core.engine AttributeError"
        assert second.startswith(
            "SHAC cannot be imported, because importing threadpoolctl failed: "
            "module 'numpy' has no attribute 'no_such_type'."
        )


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
        homes = {alias.name: node.module for node in block.body for alias in node.names}
        assert homes == pyshac._HOMES
        assert homes.keys() == set(pyshac.__all__)

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

    def test_a_name_is_kept_once_it_was_asked_for(self):
        code = "import pyshac; pyshac.UniformHP; print('UniformHP' in vars(pyshac))"
        assert run(code) == "True"

    def test_other_names_are_no_attributes(self):
        with pytest.raises(AttributeError, match="module 'pyshac' has no attribute 'KerasSHACK'"):
            pyshac.KerasSHACK  # noqa: B018

    def test_the_version_is_one(self):
        assert all(part.isdigit() for part in pyshac.__version__.split(".")[:2])
