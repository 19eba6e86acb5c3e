"""Whole numbers from a range."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray, exponentials
from pyshac.core.basics.checks import check_int
from pyshac.core.hyperparameters.column import ColumnHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind, scale_between
from pyshac.core.hyperparameters.multi import MultiHyperParameter
from pyshac.core.hyperparameters.number_checks import check_log, check_range
from pyshac.core.hyperparameters.registry import built_in
from pyshac.core.hyperparameters.types.steps import Steps, check_no_log
from pyshac.core.hyperparameters.types.whole_numbers import index_from_unit, smallest_whole


@built_in("IntegerHP")
class IntegerHyperParameter(ColumnHyperParameter):
    """An integer from a range that includes both bounds.

    If both bounds are equal, the value is constant.

    Example:
        ```python
        pyshac.IntegerHP("layers", 1, 8)
        pyshac.IntegerHP("units", 16, 1024, log=True)
        pyshac.IntegerHP("batch_size", 32, 256, step=32)
        ```

    Args:
        name: Name, unique in its search space.
        min_value: Lowest value.
        max_value: Highest value.
        log: Draw and encode on a logarithmic scale. The value is a log-uniform number from
            [min_value - 1/2, max_value + 1/2], rounded.
        seed: Seed of `sample`.
        step: Distance between values. The values are `min_value`, `min_value + step` and so on, up
            to at most `max_value`; all are equally likely. With None, every integer is possible.

    Raises:
        TypeError: If a bound or `step` is not an int.
        ValueError: If one of these is true:

            - `min_value > max_value`.
            - The size of a bound exceeds 2**52, or 2**46 with `log`.
            - `log` is set and the range contains numbers below 1.
            - `step` is set together with `log`, is below 1, or is larger than the range.
    """

    def __init__(
        self,
        name: str,
        min_value: int,
        max_value: int,
        log: bool = False,
        seed: int | None = None,
        *,
        step: int | None = None,
    ) -> None:
        super().__init__(name, None, seed)
        self.min_value = check_int(f"min_value of {name!r}", min_value)
        self.max_value = check_int(f"max_value of {name!r}", max_value)
        self.log = bool(log)
        check_range(name, self.min_value, self.max_value)
        if self.log:
            check_log(name, self.min_value)
        # Floats tell whole numbers apart only up to 2**53, and their logarithms up to 2**46.
        exponent = 46 if self.log else 52
        if max(abs(self.min_value), abs(self.max_value)) > 2**exponent:
            raise ValueError(
                f"min_value and max_value of {name!r} must lie within 2**{exponent} of 0, but got "
                f"(min_value={self.min_value!r}, max_value={self.max_value!r})."
            )
        check_no_log(name, step, log=self.log)
        self.step = None if step is None else check_int(f"step of {name!r}", step)
        self._steps = None if self.step is None else self._new_steps(self.step)

    def _new_steps(self, step: int) -> Steps:
        low, high = self.min_value, self.max_value
        if step < 1 or (low < high and step > high - low):
            raise ValueError(
                f"step of {self.name!r} must be at least 1 and at most max_value - min_value, but "
                f"got (min_value={low!r}, max_value={high!r}, step={step!r})."
            )
        return Steps(low, step, 0, (high - low) // step + 1)

    @property
    def _highest(self) -> int:
        """The highest value, which is below `max_value` if no step reaches that."""
        return self.max_value if self._steps is None else int(self._steps.high)

    @property
    def column_kind(self) -> ColumnKind:
        return ColumnKind(
            is_whole=True,
            is_log=self.log,
            low=float(self.min_value),
            high=float(self._highest),
            scale=scale_between(self.encode(self.min_value), self.encode(self._highest)),
            steps=self._steps,
        )

    @property
    def _count(self) -> int:
        return self.max_value - self.min_value + 1

    def _below(self, value: FloatArray) -> FloatArray:
        """Returns the prior probability of a draw below each whole number."""
        if not self.log:
            return np.clip((value - self.min_value) / self._count, 0.0, 1.0)
        low, high = math.log(self.min_value - 0.5), math.log(self.max_value + 0.5)
        with np.errstate(divide="ignore"):
            logarithm = np.log(np.maximum(value - 0.5, 0.0))
        return np.clip((logarithm - low) / (high - low), 0.0, 1.0)

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        if self._steps is not None:
            return self._steps.from_unit(unit)
        if not self.log:
            return self.min_value + index_from_unit(unit, self._count)
        unit = np.asarray(unit, dtype=np.float64)
        low, high = math.log(self.min_value - 0.5), math.log(self.max_value + 0.5)
        value = np.floor(np.exp(low + unit * (high - low)) + 0.5)
        value = np.clip(value, self.min_value, self.max_value)
        # The exponential may round across the edge between two whole numbers.
        value += (unit >= self._below(value + 1)) & (value < self.max_value)
        value -= (unit < self._below(value)) & (value > self.min_value)
        return np.log(value)

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        if self._steps is not None:
            return self._steps.to_unit(encoded)
        return self._below(smallest_whole(encoded, self.log))

    def encode(self, x: Any) -> float:
        """Returns the number itself, or its natural logarithm with `log`.

        Raises:
            TypeError: If `x` is not an int.
            ValueError: If `x` is outside the range or between two steps.
        """
        value = check_int(f"A value of {self.name!r}", x)
        if not self.min_value <= value <= self.max_value:
            raise ValueError(
                f"A value of {self.name!r} must be in [{self.min_value}, {self.max_value}]. "
                f"Got {value} instead."
            )
        if self.step is not None and (value - self.min_value) % self.step:
            raise ValueError(
                f"A value of {self.name!r} must be {self.min_value} plus a multiple of {self.step}."
                f" Got {value} instead."
            )
        # The logarithm that `from_unit` takes; `math.log` may differ in the last digit.
        return float(np.log(value)) if self.log else float(value)

    def decode(self, x: Any) -> int:
        """Returns the integer with an encoded form."""
        if self._steps is not None:
            return int(self._steps.nearest(float(x)))
        value = round(math.exp(x) if self.log else float(x))
        return min(max(value, self.min_value), self.max_value)

    def decode_many(self, encoded: FloatArray) -> npt.NDArray[Any]:
        values = np.rint(exponentials(encoded) if self.log else encoded)
        return np.clip(values, self.min_value, self.max_value).astype(np.int64)

    def from_text(self, text: str) -> int:
        number = float(text)
        if not number.is_integer():
            raise ValueError(
                f"A value of {self.name!r} must be a whole number. Got {text!r} instead."
            )
        self.encode(int(number))
        return int(number)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "min_value": self.min_value,
            "max_value": self.max_value,
            "log": self.log,
            **({} if self.step is None else {"step": self.step}),
        }


IntegerHP = IntegerHyperParameter


@built_in("MultiIntegerHP")
class MultiIntegerHyperParameter(MultiHyperParameter):
    """A list of integers from one range; see `IntegerHyperParameter`.

    Example:
        ```python
        pyshac.MultiIntegerHP("units", 16, 512, sample_count=3, log=True)
        ```

    Args:
        name: Name, unique in its search space.
        min_value: Lowest value.
        max_value: Highest value.
        sample_count: Number of values.
        seed: Seed of `sample`.
        log: Draw and encode on a logarithmic scale.
        step: Distance between values; with None, every integer is possible.
    """

    def __init__(
        self,
        name: str,
        min_value: int,
        max_value: int,
        sample_count: int = 1,
        seed: int | None = None,
        *,
        log: bool = False,
        step: int | None = None,
    ) -> None:
        element = IntegerHyperParameter(name, min_value, max_value, log, step=step)
        super().__init__(element, sample_count, seed)
        self.min_value, self.max_value = element.min_value, element.max_value
        self.log, self.step = element.log, element.step


MultiIntegerHP = MultiIntegerHyperParameter
