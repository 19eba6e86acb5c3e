"""Real numbers with a uniform distribution."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.hyperparameters.column import ColumnHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.multi import MultiHyperParameter
from pyshac.core.hyperparameters.number_checks import check_bounds, check_finite, check_log_encode
from pyshac.core.hyperparameters.registry import built_in
from pyshac.core.hyperparameters.types.continuous import ContinuousHyperParameter
from pyshac.core.hyperparameters.types.log_uniform import LogRange
from pyshac.core.hyperparameters.types.steps import Steps, check_no_log


@built_in("UniformHP")
class UniformContinuousHyperParameter(ContinuousHyperParameter):
    """A real number with a uniform distribution between two bounds.

    If both bounds are equal, the value is constant.

    Example:
        ```python
        pyshac.UniformHP("momentum", 0.5, 0.99)
        pyshac.UniformHP("dropout", 0.0, 0.5, step=0.05)
        pyshac.UniformHP("learning_rate", 1e-5, 1e-1, log=True)
        ```

    Args:
        name: Name, unique in its search space.
        min_value: Lower bound.
        max_value: Upper bound.
        log_encode: Show the classifiers the logarithm of the value. Draws remain uniform; use `log`
            for log-uniform draws. If the range includes 0, the classifiers see values below 2**-54
            of the upper bound as that number.
        seed: Seed of `sample`.
        log: Draw and encode on a logarithmic scale. The draws are those of
            `LogUniformContinuousHyperParameter`.
        step: Distance between values. The values are `min_value`, `min_value + step` and so on, up
            to at most `max_value`; all are equally likely. Each is an exact decimal: 0.15, not
            0.15000000000000002. With None, every number in the range is possible.

    Raises:
        TypeError: If a bound or `step` is not a number.
        ValueError: If one of these is true:

            - A bound, or the difference of the bounds, is not finite.
            - `min_value > max_value`, or different bounds become the same float.
            - `log_encode` is set and the range contains negative numbers or only 0.
            - `log` is set and the range contains numbers that are not above 0.
            - `step` is set together with `log` or `log_encode`.
            - `step` is not above 0, larger than the range, or too small for floats.
    """

    def __init__(
        self,
        name: str,
        min_value: float,
        max_value: float,
        log_encode: bool = False,
        seed: int | None = None,
        *,
        log: bool = False,
        step: float | None = None,
    ) -> None:
        super().__init__(name, None, seed)
        self.low, self.high = self.min_value, self.max_value = check_bounds(
            name, min_value, max_value
        )
        check_no_log(name, step, log=log, log_encode=log_encode)
        self.log, self.log_encode = bool(log), bool(log_encode or log)
        self.step = None if step is None else check_finite(name, "step", step)
        if self.log_encode and not self.log:
            check_log_encode(name, self.low, self.high)
        self._log_range = LogRange.between(name, self.low, self.high) if self.log else None
        self._steps = None
        if self.step is not None:
            self._steps = Steps.between(name, self.low, self.high, self.step)
            self.high = self._steps.high

    @property
    def column_kind(self) -> ColumnKind:
        return replace(super().column_kind, steps=self._steps)

    def draw(self, random: np.random.RandomState, n: int) -> list[float]:
        if self.log or self._steps is not None:
            return super().draw(random, n)
        return np.minimum(random.uniform(self.low, self.high, n), self.high).tolist()

    def _quantile(self, unit: FloatArray) -> FloatArray:
        if self._log_range is not None:
            return self._log_range.quantile(unit)
        return self.low + unit * (self.high - self.low)

    def _probability(self, value: FloatArray) -> FloatArray:
        if self._log_range is not None:
            return self._log_range.probability(value)
        return (value - self.low) / (self.high - self.low)

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        return super().from_unit(unit) if self._steps is None else self._steps.from_unit(unit)

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        return super().to_unit(encoded) if self._steps is None else self._steps.to_unit(encoded)

    def encode(self, x: Any) -> float:
        if self._steps is None:
            return super().encode(x)
        value = check_finite(self.name, "A value", x)
        found = self._steps.matching(value)
        if found is None:
            raise ValueError(
                f"A value of {self.name!r} must be in [{self.low!r}, {self.high!r}], at steps of "
                f"{self.step!r} from {self.low!r}. Got {value!r} instead: the nearest is "
                f"{self._steps.nearest(value)!r}."
            )
        return found

    def decode(self, x: Any) -> float:
        return super().decode(x) if self._steps is None else self._steps.nearest(float(x))

    def decode_many(self, encoded: FloatArray) -> npt.NDArray[Any]:
        if self._steps is None:
            return super().decode_many(encoded)
        return ColumnHyperParameter.decode_many(self, encoded)

    def to_text(self, value: Any) -> str:
        if self._steps is None:
            return super().to_text(value)
        return plain_values.to_text(self.encode(value))

    def from_text(self, text: str) -> float:
        value = super().from_text(text)
        return value if self._steps is None else self.encode(value)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "min_value": self.min_value,
            "max_value": self.max_value,
            "log_encode": self.log_encode,
            **({"log": True} if self.log else {}),
            **({} if self.step is None else {"step": self.step}),
        }


UniformHP = UniformContinuousHyperParameter


@built_in("MultiUniformHP")
class MultiUniformContinuousHyperParameter(MultiHyperParameter):
    """A list of real numbers from one range; see `UniformContinuousHyperParameter`.

    Example:
        ```python
        pyshac.MultiUniformHP("dropouts", 0.0, 0.5, sample_count=3)
        ```

    Args:
        name: Name, unique in its search space.
        min_value: Lower bound.
        max_value: Upper bound.
        log_encode: Show the classifiers the logarithms.
        sample_count: Number of values.
        seed: Seed of `sample`.
        log: Draw and encode on a logarithmic scale.
        step: Distance between values; with None, every number in the range is possible.
    """

    def __init__(
        self,
        name: str,
        min_value: float,
        max_value: float,
        log_encode: bool = False,
        sample_count: int = 1,
        seed: int | None = None,
        *,
        log: bool = False,
        step: float | None = None,
    ) -> None:
        element = UniformContinuousHyperParameter(
            name, min_value, max_value, log_encode, log=log, step=step
        )
        super().__init__(element, sample_count, seed)
        self.min_value, self.max_value = element.min_value, element.max_value
        self.log_encode, self.log, self.step = element.log_encode, element.log, element.step


MultiUniformHP = MultiUniformContinuousHyperParameter
