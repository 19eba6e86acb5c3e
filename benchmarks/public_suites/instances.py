"""What the suites share: parameters as their sources describe them, and instances made of them.

Choices without an order are handed to a search in an order that depends on the instance alone, so
that no engine gains from the order in which a source happens to list them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tasks
from scipy import special

from pyshac import DiscreteHP, HyperParameterList, IntegerHP, LogUniformHP, UniformHP

# Sees the observed scores of a batch; the generator belongs to the run.
Noise = Callable[[tasks.Rows, np.random.Generator], tasks.Rows]
# Columns by name: numbers as they are, choices as places in the source's list.
Columns = dict[str, tasks.Rows]


@dataclass(frozen=True)
class Number:
    """A number between bounds.

    Attributes:
        name: Its name.
        low: Lower bound.
        high: Upper bound.
        is_whole: Whether it is an integer.
        scale: On which it is uniform: "linear", "log" or "logit". Integers have one of the former.
    """

    name: str
    low: float
    high: float
    is_whole: bool = False
    scale: str = "linear"

    def hyperparameter(self) -> Any:
        """Returns it as a parameter of a search space."""
        if self.is_whole:
            is_log = self.scale == "log"
            return IntegerHP(self.name, int(self.low), int(self.high), log=is_log)
        if self.scale == "logit":
            low, high = special.logit([self.low, self.high]).tolist()
            return UniformHP(self.name, low, high)
        return (LogUniformHP if self.scale == "log" else UniformHP)(self.name, self.low, self.high)

    def decode(self, encoded: tasks.Rows) -> tasks.Rows:
        """Returns the values of encoded ones."""
        values = {"linear": np.asarray, "log": np.exp, "logit": special.expit}[self.scale](encoded)
        return np.rint(values) if self.is_whole else np.clip(values, self.low, self.high)


@dataclass(frozen=True)
class Choice:
    """A choice among values: numbers, in their order, or texts, which have none.

    Attributes:
        name: Its name.
        values: The values, as the source lists them.
    """

    name: str
    values: tuple[Any, ...]

    @property
    def has_order(self) -> bool:
        """Whether the values are numbers."""
        return not isinstance(self.values[0], str)


Parameter = Number | Choice


@dataclass(frozen=True)
class Condition:
    """What a parameter needs to be active.

    Attributes:
        child: Name of the parameter.
        parent: Name of another one.
        values: The values that this one must have.
    """

    child: str
    parent: str
    values: tuple[Any, ...]


class Space:
    """A search space, and the way back from its encoded rows to what the source expects.

    Args:
        parameters: The parameters.
        name: Name of the instance, on which the order of the choices depends.
        conditions: What parameters need to be active.
    """

    def __init__(
        self, parameters: Sequence[Parameter], name: str, conditions: Sequence[Condition] = ()
    ) -> None:
        self._parameters = parameters
        self._conditions = conditions
        random = tasks.random_of(0, name)
        self._orders = {
            choice.name: random.permutation(len(choice.values))
            for choice in parameters
            if isinstance(choice, Choice) and not choice.has_order
        }

    @cached_property
    def hyperparameters(self) -> HyperParameterList:
        """The search space."""
        made = {one.name: self._hyperparameter(one) for one in self._parameters}
        for condition in self._conditions:
            made[condition.child].when(condition.parent, list(condition.values))
        return HyperParameterList(made.values())

    def _hyperparameter(self, parameter: Parameter) -> Any:
        if isinstance(parameter, Number):
            return parameter.hyperparameter()
        order = self._orders.get(parameter.name, range(len(parameter.values)))
        return DiscreteHP(parameter.name, [parameter.values[place] for place in order])

    def columns(self, rows: tasks.Rows) -> Columns:
        """Returns encoded rows, shape (n, parameters), as columns of shape (n,).

        NaN stays NaN, where a parameter is inactive.
        """
        return {
            parameter.name: self._decode(parameter, column)
            for parameter, column in zip(self._parameters, rows.T, strict=True)
        }

    def _decode(self, parameter: Parameter, encoded: tasks.Rows) -> tasks.Rows:
        if isinstance(parameter, Number):
            return parameter.decode(encoded)
        order = self._orders.get(parameter.name)
        if order is None:
            return encoded
        places = order[np.nan_to_num(encoded).astype(int)]
        return np.where(np.isnan(encoded), np.nan, places)


@dataclass(frozen=True)
class Instance:
    """A problem of a suite.

    Attributes:
        suite: Name of the suite.
        name: Its own name within the suite.
        parameters: Its parameters.
        score: Maps columns to scores of shape (n,), which are minimised.
        optimum: The lowest score there is, where the source knows it.
        noise: Makes observed scores of true ones, if they differ.
        conditions: What its parameters need to be active.
    """

    suite: str
    name: str
    parameters: tuple[Parameter, ...]
    score: Callable[[Columns], tasks.Rows]
    optimum: float | None = None
    noise: Noise | None = None
    conditions: tuple[Condition, ...] = ()

    @cached_property
    def task(self) -> tasks.Task:
        """The task, without noise."""
        name = f"{self.suite}/{self.name}"
        space = Space(self.parameters, name, self.conditions)

        def score(rows: tasks.Rows) -> tasks.Rows:
            return np.asarray(self.score(space.columns(rows)), float)

        return tasks.Task(name, space.hyperparameters, score)


def half_of(names: Sequence[str], half: str) -> list[str]:
    """Returns the names at even places, for development, or at odd ones, for the report.

    Args:
        names: The sorted names of a suite's instances.
        half: "even", "odd" or "all".

    Raises:
        ValueError: `half` is something else.
    """
    parts = {"even": slice(0, None, 2), "odd": slice(1, None, 2), "all": slice(None)}
    if half not in parts:
        raise ValueError(f"half must be one of {', '.join(parts)}. Got {half!r} instead.")
    return list(names[parts[half]])
