"""Rows of Python values, kept as columns: what a run of very many samples holds in memory.

A column of floats, or of ints that fit, takes eight bytes a value. Reading a row gives back just
the values that went in.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from pyshac.core.basics.arrays import IntArray

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

    def sort(self, order: IntArray) -> None:
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


def _taken(column: Column, order: IntArray) -> Column:
    values = [column[place] for place in order]
    return values if isinstance(column, list) else array(column.typecode, values)
