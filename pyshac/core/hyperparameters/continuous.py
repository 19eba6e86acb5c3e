"""Hyperparameters that are real numbers."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats
from scipy.stats.distributions import rv_frozen

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters import distributions
from pyshac.core.hyperparameters.base import (
    ColumnHyperParameter,
    check_finite,
    check_log,
    check_range,
)
from pyshac.core.hyperparameters.discrete import smallest_whole


class _ContinuousHyperParameter(ColumnHyperParameter):
    """A real number, encoded as itself or as its natural logarithm."""

    log_encode: bool = False
    low: float = -math.inf
    high: float = math.inf

    @abstractmethod
    def _quantile(self, unit: FloatArray) -> FloatArray:
        """The inverse distribution function, on the scale of the values."""

    @abstractmethod
    def _probability(self, value: FloatArray) -> FloatArray:
        """The distribution function, on the scale of the values."""

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        values = self._quantile(np.asarray(unit, dtype=np.float64))
        values = np.clip(values, self.low, self.high)
        return np.log(values) if self.log_encode else values

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        values = np.asarray(encoded, dtype=np.float64)
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
        # The logarithm of `from_unit`: that of `math` can differ in the last digit.
        return float(np.log(value)) if self.log_encode else value

    def decode(self, x: Any) -> float:
        """Returns the number that an encoded one stands for."""
        value = math.exp(x) if self.log_encode else float(x)
        return min(max(value, self.low), self.high)

    def from_text(self, text: str) -> float:
        value = float(text)
        self.encode(value)
        return value


class UniformContinuousHyperParameter(_ContinuousHyperParameter):
    """A real number, uniform between two bounds.

    Args:
        name: Name, unique in its search space.
        min_value: Lower bound.
        max_value: Upper bound.
        log_encode: Show the classifiers the logarithm of the value. Draws stay uniform; for
            log-uniform draws take `LogUniformContinuousHyperParameter`.
        seed: Seed for `sample`.

    Raises:
        TypeError: If a bound is not a number.
        ValueError: If a bound is not finite, `min_value >= max_value`, or the logarithm is asked
            of a range that reaches 0.
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
        self.min_value = self.low = check_finite(name, "min_value", min_value)
        self.max_value = self.high = check_finite(name, "max_value", max_value)
        self.log_encode = bool(log_encode)
        check_range(name, self.low, self.high)
        if self.log_encode:
            check_log(name, self.low)

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


class LogUniformContinuousHyperParameter(_ContinuousHyperParameter):
    """A positive real number whose logarithm is uniform, as suits learning rates.

    Args:
        name: Name, unique in its search space.
        min_value: Lower bound, above 0.
        max_value: Upper bound.
        seed: Seed for `sample`.

    Raises:
        TypeError: If a bound is not a number.
        ValueError: If a bound is not finite, `min_value >= max_value` or `min_value <= 0`.
    """

    log_encode = True

    def __init__(
        self, name: str, min_value: float, max_value: float, seed: int | None = None
    ) -> None:
        super().__init__(name, None, seed)
        self.min_value = self.low = check_finite(name, "min_value", min_value)
        self.max_value = self.high = check_finite(name, "max_value", max_value)
        check_range(name, self.low, self.high)
        check_log(name, self.low)
        self._log_low, self._log_high = math.log(self.low), math.log(self.high)
        if not self._log_low < self._log_high:
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


class NormalContinuousHyperParameter(_ContinuousHyperParameter):
    """A real number with a normal distribution.

    Args:
        name: Name, unique in its search space.
        mean: Mean.
        std: Standard deviation.
        seed: Seed for `sample`.

    Raises:
        TypeError: If an argument is not a number.
        ValueError: If it is not finite, or `std <= 0`.
    """

    def __init__(self, name: str, mean: float, std: float, seed: int | None = None) -> None:
        super().__init__(name, None, seed)
        self.mean = check_finite(name, "mean", mean)
        self.std = check_finite(name, "std", std)
        if self.std <= 0:
            raise ValueError(f"std of {name!r} must be above 0. Got {self.std!r} instead.")
        if not math.isfinite(abs(self.mean) + 10 * self.std):
            raise ValueError(
                f"All draws of {name!r} must be finite, but got "
                f"(mean={self.mean!r}, std={self.std!r})."
            )

    def _quantile(self, unit: FloatArray) -> FloatArray:
        # Unit values are multiples of 2**-53; 0 itself would be minus infinity.
        return np.asarray(self.mean + self.std * special.ndtri(np.maximum(unit, 2.0**-54)))

    def _probability(self, value: FloatArray) -> FloatArray:
        return np.asarray(special.ndtr((value - self.mean) / self.std))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "std": self.std}


