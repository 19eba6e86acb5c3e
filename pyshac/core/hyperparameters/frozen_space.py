"""FrozenHyperParameterList: the search space of a search, which stays as it was."""

from __future__ import annotations

import copy
from typing import NoReturn

from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.space import HyperParameterList


class FrozenHyperParameterList(HyperParameterList):
    """A copy of a search space, whose parameters are fixed. `set_seed` concerns `sample` alone.

    Args:
        space: The search space. Later changes of it, or of its parameters, do not reach the copy.

    Raises:
        TypeError: If a parameter cannot be copied.
    """

    def __init__(self, space: HyperParameterList) -> None:
        super().__init__()
        for parameter in space:
            super().add_hyper_parameter(_copied(parameter))
        self.seed = space.seed

    def add_hyper_parameter(self, parameter: AbstractHyperParameter) -> NoReturn:
        """Raises `RuntimeError`."""
        raise _fixed()

    def remove_hyper_parameter(self, parameter: AbstractHyperParameter | str) -> NoReturn:
        """Raises `RuntimeError`."""
        raise _fixed()


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
