"""Arrivals: the order in which a stream learns from scores."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np

from pyshac.core.basics.arrays import IntArray
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.formats.draws_file import DrawLog
from pyshac.core.search.paces.open_batches import OpenBatches


class Arrivals:
    """The order in which a stream learns from scores.

    Args:
        learned: Numbers of the samples that draws have learned from, in order.
        new: Numbers of the samples whose scores came in after the last draw.
    """

    def __init__(self, learned: Iterable[int] = (), new: Iterable[int] = ()) -> None:
        self._learned = array("q", learned)
        self._new = array("q", new)

    @classmethod
    def of(cls, draws: DrawLog, batches: OpenBatches, dataset: Dataset) -> Arrivals:
        """Returns the order of a search that was restored; new ones come in that of their numbers.

        Args:
            draws: The log of closed batches.
            batches: The open batches.
            dataset: The samples that have a score.
        """
        learned = draws.learned[:]
        for batch in batches:
            if batch.origin is not None:
                learned.extend(batch.origin.since)
        new = np.setdiff1d(np.array(dataset.ids, np.int64), np.array(learned, np.int64))
        return cls(learned, new.tolist())

    def add(self, number: int) -> None:
        """Notes that the score of a sample is in."""
        self._new.append(number)

    @property
    def new(self) -> array[int]:
        """Numbers of the samples that no draw has learned from yet, in order."""
        return self._new[:]

    def learn(self, since: array[int]) -> None:
        """Notes that a draw has learned from the first of the new ones."""
        self._learned.extend(since)
        del self._new[: len(since)]

    def numbers(self) -> IntArray:
        """Returns the numbers of all of them, in order, shape (n,)."""
        return np.array(self._learned + self._new, dtype=np.int64)
