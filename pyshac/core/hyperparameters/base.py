"""The base class of all hyperparameters, built-in and custom.

Every type handles single values (`sample`, `encode`, `decode`). Classifiers see the encoded form;
for built-in types, it is on the scale of the prior. Built-in types also handle whole columns; see
`column.py`.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy.typing as npt

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import FloatArray, as_array
from pyshac.core.basics.messages.gone import Gone
from pyshac.core.basics.seeding import check_seed, random_state
from pyshac.core.hyperparameters.column_kind import UNKNOWN, ColumnKind
from pyshac.core.hyperparameters.conditions.condition import Condition, condition_of
from pyshac.core.hyperparameters.unit_map import UnitMap

Parameter = TypeVar("Parameter", bound="AbstractHyperParameter")

RESERVED_NAMES = ("id", "scores")


def check_name(name: Any) -> str:
    """Returns the name of a parameter; raises `TypeError` or `ValueError` if it is not allowed."""
    if name is None:
        raise ValueError("The name of a hyperparameter must not be None: give it a str.")
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


class AbstractHyperParameter(ABC):
    """Base class of all hyperparameters, including custom types.

    A subclass defines `sample`, `encode`, `decode` and `get_config`:

    - Values must be None, bool, int, float, str or tuples of these, so that files can store them.
    - Encoded values must be finite numbers.
    - A type whose values are lists sets `sample_count` to their length.

    Register the subclass with `set_custom_parameter_class`, so that a saved search can be restored.

    Args:
        name: Name, unique in its search space.
        values: Values to number in `param2id` and `id2param`, if the subclass uses them.
        seed: Seed of `random`; None draws a fresh one.

    Attributes:
        random: A `numpy.random.RandomState`, which `set_seed` seeds. Seeded searches are
            reproducible if `sample` uses no other source of randomness.
        sample_count: Length of the type's lists; None if its values are not lists.
        conditions: The conditions under which the parameter is active; see `when`.

    Raises:
        TypeError: If the name is not a str.
        ValueError: If the name is None, empty, reserved, or not storable in a file.
    """

    sample_count: int | None = None
    conditions: tuple[Condition, ...] = ()
    param2type = Gone("from_text() reads a value from its text")

    def __init__(
        self, name: str, values: Sequence[Any] | None = None, seed: int | None = None
    ) -> None:
        self.name = check_name(name)
        self.param2id: Mapping[Any, int] = {}
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

    def when(
        self: Parameter,
        parent: str,
        values: Any = None,
        *,
        at_least: Any = None,
        at_most: Any = None,
    ) -> Parameter:
        """Makes the parameter conditional: active only for certain values of another one.

        Samples omit inactive parameters. After several calls, all conditions must hold. A parameter
        is also inactive if its parent is inactive.

        Example:
            ```python
            optimizer = pyshac.DiscreteHP("optimizer", ["sgd", "adam"])
            momentum = pyshac.UniformHP("momentum", 0.0, 0.99).when("optimizer", "sgd")
            space = [optimizer, momentum]
            ```

        Args:
            parent: The name of the other parameter, anywhere in the search space, or of one column
                of a multi parameter, such as 'units_2'.
            values: The value, or list of values, for which the parameter is active. Without bounds,
                None means the value None.
            at_least: The lowest such value of a number or an ordered choice.
            at_most: The highest such value.

        Returns:
            The parameter itself.

        Raises:
            TypeError: If `parent` is not a str, or a value has a type that no parameter has.
            ValueError: If there are both values and bounds.
        """
        condition = condition_of(self.name, parent, values, at_least, at_most)
        # A cell of a notebook that runs again says nothing new.
        if repr(condition) not in map(repr, self.conditions):
            self.conditions = (*self.conditions, condition)
        return self

    @abstractmethod
    def sample(self) -> Any:
        """Draws one value."""

    @abstractmethod
    def encode(self, x: Any) -> Any:
        """Returns the encoded form of a value: the number that classifiers see."""

    @abstractmethod
    def decode(self, x: Any) -> Any:
        """Returns the value with an encoded form."""

    def decode_many(self, encoded: FloatArray) -> npt.NDArray[Any]:
        """Returns the result of `decode` for each of many encoded values.

        Args:
            encoded: Shape (n,), or (n, k) if the type's values are lists of length k.

        Returns:
            Values of the same shape: numbers of one type, otherwise objects.
        """
        values = [self.decode(list(x) if encoded.ndim > 1 else x) for x in encoded]
        flat = itertools.chain.from_iterable(values) if encoded.ndim > 1 else values
        return as_array(list(flat)).reshape(encoded.shape)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments. Subclasses add theirs."""
        return {"name": self.name, "seed": self.seed}

    @classmethod
    def load_from_config(cls, config: Mapping[str, Any]) -> AbstractHyperParameter:
        """Builds a parameter from the result of `get_config`."""
        return cls(**config)

    def set_seed(self, seed: int | None) -> None:
        """Seeds `random`, which `sample` uses. None draws a fresh seed."""
        self.seed = check_seed(seed)
        self.random = random_state(self.seed)

    @property
    def column_kind(self) -> ColumnKind:
        """The kind of each of its columns."""
        return UNKNOWN

    @property
    def unit_map(self) -> UnitMap | None:
        """The map between the unit interval and each column; None for a custom type.

        If the columns differ, it is a `ColumnMaps`.
        """
        return None

    @property
    def lacks_objects(self) -> bool:
        """Whether its values name objects that are missing, since files do not store them."""
        return False

    def to_object(self, value: Any) -> Any:
        """Returns what the evaluation function receives for a value."""
        return value

    def from_object(self, given: Any) -> Any:
        """Returns the value for what the evaluation function receives.

        Raises:
            ValueError: If there is no such value.
        """
        return given

    def _cast(self, x: Any) -> Any:
        """Returns a value from a file with the type that `sample` returns."""
        return x

    def to_text(self, value: Any) -> str:
        """Returns the text of one value in a dataset file.

        Raises:
            TypeError: If the value is not plain.
            ValueError: If files cannot hold it.
        """
        return plain_values.to_text(plain_values.check_value(value, f"A value of {self.name!r}"))

    def from_text(self, text: str) -> Any:
        """Returns the value that `to_text` wrote.

        Raises:
            ValueError: If the text is not that of a value of this parameter.
        """
        return self._cast(plain_values.from_text(text))

    def from_str(self, text: str) -> Any:
        """Returns the value with a given `str`, as in an array that NumPy has converted to text.

        Raises:
            ValueError: If no value, or more than one, has this text.
        """
        return self.from_text(text)

    def __repr__(self) -> str:
        arguments = (
            f"{k}={v!r}" for k, v in self.get_config().items() if k != "seed" or v is not None
        )
        return f"{type(self).__name__}({', '.join(arguments)})" + "".join(
            f".when({', '.join(_arguments_of(condition))})" for condition in self.conditions
        )


def _arguments_of(condition: Condition) -> list[str]:
    """Returns, as code, the arguments of `when` that create a condition."""
    config = condition.get_config()
    arguments = [repr(config.pop("parent"))]
    if "values" in config:
        arguments.append(repr(config.pop("values")))
    return arguments + [f"{name}={bound!r}" for name, bound in config.items()]
