"""Choices among values of any kind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import FloatArray, as_array
from pyshac.core.hyperparameters.column import ColumnHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.multi import MultiHyperParameter
from pyshac.core.hyperparameters.registry import built_in
from pyshac.core.hyperparameters.types.objects import read_values
from pyshac.core.hyperparameters.types.whole_numbers import index_from_unit

# Plain values and objects, or objects by their names.
Choices = Sequence[Any] | Mapping[str, Any]


class NumberedValues(Mapping[Any, int]):
    """Distinct values and their indices, from 0. `1`, `1.0` and `True` are different values."""

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
    """A choice from a list of values, all equally likely. The encoded form is the value's index.

    Values keep their type: `1`, `1.0`, `'1'`, `True` and `None` are five different values.

    Values may be named objects. The evaluation function receives the object; samples,
    files and plots contain its name. Methods such as `tell` accept the object or its name; if a
    value is both, it counts as the object. Files do not store objects. Pass the parameters again to
    resume a saved search.

    A list of objects needs no names. Each object then takes its text as its name:

    - functions and classes: their qualified name,
    - members of an enum: a text like `Color.RED`,
    - arrays and dicts: their contents,
    - other objects: their `repr`.

    These texts must be distinct and the same in every process.

    Example:
        ```python
        pyshac.DiscreteHP("optimizer", ["sgd", "adam"])
        pyshac.DiscreteHP("reduction", {"mean": statistics.mean, "median": statistics.median})
        ```

    Args:
        name: Name, unique in its search space.
        values: A list of values (None, bool, int, float, str, tuples of these, or objects), or a
            mapping from names to objects. NumPy scalars become the Python values they hold.
        seed: Seed of `sample`. It returns an object's name, not the object.

    Raises:
        TypeError: If `values` is neither a list nor a mapping, a name is not a str, or an object in
            a list has no text that is the same in every process.
        ValueError: If `values` is empty, a value is repeated or NaN, or an object has the same text
            as another value.
    """

    def __init__(self, name: str, values: Choices, seed: int | None = None) -> None:
        super().__init__(name, None, seed)
        self.values, self._objects = read_values(name, values)
        self._are_objects = self._objects is not None
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
        """Maps each text to the one value that it names. Texts from `to_text` take precedence."""
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
    def lacks_objects(self) -> bool:
        return self._are_objects and self._objects is None

    def to_object(self, value: Any) -> Any:
        return value if self._objects is None else self._objects.of(value)

    def from_object(self, given: Any) -> Any:
        """Returns the name of an object, or `given` itself if it is none of the objects.

        Raises:
            ValueError: If `given` is neither an object nor a name.
        """
        if self._objects is not None:
            with contextlib.suppress(KeyError):
                return self._objects.name_of(given)
        if self._are_objects:
            self.encode(given)
        return given

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
            ValueError: If `x` is none of the values. `1` and `1.0` are different values.
        """
        try:
            return self.param2id[plain_values.check_value(x, f"A value of {self.name!r}")]
        except KeyError:
            raise self._unknown(x) from None
        except TypeError:
            if self._are_objects:
                raise self._unknown(x) from None
            raise

    def _unknown(self, x: Any) -> ValueError:
        objects = ", or the object that one of them names" if self._objects is not None else ""
        return ValueError(
            f"A value of {self.name!r} must be one of {list(self.values)!r}{objects}. "
            f"Got {x!r} instead."
        )

    def decode(self, x: Any) -> Any:
        """Returns the value at an index.

        Raises:
            ValueError: If there is no such index.
        """
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
        config = {**super().get_config(), "values": list(self.values)}
        return {**config, "objects": True} if self._are_objects else config

    @classmethod
    def load_from_config(cls, config: Mapping[str, Any]) -> DiscreteHyperParameter:
        """Builds a parameter from the result of `get_config`, with names in place of objects."""
        parameter = cls(**_without_objects(config))
        parameter._forget_objects(config)
        return parameter

    def _forget_objects(self, config: Mapping[str, Any]) -> None:
        self._objects, self._are_objects = None, config.get("objects") is True


DiscreteHP = DiscreteHyperParameter


def _without_objects(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a constructor's arguments from a config, in which all values must be plain."""
    values = config["values"]
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"values must be a list. Got {values!r} instead.")
    plain = [plain_values.check_value(value, "values") for value in values]
    arguments = {key: value for key, value in config.items() if key != "objects"}
    return {**arguments, "values": plain}


@built_in("OrdinalHP")
class OrdinalHyperParameter(DiscreteHyperParameter):
    """A choice from values in a meaningful order, such as sizes. Neighbours are similar.

    `DiscreteHyperParameter` describes the arguments.

    Example:
        ```python
        pyshac.OrdinalHP("size", ["small", "medium", "large"])
        ```
    """

    @property
    def is_ordered(self) -> bool:
        """Always True."""
        return True


OrdinalHP = OrdinalHyperParameter


@built_in("MultiDiscreteHP")
class MultiDiscreteHyperParameter(MultiHyperParameter):
    """A list of choices from the same values; see `DiscreteHyperParameter`.

    Example:
        ```python
        pyshac.MultiDiscreteHP("activations", ["relu", "tanh"], sample_count=3)
        ```

    Args:
        name: Name, unique in its search space.
        values: The values of each choice.
        sample_count: Number of choices.
        seed: Seed of `sample`.
    """

    element: DiscreteHyperParameter

    def __init__(
        self, name: str, values: Choices, sample_count: int = 1, seed: int | None = None
    ) -> None:
        element = DiscreteHyperParameter(name, values)
        super().__init__(element, sample_count, seed)
        self.values, self.num_choices = element.values, element.num_choices
        self.param2id, self.id2param = element.param2id, element.id2param

    @property
    def lacks_objects(self) -> bool:
        return self.element.lacks_objects

    def to_object(self, value: Sequence[Any]) -> list[Any]:
        return [self.element.to_object(item) for item in value]

    def from_object(self, given: Any) -> list[Any]:
        return [self.element.from_object(item) for item in given]

    @classmethod
    def load_from_config(cls, config: Mapping[str, Any]) -> MultiDiscreteHyperParameter:
        """Builds a parameter from the result of `get_config`, with names in place of objects."""
        parameter = cls(**_without_objects(config))
        parameter.element._forget_objects(config)
        return parameter


MultiDiscreteHP = MultiDiscreteHyperParameter
