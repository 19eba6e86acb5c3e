"""DrawnHyperParameter: a number that an object with a method `rvs` draws."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from pyshac.core.hyperparameters import AbstractHyperParameter


class DrawnHyperParameter(AbstractHyperParameter):
    """A number that any object with a method `rvs` draws, as scikit-learn allows.

    Nothing is known of its distribution, so frozen distributions of `scipy.stats` are better.

    Args:
        name: Name, unique in its search space.
        distribution: The object. Its `rvs(random_state=...)` returns a number.
        seed: Seed for `sample`.
    """

    def __init__(self, name: str, distribution: Any, seed: int | None = None) -> None:
        super().__init__(name, None, seed)
        self.distribution = distribution

    def sample(self) -> float:
        """Draws one value.

        Raises:
            TypeError: If it is not a finite number.
        """
        value = self.distribution.rvs(random_state=self.random)
        if isinstance(value, (np.ndarray, np.generic)) and np.size(value) == 1:
            value = value.item()
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not is_number or not np.isfinite(value):
            raise TypeError(
                f"rvs() of the distribution of {self.name!r} must return a finite number. Got "
                f"{value!r} instead. For other values, take a list of them."
            )
        return int(value) if isinstance(value, numbers.Integral) else float(value)

    def encode(self, x: Any) -> float:
        return float(x)

    def decode(self, x: Any) -> float:
        return float(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "distribution": type(self.distribution).__name__}
