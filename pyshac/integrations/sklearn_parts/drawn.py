"""DrawnHyperParameter: a number that an object with a method `rvs` draws."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pyshac.core.basics.seeding import random_state
from pyshac.core.hyperparameters import AbstractHyperParameter
from pyshac.core.hyperparameters.registry import built_in


@built_in()
class DrawnHyperParameter(AbstractHyperParameter):
    """A number that any object with a method `rvs` draws, as scikit-learn allows.

    Nothing is known of its distribution, so frozen distributions of `scipy.stats` are better. No
    file holds the object: to go on with a saved search, the parameter has to be handed over.

    Args:
        name: Name, unique in its search space.
        distribution: The object. Its `rvs(random_state=...)` returns a number.
        seed: Seed for `sample`.

    Raises:
        TypeError: If it draws something else.
    """

    def __init__(self, name: str, distribution: Any, seed: int | None = None) -> None:
        super().__init__(name, None, seed)
        self.distribution = distribution
        self.is_whole = isinstance(self._draw(random_state(0)), int)

    def _draw(self, random: np.random.RandomState) -> float:
        value = self.distribution.rvs(random_state=random)
        if isinstance(value, (np.ndarray, np.generic)) and np.size(value) == 1:
            value = value.item()
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not is_number or not np.isfinite(value):
            raise TypeError(
                f"rvs() of the distribution of {self.name!r} must return a finite number. Got "
                f"{value!r} instead. For other values, take a list of them."
            )
        return int(value) if isinstance(value, numbers.Integral) else float(value)

    def sample(self) -> float:
        return self.decode(self._draw(self.random))

    def encode(self, x: Any) -> float:
        return float(x)

    def decode(self, x: Any) -> float:
        return int(x) if self.is_whole else float(x)

    @property
    def lacks_objects(self) -> bool:
        return self.distribution is None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "is_whole": self.is_whole}

    @classmethod
    def load_from_config(cls, config: Mapping[str, Any]) -> DrawnHyperParameter:
        parameter = cls.__new__(cls)
        AbstractHyperParameter.__init__(parameter, config["name"], None, config.get("seed"))
        parameter.distribution, parameter.is_whole = None, bool(config["is_whole"])
        return parameter


def take_distributions(
    own: Iterable[AbstractHyperParameter], given: Iterable[AbstractHyperParameter]
) -> None:
    """Hands distributions to the parameters that an engine has read from a file, by their names."""
    distributions = {p.name: p.distribution for p in given if isinstance(p, DrawnHyperParameter)}
    for parameter in own:
        if isinstance(parameter, DrawnHyperParameter):
            parameter.distribution = distributions[parameter.name]
