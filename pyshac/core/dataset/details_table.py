"""DetailsTable: the details of a dataset's samples, and the lines that store them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pyshac.core.basics.arrays import IntArray
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.results.details import Details
from pyshac.core.dataset.curves.curves_table import CurvesTable
from pyshac.core.dataset.formats.evaluations_file import details_line
from pyshac.core.dataset.formats.lines import Lines
from pyshac.core.dataset.rows import Rows

_NAMES = [field.name for field in fields(Details) if field.name != "curve"]


class DetailsTable:
    """The details of samples, in the samples' order, stored as columns to save memory.

    Args:
        lock: Held while they are changed or read.

    Attributes:
        curves: The curves, which have their own file.
    """

    def __init__(self, lock: CopyableLock) -> None:
        self.curves = CurvesTable(lock)
        self._rows = Rows(lock)
        self._lines = Lines()

    def insert(self, place: int, number: int, details: Details) -> None:
        """Inserts the details of a sample before the details at `place`."""
        self._lines.insert(place, details_line(number, details))
        # An empty dict takes eight times as much memory as None.
        extras = dict(details.extras) or None
        values = (details.started, details.seconds, details.slot, details.failure, extras)
        self._rows.insert(place, values)
        self.curves.insert(place, number, details.curve)

    def __getitem__(self, place: int) -> Details:
        started, seconds, slot, failure, extras = self._rows[place]
        curve = self.curves[place]
        return Details(started, seconds, slot, failure, dict(extras or {}), curve)

    def column(self, name: str) -> list[Any]:
        """Returns one attribute of all samples, except curves. Missing extras are None."""
        return self._rows.column(_NAMES.index(name))

    def cut(self, count: int) -> None:
        """Removes all details except the first `count`."""
        for part in (self._rows, self._lines, self.curves):
            part.cut(count)

    def copy(self, lock: CopyableLock) -> DetailsTable:
        """Returns a copy with another lock."""
        table = DetailsTable(lock)
        table._rows, table._lines = self._rows.copy(lock), self._lines.copy()
        table.curves = self.curves.copy(lock)
        return table

    def sort(self, order: IntArray) -> None:
        """Reorders the details: the details at `order[i]` move to index i."""
        for part in (self._rows, self._lines, self.curves):
            part.sort(order)

    def pack(self) -> None:
        """Compresses data that only saving needs."""
        self._lines.pack()
        self.curves.pack()

    def to_bytes(self) -> bytes:
        """Returns the content of `evaluations.jsonl`."""
        return b"".join(self._lines.texts())

    def num_bytes(self, count: int) -> int:
        """Returns the length of the first `count` lines."""
        return self._lines.size(count)