class DistributionHyperParameter(_ContinuousHyperParameter):
    """A number with any frozen distribution of `scipy.stats`, continuous or discrete.

    A few distributions are not taken from a file, because their values could take too long to
    find; a search with one of them is restored by an engine that was given its parameters.

    Args:
        name: Name, unique in its search space.
        distribution: A frozen univariate distribution, such as `scipy.stats.beta(2, 5)` or
            `scipy.stats.poisson(3)`. Values of discrete distributions are ints.
        log_encode: Show the classifiers the logarithm of the value.
        seed: Seed for `sample`.

    Raises:
        TypeError: If `distribution` is not a frozen distribution that `scipy.stats` has by name,
            or its arguments are arrays.
        ValueError: If its arguments are not allowed, its values are not whole numbers although
            it is discrete, or the logarithm is asked of a range that reaches 0.
    """

    def __init__(
        self, name: str, distribution: Any, log_encode: bool = False, seed: int | None = None
    ) -> None:
        super().__init__(name, None, seed)
        if not isinstance(distribution, rv_frozen) or not distributions.by_name(
            distribution.dist.name
        ):
            raise TypeError(
                f"distribution of {name!r} must be a frozen univariate distribution of "
                f"scipy.stats, such as scipy.stats.norm(0, 1). Got {distribution!r} instead."
            )
        self.distribution = distribution
        self.log_encode = bool(log_encode)
        self.is_discrete = isinstance(distribution.dist, stats.rv_discrete)
        bounds = distribution.support()
        if any(np.ndim(bound) for bound in bounds):
            raise TypeError(
                f"distribution of {name!r} must have single numbers as arguments. "
                f"Got {self._describe()} instead."
            )
        self.low, self.high = (float(bound) for bound in bounds)
        self._check_distribution()

    def _check_distribution(self) -> None:
        median = float(self.distribution.ppf(0.5))
        if not math.isfinite(median):
            raise ValueError(
                f"distribution of {self.name!r} must have allowed arguments. "
                f"Got {self._describe()} instead."
            )
        if self.is_discrete and not median.is_integer():
            raise ValueError(
                f"distribution of {self.name!r} must have whole numbers as values. "
                f"Got {self._describe()} instead."
            )
        if self.log_encode and not self.low > 0:
            check_log(self.name, self.low)

    def _describe(self) -> str:
        arguments = [repr(argument) for argument in self.distribution.args]
        arguments += [f"{key}={value!r}" for key, value in self.distribution.kwds.items()]
        return f"scipy.stats.{self.distribution.dist.name}({', '.join(arguments)})"

    def _quantile(self, unit: FloatArray) -> FloatArray:
        unit = np.maximum(unit, 2.0**-54)
        values = np.asarray(self.distribution.ppf(unit), dtype=np.float64)
        if self.is_discrete:
            # ppf assigns the upper end of a value's interval to it, from_unit the lower end.
            values += unit >= self.distribution.cdf(values)
        return values

    def _probability(self, value: FloatArray) -> FloatArray:
        return np.asarray(self.distribution.cdf(value))

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        if not self.is_discrete:
            return super().to_unit(encoded)
        return self._probability(smallest_whole(encoded, self.log_encode) - 1)

    def encode(self, x: Any) -> float:
        encoded = super().encode(x)
        if self.is_discrete and not float(x).is_integer():
            raise ValueError(f"A value of {self.name!r} must be a whole number. Got {x!r} instead.")
        return encoded

    def decode(self, x: Any) -> float:
        value = super().decode(x)
        return round(value) if self.is_discrete else value

    def from_text(self, text: str) -> float:
        value = super().from_text(text)
        return self.decode(self.encode(value)) if self.is_discrete else value

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "distribution": self.distribution.dist.name,
            "args": [_number(argument) for argument in self.distribution.args],
            "kwds": {key: _number(value) for key, value in self.distribution.kwds.items()},
            "log_encode": self.log_encode,
        }

    @classmethod
    def load_from_config(cls, config: Mapping[str, Any]) -> DistributionHyperParameter:
        frozen = distributions.from_config(config["distribution"], config["args"], config["kwds"])
        return cls(config["name"], frozen, config["log_encode"], config.get("seed"))


def _number(value: Any) -> Any:
    """Returns an argument of a distribution as a Python number."""
    return value.item() if isinstance(value, (np.generic, np.ndarray)) else value
