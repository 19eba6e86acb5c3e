"""MultiHyperParameter: a list of values of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.checks import check_int
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.column import ColumnHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.unit_map import UnitMap

# A file that asks for too many columns must fail before memory is allocated for them.
MAX_SAMPLE_COUNT = 100_000


def check_sample_count(owner: str, sample_count: Any) -> int:
    """Returns a number of columns as an int; raises if a parameter cannot have that many."""
    number = check_int(f"sample_count of {owner!r}", sample_count)
    if not 1 <= number <= MAX_SAMPLE_COUNT:
        raise ValueError(
            f"sample_count of {owner!r} must be in [1, {MAX_SAMPLE_COUNT}]. Got {number} instead."
        )
    return number


def check_length(owner: str, values: Sequence[Any], sample_count: int) -> Sequence[Any]:
    """Returns the values of a parameter with several columns; raises unless they form such a list.

    Args:
        owner: The parameter's name.
        values: The values.
        sample_count: The required number of values.
    """
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise TypeError(f"A value of {owner!r} must be a list. Got {values!r} instead.")
    if len(values) != sample_count:
        raise ValueError(
            f"A value of {owner!r} must have {sample_count} items. "
            f"Got {values!r} with {len(values)} instead."
        )
    return values


class MultiHyperParameter(AbstractHyperParameter):
    """A list of `sample_count` independent values, each drawn from the prior of `element`.

    It has `sample_count` columns in a dataset: `name_1`, `name_2` and so on.

    Raises:
        TypeError: If `sample_count` is not an int.
        ValueError: If `sample_count` is not in [1, 100000].
    """

    def __init__(
        self, element: ColumnHyperParameter, sample_count: int, seed: int | None = None
    ) -> None:
        super().__init__(element.name, None, seed)
        self.element = element
        self.sample_count: int = check_sample_count(element.name, sample_count)

    @property
    def column_kind(self) -> ColumnKind:
        return self.element.column_kind

    @property
    def unit_map(self) -> UnitMap:
        return self.element

    def sample(self) -> list[Any]:
        """Draws `sample_count` values."""
        return self.element.draw(self.random, self.sample_count)

    def encode(self, x: Sequence[Any]) -> list[Any]:
        """Encodes `sample_count` values one by one."""
        return [self.element.encode(value) for value in self._check_length(x)]

    def decode(self, x: Sequence[Any]) -> list[Any]:
        """Decodes `sample_count` encoded values one by one."""
        return [self.element.decode(value) for value in self._check_length(x)]

    def decode_many(self, encoded: FloatArray) -> npt.NDArray[Any]:
        return self.element.decode_many(encoded)

    def _check_length(self, values: Sequence[Any]) -> Sequence[Any]:
        return check_length(self.name, values, self.sample_count)

    def to_text(self, value: Any) -> str:
        """Returns the text of one value, for its column."""
        return self.element.to_text(value)

    def from_text(self, text: str) -> Any:
        """Returns one value from its column's text."""
        return self.element.from_text(text)

    def from_str(self, text: str) -> Any:
        return self.element.from_str(text)

    def get_config(self) -> dict[str, Any]:
        config = {**self.element.get_config(), "seed": self.seed}
        return {**config, "sample_count": self.sample_count}
