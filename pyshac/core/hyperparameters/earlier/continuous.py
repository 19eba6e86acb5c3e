"""The base classes from which users of PySHAC 0.1 to 0.3 derived real parameters of their own.

A type that is derived from them supplies `sample`, and `get_config` with the arguments of its
constructor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.multi import check_sample_count
from pyshac.core.hyperparameters.number_checks import check_finite


def _encoded(value: Any, log_encode: bool) -> float:
    with np.errstate(divide="ignore"):
        return float(np.log(float(value)) if log_encode else value)


def _decoded(value: Any, log_encode: bool) -> float:
    return float(np.exp(float(value)) if log_encode else value)


def _check_log(owner: str, *numbers: float) -> None:
    if min(numbers) < 0:
        raise ValueError(
            f"With log_encode, values of {owner!r} must not be negative. Got {min(numbers)!r} "
            "among its arguments: leave log_encode out."
        )


class AbstractContinuousHyperParameter(AbstractHyperParameter):
    """A real number, encoded as itself or as its natural logarithm.

    Args:
        name: Name, unique in its search space.
        val1: A number for the subclass, such as a lower bound or a mean.
        val2: Another one, such as an upper bound or a standard deviation.
        log_encode: Encode a value as its natural logarithm. A search needs values above 0 then.
        seed: Seed of `random`.

    Attributes:
        _val1: The first number, for the subclass.
        _val2: The second one.

    Raises:
        TypeError: If a number is none.
        ValueError: If it is None or not finite, or `val1` is negative with `log_encode`.
    """

    def __init__(
        self, name: str, val1: float, val2: float, log_encode: bool = False, seed: int | None = None
    ) -> None:
        super().__init__(name, None, seed)
        self._val1 = check_finite(name, "val1", val1)
        self._val2 = check_finite(name, "val2", val2)
        self.log_encode = bool(log_encode)
        if self.log_encode:
            _check_log(name, self._val1)

    def sample(self) -> Any:
        """Draws one value from `self.random`; a subclass must supply it."""
        raise _no_sample(self)

    def encode(self, x: Any) -> float:
        return _encoded(x, self.log_encode)

    def decode(self, x: Any) -> float:
        return _decoded(x, self.log_encode)

    def _cast(self, x: Any) -> float:
        return float(x)


class AbstractMultiContinuousHyperParameter(AbstractHyperParameter):
    """A list of real numbers; see `AbstractContinuousHyperParameter` for the other arguments.

    Args:
        sample_count: Length of the list.

    Raises:
        TypeError: If `sample_count` is not an int, or a number is none.
        ValueError: If `sample_count` is not in [1, 100000], a number is None or not finite, or one
            is negative with `log_encode`.
    """

    def __init__(
        self,
        name: str,
        val1: float,
        val2: float,
        log_encode: bool = False,
        sample_count: int = 1,
        seed: int | None = None,
    ) -> None:
        super().__init__(name, None, seed)
        self._val1 = check_finite(name, "val1", val1)
        self._val2 = check_finite(name, "val2", val2)
        self.log_encode = bool(log_encode)
        self.sample_count: int = check_sample_count(name, sample_count)
        if self.log_encode:
            _check_log(name, self._val1, self._val2)

    def sample(self) -> Any:
        """Draws `sample_count` values from `self.random`; a subclass must supply it."""
        raise _no_sample(self)

    def encode(self, x: Sequence[Any]) -> list[float]:
        return [_encoded(value, self.log_encode) for value in x]

    def decode(self, x: Sequence[Any]) -> list[float]:
        return [_decoded(value, self.log_encode) for value in x]

    def _cast(self, x: Any) -> float:
        return float(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sample_count": self.sample_count}


def _no_sample(parameter: AbstractHyperParameter) -> NotImplementedError:
    return NotImplementedError(
        f"{type(parameter).__name__} must define sample(), which draws from self.random."
    )
