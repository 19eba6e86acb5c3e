"""TreeRanking: how promising samples are, according to boosted trees."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.classifiers.boosted_trees import BoostedTrees, Boosting
from pyshac.core.classifiers.features import Features
from pyshac.core.dataset.objective import Objective
from pyshac.core.selection.surrogate import Surrogate

# Smallest number of good samples of a rung.
MIN_BEST_SAMPLES = 5
# Each tree gets other samples and columns, so the trees of a rung disagree where they know little,
# which makes their sum smoother.
RUNG_TREES = Boosting(subsample=0.8, colsample_bytree=0.7)


class TreeRanking:
    """Ranks samples by a ladder of classifiers.

    One rung separates the best half of all samples so far from the others, the next one the best
    quarter, and so on. A sample's rank is the sum of their margins.

    Args:
        encoded: Evaluated samples, shape (n, columns).
        scores: Their scores, shape (n,); NaN for failed samples.
        objective: Which scores are better.
        features: The features that trees see of encoded samples.
        stream: Random stream for the trees.
    """

    num_steps = 3

    def __init__(
        self,
        encoded: FloatArray,
        scores: FloatArray,
        objective: Objective,
        features: Features,
        stream: np.random.SeedSequence,
    ) -> None:
        self._features = features
        self._rungs = None
        labels = [*_successive_halves(scores, objective)]
        if labels:
            rungs = BoostedTrees(seeding.as_integer(stream), boosting=RUNG_TREES)
            self._rungs = rungs.fit(features(encoded), np.stack(labels, axis=1))
            self._rungs.drop_training_data()

    def __call__(self, encoded: FloatArray, surrogate: Surrogate) -> FloatArray:
        if self._rungs is None:
            return np.zeros(len(encoded))
        margins = self._rungs.margins(self._features(encoded))
        return margins.sum(axis=1)


def _successive_halves(scores: FloatArray, objective: Objective) -> Iterator[BoolArray]:
    """Yields which scores are among the best half, the best quarter, and so on."""
    number = int(np.count_nonzero(~np.isnan(scores))) // 2
    while number >= MIN_BEST_SAMPLES:
        labels = objective.among_best(scores, number)
        # If scores are equal, even the best half may contain all of them.
        if not labels.all():
            yield labels
        number //= 2
