"""Completion: draws the values that are not given of a sample that the user enqueues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.errors import InfeasibleSpaceError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.constraints.given import Given
from pyshac.core.sampling.constraints.prior import Prior


def completed(
    given: Mapping[str, Any], space: HyperParameterList, stream: np.random.SeedSequence
) -> list[Any]:
    """Returns the row of a sample whose other values are drawn from the prior, given its own.

    Args:
        given: Parameters by name, some or all.
        space: The search space.
        stream: Random stream.

    Raises:
        TypeError: If a value has the wrong type.
        ValueError: If a name is unknown, a value lies outside the search space, or no values of the
            others could be found with which the sample obeys the constraints.
    """
    names = [each.name for each in space]
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(
            f"The search space has no parameters {unknown!r}. Enqueue some of {names!r}; "
            "the others are drawn."
        )
    if _is_complete(given, space):
        return space.to_stored_row(given)
    if space.constraints or not space.hierarchy.is_trivial:
        row = _drawn_beside(given, space, stream)
    else:
        row = space.draw(1, stream)[0]
    return space.to_stored_row({**space.to_parameters(space.decode(row)), **given})


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
    try:
        return np.asarray(Prior(space, Given(encoded, is_given, values)).draw(1, stream)[0])
    except InfeasibleSpaceError:
        obeyed = [*space.constraints] or "the conditions of its parameters"
        raise ValueError(
            f"A sample must obey {obeyed}. With {dict(given)!r}, no values of the other parameters "
            "could be found for it: change what is given, or give all of the sample."
        ) from None
