"""The base class of hyperparameters that are real numbers."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray, exponentials
from pyshac.core.hyperparameters.column import ColumnHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind, scale_between
from pyshac.core.hyperparameters.number_checks import check_finite

# Uniform draws from zero to a bound are zero or at least twice this share of it.
LEAST_SHARE = 2.0**-54


class ContinuousHyperParameter(ColumnHyperParameter):
    """A real number. Its encoded form is the number or its natural logarithm, and always finite."""

    log_encode: bool = False
    low: float = -math.inf
    high: float = math.inf

    @abstractmethod
    def _quantile(self, unit: FloatArray) -> FloatArray:
        """The quantile function of the values."""

    @abstractmethod
    def _probability(self, value: FloatArray) -> FloatArray:
        """The cumulative distribution function of the values."""

    @property
    def column_kind(self) -> ColumnKind:
        scale = scale_between(self.encode(self.low), self.encode(self.high))
        return ColumnKind(is_log=self.log_encode, low=self.low, high=self.high, scale=scale)

    @property
    def _least(self) -> float:
        """The lowest number that has its own logarithm. Lower numbers, such as 0, share it."""
        return self.low or max(self.high * LEAST_SHARE, math.ulp(0.0))

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        values = self._quantile(np.asarray(unit, dtype=np.float64))
        values = np.clip(values, self.low, self.high)
        return np.log(np.maximum(values, self._least)) if self.log_encode else values

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        values = np.asarray(encoded, dtype=np.float64)
        if self.low == self.high:
            return np.where(values > self.encode(self.low), 1.0, 0.0)
        if self.log_encode:
            with np.errstate(over="ignore"):
                values = np.exp(values)
        return np.clip(self._probability(values), 0.0, 1.0)

    def encode(self, x: Any) -> float:
        """Returns the number itself, or its natural logarithm.

        Raises:
            TypeError: If `x` is not a number.
            ValueError: If `x` is outside the parameter's range.
        """
        value = check_finite(self.name, "A value", x)
        if not self.low <= value <= self.high:
            raise ValueError(
                f"A value of {self.name!r} must be in [{self.low!r}, {self.high!r}]. "
                f"Got {value!r} instead."
            )
        # The logarithm that `from_unit` takes; `math.log` may differ in the last digit.
        return float(np.log(max(value, self._least))) if self.log_encode else value

    def decode(self, x: Any) -> float:
        """Returns the number with an encoded form."""
        if not self.log_encode:
            return min(max(float(x), self.low), self.high)
        if self.low == 0 and x <= self.encode(self.low):
            return self.low
        return min(max(math.exp(x), self.low), self.high)

    def decode_many(self, encoded: FloatArray) -> npt.NDArray[Any]:
        if not self.log_encode:
            return np.clip(encoded, self.low, self.high)
        values = np.clip(exponentials(encoded), self.low, self.high)
        return np.where(encoded <= self.encode(0.0), 0.0, values) if self.low == 0 else values

    def from_text(self, text: str) -> float:
        value = float(text)
        self.encode(value)
        return value
