"""Rows of Python values, stored as columns to save memory.

A column of floats or 64-bit ints needs eight bytes per value. Rows are read exactly as they were
written.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, overload

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import IntArray
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.messages.renamed import renamed_arguments

_TYPECODES: dict[type, str] = {float: "d", int: "q"}


Item = TypeVar("Item")


class LazyList(Sequence[Item]):
    """A sequence that behaves like a list and creates each item on access."""

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (LazyList, list)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Sequence[Item]) -> list[Item]:
        return [*self, *other]

    def __radd__(self, other: Sequence[Item]) -> list[Item]:
        return [*other, *self]

    def __repr__(self) -> str:
        return repr(list(self))


class Column(LazyList[Item]):
    """Values, stored as 64-bit numbers while all of them are floats, or all are ints, that fit."""

    def __init__(self) -> None:
        self._values: list[Any] | array[Any] = []

    def __len__(self) -> int:
        return len(self._values)

    def insert(self, place: int, value: Item) -> None:
        """Inserts a value before the value at `place`."""
        if not self._values:
            self._values = _empty_column(value)
        elif not _can_hold(self._values, value):
            self._values = list(self._values)
        self._values.insert(place, value)

    def cut(self, count: int) -> None:
        """Removes all values except the first `count`."""
        del self._values[count:]

    def copy(self) -> Column[Item]:
        """Returns a copy."""
        column: Column[Item] = Column()
        column._values = self._values[:]
        return column

    def sort(self, order: IntArray) -> None:
        """Reorders the values: the value at `order[i]` moves to index i."""
        column = self._values
        values = [column[place] for place in order]
        self._values = values if isinstance(column, list) else array(column.typecode, values)

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> list[Item]: ...
    def __getitem__(self, place: int | slice) -> Item | list[Item]:
        if isinstance(place, slice):
            return list(self._values[place])
        value: Item = self._values[place]
        return value

    def __iter__(self) -> Iterator[Item]:
        return iter(self._values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        # NumPy would hold a view of the column while it copies, and no array grows meanwhile.
        return np.array(self._values[:], dtype=dtype)


class Rows(LazyList[list[Any]]):
    """Rows of equal length. It behaves like a list of lists and creates each list on access.

    Args:
        lock: Held while rows are changed or read, so that no other thread sees half a change.
    """

    def __init__(self, lock: CopyableLock | None = None) -> None:
        self._lock = lock or CopyableLock()
        self._columns: list[Column[Any]] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def insert(self, place: int, row: Sequence[Any]) -> None:
        """Inserts a row before the row at `place`."""
        with self._lock:
            if not self._length:
                self._columns = [Column() for _ in row]
            for number, value in enumerate(row):
                self._columns[number].insert(place, value)
            self._length += 1

    def cut(self, count: int) -> None:
        """Removes all rows except the first `count`."""
        with self._lock:
            for column in self._columns:
                column.cut(count)
            self._length = min(self._length, count)

    def copy(self, lock: CopyableLock) -> Rows:
        """Returns a copy of the rows, with another lock."""
        rows = Rows(lock)
        with self._lock:
            rows._columns, rows._length = [each.copy() for each in self._columns], self._length
        return rows

    def sort(self, order: IntArray) -> None:
        """Reorders the rows: the row at `order[i]` moves to index i."""
        with self._lock:
            for column in self._columns:
                column.sort(order)

    def column(self, number: int) -> list[Any]:
        """Returns the values of a column, by index from 0."""
        with self._lock:
            return self._columns[number][:] if self._length else []

    @overload
    def __getitem__(self, place: int) -> list[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[list[Any]]: ...
    def __getitem__(self, place: int | slice) -> list[Any] | list[list[Any]]:
        with self._lock:
            places = range(self._length)[place]
            if isinstance(places, range):
                return [self[number] for number in places]
            return [column[places] for column in self._columns]

    def __iter__(self) -> Iterator[list[Any]]:
        return (self[place] for place in range(self._length))


@renamed_arguments(params="parameters")
def flatten_parameters(parameters: Mapping[str, Any] | Iterable[Any]) -> list[Any]:
    """Returns all values of a sample in one flat list; multi parameters are expanded.

    Example:
        ```python
        pyshac.flatten_parameters({"units": [64, 32], "rate": 0.1})  # [64, 32, 0.1]
        ```

    Args:
        parameters: The parameters that an evaluation function receives, or their values. Inactive
            parameters leave no gap; `HyperParameterList.to_row` keeps a place for them.
    """
    values = parameters.values() if isinstance(parameters, Mapping) else parameters
    flat: list[Any] = []
    for value in values:
        flat += value if isinstance(value, list) else [value]
    return flat


def _empty_column(value: Any) -> list[Any] | array[Any]:
    """Returns a column that can hold a value."""
    typecode = _TYPECODES.get(type(value))
    column: list[Any] | array[Any] = [] if typecode is None else array(typecode)
    return column if _can_hold(column, value) else []


def _can_hold(column: list[Any] | array[Any], value: Any) -> bool:
    """Returns whether a column can hold a value unchanged."""
    if isinstance(column, list):
        return True
    if column.typecode == "d":
        return type(value) is float
    return type(value) is int and -(2**63) <= value < 2**63
