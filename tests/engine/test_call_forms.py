"""The two ways to hand over an evaluation function, by position and by keyword."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import pyshac
from pyshac import SHAC
from pyshac.core.engine.shac import SHAC as ENGINE_SHAC
from tests.engine.engine_helpers import evaluate, make_space, samples_of

# Forms that hand the function over at once, and forms that leave it to fit.
WITH_FUNCTION = {
    "by position": lambda f, space, d: SHAC(f, space, 12, 3, "min", 18, d),
    "parameters by keyword": lambda f, space, d: SHAC(
        f, hyperparameter_list=space, total_budget=12, num_batches=3, objective="min", save_dir=d
    ),
    "function by keyword": lambda f, space, d: SHAC(
        space, 12, 3, evaluation_function=f, objective="min", save_dir=d
    ),
    "all by keyword": lambda f, space, d: SHAC(
        save_dir=d,
        objective="min",
        num_batches=3,
        total_budget=12,
        hyperparameter_list=space,
        evaluation_function=f,
    ),
    "a plain list": lambda f, space, d: SHAC(f, list(space), 12, 3, "min", save_dir=d),
    "a tuple": lambda f, space, d: SHAC(f, tuple(space), 12, 3, "min", save_dir=d),
}
WITHOUT_FUNCTION = {
    "left out": lambda space, d: SHAC(space, 12, 3, "min", 18, d),
    "left out, a plain list": lambda space, d: SHAC(list(space), 12, 3, "min", save_dir=d),
    "left out, budget by keyword": lambda space, d: SHAC(
        space, total_budget=12, num_batches=3, objective="min", save_dir=d
    ),
    "left out, all by keyword": lambda space, d: SHAC(
        hyperparameter_list=space, total_budget=12, num_batches=3, objective="min", save_dir=d
    ),
    "None first": lambda space, d: SHAC(None, space, 12, 3, "min", save_dir=d),
    "None first, a plain list": lambda space, d: SHAC(None, list(space), 12, 3, "min", save_dir=d),
    "None first, the rest by keyword": lambda space, d: SHAC(
        None,
        hyperparameter_list=space,
        total_budget=12,
        num_batches=3,
        objective="min",
        save_dir=d,
    ),
    "None by keyword": lambda space, d: SHAC(
        space, 12, 3, "min", save_dir=d, evaluation_function=None
    ),
}
WITHOUT_PARAMETERS = {
    "None for both by position": lambda f, d: SHAC(None, None, 12, 3, save_dir=d),
    "function and None": lambda f, d: SHAC(f, None, 12, 3, save_dir=d),
    "None as parameters": lambda f, d: SHAC(None, 12, 3, save_dir=d),
    "None as parameters, budget by keyword": lambda f, d: SHAC(
        None, total_budget=12, num_batches=3, save_dir=d
    ),
    "None by keyword": lambda f, d: SHAC(
        hyperparameter_list=None, total_budget=12, num_batches=3, save_dir=d
    ),
    "a NumPy budget": lambda f, d: SHAC(None, np.int64(12), 3, save_dir=d),
}
FIT = {
    "by position": lambda engine: engine.fit(evaluate, True),
    "by keyword": lambda engine: engine.fit(evaluation_function=evaluate, skip_cv_checks=True),
    "flags first": lambda engine: engine.fit(True, False, evaluation_function=evaluate),
}


def as_told(engine):
    engine.set_seed(5)
    engine.concurrent_evaluators()
    engine.set_num_parallel_evaluators(1)
    return engine


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The run that all forms lead to."""
    engine = as_told(SHAC(evaluate, make_space(), 12, 3, "min", 18, tmp_path_factory.mktemp("a")))
    engine.fit(skip_cv_checks=True)
    return samples_of(engine)


@pytest.mark.parametrize("form", WITH_FUNCTION)
def test_function_handed_to_the_constructor(form, tmp_path, expected):
    engine = as_told(WITH_FUNCTION[form](evaluate, make_space(), tmp_path))
    engine.fit(skip_cv_checks=True)
    assert engine.objective == "min"
    assert samples_of(engine) == expected


@pytest.mark.parametrize("form", WITHOUT_FUNCTION)
def test_function_handed_to_fit(form, tmp_path, expected):
    engine = as_told(WITHOUT_FUNCTION[form](make_space(), tmp_path))
    engine.fit(evaluate, True)
    assert engine.objective == "min"
    assert samples_of(engine) == expected


@pytest.mark.parametrize("fit", FIT)
def test_forms_of_fit(fit, tmp_path, expected):
    engine = as_told(SHAC(make_space(), 12, 3, "min", save_dir=tmp_path))
    FIT[fit](engine)
    assert samples_of(engine) == expected


