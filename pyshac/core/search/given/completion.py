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
    drawn = space.to_parameters(space.decode(space.draw(1, stream)[0]))
    unknown = [name for name in given if name not in drawn]
    if unknown:
        raise ValueError(
            f"The search space has no parameters {unknown!r}. Enqueue some of {list(drawn)!r}; "
            "the others are drawn."
        )
    if space.constraints and len(given) < len(drawn):
        encoded = space.encode(space.to_row({**drawn, **given}))
        found = _drawn_beside(given, encoded, space, stream)
        drawn = space.to_parameters(space.decode(found))
    return space.to_stored_row({**drawn, **given})


def _drawn_beside(
    given: Mapping[str, Any],
    encoded: FloatArray,
    space: HyperParameterList,
    stream: np.random.SeedSequence,
) -> FloatArray:
    """Returns an encoded sample that has the given values and obeys the constraints."""
    is_given = np.zeros(space.num_columns, dtype=bool)
    for name in given:
        is_given[space.columns.part(name)] = True
    try:
        return Prior(space, Given(encoded, is_given)).draw(1, stream)[0]
    except InfeasibleSpaceError:
        raise ValueError(
            "A sample must obey the constraints of the search space, "
            f"{[*space.constraints]!r}. With {dict(given)!r}, no values of the other parameters "
            "could be found for it: change what is given, or give all of the sample."
        ) from None
