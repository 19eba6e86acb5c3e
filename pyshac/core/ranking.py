"""Ranking: how promising samples are, going by all that was learned so far.

Two rankings judge independently, since each is wrong elsewhere: trees know edges, choices and what
does not matter; a Gaussian process knows that scores change gently, and where little is known.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pyshac.core import seeding
from pyshac.core.cascade import as_features
from pyshac.core.classifier import BoostedTrees, Boosting
from pyshac.core.gaussian_process import GaussianProcess
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.points import Points
from pyshac.core.scores import evened_out, is_among_best

FloatArray = npt.NDArray[np.float64]

# The best half of all samples, the best quarter, and so on, as long as a share has so many.
MIN_BEST_SAMPLES = 5
# Seeing other parts of the samples and of the columns, the trees of a rung disagree where they
# know little, so that their sum changes gently from sample to sample.
RUNG_TREES = Boosting(subsample=0.8, colsample_bytree=0.7)
# A Gaussian process is fitted to so many samples at most, half of them the best.
MAX_PROCESS_SAMPLES = 256
# What a Gaussian process expects counts with this many standard deviations on top, so that samples
# far from all others have their turn.
NUM_DEVIATIONS = 0.5


class Ranking(Protocol):
    """Says how promising samples are.

    Attributes:
        num_steps: In how many steps samples are to be improved; 0 where steps lead nowhere.
    """

    num_steps: int

    def __call__(self, encoded: FloatArray) -> FloatArray:
        """Returns how promising samples are, shape (n,), for rows of shape (n, columns)."""

    def believing(self, encoded: FloatArray) -> Ranking:
        """Returns the ranking as it would be if samples, shape (m, columns), had their scores.

        These are being evaluated, and taken to turn out as expected.
        """


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

    num_steps = 0

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

    def believing(self, encoded: FloatArray) -> TreeRanking:
        return self


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
    """Ranks by what a Gaussian process of the scores thinks possible.

    Args:
        encoded: Evaluated samples, shape (n, columns).
        scores: Their scores, shape (n,); NaN for failed samples.
        objective: 'max' or 'min'.
        space: The search space.
        num_steps: In how many steps samples are to be improved.
    """

    def __init__(
        self,
        encoded: FloatArray,
        scores: FloatArray,
        objective: str,
        space: HyperParameterList,
        num_steps: int = 0,
    ) -> None:
        self.num_steps = num_steps
        self._process = None
        if not len(encoded):
            return
        values = evened_out(scores, objective)
        kept = _best_and_others(values, MAX_PROCESS_SAMPLES)
        self._points = Points(space, encoded)
        self._process = GaussianProcess(
            self._points(encoded[kept]), self._points.columns, values[kept]
        )

    def __call__(self, encoded: FloatArray) -> FloatArray:
        if self._process is None:
            return np.zeros(len(encoded))
        expected, deviation = self._process.predict(self._points(encoded))
        return expected + NUM_DEVIATIONS * deviation

    def believing(self, encoded: FloatArray) -> SmoothRanking:
        if self._process is None or not len(encoded):
            return self
        ranking = copy.copy(self)
        ranking._process = self._process.believing(self._points(encoded))
        return ranking


def _best_and_others(values: FloatArray, number: int) -> npt.NDArray[np.intp]:
    """Returns which samples are kept: if there are too many, the best, and some of all others."""
    best_first = np.argsort(-values, kind="stable")
    if len(values) <= number:
        return best_first
    others = np.linspace(number // 2, len(values) - 1, number - number // 2).astype(int)
    return best_first[np.concatenate([np.arange(number // 2), others])]
