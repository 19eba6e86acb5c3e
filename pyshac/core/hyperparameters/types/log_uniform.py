"""Positive real numbers with a uniform logarithm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.number_checks import check_bounds, check_log
from pyshac.core.hyperparameters.registry import built_in
from pyshac.core.hyperparameters.types.continuous import ContinuousHyperParameter


@built_in("LogUniformHP")
class LogUniformContinuousHyperParameter(ContinuousHyperParameter):
    """A positive real number with a uniform logarithm, e.g. a learning rate.

    If both bounds are equal, it is always the same number.

    Args:
        name: Name, unique in its search space.
        min_value: Lower bound, above 0.
        max_value: Upper bound.
        seed: Seed for `sample`.

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
        check_log(name, self.low)
        self._log_low, self._log_high = math.log(self.low), math.log(self.high)
        if self._log_low == self._log_high and self.low < self.high:
            raise ValueError(
                f"min_value and max_value of {name!r} must differ in their logarithms, "
                f"but got (min_value={self.low!r}, max_value={self.high!r})."
            )

    def _quantile(self, unit: FloatArray) -> FloatArray:
        return np.exp(self._log_low + unit * (self._log_high - self._log_low))

    def _probability(self, value: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return (np.log(value) - self._log_low) / (self._log_high - self._log_low)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "min_value": self.min_value,
            "max_value": self.max_value,
        }


LogUniformHP = LogUniformContinuousHyperParameter
