"""CurvesTable: the curves of a dataset's samples, and the lines that store them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray, IntArray
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.results.curve import Curve
from pyshac.core.dataset.curves.curves import Curves
from pyshac.core.dataset.formats.curves_file import curve_line
from pyshac.core.dataset.formats.lines import Lines


@dataclass(frozen=True)
class CurveEnds:
    """The last points of the curves of samples.

    Attributes:
        steps: The last step of each sample's curve, shape (n,); -1 without a curve.
        scores: The score at that step, shape (n,); NaN without a curve or if it was not finite.
        are_pruned: Which samples were pruned, shape (n,).
    """

    steps: IntArray
    scores: FloatArray
    are_pruned: BoolArray

    def first(self, count: int) -> CurveEnds:
        """Returns the ends of the first samples."""
        return self.at(np.arange(count))

    def at(self, places: IntArray) -> CurveEnds:
        """Returns the ends of samples by index, in that order."""
        return CurveEnds(self.steps[places], self.scores[places], self.are_pruned[places])


class CurvesTable:
    """The curves of samples, in the samples' order, stored as columns to save memory.

    Args:
        lock: Held while they are changed or read.
    """

    def __init__(self, lock: CopyableLock) -> None:
        self._lock = lock
        self._steps, self._scores = array("q"), array("d")
        # Of a sample without a curve the length is 0, and so is the length of its line.
        self._lengths, self._are_pruned = array("q"), bytearray()
        self._lines = Lines()
        self._ends: IntArray | None = None

    def insert(self, place: int, number: int, curve: Curve | None) -> None:
        """Inserts the curve of a sample before the curve at `place`; None if it has none."""
        with self._lock:
            start = len(self._steps) - int(np.sum(self._lengths[place:], dtype=np.int64))
            if curve is not None:
                self._steps[start:start] = array("q", curve.steps)
                self._scores[start:start] = array("d", curve.scores)
            self._lengths.insert(place, 0 if curve is None else len(curve.steps))
            self._are_pruned.insert(place, curve is not None and curve.is_pruned)
            self._lines.insert(place, b"" if curve is None else curve_line(number, curve))
            self._ends = None

    def __getitem__(self, place: int) -> Curve | None:
        with self._lock:
            length = self._lengths[place]
            if not length:
                return None
            if self._ends is None:
                self._ends = np.cumsum(self._lengths, dtype=np.int64)
            end = int(self._ends[place])
            steps, scores = self._steps[end - length : end], self._scores[end - length : end]
            return Curve(tuple(steps), tuple(scores), bool(self._are_pruned[place]))

    @property
    def are_pruned(self) -> BoolArray:
        """Which samples were pruned, shape (n,)."""
        with self._lock:
            return np.array(self._are_pruned, dtype=bool)

    @property
    def num_curves(self) -> int:
        """Number of samples that have a curve."""
        with self._lock:
            return int(np.count_nonzero(self._lengths))

    @property
    def total_steps(self) -> int:
        """The sum of the last steps of all curves."""
        steps = self.ends().steps
        return sum(steps[steps > 0].tolist())

    def ends(self) -> CurveEnds:
        """Returns the last points of the curves."""
        with self._lock:
            lengths, are_pruned = np.array(self._lengths), np.array(self._are_pruned, dtype=bool)
            has_curve = lengths > 0
            last = np.cumsum(lengths)[has_curve] - 1
            steps, scores = np.full(len(lengths), -1), np.full(len(lengths), np.nan)
            # Views for a moment only: the columns cannot grow while there are any.
            steps[has_curve] = np.frombuffer(self._steps, dtype=np.int64)[last]
            scores[has_curve] = np.frombuffer(self._scores, dtype=np.float64)[last]
            return CurveEnds(steps, scores, are_pruned)

    def curves(self, are_kept: BoolArray) -> Curves:
        """Returns selected curves of the first samples; the selection has at most shape (n,)."""
        with self._lock:
            lengths = np.array(self._lengths[: len(are_kept)], dtype=np.int64)
            are_pruned = np.array(self._are_pruned[: len(are_kept)], dtype=bool)
            count = int(lengths.sum())
            steps = np.frombuffer(self._steps[:count], dtype=np.int64)
            scores = np.frombuffer(self._scores[:count], dtype=np.float64)
        has_curve = lengths > 0
        present = Curves(steps, scores, lengths[has_curve], are_pruned[has_curve])
        return present.where(are_kept[has_curve])

    def cut(self, count: int) -> None:
        """Removes all curves except those of the first `count` samples."""
        with self._lock:
            left = int(np.sum(self._lengths[:count], dtype=np.int64))
            del self._steps[left:], self._scores[left:]
            del self._lengths[count:], self._are_pruned[count:]
            self._lines.cut(count)
            self._ends = None

    def copy(self, lock: CopyableLock) -> CurvesTable:
        """Returns a copy with another lock."""
        table = CurvesTable(lock)
        with self._lock:
            table._steps, table._scores = self._steps[:], self._scores[:]
            table._lengths, table._are_pruned = self._lengths[:], self._are_pruned[:]
            table._lines = self._lines.copy()
        return table

    def sort(self, order: IntArray) -> None:
        """Reorders the samples: the sample at `order[i]` moves to index i."""
        with self._lock:
            curves: list[Any] = [self[int(place)] for place in order]
            kept = [curve for curve in curves if curve is not None]
            self._steps = array("q", [step for curve in kept for step in curve.steps])
            self._scores = array("d", [score for curve in kept for score in curve.scores])
            self._lengths = array("q", [self._lengths[place] for place in order])
            self._are_pruned = bytearray(self._are_pruned[place] for place in order)
            self._lines.sort(order)
            self._ends = None

    def pack(self) -> None:
        """Compresses data that only saving needs."""
        self._lines.pack()

    def to_bytes(self) -> bytes:
        """Returns the content of `curves.jsonl`."""
        return b"".join(self._lines.texts())

    def num_bytes(self, count: int) -> int:
        """Returns the length of the lines of the first `count` samples."""
        return self._lines.size(count)
