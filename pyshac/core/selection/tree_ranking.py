"""TreeRanking: how promising samples are, judged by boosted trees."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.classifiers.boosted_trees import BoostedTrees, Boosting
from pyshac.core.classifiers.features import Features
from pyshac.core.dataset.objective import Objective

# Smallest number of good samples of a rung.
MIN_BEST_SAMPLES = 5
# Each tree gets other samples and columns, so the trees of a rung disagree where they know little,
# which makes their sum smoother.
RUNG_TREES = Boosting(subsample=0.8, colsample_bytree=0.7)


class TreeRanking:
    """Ranks samples by a ladder of classifiers.

    One rung tells the best half of all samples so far from the others, the next one the best
    quarter, and so on. A sample's rank is the sum of their margins.

    Args:
        encoded: Evaluated samples, shape (n, columns).
        scores: Their scores, shape (n,); NaN for failed samples.
        objective: Which scores are better.
        features: What the trees see of encoded samples.
        stream: Random stream for the trees.
    """

    num_steps = 0

    def __init__(
        self,
        encoded: FloatArray,
        scores: FloatArray,
        objective: Objective,
        features: Features,
        stream: np.random.SeedSequence,
    ) -> None:
        self._features = features
        rows = features(encoded)
        self._rungs = []
        for number, labels in enumerate(_successive_halves(scores, objective)):
            seed = seeding.as_integer(seeding.child(stream, number))
            rung = BoostedTrees(seed, boosting=RUNG_TREES).fit(rows, labels)
            rung.drop_training_data()
            self._rungs.append(rung)

    def __call__(self, encoded: FloatArray) -> FloatArray:
        features = self._features(encoded)
        total = np.zeros(len(features))
        for rung in self._rungs:
            total += rung.margin(features)
        return total

    def believing(self, encoded: FloatArray, near: FloatArray) -> TreeRanking:
        return self


def _successive_halves(scores: FloatArray, objective: Objective) -> Iterator[BoolArray]:
    """Yields which scores are among the best half, the best quarter, and so on."""
    number = int(np.count_nonzero(~np.isnan(scores))) // 2
    while number >= MIN_BEST_SAMPLES:
        labels = objective.among_best(scores, number)
        # If scores are equal, even the best half may contain all of them.
        if not labels.all():
            yield labels
        number //= 2
