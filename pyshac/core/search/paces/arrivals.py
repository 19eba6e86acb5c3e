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
        learned: Numbers of the samples from which draws have learned, in order.
        new: Numbers of the samples whose scores arrived after the last draw.
    """

    def __init__(self, learned: Iterable[int] = (), new: Iterable[int] = ()) -> None:
        self._learned = array("q", learned)
        self._new = array("q", new)

    @classmethod
    def of(cls, draws: DrawLog, batches: OpenBatches, dataset: Dataset) -> Arrivals:
        """Returns the order of a restored search; new samples are in the order of their numbers.

        Args:
            draws: The log of closed batches.
            batches: The open batches.
            dataset: The evaluated samples.
        """
        learned = draws.learned[:]
        for batch in batches:
            if batch.origin is not None:
                learned.extend(batch.origin.since)
        new = np.setdiff1d(np.array(dataset.ids, np.int64), np.array(learned, np.int64))
        return cls(learned, new.tolist())

    def add(self, number: int) -> None:
        """Records that the score of a sample has arrived."""
        self._new.append(number)

    @property
    def new(self) -> array[int]:
        """Numbers of the samples from which no draw has learned yet, in order."""
        return self._new[:]

    def learn(self, since: array[int]) -> None:
        """Records that a draw has learned from the first of the new samples."""
        self._learned.extend(since)
        del self._new[: len(since)]

    def numbers(self) -> IntArray:
        """Returns all numbers in order, shape (n,)."""
        return np.array(self._learned + self._new, dtype=np.int64)
