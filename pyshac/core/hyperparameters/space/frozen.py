"""FrozenHyperParameterList: the search space of a search, which no longer changes."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, NoReturn

from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.space.parameter_list import HyperParameterList


class FrozenHyperParameterList(HyperParameterList):
    """A search space with fixed parameters. `set_seed` affects only `sample`.

    Args:
        parameters: The parameters, which are not copied.
        constraints: The constraints that every sample obeys.
    """

    def __init__(
        self, parameters: Iterable[AbstractHyperParameter], constraints: Iterable[Any] = ()
    ) -> None:
        super().__init__()
        for parameter in parameters:
            super().add_hyper_parameter(parameter)
        self._check_conditions()
        self._constrain(constraints)

    def add_hyper_parameter(self, parameter: AbstractHyperParameter) -> NoReturn:
        """Raises `RuntimeError`."""
        raise _fixed()

    def remove_hyper_parameter(self, parameter: AbstractHyperParameter | str) -> NoReturn:
        """Raises `RuntimeError`."""
        raise _fixed()


def frozen_copy(space: HyperParameterList) -> FrozenHyperParameterList:
    """Returns a copy that later changes of the space or its parameters do not affect.

    Raises:
        TypeError: If a parameter cannot be copied.
    """
    frozen = FrozenHyperParameterList(map(_copied, space), space.constraints)
    frozen.seed = space.seed
    return frozen


def _copied(parameter: AbstractHyperParameter) -> AbstractHyperParameter:
    try:
        return copy.deepcopy(parameter)
    except Exception as error:
        raise TypeError(
            "hyperparameter_list must hold hyperparameters that can be copied, since the engine "
            f"keeps a copy. {parameter.name!r} cannot be copied: {error}. Give its class a "
            "__deepcopy__."
        ) from error


def _fixed() -> RuntimeError:
    return RuntimeError(
        "The parameters of a search are fixed once its engine is made. Make another engine, with "
        "a save_dir of its own, for another search space."
    )
