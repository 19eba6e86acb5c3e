"""RowForms: the forms of one sample: values, encoded values, parameters by name, and texts."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import FloatArray
from pyshac.core.basics.plain_values import INACTIVE
from pyshac.core.hyperparameters.base import AbstractHyperParameter
from pyshac.core.hyperparameters.conditions.hierarchy import Hierarchy, Rule
from pyshac.core.hyperparameters.space.block import Block

# What programs write for a missing value.
MISSING = {"", "nan", "na", "<na>", "n/a", "null", "none"}

# Returns the value of a column, given its name, its parameter and its text.
Reader = Callable[[str, AbstractHyperParameter, str], Any]


class RowForms:
    """Converts single samples from one form to another; see `HyperParameterList`.

    Args:
        blocks: The columns of each parameter.

    Attributes:
        hierarchy: The conditions of the parameters.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self.hierarchy = Hierarchy(blocks)
        self._names = [name for block in blocks for name in block.names]
        self._numbers = {block.parameter.name: number for number, block in enumerate(blocks)}
        conditional = {*self.hierarchy.conditional_blocks}
        self._required = {
            name for name, number in self._numbers.items() if number not in conditional
        }

    def split(self, row: Sequence[Any] | FloatArray) -> Iterator[tuple[Block, Any]]:
        """Yields each parameter's block with its value, which is a list for a multi parameter."""
        self.check_length(row)
        for block in self._blocks:
            values = row[block.columns]
            yield block, list(values) if block.is_list else values[0]

    def check_length(self, row: Sequence[Any] | npt.NDArray[Any]) -> None:
        """Raises `ValueError` unless a row has a value for each column."""
        if len(row) != len(self._names):
            raise ValueError(
                f"A row must have {len(self._names)} values, one for each of {self._names!r}. "
                f"Got {len(row)} instead."
            )

    def encoded(self, row: Sequence[Any]) -> FloatArray:
        """Encodes a row, shape (columns,); see `HyperParameterList.encode`."""
        encoded = self.encoded_as_given(row)
        for number in self.hierarchy.conditional_blocks:
            broken = self.hierarchy.broken(number, encoded)
            self._check_given(number, broken, row[self._blocks[number].columns.start])
        return encoded

    def encoded_as_given(self, row: Sequence[Any]) -> FloatArray:
        """Encodes a row without checking conditions."""
        encoded, inactive = np.empty(len(self._names)), []
        for number, (block, value) in enumerate(self.split(row)):
            if self.hierarchy.rules[number] and is_inactive(value):
                inactive.append(block.columns)
                encoded[block.columns] = 0.0
            else:
                encoded[block.columns] = block.parameter.encode(value)
        if not np.isfinite(encoded).all():
            raise ValueError(f"Encoded values must be finite. Got {encoded} for {row!r}.")
        for columns in inactive:
            encoded[columns] = np.nan
        return encoded

    def _check_given(self, number: int, broken: Rule | None, value: Any) -> None:
        """Raises `ValueError` unless a block has a value exactly when it is active.

        Args:
            number: The index of the block.
            broken: The first rule that does not hold; None if the block is active.
            value: Its value, or the first item of its list.
        """
        is_missing = is_inactive(value)
        # Records of data frames may have None for a missing value.
        if broken is not None and not is_missing and value is not None:
            raise ValueError(broken.refusal(self._blocks[number].parameter.name))
        if broken is None and is_missing:
            raise ValueError(self._must_have_value(number))

    def decoded(self, encoded: Sequence[float] | FloatArray) -> list[Any]:
        """Decodes a row of shape (columns,) into values."""
        if not self.hierarchy.is_trivial:
            encoded = self.hierarchy.deactivate(np.asarray(encoded, dtype=np.float64)[None])[0]
        row: list[Any] = []
        for number, (block, values) in enumerate(self.split(encoded)):
            if self.hierarchy.rules[number] and np.isnan(values).all():
                row += [INACTIVE] * block.width
            else:
                row += _checked_values(block, block.parameter.decode(values))
        return row

    def to_parameters(self, row: Sequence[Any], named: bool) -> OrderedDict[str, Any]:
        """Returns a row as parameters; see `HyperParameterList.to_parameters`."""
        rules = self.hierarchy.rules
        pairs = (
            (block.parameter.name, value if named else block.parameter.to_object(value))
            for number, (block, value) in enumerate(self.split(row))
            if not (rules[number] and is_inactive(value))
        )
        return OrderedDict(pairs)

    def to_row(self, parameters: Mapping[str, Any], named: bool, leave_out: bool) -> list[Any]:
        """Returns parameters as a row; see `HyperParameterList.to_row`."""
        self._check_names(parameters)
        hierarchy = self.hierarchy
        values: list[Any] = [None] * len(self._blocks)
        encoded = np.full(len(self._names), np.nan)
        for number in hierarchy.order:
            block = self._blocks[number]
            parameter, value = block.parameter, parameters.get(block.parameter.name, INACTIVE)
            if hierarchy.rules[number]:
                broken = hierarchy.broken(number, encoded)
                if broken is None or not leave_out:
                    self._check_given(number, broken, value)
                if broken is not None:
                    values[number] = [INACTIVE] * block.width
                    continue
            value = value if named else parameter.from_object(value)
            # An array would be added to the numbers in the list.
            values[number] = [*value] if block.is_list else [value]
            if number in hierarchy.parents:
                encoded[block.columns] = parameter.encode(value)
        return [*itertools.chain.from_iterable(values)]

    def _check_names(self, parameters: Mapping[str, Any]) -> None:
        names = self._numbers.keys()
        if not self._required <= parameters.keys() <= names:
            exception = ", unless they are inactive" if len(self._required) < len(names) else ""
            raise ValueError(
                f"Parameters must have the names {[*names]!r}{exception}. "
                f"Got {list(parameters)!r} instead."
            )

    def texts(self, row: Sequence[Any]) -> list[str]:
        """Returns the text of each value; see `HyperParameterList.row_to_text`."""
        cells = zip(self._column_parameters(), row, strict=True)
        return [
            "" if value is INACTIVE
            else plain_values.check_text(parameter.to_text(value), f"A value of {parameter.name!r}")
            for parameter, value in cells
        ]  # fmt: skip

    def read(self, texts: Iterable[Any], read: Reader) -> list[Any]:
        """Returns the row of a list of texts; see `HyperParameterList.read_row`."""
        cells = [*zip(self._names, self._column_parameters(), map(str, texts), strict=True)]
        row: list[Any] = [INACTIVE] * len(cells)
        encoded = np.full(len(cells), np.nan)
        for number in self.hierarchy.order:
            block, rules = self._blocks[number], self.hierarchy.rules[number]
            broken = self.hierarchy.broken(number, encoded) if rules else None
            for place in range(block.columns.start, block.columns.stop):
                if not rules:
                    row[place] = read(*cells[place])
                elif broken is None:
                    row[place] = self._read_active(number, cells[place], read)
                elif cells[place][2].strip().lower() not in MISSING:
                    raise ValueError(
                        f"column {cells[place][0]!r}: must be empty, since {block.parameter.name!r}"
                        f" is only active where {broken.condition}."
                    )
            if broken is None and number in self.hierarchy.parents:
                value = row[block.columns] if block.is_list else row[block.columns.start]
                encoded[block.columns] = block.parameter.encode(value)
        return row

    def _read_active(
        self, number: int, cell: tuple[str, AbstractHyperParameter, str], read: Reader
    ) -> Any:
        """Returns the value of a column of an active parameter."""
        try:
            return read(*cell)
        except ValueError:
            if cell[2].strip():
                raise
        raise ValueError(f"column {cell[0]!r}: {self._must_have_value(number)}")

    def _must_have_value(self, number: int) -> str:
        parameter = self._blocks[number].parameter
        conditions = " and ".join(map(str, parameter.conditions))
        return f"{parameter.name!r} must have a value where {conditions}."

    def _column_parameters(self) -> Iterator[AbstractHyperParameter]:
        for block in self._blocks:
            yield from [block.parameter] * block.width


def is_inactive(value: Any) -> bool:
    """Returns whether a parameter's value in a row marks it as inactive.

    Missing values of NumPy and pandas do so as well, since no parameter can have them.
    """
    if isinstance(value, list):
        return bool(value) and is_inactive(value[0])
    if isinstance(value, float):
        return bool(np.isnan(value))
    return value is INACTIVE or type(value).__name__ == "NAType"


def _checked_values(block: Block, value: Any) -> list[Any]:
    """Returns the values of a block's columns; a custom type may contain invalid ones."""
    items = list(value) if block.is_list else [value]
    if not block.kind.is_built_in:
        what = f"A value of {block.parameter.name!r}"
        items = [plain_values.check_value(item, what) for item in items]
        # The type may write its values in its own way.
        for item in items:
            plain_values.check_text(block.parameter.to_text(item), what)
    return items


def texts_as(method: str) -> Reader:
    """Returns a reader that applies a method of parameters to texts; its errors name the column."""

    def read(name: str, parameter: AbstractHyperParameter, text: str) -> Any:
        try:
            return getattr(parameter, method)(text)
        except (TypeError, ValueError) as error:
            raise ValueError(f"column {name!r}: {error}") from None

    return read
