"""Real numbers with a uniform distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.multi import MultiHyperParameter
from pyshac.core.hyperparameters.number_checks import check_bounds, check_log_encode
from pyshac.core.hyperparameters.registry import built_in
from pyshac.core.hyperparameters.types.continuous import ContinuousHyperParameter


@built_in("UniformHP")
class UniformContinuousHyperParameter(ContinuousHyperParameter):
    """A real number, uniform between two bounds; always the same one if they are equal.

    Args:
        name: Name, unique in its search space.
        min_value: Lower bound.
        max_value: Upper bound.
        log_encode: Show the classifiers the logarithm of the value, in a range that reaches 0 of
            2**-54 of the upper bound at least. Draws stay uniform; for log-uniform draws use
            `LogUniformContinuousHyperParameter`.
        seed: Seed for `sample`.

    Raises:
        TypeError: If a bound is not a number.
        ValueError: If a bound or their difference is not finite, `min_value > max_value`,
            different bounds are the same float, or `log_encode` is set for a range that reaches
            below 0, or is 0 alone.
    """

    def __init__(
        self,
        name: str,
        min_value: float,
        max_value: float,
        log_encode: bool = False,
        seed: int | None = None,
    ) -> None:
        super().__init__(name, None, seed)
        self.low, self.high = self.min_value, self.max_value = check_bounds(
            name, min_value, max_value
        )
        self.log_encode = bool(log_encode)
        if self.log_encode:
            check_log_encode(name, self.low, self.high)

    def draw(self, random: np.random.RandomState, n: int) -> list[float]:
        return np.minimum(random.uniform(self.low, self.high, n), self.high).tolist()

    def _quantile(self, unit: FloatArray) -> FloatArray:
        return self.low + unit * (self.high - self.low)

    def _probability(self, value: FloatArray) -> FloatArray:
        return (value - self.low) / (self.high - self.low)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "min_value": self.min_value,
            "max_value": self.max_value,
            "log_encode": self.log_encode,
        }


UniformHP = UniformContinuousHyperParameter


@built_in("MultiUniformHP")
class MultiUniformContinuousHyperParameter(MultiHyperParameter):
    """Several real numbers from one range; see `UniformContinuousHyperParameter`.

    Args:
        name: Name, unique in its search space.
        min_value: Lower bound.
        max_value: Upper bound.
        log_encode: Show the classifiers the logarithms.
        sample_count: Number of values.
        seed: Seed for `sample`.
    """

    def __init__(
        self,
        name: str,
        min_value: float,
        max_value: float,
        log_encode: bool = False,
        sample_count: int = 1,
        seed: int | None = None,
    ) -> None:
        element = UniformContinuousHyperParameter(name, min_value, max_value, log_encode)
        super().__init__(element, sample_count, seed)
        self.min_value, self.max_value = element.min_value, element.max_value
        self.log_encode = element.log_encode


MultiUniformHP = MultiUniformContinuousHyperParameter