@pytest.mark.parametrize("form", WITHOUT_PARAMETERS)
def test_none_as_parameter_list_comes_from_the_save_directory(form, tmp_path, expected):
    first = as_told(SHAC(evaluate, make_space(), 12, 3, save_dir=tmp_path))
    first.fit(skip_cv_checks=True)

    engine = WITHOUT_PARAMETERS[form](evaluate, tmp_path)
    assert engine.parameters is None
    assert engine.total_budget == 12
    assert engine.num_batches == 3
    assert len(engine.dataset) == 0
    engine.restore_data()
    assert engine.parameters.get_parameter_names() == ["x", "kind", "w_1", "w_2"]
    assert samples_of(engine) == samples_of(first)


def test_the_function_of_fit_comes_first(tmp_path):
    engine = as_told(SHAC(lambda worker_id, parameters: 1.0, make_space(), 4, 1, save_dir=tmp_path))
    engine.fit(lambda worker_id, parameters: 2.0)
    assert engine.dataset.Y == [2.0] * 4


class OneGoodSample:
    """Scores of which only one is better than the others: too few for cross validation."""

    def __init__(self):
        self.calls = 0

    def __call__(self, worker_id, parameters):
        self.calls += 1
        return float(self.calls == 1)


@pytest.mark.parametrize(
    "fit",
    [
        lambda engine: engine.fit(True),
        lambda engine: engine.fit(True, False, False),
        lambda engine: engine.fit(skip_cv_checks=True),
        lambda engine: engine.fit(OneGoodSample(), True),
        lambda engine: engine.fit(None, True),
    ],
)
def test_flags_of_fit_by_position(fit, tmp_path):
    engine = as_told(SHAC(OneGoodSample(), make_space(), 12, 2, save_dir=tmp_path))
    fit(engine)
    assert len(engine.classifiers) == 1


@pytest.mark.parametrize("fit", [lambda engine: engine.fit(), lambda engine: engine.fit(False)])
def test_flags_of_fit_are_off_by_default(fit, tmp_path):
    engine = as_told(SHAC(OneGoodSample(), make_space(), 12, 2, save_dir=tmp_path))
    fit(engine)
    assert engine.classifiers == []


def test_callable_objects_are_functions(tmp_path, expected):
    class Objective:
        def __call__(self, worker_id, parameters):
            return evaluate(worker_id, parameters)

    engine = as_told(SHAC(Objective(), make_space(), 12, 3, "min", save_dir=tmp_path))
    engine.fit(skip_cv_checks=True)
    assert samples_of(engine) == expected


def test_signatures():
    constructor = "evaluation_function hyperparameter_list total_budget num_batches objective"
    parameters = inspect.signature(SHAC).parameters
    keywords = ["method", "classifier", "batch_size", "resume", "start_from", "constraints"]
    keywords += ["pace", "open_batches"]
    assert list(parameters) == [*constructor.split(), "max_classifiers", "save_dir", *keywords]
    assert all(parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in keywords)
    defaults = {name: p.default for name, p in parameters.items() if p.default is not p.empty}
    assert defaults == {
        "num_batches": None,
        "objective": "max",
        "max_classifiers": 18,
        "save_dir": "shac",
        "method": "default",
        "classifier": None,
        "batch_size": None,
        "resume": False,
        "start_from": None,
        "constraints": None,
        "pace": "batch",
        "open_batches": None,
    }

    fit = inspect.signature(SHAC.fit).parameters
    assert list(fit)[:6] == [
        "self", "evaluation_function", "skip_cv_checks", "early_stop", "relax_checks", "callbacks",
    ]  # fmt: skip
    assert fit["evaluation_function"].default is None
    assert fit["callbacks"].default is None
    assert {fit[name].default for name in ("skip_cv_checks", "early_stop", "relax_checks")} == {
        False
    }
    assert list(inspect.signature(SHAC.predict).parameters)[1:5] == [
        "num_batches", "num_workers_per_batch", "relax_checks", "max_classfiers",
    ]  # fmt: skip
    fit_dataset = inspect.signature(SHAC.fit_dataset).parameters
    assert list(fit_dataset)[1:6] == [
        "path", "skip_cv_checks", "early_stop", "presort", "callbacks",
    ]  # fmt: skip
    assert fit_dataset["presort"].default is True
    for method in (fit, fit_dataset):
        assert method["verbose"].default == 1
        assert method["verbose"].kind is inspect.Parameter.KEYWORD_ONLY


def test_import_paths():
    assert pyshac.SHAC is ENGINE_SHAC
