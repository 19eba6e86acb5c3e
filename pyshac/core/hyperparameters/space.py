"""HyperParameterList: the search space, a list of parameters and an array of columns."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import plain_values, seeding
from pyshac.core.basics.arrays import BoolArray, FloatArray, without_float_errors
from pyshac.core.basics.messages.printable import printable
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.block import Block
from pyshac.core.hyperparameters.column_kind import ColumnKind
from pyshac.core.hyperparameters.earlier.list_names import ListNames
from pyshac.core.hyperparameters.multi import MAX_SAMPLE_COUNT, check_sample_count
from pyshac.core.hyperparameters.registry import get_parameter
from pyshac.core.hyperparameters.unit_map import UnitMap


class HyperParameterList(ListNames):
    """A search space: hyperparameters in order, each with a name of its own.

    A sample of the space is a *row*: a flat list of values, in which a multi parameter has one
    place per value. An encoded sample is a row of an array of shape (n, columns).

    Args:
        hyper_parameter_list: Hyperparameters, or None to add them later.
        seed: Seed for `sample`, see `set_seed`; None leaves the parameters' own seeds. An engine
            uses this seed unless its `set_seed` is called.

    Raises:
        TypeError: If an item is not a hyperparameter.
        ValueError: If two columns would have the same name.
    """

    def __init__(
        self,
        hyper_parameter_list: Iterable[AbstractHyperParameter] | None = None,
        seed: int | None = None,
    ) -> None:
        self._parameters: OrderedDict[str, AbstractHyperParameter] = OrderedDict()
        self._blocks: list[Block] = []
        self._names: list[str] = []
        self.seed: int | None = None
        if not isinstance(hyper_parameter_list, (Iterable, type(None))):
            raise TypeError(
                "hyper_parameter_list must be a list of hyperparameters. "
                f"Got {hyper_parameter_list!r} instead."
            )
        for parameter in hyper_parameter_list or ():
            self.add_hyper_parameter(parameter)
        if seed is not None:
            self.set_seed(seed)

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
            ValueError: If it is None.
        """
        if parameter is None:
            raise ValueError("parameter must be a hyperparameter or its name. Got None instead.")
        name = parameter.name if isinstance(parameter, AbstractHyperParameter) else parameter
        if name not in self._parameters:
            raise KeyError(f"There is no hyperparameter {name!r} in {list(self._parameters)!r}.")
        kept = [item for key, item in self._parameters.items() if key != name]
        self._parameters, self._blocks, self._names = OrderedDict(), [], []
        for item in kept:
            self.add_hyper_parameter(item)

    def get_parameter_names(self) -> list[str]:
        """Returns the names of the columns: `name_1`, `name_2`, ... for a multi parameter."""
        return list(self._names)

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[AbstractHyperParameter]:
        return iter(self._parameters.values())

    def __getitem__(self, name: str) -> AbstractHyperParameter:
        return self._parameters[name]

    def __repr__(self) -> str:
        return f"HyperParameterList({list(self)!r})"

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
        """Which columns `from_unit` can map, shape (columns,): all but a user's own types."""
        return self._by_column([block.kind.is_built_in for block in self._blocks])

    @property
    def is_choice(self) -> BoolArray:
        """Which columns hold choices without a meaningful order, shape (columns,)."""
        return self._by_column([block.kind.is_unordered_choice for block in self._blocks])

    def _by_column(self, by_block: list[bool]) -> BoolArray:
        return np.array(by_block, dtype=bool).repeat([block.width for block in self._blocks])

    @without_float_errors
    def sample(self) -> list[Any]:
        """Draws one row, each parameter from its own random state."""
        row: list[Any] = []
        for block in self._blocks:
            value = block.parameter.sample()
            row += value if block.is_list else [value]
        return row

    @without_float_errors
    def encode(self, x: Sequence[Any]) -> FloatArray:
        """Encodes a row.

        Args:
            x: Values, one per column. Of a NumPy array of texts, which NumPy makes of texts and
                numbers, the values with these texts are taken.

        Returns:
            Array of shape (columns,).

        Raises:
            TypeError: If a value has the wrong type.
            ValueError: If a value lies outside the space, or their number is wrong.
        """
        encoded = np.empty(self.num_columns)
        for block, values in self._split(self.as_row(x)):
            encoded[block.columns] = block.parameter.encode(values)
        if not np.isfinite(encoded).all():
            raise ValueError(f"Encoded values must be finite. Got {encoded} for {list(x)!r}.")
        return encoded

    @without_float_errors
    def decode(self, x: Sequence[float] | FloatArray) -> list[Any]:
        """Decodes a row of shape (columns,) into values."""
        row: list[Any] = []
        for block, values in self._split(x):
            value = block.parameter.decode(values)
            items = value if block.is_list else [value]
            if not block.kind.is_built_in:
                what = f"A value of {block.parameter.name!r}"
                items = [plain_values.check_value(item, what) for item in items]
                # The type may write its values in its own way.
                for item in items:
                    plain_values.check_text(block.parameter.to_text(item), what)
            row += items
        return row

    def as_row(self, values: Sequence[Any] | npt.NDArray[Any]) -> list[Any]:
        """Returns values, or an array of their texts, as a row; raises as `encode` does."""
        if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind == "U":
            self._check_length(values)
            return self._read_row("from_str", values)
        return list(values)

    def _check_length(self, row: Sequence[Any] | npt.NDArray[Any]) -> None:
        if len(row) != self.num_columns:
            raise ValueError(
                f"A row must have {self.num_columns} values, one for each of {self._names!r}. "
                f"Got {len(row)} instead."
            )

    def _split(self, row: Sequence[Any] | FloatArray) -> Iterator[tuple[Block, Any]]:
        """Yields each parameter's block with its value, a list for a multi parameter."""
        self._check_length(row)
        for block in self._blocks:
            values = row[block.columns]
            yield block, list(values) if block.is_list else values[0]

    def from_unit(self, unit: FloatArray) -> FloatArray:
        """Maps rows of the unit cube, shape (n, columns), to encoded rows of the same shape.

        Raises:
            TypeError: If a parameter is a user's own type, which has no such map.
        """
        self._check_maps_to_unit()
        return self._map_columns("from_unit", unit)

    def to_unit(self, encoded: FloatArray) -> FloatArray:
        """Maps encoded rows, shape (n, columns), to the unit cube: the reverse of `from_unit`."""
        self._check_maps_to_unit()
        return self._map_columns("to_unit", encoded)

    def from_unit_where_possible(self, unit: FloatArray) -> FloatArray:
        """Maps rows as `from_unit` does, but leaves columns of a user's own types unchanged."""
        return self._map_columns("from_unit", unit)

    def to_unit_where_possible(self, encoded: FloatArray) -> FloatArray:
        """Maps rows as `to_unit` does, but leaves columns of a user's own types unchanged."""
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
            TypeError: If the column's parameter is a user's own type, which has no such map.
        """
        return self._unit_map_of(column).from_unit(unit)

    def column_to_unit(self, column: int, encoded: npt.ArrayLike) -> FloatArray:
        """Maps encoded values of one column to unit values: the reverse of `column_from_unit`."""
        return self._unit_map_of(column).to_unit(encoded)

    def _unit_map_of(self, column: int) -> UnitMap:
        block = next(block for block in self._blocks if column < block.columns.stop)
        return block.map_of(column)

    def draw(self, n: int, stream: np.random.SeedSequence) -> FloatArray:
        """Draws rows from the prior; the same rows for the same stream.

        Args:
            n: Number of rows.
            stream: The random stream to draw from.

        Returns:
            Encoded rows, shape (n, columns).
        """
        return self.encode_unit(np.random.default_rng(stream).random((n, self.num_columns)), stream)

    def encode_unit(self, unit: FloatArray, stream: np.random.SeedSequence) -> FloatArray:
        """Maps rows of the unit cube to encoded rows; a user's own types are drawn afresh.

        Args:
            unit: Shape (n, columns).
            stream: The random stream from which a user's own types are drawn, one by one.

        Returns:
            Encoded rows, shape (n, columns).
        """
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

        Args:
            row: Values, one per column.
            named: Whether choices that are objects stay the names that files have of them.
        """
        return OrderedDict(
            (block.parameter.name, value if named else block.parameter.to_object(value))
            for block, value in self._split(row)
        )

    def to_row(self, parameters: Mapping[str, Any], *, named: bool = False) -> list[Any]:
        """Returns the row of a mapping from names to values: the reverse of `to_parameters`.

        Raises:
            ValueError: If a name is missing or unknown, or an object is none of its choices.
        """
        if set(parameters) != set(self._parameters):
            raise ValueError(
                f"Parameters must have the names {list(self._parameters)!r}. "
                f"Got {list(parameters)!r} instead."
            )
        row: list[Any] = []
        for block in self._blocks:
            value = parameters[block.parameter.name]
            value = value if named else block.parameter.from_object(value)
            # An array would be added to the numbers in the list.
            row += [*value] if block.is_list else [value]
        return row

    def to_stored_row(self, parameters: Mapping[str, Any], *, named: bool = False) -> list[Any]:
        """Returns the row of a mapping as a file gives it back.

        Raises:
            TypeError: If a value has the wrong type.
            ValueError: If a name is missing or unknown, or a value lies outside the space.
        """
        row = self.to_row(parameters, named=named)
        self.encode(row)
        return self.row_from_text(self.row_to_text(row))

    def row_to_text(self, row: Sequence[Any]) -> list[str]:
        """Returns the text of each value of a row.

        Raises:
            TypeError: If a value is not plain.
            ValueError: If no file can hold it.
        """
        cells = zip(self._column_parameters(), row, strict=True)
        return [
            plain_values.check_text(parameter.to_text(value), f"A value of {parameter.name!r}")
            for parameter, value in cells
        ]

    def row_from_text(self, texts: Sequence[str]) -> list[Any]:
        """Returns the row that `row_to_text` wrote.

        Raises:
            ValueError: If a text is not a value of its column; the message names the column.
        """
        return self._read_row("from_text", texts)

    def _read_row(self, method: str, texts: Iterable[Any]) -> list[Any]:
        row = []
        columns = zip(self._names, self._column_parameters(), texts, strict=True)
        for name, parameter, text in columns:
            try:
                row.append(getattr(parameter, method)(str(text)))
            except (TypeError, ValueError) as error:
                raise ValueError(f"column {name!r}: {error}") from None
        return row

    def _column_parameters(self) -> Iterator[AbstractHyperParameter]:
        for block in self._blocks:
            yield from [block.parameter] * block.width

    def set_seed(self, seed: int | None) -> None:
        """Seeds every parameter: with the seed plus its number; None takes fresh seeds."""
        self.seed = seeding.check_seed(seed)
        for number, parameter in enumerate(self):
            parameter.set_seed(None if self.seed is None else self.seed + number)

    def get_config(self) -> OrderedDict[str, list[Any]]:
        """Returns `{name: [class name, config]}`, in order."""
        return OrderedDict(
            (parameter.name, [type(parameter).__name__, parameter.get_config()])
            for parameter in self
        )

    @classmethod
    def load_from_config(cls, config: Mapping[str, Sequence[Any]]) -> HyperParameterList:
        """Builds a search space from the result of `get_config`.

        Raises:
            ValueError: If a type is unknown, or does not accept its config.
        """
        parameters = []
        for name, entry in config.items():
            try:
                class_name, arguments = entry
                parameter = get_parameter(class_name).load_from_config(arguments)
            except (TypeError, ValueError, KeyError) as error:
                raise ValueError(
                    f"{name!r} has no config of a hyperparameter: {printable(str(error))}"
                ) from error
            if parameter.name != name:
                raise ValueError(f"{name!r} has the config of {parameter.name!r}.")
            parameters.append(parameter)
        return HyperParameterList(parameters)


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
