"""What every hyperparameter is, and the checks that all types share.

Every type works on single values (`sample`, `encode`, `decode`). The built-in ones also work on
whole columns: `from_unit` maps the unit interval [0, 1), where their prior is uniform, to encoded
values by the inverse distribution function, and `to_unit` maps encoded values back by the
distribution function. The encoded form is what a classifier sees.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.seeding import check_seed

RESERVED_NAMES = ("id", "scores")


def check_name(name: Any) -> str:
    """Returns `name` if a parameter can be called so; raises otherwise."""
    if not isinstance(name, str):
        raise TypeError(f"The name of a hyperparameter must be a str. Got {name!r} instead.")
    if not name:
        raise ValueError("The name of a hyperparameter must not be empty.")
    if name in RESERVED_NAMES:
        raise ValueError(
            f"The name of a hyperparameter must not be {name!r}: "
            "the dataset has a column of its own with that name."
        )
    if not plain_values.is_storable(name):
        raise ValueError(
            "The name of a hyperparameter must be text that a UTF-8 CSV file can hold, "
            f"without NUL characters and not too long. Got {plain_values.shorten(name)} instead."
        )
    return name


def check_finite(owner: str, argument: str, value: Any) -> float:
    """Returns `value` as a finite float; `owner` and `argument` name it in the error."""
    try:
        number = math.nan if isinstance(value, (str, bytes, bool, np.bool_)) else float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number) and not isinstance(value, (float, np.floating)):
        raise TypeError(f"{argument} of {owner!r} must be a number. Got {value!r} instead.")
    if not math.isfinite(number):
        raise ValueError(f"{argument} of {owner!r} must be finite. Got {number!r} instead.")
    return number


def check_range(owner: str, low: float, high: float) -> None:
    """Raises unless `low < high` and their distance is finite."""
    if not low < high:
        raise ValueError(
            f"`min_value < max_value` must hold for {owner!r}, but got "
            f"(min_value={low!r}, max_value={high!r})."
        )
    if not math.isfinite(float(high) - float(low)):
        raise ValueError(
            f"`max_value - min_value` of {owner!r} must be finite, but got "
            f"(min_value={low!r}, max_value={high!r})."
        )


def check_log(owner: str, low: float) -> None:
    """Raises unless every value from `low` on has a logarithm."""
    if low <= 0:
        raise ValueError(
            f"min_value of {owner!r} must be above 0 for a logarithm. Got {low!r} instead."
        )


class AbstractHyperParameter(ABC):
    """Base of all hyperparameters, and of a user's own types.

    A subclass supplies `sample`, `encode`, `decode` and `get_config`. Values must be None, bool,
    int, float, str or tuples of these, so that they can be written to disk; encoded values must
    be finite numbers. A type that yields lists sets `sample_count` to their length.
    Register it with `set_custom_parameter_class`, so that a saved search can be restored.

    Args:
        name: Name, unique in its search space.
        values: Values to number in `param2id` and `id2param`, if the subclass wants that.
        seed: Seed of `random`, or None for a fresh one.

    Attributes:
        random: A `numpy.random.RandomState`, set by `set_seed`. `sample` should draw from it
            only: then seeded runs repeat.

    Raises:
        TypeError: If the name is not a str.
        ValueError: If the name is empty or reserved.
    """

    def __init__(
        self, name: str, values: Sequence[Any] | None = None, seed: int | None = None
    ) -> None:
        self.name = check_name(name)
        self.param2id: dict[Any, int] = {}
        self.id2param: dict[int, Any] = {}
        self.num_choices = 0
        self._build_maps(values)
        self.set_seed(seed)

    def _build_maps(self, values: Sequence[Any] | None) -> None:
        """Numbers `values` from 0 in `param2id` and `id2param`."""
        if values is None:
            return
        self.param2id = {value: index for index, value in enumerate(values)}
        self.id2param = dict(enumerate(values))
        self.num_choices = len(values)

    @abstractmethod
    def sample(self) -> Any:
        """Draws one value."""

    @abstractmethod
    def encode(self, x: Any) -> Any:
        """Returns the number that stands for a value when a classifier sees it."""

    @abstractmethod
    def decode(self, x: Any) -> Any:
        """Returns the value that an encoded number stands for."""

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments; subclasses add theirs."""
        return {"name": self.name, "seed": self.seed}

    @classmethod
    def load_from_config(cls, config: Mapping[str, Any]) -> AbstractHyperParameter:
        """Builds a parameter from what `get_config` returned."""
        return cls(**config)

    def set_seed(self, seed: int | None) -> None:
        """Seeds `random`, which `sample` draws from; None takes a fresh seed."""
        self.seed = check_seed(seed)
        self.random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(self.seed)))

    def _cast(self, x: Any) -> Any:
        """Returns a value read from a file as the type that `sample` gives it."""
        return x

    def to_text(self, value: Any) -> str:
        """Returns the text of one value in a dataset file.

        Raises:
            TypeError: If the value is not plain.
            ValueError: If no file can hold it.
        """
        return plain_values.to_text(plain_values.check_value(value, f"A value of {self.name!r}"))

    def from_text(self, text: str) -> Any:
        """Returns the value that `to_text` wrote.

        Raises:
            ValueError: If the text stands for no value of this parameter.
        """
        return self._cast(plain_values.from_text(text))

    def __repr__(self) -> str:
        arguments = (
            f"{k}={v!r}" for k, v in self.get_config().items() if k != "seed" or v is not None
        )
        return f"{type(self).__name__}({', '.join(arguments)})"


class ColumnHyperParameter(AbstractHyperParameter):
    """A built-in type with one column: draws by the inverse of its distribution function."""

    @abstractmethod
    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        """Maps values in [0, 1), uniform under the prior, to encoded values of the same shape."""

    @abstractmethod
    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        """Returns the prior probability of a draw below each encoded value, of the same shape.

        That is the lower end of the part of the unit interval that maps to the value, so
        `from_unit(to_unit(encoded))` gives a discrete value back exactly.
        """

    def sample(self) -> Any:
        return self.decode(self.from_unit(self.random.random_sample()))
