"""Positive real numbers with a uniform logarithm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.multi import MultiHyperParameter
from pyshac.core.hyperparameters.number_checks import check_bounds, check_log
from pyshac.core.hyperparameters.registry import built_in
from pyshac.core.hyperparameters.types.continuous import ContinuousHyperParameter


@dataclass(frozen=True)
class LogRange:
    """A range of positive numbers whose logarithm is uniform.

    Attributes:
        log_low: The logarithm of the lower bound.
        log_high: The logarithm of the upper bound.
    """

    log_low: float
    log_high: float

    @classmethod
    def between(cls, owner: str, low: float, high: float) -> LogRange:
        """Returns the range of the parameter `owner`.

        Raises:
            ValueError: If `low <= 0`, or different bounds have the same logarithm.
        """
        check_log(owner, low)
        log_low, log_high = math.log(low), math.log(high)
        if log_low == log_high and low < high:
            raise ValueError(
                f"min_value and max_value of {owner!r} must differ in their logarithms, "
                f"but got (min_value={low!r}, max_value={high!r})."
            )
        return cls(log_low, log_high)

    def quantile(self, unit: FloatArray) -> FloatArray:
        """The quantile function."""
        return np.exp(self.log_low + unit * (self.log_high - self.log_low))

    def probability(self, value: FloatArray) -> FloatArray:
        """The cumulative distribution function."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return (np.log(value) - self.log_low) / (self.log_high - self.log_low)


@built_in("LogUniformHP")
class LogUniformContinuousHyperParameter(ContinuousHyperParameter):
    """A positive real number with a log-uniform distribution, such as a learning rate.

    If both bounds are equal, the value is constant.

    Example:
        ```python
        pyshac.LogUniformHP("learning_rate", 1e-5, 1e-1)
        ```

    Args:
        name: Name, unique in its search space.
        min_value: Lower bound, above 0.
        max_value: Upper bound.
        seed: Seed of `sample`.

    Raises:
        TypeError: If a bound is not a number.
        ValueError: If a bound is not finite, `min_value > max_value`, `min_value <= 0`, or
            different bounds have the same logarithm.
    """

    log_encode = True

    def __init__(
        self, name: str, min_value: float, max_value: float, seed: int | None = None
    ) -> None:
        super().__init__(name, None, seed)
        self.low, self.high = self.min_value, self.max_value = check_bounds(
            name, min_value, max_value
        )
        self._range = LogRange.between(name, self.low, self.high)

    def _quantile(self, unit: FloatArray) -> FloatArray:
        return self._range.quantile(unit)

    def _probability(self, value: FloatArray) -> FloatArray:
        return self._range.probability(value)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "min_value": self.min_value,
            "max_value": self.max_value,
        }


LogUniformHP = LogUniformContinuousHyperParameter


@built_in("MultiLogUniformHP")
class MultiLogUniformContinuousHyperParameter(MultiHyperParameter):
    """A list of positive real numbers; see `LogUniformContinuousHyperParameter`.

    Example:
        ```python
        pyshac.MultiLogUniformHP("weight_decays", 1e-6, 1e-2, sample_count=2)
        ```

    Args:
        name: Name, unique in its search space.
        min_value: Lower bound, above 0.
        max_value: Upper bound.
        sample_count: Number of values.
        seed: Seed of `sample`.
    """

    def __init__(
        self,
        name: str,
        min_value: float,
        max_value: float,
        sample_count: int = 1,
        seed: int | None = None,
    ) -> None:
        element = LogUniformContinuousHyperParameter(name, min_value, max_value)
        super().__init__(element, sample_count, seed)
        self.min_value, self.max_value = element.min_value, element.max_value
        self.log_encode = element.log_encode


MultiLogUniformHP = MultiLogUniformContinuousHyperParameter
