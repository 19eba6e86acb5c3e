"""Numbers with any distribution of `scipy.stats`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.column_kind import ColumnKind, scale_between
from pyshac.core.hyperparameters.number_checks import check_log
from pyshac.core.hyperparameters.registry import built_in
from pyshac.core.hyperparameters.types import scipy_distributions
from pyshac.core.hyperparameters.types.continuous import ContinuousHyperParameter
from pyshac.core.hyperparameters.types.whole_numbers import smallest_whole


@built_in("DistributionHP")
class DistributionHyperParameter(ContinuousHyperParameter):
    """A number with any frozen distribution of `scipy.stats`, continuous or discrete.

    A few distributions are not read from a file, because their quantiles may take too long to
    compute. To restore a search with one of them, hand its parameters to the engine.

    Args:
        name: Name, unique in its search space.
        distribution: A frozen univariate distribution, such as `scipy.stats.beta(2, 5)` or
            `scipy.stats.poisson(3)`. Values of discrete distributions are ints.
        log_encode: Show the classifiers the logarithm of the value, not its cumulative
            probability.
        seed: Seed for `sample`.

    Raises:
        TypeError: If `distribution` is not a frozen distribution that `scipy.stats` has by name,
            or its arguments are arrays.
        ValueError: If its arguments are not allowed, its values are not whole numbers although
            it is discrete, or `log_encode` is set for a range that reaches 0.
    """

    def __init__(
        self, name: str, distribution: Any, log_encode: bool = False, seed: int | None = None
    ) -> None:
        from scipy import stats
        from scipy.stats.distributions import rv_frozen

        super().__init__(name, None, seed)
        if not isinstance(distribution, rv_frozen) or not scipy_distributions.by_name(
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

    @property
    def column_kind(self) -> ColumnKind:
        # The support is no range for an axis: nearly all of it may be a tail.
        quartiles = self.from_unit([0.25, 0.75]).tolist() if self.log_encode else None
        scale = quartiles and scale_between(*quartiles)
        return ColumnKind(is_whole=self.is_discrete, is_log=self.log_encode, scale=scale)

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
            # `ppf` gives a value the upper end of its interval, `from_unit` the lower end.
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
        frozen = scipy_distributions.from_config(
            config["distribution"], config["args"], config["kwds"]
        )
        return cls(config["name"], frozen, config["log_encode"], config.get("seed"))


DistributionHP = DistributionHyperParameter


def _number(value: Any) -> Any:
    """Returns an argument of a distribution as a Python number."""
    return value.item() if isinstance(value, (np.generic, np.ndarray)) else value
