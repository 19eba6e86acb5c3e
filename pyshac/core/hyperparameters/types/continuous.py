"""The base class of hyperparameters that are real numbers."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.column import ColumnHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind, scale_between
from pyshac.core.hyperparameters.number_checks import check_finite


class ContinuousHyperParameter(ColumnHyperParameter):
    """A real number, encoded as itself or as its natural logarithm."""

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

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        values = self._quantile(np.asarray(unit, dtype=np.float64))
        values = np.clip(values, self.low, self.high)
        return np.log(values) if self.log_encode else values

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
            ValueError: If it lies outside the parameter's range.
        """
        value = check_finite(self.name, "A value", x)
        if not self.low <= value <= self.high:
            raise ValueError(
                f"A value of {self.name!r} must be in [{self.low!r}, {self.high!r}]. "
                f"Got {value!r} instead."
            )
        # The logarithm that `from_unit` takes; `math.log` may differ in the last digit.
        return float(np.log(value)) if self.log_encode else value

    def decode(self, x: Any) -> float:
        """Returns the number that `x` encodes."""
        value = math.exp(x) if self.log_encode else float(x)
        return min(max(value, self.low), self.high)

    def from_text(self, text: str) -> float:
        value = float(text)
        self.encode(value)
        return value
