"""HyperParameterList: the search space, as a list of parameters and as columns."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import BoolArray, FloatArray, without_float_errors
from pyshac.core.basics.plain_values import INACTIVE
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.conditions.hierarchy import Hierarchy
from pyshac.core.hyperparameters.constraints.constrained_list import ConstrainedList
from pyshac.core.hyperparameters.earlier.list_names import ListNames
from pyshac.core.hyperparameters.multi import MAX_SAMPLE_COUNT, check_sample_count
from pyshac.core.hyperparameters.registry import config_of, parameter_of
from pyshac.core.hyperparameters.space.block import Block
from pyshac.core.hyperparameters.space.row_forms import Reader, RowForms, texts_as
from pyshac.core.hyperparameters.unit_map import UnitMap


class HyperParameterList(ConstrainedList, ListNames):
    """A search space: an ordered list of hyperparameters with distinct names.

    A sample is a *row*: a flat list of values with one place per column. A multi parameter has
    several columns; each column of an inactive parameter contains `INACTIVE`. An encoded sample is
    a row of an array of shape (n, columns), with NaN instead of `INACTIVE`.

    Args:
        hyper_parameter_list: Hyperparameters, or None to add them later.
        seed: Seed of `sample`, see `set_seed`; None keeps the parameters' own seeds. An engine
            uses this seed unless its `set_seed` is called.
        constraints: Relations such as `Less`, and functions, that every sample obeys.

    Raises:
        TypeError: If an item is not a hyperparameter, or not a constraint.
        ValueError: If two columns have the same name, a condition cannot be met, or a constraint
            does not suit the space.
    """

    def __init__(
        self,
        hyper_parameter_list: Iterable[AbstractHyperParameter] | None = None,
        seed: int | None = None,
        constraints: Iterable[Any] = (),
    ) -> None:
        self._parameters: OrderedDict[str, AbstractHyperParameter] = OrderedDict()
        self._blocks: list[Block] = []
        self._names: list[str] = []
        self._known_forms: RowForms | None = None
        self.seed: int | None = None
        if not isinstance(hyper_parameter_list, (Iterable, type(None))):
            raise TypeError(
                "hyper_parameter_list must be a list of hyperparameters. "
                f"Got {hyper_parameter_list!r} instead."
            )
        for parameter in hyper_parameter_list or ():
            self.add_hyper_parameter(parameter)
        self._check_conditions()
        self._constrain(constraints)
        if seed is not None:
            self.set_seed(seed)

    @property
    def hierarchy(self) -> Hierarchy:
        """The conditions of the parameters.

        Raises:
            TypeError: If a condition has a value of a wrong type.
            ValueError: If a condition names an unknown parameter, or cannot be met.
        """
        return self._forms.hierarchy

    @property
    def _forms(self) -> RowForms:
        if self._known_forms is None:
            self._known_forms = RowForms(self._blocks)
        return self._known_forms

    def _check_conditions(self) -> None:
        """Raises if a condition cannot be met."""
        self._known_forms = RowForms(self._blocks)

    def add_hyper_parameter(self, parameter: AbstractHyperParameter) -> None:
        """Appends a hyperparameter.

        Raises:
            TypeError: If it is not a hyperparameter.
            ValueError: If it is None, a column has its name, or there would be too many columns.
        """
        if parameter is None:
            raise ValueError("parameter must be a hyperparameter. Got None instead.")
        if not isinstance(parameter, AbstractHyperParameter):
            raise TypeError(
                "hyperparameter_list must hold hyperparameters, such as UniformHP('x', 0, 1). "
                f"Got {parameter!r} instead."
            )
        block = self._block(parameter)
        names = block.names
        repeated = {parameter.name} & self._parameters.keys() or set(names) & set(self._names)
        if repeated:
            raise ValueError(
                f"Names must be distinct. Got {min(repeated)!r} twice in the search space."
            )
        if block.columns.stop > MAX_SAMPLE_COUNT:
            raise ValueError(
                f"A search space must have at most {MAX_SAMPLE_COUNT} columns. "
                f"Got {block.columns.stop} with {parameter.name!r}."
            )
        if self.seed is not None:
            parameter.set_seed(self.seed + len(self))
        self._parameters[parameter.name] = parameter
        self._blocks.append(block)
        self._names += names
        self._known_forms = None

    def _block(self, parameter: AbstractHyperParameter) -> Block:
        start = len(self._names)
        count = parameter.sample_count
        width = 1 if count is None else check_sample_count(parameter.name, count)
        return Block(
            parameter,
            slice(start, start + width),
            count is not None,
            parameter.column_kind,
            parameter.unit_map,
        )

    def remove_hyper_parameter(self, parameter: AbstractHyperParameter | str) -> None:
        """Removes a hyperparameter, given itself or its name.

        Raises:
            KeyError: If it is not in the list.
            ValueError: If it is None, or a condition of another parameter or a constraint depends
                on it.
        """
        if parameter is None:
            raise ValueError("parameter must be a hyperparameter or its name. Got None instead.")
        name = parameter.name if isinstance(parameter, AbstractHyperParameter) else parameter
        if name not in self._parameters:
            raise KeyError(f"There is no hyperparameter {name!r} in {list(self._parameters)!r}.")
        gone = next(block for block in self._blocks if block.parameter.name == name)
        self._check_unrelated(name, gone.names)
        kept = [item for key, item in self._parameters.items() if key != name]
        try:
            HyperParameterList(kept)
        except ValueError as error:
            raise ValueError(f"{name!r} cannot be removed. {error}") from None
        self._parameters, self._blocks, self._names = OrderedDict(), [], []
        self._known_forms = None
        for item in kept:
            self.add_hyper_parameter(item)

    def get_parameter_names(self) -> list[str]:
        """Returns the column names: `name_1`, `name_2` and so on for a multi parameter."""
        return list(self._names)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[AbstractHyperParameter]:
        return iter(self._parameters.values())

    def __getitem__(self, name: str) -> AbstractHyperParameter:
        return self._parameters[name]

    def __repr__(self) -> str:
        constraints = f", constraints={list(self.constraints)!r}" if self.constraints else ""
        return f"HyperParameterList({list(self)!r}{constraints})"

    @property
    def num_columns(self) -> int:
        """Number of columns."""
        return len(self._names)

    @property
    def is_vectorised(self) -> bool:
        """Whether every parameter is built in, so that whole columns can be drawn at once."""
        return all(block.kind.is_built_in for block in self._blocks)

    @property
    def column_kinds(self) -> list[ColumnKind]:
        """The kind of each column."""
        return [block.kind for block in self._blocks for _ in range(block.width)]

    @property
    def maps_to_unit(self) -> BoolArray:
        """Which columns `from_unit` can map, shape (columns,): all except those of custom types."""
        return self._by_column([block.kind.is_built_in for block in self._blocks])

    @property
    def is_choice(self) -> BoolArray:
        """Which columns hold choices without a meaningful order, shape (columns,)."""
        return self._by_column([block.kind.is_unordered_choice for block in self._blocks])

    def _by_column(self, by_block: list[bool]) -> BoolArray:
        return np.array(by_block, dtype=bool).repeat([block.width for block in self._blocks])

    @without_float_errors
    def sample(self) -> list[Any]:
        """Draws one row. Each parameter uses its own random state.

        Raises:
            InfeasibleSpaceError: If none of many draws obeys the constraints.
        """
        return self._first_feasible(self._sample_once) if self.constraints else self._sample_once()

    def _sample_once(self) -> list[Any]:
        row: list[Any] = []
        for block in self._blocks:
            value = block.parameter.sample()
            row += value if block.is_list else [value]
        if self.hierarchy.is_trivial:
            return row
        active = self.hierarchy.active(self._forms.encoded_as_given(row)[None])[0]
        return [v if is_active else INACTIVE for v, is_active in zip(row, active, strict=True)]

    @without_float_errors
    def encode(self, x: Sequence[Any]) -> FloatArray:
        """Encodes a row.

        Args:
            x: Values, one per column. NumPy turns a list of texts and numbers into an array of
                texts; in such an array, each text means the value with this text.

        Returns:
            Array of shape (columns,).

        Raises:
            TypeError: If a value has the wrong type.
            ValueError: If a value is outside the space, a parameter is active where it should be
                inactive or the reverse, or the number of values is wrong.
        """
        return self._forms.encoded(self.as_row(x))

    @without_float_errors
    def decode(self, x: Sequence[float] | FloatArray) -> list[Any]:
        """Decodes a row of shape (columns,) into values."""
        return self._forms.decoded(x)

    def as_row(self, values: Sequence[Any] | npt.NDArray[Any]) -> list[Any]:
        """Returns values, or an array of their texts, as a row. Raises the errors of `encode`."""
        if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind == "U":
            self._forms.check_length(values)
            return self.read_row(values, texts_as("from_str"))
        return list(values)

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Maps rows of the unit cube, shape (n, columns), to encoded rows of the same shape.

        Raises:
            TypeError: If a parameter has a custom type, which has no such map.
        """
        self._check_maps_to_unit()
        return self._map_columns("from_unit", unit)

    def to_unit(self, encoded: FloatArray) -> FloatArray:
        """Maps encoded rows, shape (n, columns), to the unit cube: the inverse of `from_unit`."""
        self._check_maps_to_unit()
        return self._map_columns("to_unit", encoded)

    def from_unit_where_possible(self, unit: FloatArray) -> FloatArray:
        """Maps rows like `from_unit`, but leaves the columns of custom types unchanged."""
        return self._map_columns("from_unit", unit)

    def to_unit_where_possible(self, encoded: FloatArray) -> FloatArray:
        """Maps rows like `to_unit`, but leaves the columns of custom types unchanged."""
        return self._map_columns("to_unit", encoded)

    def _check_maps_to_unit(self) -> None:
        for block in self._blocks:
            block.require_unit_map()

    def _map_columns(self, method: str, rows: FloatArray) -> FloatArray:
        mapped = np.array(rows, dtype=np.float64)
        for block in self._blocks:
            if block.unit_map is not None:
                convert = getattr(block.unit_map, method)
                mapped[:, block.columns] = convert(rows[:, block.columns])
        return mapped

    def column_from_unit(self, column: int, unit: npt.ArrayLike) -> FloatArray:
        """Maps unit values of one column, of any shape, to encoded values.

        Raises:
            TypeError: If the column's parameter has a custom type, which has no such map.
        """
        return self._unit_map_of(column).from_unit(unit)

    def column_to_unit(self, column: int, encoded: npt.ArrayLike) -> FloatArray:
        """Maps encoded values of one column to unit values: the inverse of `column_from_unit`."""
        return self._unit_map_of(column).to_unit(encoded)

    def _unit_map_of(self, column: int) -> UnitMap:
        block = next(block for block in self._blocks if column < block.columns.stop)
        return block.map_of(column)

    def draw(self, n: int, stream: np.random.SeedSequence) -> FloatArray:
        """Draws rows from the prior. The same stream gives the same rows.

        Args:
            n: Number of rows.
            stream: The random stream.

        Returns:
            Encoded rows, shape (n, columns).
        """
        return self.encode_unit(self._draw_unit(n, stream), stream)

    def draw_complete(self, n: int, stream: np.random.SeedSequence) -> FloatArray:
        """Draws like `draw`, but with a value for each inactive parameter."""
        return self.encode_complete(self._draw_unit(n, stream), stream)

    def _draw_unit(self, n: int, stream: np.random.SeedSequence) -> FloatArray:
        return np.random.default_rng(stream).random((n, self.num_columns))

    def encode_unit(self, unit: FloatArray, stream: np.random.SeedSequence) -> FloatArray:
        """Maps rows of the unit cube to encoded rows. Values of custom types are drawn afresh.

        Args:
            unit: Shape (n, columns).
            stream: The random stream for custom types, which are drawn one by one.

        Returns:
            Encoded rows, shape (n, columns).
        """
        return self.hierarchy.deactivate(self.encode_complete(unit, stream))

    def encode_complete(self, unit: FloatArray, stream: np.random.SeedSequence) -> FloatArray:
        """Maps rows like `encode_unit`, but with a value for each inactive parameter."""
        rows = np.empty(unit.shape)
        for number, block in enumerate(self._blocks):
            if block.unit_map is not None:
                rows[:, block.columns] = block.unit_map.from_unit(unit[:, block.columns])
            else:
                seed = seeding.as_integer(seeding.child(stream, number))
                rows[:, block.columns] = block.draw_one_by_one(len(unit), seed)
        return rows

    def to_parameters(self, row: Sequence[Any], *, named: bool = False) -> OrderedDict[str, Any]:
        """Returns a row as the `OrderedDict` that an evaluation function receives.

        It omits inactive parameters.

        Args:
            row: Values, one per column.
            named: Whether to return the names of objects, as files have them, instead of objects.
        """
        return self._forms.to_parameters(row, named)

    def to_row(
        self, parameters: Mapping[str, Any], *, named: bool = False, leave_out: bool = False
    ) -> list[Any]:
        """Returns the row of a mapping from names to values: the inverse of `to_parameters`.

        Args:
            parameters: Values by name.
            named: Whether objects are given by their names, as files have them.
            leave_out: Whether to ignore values of inactive parameters.

        Raises:
            TypeError: If a value on which a condition depends has the wrong type.
            ValueError: If a name is missing or unknown, an object is not among the choices, or an
                inactive parameter has a value.
        """
        return self._forms.to_row(parameters, named, leave_out)

    def to_stored_row(self, parameters: Mapping[str, Any], *, named: bool = False) -> list[Any]:
        """Returns the row of a mapping, with the values that a file would give back.

        Raises:
            TypeError: If a value has the wrong type.
            ValueError: If a name is missing or unknown, a value is outside the space, or the
                sample breaks a constraint.
        """
        row = self.to_row(parameters, named=named)
        self.encode(row)
        self.check_constraints(row)
        return self.row_from_text(self.row_to_text(row))

    def row_to_text(self, row: Sequence[Any]) -> list[str]:
        """Returns the text of each value of a row; empty for `INACTIVE`.

        Raises:
            TypeError: If a value is not plain.
            ValueError: If files cannot hold it.
        """
        return self._forms.texts(row)

    def row_from_text(self, texts: Sequence[str]) -> list[Any]:
        """Returns the row that `row_to_text` wrote.

        Raises:
            ValueError: If a text is not a value of its column; the message names the column.
        """
        return self.read_row(texts, texts_as("from_text"))

    def read_row(self, texts: Iterable[Any], read: Reader) -> list[Any]:
        """Returns the row of a list of texts, which are empty for inactive parameters.

        Args:
            texts: A text for each column.
            read: Returns the value of a column, given its name, its parameter and the text.

        Raises:
            ValueError: If an inactive parameter has a text, or if `read` raises it.
        """
        return self._forms.read(texts, read)

    def set_seed(self, seed: int | None) -> None:
        """Seeds each parameter with the seed plus its index; None draws fresh seeds."""
        self.seed = seeding.check_seed(seed)
        for number, parameter in enumerate(self):
            parameter.set_seed(None if self.seed is None else self.seed + number)

    def get_config(self) -> OrderedDict[str, list[Any]]:
        """Returns `{name: [class name, config]}` in order; conditions are a third item."""
        return OrderedDict((parameter.name, config_of(parameter)) for parameter in self)

    @classmethod
    def load_from_config(cls, config: Mapping[str, Sequence[Any]]) -> HyperParameterList:
        """Builds a search space from the result of `get_config`.

        Raises:
            ValueError: If a type is unknown, or rejects its config or conditions.
        """
        return HyperParameterList([parameter_of(name, entry) for name, entry in config.items()])


def as_parameter_list(
    parameters: HyperParameterList | Iterable[AbstractHyperParameter] | None,
) -> HyperParameterList | None:
    """Returns a search space as a `HyperParameterList`, or None.

    Raises:
        TypeError: If it is neither a list nor a `HyperParameterList`.
    """
    if parameters is None or isinstance(parameters, HyperParameterList):
        return parameters
    if isinstance(parameters, (list, tuple)):
        return HyperParameterList(parameters)
    raise TypeError(
        "hyperparameter_list must be a list of hyperparameters, a HyperParameterList or None. "
        f"Got {parameters!r} instead."
    )
