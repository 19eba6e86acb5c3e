"""Ranking: how promising samples are, going by all that was learned so far.

Two rankings judge independently, since each is wrong elsewhere: trees know edges, choices and what
does not matter; a Gaussian process knows that scores change gently, and where little is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy import stats

from pyshac.core import seeding
from pyshac.core.cascade import as_features
from pyshac.core.classifier import BoostedTrees, Boosting
from pyshac.core.gaussian_process import GaussianProcess
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.scores import is_among_best, worst_first

FloatArray = npt.NDArray[np.float64]
# Returns how promising rows are, shape (n,), for encoded rows of shape (n, columns).
Ranking = Callable[[FloatArray], FloatArray]

# The best half of all samples, the best quarter, and so on, as long as a share has so many.
MIN_BEST_SAMPLES = 5
# Seeing other parts of the samples and of the columns, the trees of a rung disagree where they
# know little, so that their sum changes gently from sample to sample.
RUNG_TREES = Boosting(subsample=0.8, colsample_bytree=0.7)
# A Gaussian process is fitted to so many samples at most, half of them the best.
MAX_PROCESS_SAMPLES = 256
# What is farther away than this is as far as can be; squares of these are still finite.
FARTHEST = 1000.0


class TreeRanking:
    """Ranks by the successive halves of the scores, each told by a classifier.

    One classifier tells the best half of all samples so far from the others, one the best quarter,
    and so on. A sample's rank is the sum of their margins.

    Args:
        encoded: Evaluated samples, shape (n, columns).
        scores: Their scores, shape (n,); NaN for failed samples.
        objective: 'max' or 'min'.
        stream: Random stream for the trees.
    """

    def __init__(
        self,
        encoded: FloatArray,
        scores: FloatArray,
        objective: str,
        stream: np.random.SeedSequence,
    ) -> None:
        rows = as_features(encoded)
        self._rungs = [
            BoostedTrees(
                seeding.as_integer(seeding.child(stream, number)), boosting=RUNG_TREES
            ).fit(rows, labels)
            for number, labels in enumerate(_successive_halves(scores, objective))
        ]

    def __call__(self, encoded: FloatArray) -> FloatArray:
        features = as_features(encoded)
        total = np.zeros(len(features))
        for rung in self._rungs:
            total += rung.margin(features)
        return total


def _successive_halves(scores: FloatArray, objective: str) -> Iterator[npt.NDArray[np.bool_]]:
    """Yields which scores are among the best half, the best quarter, and so on."""
    number = int(np.count_nonzero(~np.isnan(scores))) // 2
    while number >= MIN_BEST_SAMPLES:
        labels = is_among_best(scores, number, objective)
        # Where scores are equal, even the best half may hold them all.
        if not labels.all():
            yield labels
        number //= 2


class SmoothRanking:
    """Ranks by what a Gaussian process of the scores' ranks thinks possible.

    A sample's rank is the expected value plus one standard deviation, so that samples far from all
    others have their turn.

    Args:
        encoded: Evaluated samples, shape (n, columns).
        scores: Their scores, shape (n,); NaN for failed samples, which count as the worst.
        objective: 'max' or 'min'.
        space: The search space.
    """

    def __init__(
        self,
        encoded: FloatArray,
        scores: FloatArray,
        objective: str,
        space: HyperParameterList,
    ) -> None:
        self._process = None
        if not len(encoded):
            return
        ranks = stats.rankdata(worst_first(scores, objective))
        values = stats.norm.ppf((ranks - 0.5) / len(ranks))
        kept = _best_and_others(ranks, MAX_PROCESS_SAMPLES)
        self._points = Points(space, encoded)
        self._process = GaussianProcess(
            self._points(encoded[kept]), self._points.columns, values[kept]
        )

    def __call__(self, encoded: FloatArray) -> FloatArray:
        if self._process is None:
            return np.zeros(len(encoded))
        expected, deviation = self._process.predict(self._points(encoded))
        return expected + deviation


def _best_and_others(ranks: FloatArray, number: int) -> npt.NDArray[np.intp]:
    """Returns which samples are kept: if there are too many, the best, and some of all others."""
    best_first = np.argsort(-ranks, kind="stable")
    if len(ranks) <= number:
        return best_first
    others = np.linspace(number // 2, len(ranks) - 1, number - number // 2).astype(int)
    return best_first[np.concatenate([np.arange(number // 2), others])]


class Points:
    """Encoded rows as points of a space in which distances mean something.

    Numbers are mapped to the unit interval by their prior; those of a user's own types are scaled
    to the range of the rows seen at first. Choices get a feature for each value seen there and one
    for all others, so that two different values are 1 apart, whichever they are.

    Args:
        space: The search space.
        encoded: Rows, shape (n, columns), at least one.

    Attributes:
        columns: The column that each feature belongs to, shape (features,).
    """

    def __init__(self, space: HyperParameterList, encoded: FloatArray) -> None:
        self._space = space
        # Halves, because the distance of two finite numbers may be infinite.
        self._low = np.where(space.maps_to_unit, 0.0, encoded.min(axis=0) / 2)
        span = np.where(space.maps_to_unit, 0.5, encoded.max(axis=0) / 2 - self._low)
        self._span = np.where(span > 0, span, 1.0)
        self._known = [
            np.unique(values) if is_choice else None
            for values, is_choice in zip(encoded.T, space.is_choice, strict=True)
        ]
        widths = [1 if known is None else len(known) + 1 for known in self._known]
        self.columns = np.repeat(np.arange(len(widths)), widths)

    def __call__(self, encoded: FloatArray) -> FloatArray:
        """Returns points, shape (n, features), for encoded rows of shape (n, columns)."""
        scaled = (self._space.to_unit_where_possible(encoded) / 2 - self._low) / self._span
        scaled = np.clip(scaled, -FARTHEST, FARTHEST)
        features = [
            scaled[:, [column]] if known is None else _one_hot(encoded[:, [column]], known)
            for column, known in enumerate(self._known)
        ]
        return np.concatenate(features, axis=1)


def _one_hot(column: FloatArray, known: FloatArray) -> FloatArray:
    """Returns a feature for each known value and one for all others; two differ by 1 in all."""
    is_value = column == known
    is_other = ~is_value.any(axis=1, keepdims=True)
    return np.concatenate([is_value, is_other], axis=1) / 2**0.5
