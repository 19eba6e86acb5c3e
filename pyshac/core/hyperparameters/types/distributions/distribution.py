"""Numbers with a distribution of `scipy.stats`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.column import ColumnHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind, scale_between
from pyshac.core.hyperparameters.number_checks import check_log
from pyshac.core.hyperparameters.registry import built_in
from pyshac.core.hyperparameters.types.continuous import ContinuousHyperParameter
from pyshac.core.hyperparameters.types.distributions import scipy_distributions
from pyshac.core.hyperparameters.types.distributions.quantile_tables import RealTable, WholeTable
from pyshac.core.hyperparameters.types.distributions.quantiles import (
    LOST_SHARE,
    DirectQuantiles,
    Quantiles,
)
from pyshac.core.hyperparameters.types.steps import Steps
from pyshac.core.hyperparameters.types.whole_numbers import smallest_whole

# A discrete distribution with at most so many values is finite for the search.
MOST_VALUES = 1000


@built_in("DistributionHP")
class DistributionHyperParameter(ContinuousHyperParameter):
    """A number with any frozen univariate distribution of `scipy.stats`, continuous or discrete.

    Draws are quantiles. For distributions such as `scipy.stats.vonmises` and `zipf`, SciPy needs
    milliseconds for each quantile, so draws come from a table:

    - At either end, at most one draw in 16,384 takes the outermost value of the table.
    - Between the ends, draws from discrete distributions are exact. For continuous distributions,
      the probability of a draw below a value has an error of at most about one millionth.

    A few distributions cannot be restored from a file, because their quantiles may take too long to
    compute. Pass the parameters to the engine to restore a search that uses one.

    Example:
        ```python
        pyshac.DistributionHP("keep", scipy.stats.beta(2, 5))
        pyshac.DistributionHP("count", scipy.stats.poisson(3))
        ```

    Args:
        name: Name, unique in its search space.
        distribution: A frozen univariate distribution. Values of discrete distributions are ints.
        log_encode: Show the classifiers the logarithm of the value instead of its cumulative
            probability.
        seed: Seed of `sample`.

    Raises:
        TypeError: If `distribution` is not a frozen distribution that `scipy.stats` has by name,
            or its arguments are arrays.
        ValueError: If one of these is true:

            - The arguments of the distribution are not allowed.
            - More than one draw in 16,384 would exceed the range of floats.
            - The quantiles cannot be computed, or would take minutes.
            - The distribution is discrete, but its values are not integers.
            - `log_encode` is set and the range contains numbers that are not above 0.
    """

    def __init__(
        self, name: str, distribution: Any, log_encode: bool = False, seed: int | None = None
    ) -> None:
        super().__init__(name, None, seed)
        self._set_up(distribution, log_encode, LOST_SHARE)

    def _set_up(self, distribution: Any, log_encode: bool, lost_share: float) -> None:
        from scipy import stats

        if not scipy_distributions.is_frozen(distribution):
            raise TypeError(
                f"distribution of {self.name!r} must be a frozen univariate distribution of "
                f"scipy.stats, such as scipy.stats.norm(0, 1). Got {distribution!r} instead."
            )
        self.distribution = distribution
        self.log_encode = bool(log_encode)
        self.is_discrete = isinstance(distribution.dist, stats.rv_discrete)
        self.low, self.high = self._support()
        self._quantiles = self._checked_quantiles(lost_share)

    def _support(self) -> tuple[float, float]:
        bounds = self.distribution.support()
        if any(np.ndim(bound) for bound in bounds):
            raise TypeError(
                f"distribution of {self.name!r} must have single numbers as arguments. "
                f"Got {self._describe()} instead."
            )
        low, high = (float(bound) for bound in bounds)
        if math.isnan(low) or math.isnan(high):
            raise ValueError(
                f"distribution of {self.name!r} must have allowed arguments. "
                f"Got {self._describe()} instead."
            )
        if self.log_encode:
            check_log(self.name, low)
        return low, high

    def _checked_quantiles(self, lost_share: float) -> Quantiles:
        try:
            quantiles = self._find_quantiles(lost_share)
        # SciPy raises all kinds of exceptions.
        except Exception as error:
            is_ours = isinstance(error, ValueError)
            problem = error if is_ours else f"{type(error).__name__}: {error}"
            raise ValueError(
                f"distribution of {self.name!r} must have values that can be drawn. Got "
                f"{self._describe()}: {problem}. Take a narrower distribution; for numbers of very "
                "different sizes, LogUniformHP, or IntegerHP with log=True."
            ) from None
        if self.is_discrete and not float(quantiles.quantile(np.array(0.5))).is_integer():
            raise ValueError(
                f"distribution of {self.name!r} must have whole numbers as values. "
                f"Got {self._describe()} instead."
            )
        return quantiles

    @property
    def column_kind(self) -> ColumnKind:
        # The support is no range for an axis: nearly all of it may be a tail.
        if not self.log_encode:
            return ColumnKind(is_whole=self.is_discrete, scale=None, steps=self._steps)
        low, high = self.from_unit([0.25, 0.75]).tolist()
        return ColumnKind(is_whole=self.is_discrete, is_log=True, scale=scale_between(low, high))

    @property
    def _steps(self) -> Steps | None:
        """The integers that can be drawn, if there are few; otherwise None."""
        if not self.is_discrete or not math.isfinite(self.high - self.low):
            return None
        low, high = (self.decode(end) for end in self.from_unit([0.0, np.nextafter(1, 0)]))
        count = int(high - low) + 1
        return Steps(int(low), 1, 0, count) if count <= MOST_VALUES else None

    def _find_quantiles(self, lost_share: float) -> Quantiles:
        if scipy_distributions.has_quick_quantiles(self.distribution):
            return DirectQuantiles(self.distribution, self.is_discrete, lost_share)
        return WholeTable(self.distribution) if self.is_discrete else RealTable(self.distribution)

    def _describe(self) -> str:
        arguments = [repr(argument) for argument in self.distribution.args]
        arguments += [f"{key}={value!r}" for key, value in self.distribution.kwds.items()]
        return f"scipy.stats.{self.distribution.dist.name}({', '.join(arguments)})"

    def _quantile(self, unit: FloatArray) -> FloatArray:
        return self._quantiles.quantile(unit)

    def _probability(self, value: FloatArray) -> FloatArray:
        return self._quantiles.below(value)

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        if not self.is_discrete:
            return super().to_unit(encoded)
        # A table has no place for NaN, which stands for what is inactive.
        value = np.nan_to_num(smallest_whole(encoded, self.log_encode))
        probability = np.clip(self._probability(value), 0.0, 1.0)
        return np.where(np.isnan(encoded), np.nan, probability)

    def encode(self, x: Any) -> float:
        encoded, number = super().encode(x), float(x)
        if self.is_discrete and not number.is_integer():
            raise ValueError(f"A value of {self.name!r} must be a whole number. Got {x!r} instead.")
        if self.is_discrete and int(number) != x:
            raise ValueError(
                f"A value of {self.name!r} must be a whole number that a float holds exactly, as "
                f"those within 2**53 of 0 are. Got {x!r} instead."
            )
        return encoded

    def decode(self, x: Any) -> float:
        value = super().decode(x)
        return round(value) if self.is_discrete else value

    def decode_many(self, encoded: FloatArray) -> npt.NDArray[Any]:
        if not self.is_discrete:
            return super().decode_many(encoded)
        return ColumnHyperParameter.decode_many(self, encoded)

    def from_text(self, text: str) -> float:
        value = super().from_text(text)
        if not self.is_discrete:
            return value
        number = plain_values.from_text(text)
        self.encode(number if type(number) is int else value)
        return int(value)

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
        parameter = cls.__new__(cls)
        AbstractHyperParameter.__init__(parameter, config["name"], None, config.get("seed"))
        # Earlier releases only looked at the median.
        parameter._set_up(frozen, config["log_encode"], lost_share=0.5)
        return parameter


DistributionHP = DistributionHyperParameter


def _number(value: Any) -> Any:
    """Returns an argument of a distribution as a Python number."""
    return value.item() if isinstance(value, (np.generic, np.ndarray)) else value
