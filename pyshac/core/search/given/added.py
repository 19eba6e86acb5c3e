"""Added: samples from other sources, and all samples from which a search learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyshac.core.basics import plain_values
from pyshac.core.basics.arrays import FloatArray, IntArray, without_float_errors
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.curves.bounded_scores import bounded_scores
from pyshac.core.dataset.curves.curves_table import CurveEnds
from pyshac.core.dataset.objective import Objective
from pyshac.core.search.given.once import Mark, Once


@dataclass
class Added:
    """Samples from other sources. A search learns from them but does not count them.

    Attributes:
        dataset: The samples, numbered from 0 in the order in which they were added.
        since: Number of complete samples of the search when each was added, ascending.
    """

    dataset: Dataset = field(default_factory=lambda: Dataset(None, None))
    since: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._once = Once(map(_identity, self.dataset.X, self.dataset.Y))

    def __len__(self) -> int:
        return len(self.since)

    @without_float_errors
    def add(self, samples: Sequence[tuple[list[Any], float]], num_complete: int) -> int:
        """Adds samples, which must be inside the search space.

        Samples that were added before the search was restored are not added again; see `Once`.

        Args:
            samples: Rows and their scores; NaN for failed samples.
            num_complete: Number of complete samples of the search.

        Returns:
            Number of samples that were added.
        """
        before = len(self)
        for row, score in samples:
            if self._once.is_new(_identity(row, score)):
                self.put([(row, score)], num_complete)
        return len(self) - before

    def put(self, samples: Sequence[tuple[list[Any], float]], num_complete: int) -> None:
        """Adds samples like `add`, but without leaving any out."""
        for row, score in samples:
            self.dataset.add_sample(row, score)
            self.since.append(num_complete)
            self._once.take(_identity(row, score))

    def mark(self) -> tuple[int, Mark]:
        """Returns the present state, for `reset`."""
        return len(self), self._once.mark()

    def reset(self, mark: tuple[int, Mark]) -> None:
        """Removes everything that was added since a `mark`."""
        number, given = mark
        rows, scores = self.dataset.X[number:], self.dataset.Y[number:]
        self._once.reset(given, map(_identity, rows, scores))
        self.dataset.cut(number)
        del self.since[number:]

    def copy(self) -> Added:
        """Returns a copy."""
        return Added(self.dataset.copy(), [*self.since])


@dataclass(frozen=True)
class Learned:
    """All samples from which a search learns: those from other sources first, then its own.

    Attributes:
        encoded: The encoded samples, shape (n, columns).
        scores: Their scores, shape (n,); NaN if they failed or were pruned.
        numbers: The number of each sample of the search, shape (n,). A sample from another source
            has the number of the sample that was next when it was added.
        num_added: Number of samples from other sources.
        ends: The last points of the curves of the search's own samples.
        objective: Which scores are better.
    """

    encoded: FloatArray
    scores: FloatArray
    numbers: IntArray
    num_added: int
    ends: CurveEnds
    objective: Objective

    @classmethod
    def of(cls, added: Added, dataset: Dataset, objective: Objective) -> Learned:
        """Returns the added samples and those of the search."""
        parts = (added.dataset, dataset)
        return cls(
            np.concatenate([part.encoded for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([np.array(numbers, np.int64) for numbers in (added.since, dataset.ids)]),
            len(added),
            dataset.details.curves.ends(),
            objective,
        )

    @property
    def num_own(self) -> int:
        """Number of samples of the search."""
        return len(self.scores) - self.num_added

    def until(self, count: int) -> Learned:
        """Returns the added samples and the first samples of the search."""
        return self._with_own(np.arange(count))

    def in_order(self, numbers: IntArray) -> Learned:
        """Returns the added samples and samples of the search by number, in that order."""
        return self._with_own(np.searchsorted(self.numbers[self.num_added :], numbers))

    def _with_own(self, places: IntArray) -> Learned:
        """Returns the added samples and samples of the search by index among its own."""
        kept = np.concatenate([np.arange(self.num_added), self.num_added + places])
        parts = (self.encoded[kept], self.scores[kept], self.numbers[kept], self.num_added)
        return Learned(*parts, self.ends.at(places), self.objective)

    def scores_after(self, count: int) -> FloatArray:
        """Returns the scores to learn from after a number of samples of the search, shape (n,).

        Pruned samples among the first have bounds as scores, to which only these samples
        contribute. So what is learned from the first samples does not depend on later ones.
        """
        start, stop = self.num_added, self.num_added + count
        bounded = bounded_scores(self.scores[start:stop], self.ends.first(count), self.objective)
        return np.concatenate([self.scores[:start], bounded, self.scores[stop:]])

    def first(self, count: int) -> tuple[FloatArray, FloatArray]:
        """Returns the added samples and the first samples of the search: encoded, and scores."""
        stop = self.num_added + count
        return self.encoded[:stop], self.scores_after(count)[:stop]

    def between(self, start: int, stop: int) -> tuple[FloatArray, FloatArray]:
        """Returns samples of the search from one number to before another, like `first`."""
        part = slice(self.num_added + start, self.num_added + stop)
        return self.encoded[part], self.scores_after(stop)[part]


def _identity(row: Sequence[Any], score: float) -> Any:
    # NaN, the score of a failed sample, equals itself only as text.
    return plain_values.identity((*row, repr(score)))
