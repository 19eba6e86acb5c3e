"""Hyperparameters that draw several values of one kind at once, as a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyshac.core.basics.checks import check_int
from pyshac.core.hyperparameters.base import AbstractHyperParameter, ColumnHyperParameter
from pyshac.core.hyperparameters.continuous import (
    NormalContinuousHyperParameter,
    UniformContinuousHyperParameter,
)
from pyshac.core.hyperparameters.discrete import DiscreteHyperParameter

# A file that asks for more columns than memory holds must fail before it gets them.
MAX_SAMPLE_COUNT = 100_000


def check_sample_count(owner: str, sample_count: Any) -> int:
    """Returns `sample_count` as an int if a parameter can have so many columns."""
    number = check_int(f"sample_count of {owner!r}", sample_count)
    if not 1 <= number <= MAX_SAMPLE_COUNT:
        raise ValueError(
            f"sample_count of {owner!r} must be in [1, {MAX_SAMPLE_COUNT}]. Got {number} instead."
        )
    return number


class MultiHyperParameter(AbstractHyperParameter):
    """A list of `sample_count` independent values, each drawn from the same `element`.

    It has `sample_count` columns, named `name_1`, `name_2` and so on in a dataset.

    Raises:
        TypeError: If `sample_count` is not an int.
        ValueError: If it is not in [1, 100000].
    """

    def __init__(
        self, element: ColumnHyperParameter, sample_count: int, seed: int | None = None
    ) -> None:
        super().__init__(element.name, None, seed)
        self.element = element
        self.sample_count = check_sample_count(element.name, sample_count)

    def sample(self) -> list[Any]:
        """Draws `sample_count` values."""
        unit = self.random.random_sample(self.sample_count)
        return self.decode(list(self.element.from_unit(unit)))

    def encode(self, x: Sequence[Any]) -> list[Any]:
        """Encodes `sample_count` values, each as the element does."""
        return [self.element.encode(value) for value in self._check_length(x)]

    def decode(self, x: Sequence[Any]) -> list[Any]:
        """Decodes `sample_count` encoded values, each as the element does."""
        return [self.element.decode(value) for value in self._check_length(x)]

    def _check_length(self, values: Sequence[Any]) -> Sequence[Any]:
        if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
            raise TypeError(f"A value of {self.name!r} must be a list. Got {values!r} instead.")
        if len(values) != self.sample_count:
            raise ValueError(
                f"A value of {self.name!r} must have {self.sample_count} items. "
                f"Got {values!r} with {len(values)} instead."
            )
        return values

    def to_text(self, value: Any) -> str:
        """Returns the text of one of the values, for its column."""
        return self.element.to_text(value)

    def from_text(self, text: str) -> Any:
        """Returns one of the values from its column's text."""
        return self.element.from_text(text)

    def get_config(self) -> dict[str, Any]:
        config = {**self.element.get_config(), "seed": self.seed}
        return {**config, "sample_count": self.sample_count}


class MultiDiscreteHyperParameter(MultiHyperParameter):
    """Several choices among the same values; see `DiscreteHyperParameter`.

    Args:
        name: Name, unique in its search space.
        values: The values of each choice.
        sample_count: Number of choices.
        seed: Seed for `sample`.
    """

    def __init__(
        self, name: str, values: Sequence[Any], sample_count: int = 1, seed: int | None = None
    ) -> None:
        super().__init__(DiscreteHyperParameter(name, values), sample_count, seed)


class MultiUniformContinuousHyperParameter(MultiHyperParameter):
    """Several real numbers from one range; see `UniformContinuousHyperParameter`.

    Args:
        name: Name, unique in its search space.
        min_value: Lower bound.
        max_value: Upper bound.
        log_encode: Show the classifiers the logarithms.
        sample_count: Number of values.
        seed: Seed for `sample`.
    """

    def __init__(
        self,
        name: str,
        min_value: float,
        max_value: float,
        log_encode: bool = False,
        sample_count: int = 1,
        seed: int | None = None,
    ) -> None:
        element = UniformContinuousHyperParameter(name, min_value, max_value, log_encode)
        super().__init__(element, sample_count, seed)


class MultiNormalContinuousHyperParameter(MultiHyperParameter):
    """Several real numbers with one normal distribution; see `NormalContinuousHyperParameter`.

    Args:
        name: Name, unique in its search space.
        mean: Mean of each.
        std: Standard deviation of each.
        sample_count: Number of values.
        seed: Seed for `sample`.
    """

    def __init__(
        self, name: str, mean: float, std: float, sample_count: int = 1, seed: int | None = None
    ) -> None:
        super().__init__(NormalContinuousHyperParameter(name, mean, std), sample_count, seed)
