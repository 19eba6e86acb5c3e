"""SampleTable: the samples of a dataset, as columns in the order of their numbers."""

from __future__ import annotations

import bisect
import math
from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import FloatArray, IntArray
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.results.details import UNKNOWN, Details
from pyshac.core.dataset.details_table import DetailsTable
from pyshac.core.dataset.formats.lines import Lines
from pyshac.core.dataset.rows import Column, Rows
from pyshac.core.errors import SaveDirectoryError


class SampleTable:
    """The samples of a dataset, as columns in the order of their numbers.

    Args:
        lock: Held while samples change, or while several columns are read.

    Attributes:
        X: Rows of values.
        Y: Scores; NaN for samples that failed or were pruned.
        ids: Numbers, ascending.
        lines: The lines of the CSV form.
        details: Other details of the evaluations.
    """

    def __init__(self, lock: CopyableLock) -> None:
        self.X, self.Y, self.ids = Rows(lock), list[float](), Column[int]()
        self.lines, self.details = Lines(), DetailsTable(lock)
        self._encoded = array("d")
        self._lock = lock

    def insert(
        self,
        place: int,
        number: int,
        row: list[Any],
        score: float,
        encoded: FloatArray,
        line: bytes,
        details: Details,
    ) -> None:
        """Inserts a sample before the sample at `place`."""
        # First what may be refused.
        self.details.insert(place, number, details)
        self.X.insert(place, row)
        self.ids.insert(place, number)
        self.Y.insert(place, score)
        start = place * len(encoded)
        self._encoded[start:start] = array("d", encoded)
        self.lines.insert(place, line)

    def place_of(self, number: int) -> int:
        """Returns the number of samples with lower numbers."""
        return bisect.bisect_left(self.ids, number)

    def score_of(self, number: int) -> float | None:
        """Returns a sample's score; NaN without a score, None if the sample is unknown."""
        place = self.place_of(number)
        is_known = place < len(self.ids) and self.ids[place] == number
        return self.Y[place] if is_known else None

    def encoded(self, num_columns: int) -> FloatArray:
        """Returns the encoded samples, shape (n, num_columns)."""
        # A copy, since an array cannot grow while a view of it exists.
        numbers = np.frombuffer(self._encoded.tobytes(), dtype=np.float64)
        return numbers.copy().reshape(-1, num_columns)

    def cut(self, count: int) -> None:
        """Removes all samples except the first `count`."""
        width = len(self._encoded) // max(len(self.ids), 1)
        del self.Y[count:], self._encoded[count * width :]
        for column in (self.X, self.ids, self.lines, self.details):
            column.cut(count)

    def sort_by_number(self) -> None:
        """Sorts samples that were inserted in another order by their numbers."""
        order: IntArray = np.argsort(np.array(self.ids, dtype=np.int64), kind="stable")
        width = len(self._encoded) // max(len(order), 1)
        self._encoded = array("d", self.encoded(width)[order].ravel())
        self.Y[:] = [self.Y[place] for place in order]
        for column in (self.X, self.ids, self.lines, self.details):
            column.sort(order)

    def take_details(self, details: Mapping[int, Details]) -> None:
        """Sets the details of samples by number. Those of other samples become unknown.

        Raises:
            SaveDirectoryError: If a pruned sample has a score.
        """
        self.details = DetailsTable(self._lock)
        for place, number in enumerate(self.ids):
            known = details.get(number, UNKNOWN)
            if known.is_pruned and not math.isnan(self.Y[place]):
                raise SaveDirectoryError(
                    f"'curves.jsonl' is corrupt: sample {number} was pruned, and has a score."
                )
            self.details.insert(place, number, known)

    def copy(self, lock: CopyableLock) -> SampleTable:
        """Returns a copy with another lock."""
        table = SampleTable(lock)
        table.X, table.Y, table.ids = self.X.copy(lock), self.Y[:], self.ids.copy()
        table.lines, table.details = self.lines.copy(), self.details.copy(lock)
        table._encoded = self._encoded[:]
        return table

    def pack(self) -> None:
        """Compresses data that only saving needs. Later samples should have higher numbers."""
        self.lines.pack()
        self.details.pack()
