"""The two ways to hand over an evaluation function."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from pyshac.core.engine.call_forms import begins_with_function, is_not_flag, optional_function
from pyshac.core.hyperparameters import HyperParameterList, UniformHP


def evaluate(worker_id: int, parameters: Any) -> float:
    return 0.0


class Engine:
    """Notes with which arguments its methods were called."""

    @optional_function(begins_with_function)
    def __init__(
        self,
        evaluation_function: Any,
        hyperparameter_list: Any,
        total_budget: int,
        num_batches: int,
        objective: str = "max",
    ) -> None:
        """Makes one."""
        self.made = (evaluation_function, hyperparameter_list, total_budget, num_batches, objective)

    @optional_function(is_not_flag)
    def fit(self, evaluation_function: Any = None, check: bool = False, stop: bool = False) -> Any:
        """Fits."""
        return evaluation_function, check, stop


PARAMETERS = [UniformHP("a", 0, 1)]
SPACE = HyperParameterList([UniformHP("a", 0, 1)])


@pytest.mark.parametrize("parameters", [PARAMETERS, tuple(PARAMETERS), SPACE, None])
@pytest.mark.parametrize("function", [evaluate, lambda i, p: 0, Engine, print, None])
@pytest.mark.parametrize("budget", [10, np.int64(10)])
def test_the_function_is_first_or_left_out(parameters, function, budget):
    made = (function, parameters, budget, 2, "min")
    keywords = {"total_budget": budget, "num_batches": 2, "objective": "min"}
    assert Engine(function, parameters, budget, 2, "min").made == made
    assert Engine(function, parameters, budget, num_batches=2, objective="min").made == made
    assert Engine(function, parameters, **keywords).made == made
    assert Engine(function, hyperparameter_list=parameters, **keywords).made == made
    everything = {"evaluation_function": function, "hyperparameter_list": parameters, **keywords}
    assert Engine(**everything).made == made
    assert Engine(parameters, budget, 2, "min", evaluation_function=function).made == made
    if function is None:
        assert Engine(parameters, budget, 2, "min").made == made
        assert Engine(parameters, budget, num_batches=2, objective="min").made == made
        assert Engine(parameters, **keywords).made == made
        assert Engine(hyperparameter_list=parameters, **keywords).made == made


@pytest.mark.parametrize(
    ("args", "kwargs", "result"),
    [
        ((), {}, (None, False, False)),
        ((evaluate,), {}, (evaluate, False, False)),
        ((None,), {}, (None, False, False)),
        ((True,), {}, (None, True, False)),
        ((True, True), {}, (None, True, True)),
        ((evaluate, True), {}, (evaluate, True, False)),
        ((None, True), {}, (None, True, False)),
        ((evaluate,), {"stop": True}, (evaluate, False, True)),
        ((), {"evaluation_function": evaluate, "check": True}, (evaluate, True, False)),
        ((True,), {"evaluation_function": evaluate}, (evaluate, True, False)),
    ],
)
def test_fit_with_and_without_a_function(args, kwargs, result):
    assert Engine(PARAMETERS, 10, 2).fit(*args, **kwargs) == result


def test_signatures_show_the_form_with_the_function():
    assert list(inspect.signature(Engine).parameters) == [
        "evaluation_function",
        "hyperparameter_list",
        "total_budget",
        "num_batches",
        "objective",
    ]
    assert next(iter(inspect.signature(Engine.fit).parameters.values())).name == "self"
    assert (Engine.fit.__name__, Engine.fit.__doc__) == ("fit", "Fits.")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((PARAMETERS,), {}),
        ((evaluate, PARAMETERS, 10), {}),
        ((PARAMETERS, 10, 2), {"x": 1}),
    ],
)
def test_missing_and_unknown_arguments_are_type_errors(args, kwargs):
    with pytest.raises(TypeError, match=r"missing|unexpected"):
        Engine(*args, **kwargs)


def test_an_argument_given_twice_is_a_type_error():
    with pytest.raises(TypeError, match="multiple values"):
        Engine(evaluate, PARAMETERS, 10, 2, total_budget=10)
