"""Optuna's distributions as parameters of a search."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from pyshac.core.hyperparameters import AbstractHyperParameter, DiscreteHP, IntegerHP, UniformHP


def parameter_of(name: str, distribution: BaseDistribution) -> AbstractHyperParameter | None:
    """Returns the parameter with the draws of a distribution.

    Returns:
        None if there is no such parameter: a range is too wide for it, or its step too small.
    """
    with contextlib.suppress(ValueError):
        if isinstance(distribution, CategoricalDistribution):
            return _choice(name, distribution.choices)
        if isinstance(distribution, IntDistribution):
            low, high, step = distribution.low, distribution.high, distribution.step
            return IntegerHP(name, low, high, distribution.log, step=None if step == 1 else step)
        if isinstance(distribution, FloatDistribution):
            bounds = distribution.low, distribution.high
            return UniformHP(name, *bounds, log=distribution.log, step=distribution.step)
    return None


def _choice(name: str, choices: Sequence[Any]) -> AbstractHyperParameter:
    """Returns a choice; its values are the places of the choices where these cannot be values."""
    # Optuna allows the same choice twice, NaN, and objects that have no text of their own.
    with contextlib.suppress(TypeError, ValueError):
        return DiscreteHP(name, choices)
    return DiscreteHP(name, [*range(len(choices))])


def value_of(parameter: AbstractHyperParameter, number: float) -> Any:
    """Returns the value of a parameter for Optuna's number of it, its internal representation."""
    kind = parameter.column_kind
    if kind.choices is not None:
        return kind.choices[int(number)]
    if kind.steps is not None:
        matching = kind.steps.matching(number)
        number = number if matching is None else matching
    return int(number) if kind.is_whole else float(number)


def as_optuna(parameter: AbstractHyperParameter, distribution: BaseDistribution, value: Any) -> Any:
    """Returns a value of a parameter as Optuna hands it to an objective."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.to_external_repr(parameter.encode(value))
    return value


def hull(first: BaseDistribution, second: BaseDistribution) -> BaseDistribution:
    """Returns a distribution over all that two of one kind hold, as ranges that move need it.

    Those of different kinds, which Optuna refuses in one study, give the first.
    """
    if first == second or isinstance(first, CategoricalDistribution):
        return first
    for kind in (FloatDistribution, IntDistribution):
        if isinstance(first, kind) and isinstance(second, kind) and first.log == second.log:
            low: Any = min(first.low, second.low)
            high: Any = max(first.high, second.high)
            step: Any = first.step
            if not _have_one_grid(first, second):
                step = None if kind is FloatDistribution else 1
            return kind(low, high, log=first.log, step=step)
    return first


def covering(distribution: BaseDistribution, number: float) -> BaseDistribution:
    """Returns a distribution that holds a number, too: one that was enqueued may lie outside."""
    if distribution._contains(number):
        return distribution
    for kind in (FloatDistribution, IntDistribution):
        if isinstance(distribution, kind):
            exact: Any = int(number) if kind is IntDistribution else number
            low, high = min(distribution.low, exact), max(distribution.high, exact)
            return kind(low, high, log=distribution.log and low > 0)
    return distribution


def _have_one_grid(first: Any, second: Any) -> bool:
    if first.step is None or first.step != second.step:
        return bool(first.step == second.step)
    steps = (second.low - first.low) / first.step
    return bool(abs(steps - round(steps)) < 1e-8)
