"""Samples: stores the parameters of many samples as columns."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, overload

from pyshac.core.dataset.rows import LazyList, Rows, flatten_parameters


class Samples(LazyList["OrderedDict[str, Any]"]):
    """Parameters of samples. It reads like a list of `OrderedDict`s, each made on access.

    Args:
        samples: The parameters, all with the same names and with lists of the same lengths.

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
            self._rows.insert(len(self._rows), flatten_parameters(sample))

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
    """Returns the length of each value that is a list, and None for the others, by name."""
    return {name: len(value) if isinstance(value, list) else None for name, value in sample.items()}
