"""Constraining: combines a search space with constraints from a separate argument."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyshac.core.hyperparameters.space.parameter_list import HyperParameterList


def constrained(
    space: HyperParameterList | None, constraints: Iterable[Any] | None
) -> HyperParameterList | None:
    """Returns a search space with the constraints from a separate argument, if any.

    Raises:
        TypeError: If they are not constraints.
        ValueError: If the space already has constraints, or they do not suit it.
    """
    if constraints is None or space is None:
        return space
    if space.constraints:
        raise ValueError(
            "constraints must be given once: as an argument of the engine, or in the "
            f"HyperParameterList. Got {space.constraints!r} in the list already."
        )
    copied = HyperParameterList(space, constraints=constraints)
    copied.seed = space.seed
    return copied
