"""Choices among values of any kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import FloatArray, as_array
from pyshac.core.hyperparameters.column import ColumnHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.multi import MultiHyperParameter
from pyshac.core.hyperparameters.registry import built_in
from pyshac.core.hyperparameters.types.whole_numbers import index_from_unit


class NumberedValues(Mapping[Any, int]):
    """Distinct values and their places, from 0. `1`, `1.0` and `True` are different values."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values
        self._places = {plain_values.identity(value): place for place, value in enumerate(values)}

    def __getitem__(self, value: Any) -> int:
        return self._places[plain_values.identity(value)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(list(self.items()))


@built_in("DiscreteHP")
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
        if values is None:
            raise ValueError(f"values of {name!r} must be a list of values. Got None instead.")
        # The order of a set of strings differs between processes.
        no_list = isinstance(values, (str, bytes, Mapping, Set))
        if no_list or not isinstance(values, Iterable):
            raise TypeError(f"values of {name!r} must be a list of values. Got {values!r} instead.")
        self.values = tuple(
            plain_values.check_value(value, f"values of {name!r}") for value in values
        )
        self._check_values()
        self.num_choices = len(self.values)
        self.id2param = dict(enumerate(self.values))
        self.param2id = NumberedValues(self.values)
        self._text = self._readable_texts()
        self._array = as_array(self.values)

    def _check_values(self) -> None:
        if not self.values:
            raise ValueError(f"values of {self.name!r} must not be empty.")
        seen = set()
        for value in self.values:
            if plain_values.identity(value) in seen:
                raise ValueError(f"values of {self.name!r} must be distinct. Got {value!r} twice.")
            seen.add(plain_values.identity(value))

    def _readable_texts(self) -> dict[str, Any]:
        """Maps texts to the one value that they name; the texts of `to_text` take precedence."""
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
        """Whether the values are numbers in ascending or descending order."""
        if not all(type(value) in (int, float) for value in self.values):
            return False
        values = list(self.values)
        return values in (sorted(values), sorted(values, reverse=True))

    @property
    def column_kind(self) -> ColumnKind:
        return ColumnKind(choices=self.values, is_ordered=self.is_ordered)

    def from_unit(self, unit: npt.ArrayLike) -> FloatArray:
        return index_from_unit(unit, len(self.values))

    def draw(self, random: np.random.RandomState, n: int) -> list[Any]:
        places = random.randint(0, len(self.values), size=n, dtype=np.int64)
        return [self.values[place] for place in places]

    def to_unit(self, encoded: npt.ArrayLike) -> FloatArray:
        return np.clip(np.ceil(encoded) / len(self.values), 0.0, 1.0)

    def encode(self, x: Any) -> int:
        """Returns the index of a value.

        Raises:
            ValueError: If `x` is none of the values; `1` is not `1.0`.
        """
        try:
            return self.param2id[plain_values.check_value(x, f"A value of {self.name!r}")]
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

    def decode_many(self, encoded: FloatArray) -> npt.NDArray[Any]:
        return self._array[np.asarray(encoded).astype(np.int64)]

    def from_text(self, text: str) -> Any:
        try:
            return self._text[text]
        except KeyError:
            raise ValueError(
                f"A value of {self.name!r} must be one of {list(self.values)!r}. "
                f"Got {text!r} instead."
            ) from None

    def from_str(self, text: str) -> Any:
        named = [value for value in self.values if str(value) == text]
        if len(named) > 1:
            raise ValueError(
                f"A text must name one value of {self.name!r}, but {text!r} names {named!r}: hand "
                "over a list, or an array of objects."
            )
        return named[0] if named else self.from_text(text)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "values": list(self.values)}


DiscreteHP = DiscreteHyperParameter


@built_in("MultiDiscreteHP")
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
        element = DiscreteHyperParameter(name, values)
        super().__init__(element, sample_count, seed)
        self.values, self.num_choices = element.values, element.num_choices
        self.param2id, self.id2param = element.param2id, element.id2param


MultiDiscreteHP = MultiDiscreteHyperParameter
