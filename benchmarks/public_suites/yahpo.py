"""Surrogates of YAHPO Gym: accuracies of real training runs, learned by a network.

Each scenario is a folder with `model.onnx`, `config_space.json` and `encoding.json`, as
https://github.com/slds-lmu/yahpo_data has them (version 1.0.2). Fidelities are at their highest. A
parameter that a configuration does not use is passed as the surrogate learned it: as 0, which is
also the code of a missing choice.
"""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tasks

from public_suites.instances import (
    Choice,
    Columns,
    Condition,
    Instance,
    Number,
    Parameter,
)

FOLDER_VARIABLE = "YAHPO_DATA"


@dataclass(frozen=True)
class Scenario:
    """What a scenario's files do not say.

    Attributes:
        folder: Name of its folder.
        dataset: The parameter that names the data set.
        fixed: Values of the fidelities.
        numbers: Names of the model's columns of numbers, in order.
        choices: Names of its columns of choices, in order.
        output: Place of the score among the model's outputs; it is maximised.
        has_conditions: Whether searches are told which parameters a configuration uses.
    """

    folder: str
    dataset: str
    fixed: dict[str, float]
    numbers: tuple[str, ...]
    choices: tuple[str, ...]
    output: int
    has_conditions: bool = False


_FULL = {"trainsize": 1.0, "repl": 10.0}
SCENARIOS = {
    "lcbench": Scenario(
        "lcbench",
        "OpenML_task_id",
        {"epoch": 52.0},
        (
            *("epoch", "batch_size", "learning_rate", "momentum"),
            *("weight_decay", "num_layers", "max_units", "max_dropout"),
        ),
        ("OpenML_task_id",),
        output=1,
    ),
    "xgboost": Scenario(
        "rbv2_xgboost",
        "task_id",
        _FULL,
        (
            *("nrounds", "eta", "gamma", "lambda", "alpha", "subsample", "max_depth"),
            *("min_child_weight", "colsample_bytree", "colsample_bylevel", "rate_drop"),
            *("skip_drop", "trainsize", "repl"),
        ),
        ("task_id", "booster", "num.impute.selected.cpo"),
        output=0,
    ),
    "rpart": Scenario(
        "rbv2_rpart",
        "task_id",
        _FULL,
        ("cp", "maxdepth", "minbucket", "minsplit", "trainsize", "repl"),
        ("task_id", "num.impute.selected.cpo"),
        output=0,
    ),
}
SCENARIOS["xgboost-conditional"] = replace(SCENARIOS["xgboost"], has_conditions=True)


def names(suite: str) -> list[str]:
    """Returns a scenario's data sets, by number."""
    surrogate = surrogate_of(suite)
    return sorted(surrogate.choices_of(surrogate.scenario.dataset), key=int)


def instance(suite: str, name: str) -> Instance:
    """Returns a scenario on one of its data sets."""
    surrogate = surrogate_of(suite)
    score = functools.partial(surrogate.score, name)
    conditions = surrogate.conditions() if surrogate.scenario.has_conditions else ()
    return Instance(suite, name, surrogate.parameters(), score, conditions=conditions)


@functools.cache
def surrogate_of(suite: str) -> Surrogate:
    """Returns a scenario's model."""
    return Surrogate(SCENARIOS[suite])


class Surrogate:
    """A scenario's model.

    Args:
        scenario: The scenario.

    Raises:
        FileNotFoundError: Its data are not there.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._folder = Path(os.environ.get(FOLDER_VARIABLE, "yahpo_data")) / scenario.folder
        if not (self._folder / "model.onnx").exists():
            raise FileNotFoundError(
                f"The data of YAHPO Gym are not in {str(self._folder)!r}. Name the folder that "
                f"holds {scenario.folder!r} with --yahpo FOLDER, or in {FOLDER_VARIABLE}."
            )
        self._config = json.loads((self._folder / "config_space.json").read_text())
        self._codes = json.loads((self._folder / "encoding.json").read_text())
        self._parents = {condition["child"]: condition for condition in self._config["conditions"]}

    @functools.cached_property
    def _session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(
            str(self._folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def choices_of(self, name: str) -> tuple[str, ...]:
        """Returns the values of a choice."""
        (found,) = [one for one in self._config["hyperparameters"] if one["name"] == name]
        return tuple(found["choices"])

    def parameters(self) -> tuple[Parameter, ...]:
        """Returns what is searched: all but the data set and the fidelities."""
        left_out = {self.scenario.dataset, *self.scenario.fixed}
        return tuple(
            _parameter(one)
            for one in self._config["hyperparameters"]
            if one["name"] not in left_out
        )

    def conditions(self) -> tuple[Condition, ...]:
        """Returns which parameters a configuration uses."""
        return tuple(
            Condition(child, condition["parent"], _allowed(condition))
            for child, condition in self._parents.items()
        )

    def score(self, dataset: str, columns: Columns) -> tasks.Rows:
        """Returns the negative scores on a data set, shape (n,).

        Args:
            dataset: Its name.
            columns: The columns, which may be NaN where a configuration does not use them.
        """
        fixed = {name: np.array(value) for name, value in self.scenario.fixed.items()}
        return -self.outputs(dataset, {**columns, **fixed})[:, self.scenario.output]

    def outputs(self, dataset: str, columns: Columns) -> tasks.Rows:
        """Returns all that the model says of a data set, shape (n, outputs).

        Args:
            dataset: Its name.
            columns: The columns, fidelities among them; those of shape () count for all rows.
        """
        size = max(column.size for column in columns.values())
        columns = {name: np.broadcast_to(column, size) for name, column in columns.items()}
        numbers = [self._used(name, columns, columns[name]) for name in self.scenario.numbers]
        choices = [self._code(name, dataset, columns) for name in self.scenario.choices]
        choices = [np.broadcast_to(codes, size) for codes in choices]
        inputs = {
            "x_cont": np.stack(numbers, axis=1).astype(np.float32),
            "x_cat": np.stack(choices, axis=1).astype(np.int32),
        }
        return self._session.run(None, inputs)[0].astype(float)

    def _code(self, name: str, dataset: str, columns: Columns) -> Any:
        codes = self._codes[name]
        if name == self.scenario.dataset:
            return codes[dataset]
        places = np.nan_to_num(columns[name]).astype(int)
        return self._used(
            name, columns, np.array([codes[v] for v in self.choices_of(name)])[places]
        )

    def _used(self, name: str, columns: Columns, values: Any) -> Any:
        """Returns values, with 0 where the configuration has another parent."""
        condition = self._parents.get(name)
        if condition is None:
            return values
        parent = condition["parent"]
        parents = np.array(self.choices_of(parent))[columns[parent].astype(int)]
        is_used = np.isin(parents, _allowed(condition))
        return np.where(is_used, values, 0)


def _allowed(condition: dict[str, Any]) -> tuple[str, ...]:
    return tuple(condition.get("values") or [condition["value"]])


def _parameter(config: dict[str, Any]) -> Parameter:
    if config["type"] == "categorical":
        return Choice(config["name"], tuple(config["choices"]))
    return Number(
        config["name"],
        config["lower"],
        config["upper"],
        config["type"] == "uniform_int",
        "log" if config["log"] else "linear",
    )
