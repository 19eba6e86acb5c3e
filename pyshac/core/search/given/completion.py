"""Completion: draws the missing values of a sample that the user enqueues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.errors import InfeasibleSpaceError
from pyshac.core.hyperparameters import AbstractHyperParameter, HyperParameterList
from pyshac.core.hyperparameters.space.row_forms import is_inactive
from pyshac.core.sampling.constraints.given import Given
from pyshac.core.sampling.constraints.prior import Prior


def completed(
    given: Mapping[str, Any], space: HyperParameterList, stream: np.random.SeedSequence
) -> list[Any]:
    """Returns the row of a sample. Values that are not given are drawn from the prior.

    Args:
        given: Parameters by name, some or all; missing values, as in data frames, do not count.
        space: The search space.
        stream: Random stream.

    Raises:
        TypeError: If a value has the wrong type.
        ValueError: If a name is unknown, a value is outside the search space, or no values of the
            other parameters were found with which the sample obeys the constraints.
    """
    names = [each.name for each in space]
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(
            f"The search space has no parameters {unknown!r}. Enqueue some of {names!r}; "
            "the others are drawn."
        )
    given = {name: value for name, value in given.items() if not _is_missing(space[name], value)}
    if _is_complete(given, space):
        return space.to_stored_row(given)
    if space.constraints or not space.hierarchy.is_trivial:
        row = _drawn_beside(given, space, stream)
    else:
        row = space.draw(1, stream)[0]
    return space.to_stored_row({**space.to_parameters(space.decode(row)), **given})


def _is_missing(parameter: AbstractHyperParameter, value: Any) -> bool:
    """Returns whether a conditional parameter has no value, as in the records of data frames."""
    if value is not None or not parameter.conditions:
        return is_inactive(value)
    try:
        parameter.encode(parameter.from_object(value))
    # A user's own type may raise anything.
    except Exception:
        return True
    return False


def _is_complete(given: Mapping[str, Any], space: HyperParameterList) -> bool:
    try:
        space.to_row(given)
    # What is wrong with a value shows when it is encoded.
    except Exception:
        return len(given) == len(space)
    return True


def _drawn_beside(
    given: Mapping[str, Any], space: HyperParameterList, stream: np.random.SeedSequence
) -> FloatArray:
    """Returns an encoded sample that has the given values and obeys conditions and constraints."""
    encoded, is_given = np.zeros(space.num_columns), np.zeros(space.num_columns, dtype=bool)
    values: dict[str, Any] = {}
    for name, value in given.items():
        parameter, part = space[name], space.columns.part(name)
        value = parameter.from_object(value)
        encoded[part], is_given[part] = parameter.encode(value), True
        each = [value] if parameter.sample_count is None else value
        values.update(zip(space.columns.names[part], each, strict=True))
    _check_conditions(given, encoded, is_given, space)
    try:
        return np.asarray(Prior(space, Given(encoded, is_given, values)).draw(1, stream)[0])
    except InfeasibleSpaceError:
        obeyed = [*space.constraints] or "the conditions of its parameters"
        raise ValueError(
            f"A sample must obey {obeyed}. With {dict(given)!r}, no values of the other parameters "
            "could be found for it: change what is given, or give all of the sample."
        ) from None


def _check_conditions(
    given: Mapping[str, Any], encoded: FloatArray, is_given: BoolArray, space: HyperParameterList
) -> None:
    """Raises `ValueError` if a given value makes a given parameter inactive.

    Args:
        given: Parameters by name.
        encoded: Their encoded values, shape (columns,).
        is_given: Which columns are given, shape (columns,).
        space: The search space.
    """
    for number, parameter in enumerate(space):
        for rule in space.hierarchy.rules[number] if parameter.name in given else ():
            column = slice(rule.column, rule.column + 1)
            if is_given[rule.column] and not rule.values.hold(encoded[column])[0]:
                raise ValueError(f"{rule.refusal(parameter.name)} Got {dict(given)!r}.")
