"""Base classes for custom real-valued parameters, as in PySHAC 0.1 to 0.3.

A subclass defines `sample`, and `get_config` with its constructor's arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.multi import check_sample_count
from pyshac.core.hyperparameters.number_checks import check_finite


class _TwoNumbers(AbstractHyperParameter):
    """The common part of both classes: two numbers, and the encoding of a value."""

    def _take(self, val1: Any, val2: Any, log_encode: bool) -> None:
        self._val1 = check_finite(self.name, "val1", val1)
        self._val2 = check_finite(self.name, "val2", val2)
        self.log_encode = bool(log_encode)
        if self.log_encode and self._val1 < 0:
            raise ValueError(
                f"With log_encode, val1 of {self.name!r} must not be negative. Got {self._val1!r} "
                "instead: leave log_encode out."
            )

    def sample(self) -> Any:
        """Draws from `self.random`; a subclass must define it."""
        raise NotImplementedError(
            f"{type(self).__name__} must define sample(), which draws from self.random."
        )

    def _cast(self, x: Any) -> float:
        return float(x)

    def _encode(self, value: Any) -> float:
        with np.errstate(divide="ignore"):
            return float(np.log(float(value)) if self.log_encode else value)

    def _decode(self, value: Any) -> float:
        return float(np.exp(float(value)) if self.log_encode else value)


class AbstractContinuousHyperParameter(_TwoNumbers):
    """A base class for real numbers, encoded as themselves or as their natural logarithms.

    Args:
        name: Name, unique in its search space.
        val1: A number for the subclass, such as a lower bound or a mean.
        val2: A second number, such as an upper bound or a standard deviation.
        log_encode: Encode a value as its natural logarithm. All values must then be above 0.
        seed: Seed of `random`.

    Attributes:
        _val1: The first number, for the subclass.
        _val2: The second number.

    Raises:
        TypeError: If `val1` or `val2` is not a number.
        ValueError: If `val1` or `val2` is None or not finite, or `val1` is negative with
            `log_encode`.
    """

    def __init__(
        self, name: str, val1: float, val2: float, log_encode: bool = False, seed: int | None = None
    ) -> None:
        super().__init__(name, None, seed)
        self._take(val1, val2, log_encode)

    def encode(self, x: Any) -> float:
        return self._encode(x)

    def decode(self, x: Any) -> float:
        return self._decode(x)


class AbstractMultiContinuousHyperParameter(_TwoNumbers):
    """A base class for lists of real numbers.

    `AbstractContinuousHyperParameter` describes the other arguments.

    Args:
        sample_count: Length of the list.

    Raises:
        TypeError: If `sample_count` is not an int, or `val1` or `val2` is not a number.
        ValueError: If `sample_count` is not in [1, 100000], `val1` or `val2` is None or not finite,
            or `val1` is negative with `log_encode`.
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
        self._take(val1, val2, log_encode)
        self.sample_count: int = check_sample_count(name, sample_count)

    def encode(self, x: Sequence[Any]) -> list[float]:
        return [self._encode(value) for value in x]

    def decode(self, x: Sequence[Any]) -> list[float]:
        return [self._decode(value) for value in x]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sample_count": self.sample_count}
