"""Hyperparameters with separate values: a choice among any, or a range of integers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.checks import check_int
from pyshac.core.hyperparameters.base import ColumnHyperParameter, check_log, check_range


def _cells_from_unit(unit: npt.ArrayLike, count: int) -> FloatArray:
    """Returns i for every unit value in [i / count, (i + 1) / count), as floats."""
    unit = np.asarray(unit, dtype=np.float64)
    index: FloatArray = np.clip(np.floor(unit * count), 0, count - 1)
    # The product can round across the edge of a cell.
    index += (unit >= (index + 1) / count) & (index < count - 1)
    index -= unit < index / count
    return index


def smallest_whole(encoded: npt.ArrayLike, is_log: bool) -> FloatArray:
    """Returns the smallest whole number whose encoded form is not below each given one.

    Args:
        encoded: Encoded values, of any shape.
        is_log: Whether a number's encoded form is its natural logarithm, not the number itself.
    """
    encoded = np.asarray(encoded, dtype=np.float64)
    if not is_log:
        return np.ceil(encoded)
    with np.errstate(over="ignore", divide="ignore"):
        whole: FloatArray = np.ceil(np.exp(encoded))
        # The exponential can round across a whole number.
        whole -= np.log(np.maximum(whole - 1, 0.0)) >= encoded
        whole += np.log(whole) < encoded
    return whole


class DiscreteHyperParameter(ColumnHyperParameter):
    """A choice among values, all equally likely. The encoded form is the value's index.

    Values keep their type: `1`, `1.0`, `'1'`, `True` and `None` are five different values.

    Args:
        name: Name, unique in its search space.
        values: The values: None, bool, int, float, str or tuples of these. NumPy scalars become
            the Python values they hold.
        seed: Seed for `sample`.

    Raises:
        TypeError: If a value has another type.
        ValueError: If there are no values, or one is repeated or NaN.
    """

    def __init__(self, name: str, values: Sequence[Any], seed: int | None = None) -> None:
        super().__init__(name, None, seed)
        # The order of a set of strings changes from process to process.
        no_list = isinstance(values, (str, bytes, Mapping, Set))
        if no_list or not isinstance(values, Iterable):
            raise TypeError(f"values of {name!r} must be a list of values. Got {values!r} instead.")
        self.values = tuple(
            plain_values.check_value(value, f"values of {name!r}") for value in values
        )
        self._check_values()
        self.num_choices = len(self.values)
        self.id2param = dict(enumerate(self.values))
        self._index = {
            plain_values.identity(value): index for index, value in enumerate(self.values)
        }
        self._text = self._readable_texts()

    def _check_values(self) -> None:
        if not self.values:
            raise ValueError(f"values of {self.name!r} must not be empty.")
        seen = set()
        for value in self.values:
            if plain_values.identity(value) in seen:
                raise ValueError(f"values of {self.name!r} must be distinct. Got {value!r} twice.")
            seen.add(plain_values.identity(value))

    def _readable_texts(self) -> dict[str, Any]:
        """Maps every text that names exactly one value to it; what `to_text` writes comes first."""
        texts = {plain_values.to_text(value): value for value in self.values}
        lenient: dict[str, list[Any]] = {}
        for value in self.values:
            for text in plain_values.other_texts(value):
                lenient.setdefault(text, []).append(value)
        for text, values in lenient.items():
            if len(values) == 1:
                texts.setdefault(text, values[0])
        return texts

    @property
    def is_ordered(self) -> bool:
        """Whether the values are numbers, each larger than the one before, or each smaller."""
        if not all(type(value) in (int, float) for value in self.values):
            return False
        values = list(self.values)
        return values in (sorted(values), sorted(values, reverse=True))

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        return _cells_from_unit(unit, len(self.values))

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        return np.clip(np.ceil(encoded) / len(self.values), 0.0, 1.0)

    def encode(self, x: Any) -> int:
        """Returns the index of a value.

        Raises:
            ValueError: If `x` is none of the values; `1` is not `1.0`.
        """
        try:
            return self._index[
                plain_values.identity(plain_values.check_value(x, f"A value of {self.name!r}"))
            ]
        except KeyError:
            raise ValueError(
                f"A value of {self.name!r} must be one of {list(self.values)!r}. Got {x!r} instead."
            ) from None

    def decode(self, x: Any) -> Any:
        """Returns the value at an index."""
        index = int(x)
        if not 0 <= index < len(self.values):
            raise ValueError(
                f"An encoded value of {self.name!r} must be in [0, {len(self.values) - 1}]. "
                f"Got {x!r} instead."
            )
        return self.values[index]

    def from_text(self, text: str) -> Any:
        try:
            return self._text[text]
        except KeyError:
            raise ValueError(
                f"A value of {self.name!r} must be one of {list(self.values)!r}. "
                f"Got {text!r} instead."
            ) from None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "values": list(self.values)}


class IntegerHyperParameter(ColumnHyperParameter):
    """A whole number from a range, both ends included.

    Args:
        name: Name, unique in its search space.
        min_value: Lowest value.
        max_value: Highest value.
        log: Draw and encode on a logarithmic scale: the value is a log-uniform number from
            [min_value - 1/2, max_value + 1/2], rounded.
        seed: Seed for `sample`.

    Raises:
        TypeError: If a bound is not an int.
        ValueError: If `min_value >= max_value`, a bound lies beyond 2**52 (2**46 with `log`), or
            `log` is asked of a range that reaches 0.
    """

    def __init__(
        self,
        name: str,
        min_value: int,
        max_value: int,
        log: bool = False,
        seed: int | None = None,
    ) -> None:
        super().__init__(name, None, seed)
        self.min_value = check_int(f"min_value of {name!r}", min_value)
        self.max_value = check_int(f"max_value of {name!r}", max_value)
        self.log = bool(log)
        check_range(name, self.min_value, self.max_value)
        if self.log:
            check_log(name, self.min_value)
        # Beyond 2**53 a float no longer holds every whole number, beyond 2**46 its logarithm.
        exponent = 46 if self.log else 52
        if max(abs(self.min_value), abs(self.max_value)) > 2**exponent:
            raise ValueError(
                f"min_value and max_value of {name!r} must lie within 2**{exponent} of 0, but got "
                f"(min_value={self.min_value!r}, max_value={self.max_value!r})."
            )

    @property
    def _count(self) -> int:
        return self.max_value - self.min_value + 1

    def _below(self, value: FloatArray) -> FloatArray:
        """The prior probability of a draw below each whole number."""
        if not self.log:
            return np.clip((value - self.min_value) / self._count, 0.0, 1.0)
        low, high = math.log(self.min_value - 0.5), math.log(self.max_value + 0.5)
        with np.errstate(divide="ignore"):
            logarithm = np.log(np.maximum(value - 0.5, 0.0))
        return np.clip((logarithm - low) / (high - low), 0.0, 1.0)

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        if not self.log:
            return self.min_value + _cells_from_unit(unit, self._count)
        unit = np.asarray(unit, dtype=np.float64)
        low, high = math.log(self.min_value - 0.5), math.log(self.max_value + 0.5)
        value = np.floor(np.exp(low + unit * (high - low)) + 0.5)
        value = np.clip(value, self.min_value, self.max_value)
        # The exponential can round across the edge between two whole numbers.
        value += (unit >= self._below(value + 1)) & (value < self.max_value)
        value -= (unit < self._below(value)) & (value > self.min_value)
        return np.log(value)

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        return self._below(smallest_whole(encoded, self.log))

    def encode(self, x: Any) -> float:
        """Returns the number itself, or its natural logarithm with `log`.

        Raises:
            TypeError: If `x` is not an int.
            ValueError: If it lies outside the range.
        """
        value = check_int(f"A value of {self.name!r}", x)
        if not self.min_value <= value <= self.max_value:
            raise ValueError(
                f"A value of {self.name!r} must be in [{self.min_value}, {self.max_value}]. "
                f"Got {value} instead."
            )
        # The logarithm of `from_unit`: that of `math` can differ in the last digit.
        return float(np.log(value)) if self.log else float(value)

    def decode(self, x: Any) -> int:
        """Returns the whole number that an encoded one stands for."""
        value = round(math.exp(x) if self.log else float(x))
        return min(max(value, self.min_value), self.max_value)

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
        }
