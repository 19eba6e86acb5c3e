"""Rows of Python values, kept as columns: what a run of very many samples holds in memory.

A column of floats, or of ints that fit, takes eight bytes a value. Reading a row gives back just
the values that went in.
"""

from __future__ import annotations

import itertools
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
import numpy.typing as npt

_TYPECODES: dict[type, str] = {float: "d", int: "q"}

Item = TypeVar("Item")

if TYPE_CHECKING:
    Column = list[Any] | array[Any]


class _Lists(Sequence[Item]):
    """What reads like a list, and makes each item when it is asked for."""

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (_Lists, list)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Sequence[Item]) -> list[Item]:
        return [*self, *other]

    def __radd__(self, other: Sequence[Item]) -> list[Item]:
        return [*other, *self]

    def __repr__(self) -> str:
        return repr(list(self))


class Rows(_Lists[list[Any]]):
    """Rows of equally many values; reads like a list of lists, each made when it is asked for."""

    def __init__(self) -> None:
        self._columns: list[Column] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def insert(self, place: int, row: Sequence[Any]) -> None:
        """Puts a row before the one at `place`."""
        if not self._length:
            self._columns = [_new_column(value) for value in row]
        for number, value in enumerate(row):
            column = self._columns[number]
            if not _can_hold(column, value):
                column = self._columns[number] = list(column)
            column.insert(place, value)
        self._length += 1

    def cut(self, count: int) -> None:
        """Keeps the first `count` rows only."""
        for column in self._columns:
            del column[count:]
        self._length = min(self._length, count)

    def sort(self, order: npt.NDArray[np.int64]) -> None:
        """Rearranges the rows; row i becomes what row `order[i]` was."""
        self._columns = [_taken(column, order) for column in self._columns]

    @overload
    def __getitem__(self, place: int) -> list[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[list[Any]]: ...
    def __getitem__(self, place: int | slice) -> list[Any] | list[list[Any]]:
        places = range(self._length)[place]
        if isinstance(places, range):
            return [self[number] for number in places]
        return [column[places] for column in self._columns]

    def __iter__(self) -> Iterator[list[Any]]:
        return (self[place] for place in range(self._length))


class Samples(_Lists["OrderedDict[str, Any]"]):
    """Parameters of samples; reads like a list of `OrderedDict`s, made when they are asked for.

    Args:
        samples: Parameters with the same names each, and lists of the same lengths.

    Raises:
        ValueError: If names, their order or lengths differ.
    """

    def __init__(self, samples: Iterable[Mapping[str, Any]]) -> None:
        self._widths: dict[str, int | None] = {}
        self._rows = Rows()
        for sample in samples:
            widths = _widths(sample)
            self._widths = self._widths or widths
            if [*widths.items()] != [*self._widths.items()]:
                raise ValueError(f"Samples must be alike: {list(widths)} and {list(self._widths)}.")
            self._rows.insert(len(self._rows), _flat(sample))

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> OrderedDict[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[OrderedDict[str, Any]]: ...
    def __getitem__(
        self, place: int | slice
    ) -> OrderedDict[str, Any] | list[OrderedDict[str, Any]]:
        if isinstance(place, slice):
            return [self._sample(row) for row in self._rows[place]]
        return self._sample(self._rows[place])

    def _sample(self, row: list[Any]) -> OrderedDict[str, Any]:
        values = iter(row)
        return OrderedDict(
            (name, next(values) if width is None else list(itertools.islice(values, width)))
            for name, width in self._widths.items()
        )


def _widths(sample: Mapping[str, Any]) -> dict[str, int | None]:
    """The number of values under each name that has a list; None for those that have none."""
    return {name: len(value) if isinstance(value, list) else None for name, value in sample.items()}


def _flat(sample: Mapping[str, Any]) -> list[Any]:
    values = (value if isinstance(value, list) else [value] for value in sample.values())
    return list(itertools.chain.from_iterable(values))


def _new_column(value: Any) -> Column:
    typecode = _TYPECODES.get(type(value))
    column: Column = [] if typecode is None else array(typecode)
    return column if _can_hold(column, value) else []


def _can_hold(column: Column, value: Any) -> bool:
    """Says whether a column gives a value back as it is."""
    if isinstance(column, list):
        return True
    if column.typecode == "d":
        return type(value) is float
    return type(value) is int and -(2**63) <= value < 2**63


def _taken(column: Column, order: npt.NDArray[np.int64]) -> Column:
    values = [column[place] for place in order]
    return values if isinstance(column, list) else array(column.typecode, values)
