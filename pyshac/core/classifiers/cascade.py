"""The cascade: the classifiers in order.

A cascade accepts a row if all its classifiers predict "better half" (Kumar et al.,
arXiv 1805.10255, section 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.classifier import Classifier
from pyshac.core.classifiers.features import UNSCALED, Features
from pyshac.core.classifiers.fused_trees import FusedTrees

# Number of rows up to which all classifiers predict faster as one model.
MAX_FUSED_ROWS = 512


class Cascade:
    """Classifiers in the order in which they were trained.

    Args:
        classifiers: Trained classifiers.
        features: The features that they see of encoded samples.

    Attributes:
        features: The features that they see of encoded samples.
    """

    def __init__(
        self, classifiers: Sequence[Classifier] = (), features: Features = UNSCALED
    ) -> None:
        self._classifiers = list(classifiers)
        self._fused: FusedTrees | None = None
        self.features = features

    def __getstate__(self) -> dict[str, Any]:
        # Generators, to which cascades are sent, classify many rows at once.
        return {**vars(self), "_fused": None}

    def append(self, classifier: Classifier) -> None:
        """Adds a classifier at the end."""
        self._classifiers.append(classifier)

    def first(self, count: int) -> Cascade:
        """Returns the cascade of the first `count` classifiers."""
        cascade = Cascade(self._classifiers[:count], self.features)
        if len(cascade) == len(self):
            cascade._fused = self._fused
        return cascade

    def __len__(self) -> int:
        return len(self._classifiers)

    def __iter__(self) -> Iterator[Classifier]:
        return iter(self._classifiers)

    @property
    def trees(self) -> list[BoostedTrees] | None:
        """The classifiers if all are the library's; None if some are a user's own."""
        own = [item for item in self._classifiers if isinstance(item, BoostedTrees)]
        return own if len(own) == len(self) else None

    def accepts(self, encoded: FloatArray, forgiven: int = 0) -> BoolArray:
        """Returns which rows at most `forgiven` classifiers reject.

        Few rows are predicted by all classifiers at once. Of many rows, the newest classifier
        predicts first, since it rejects most of them. Each classifier predicts only the rows that
        can still be accepted.

        Args:
            encoded: Shape (n, columns).
            forgiven: Number of rejections to ignore.

        Returns:
            Shape (n,).
        """
        features = self.features(encoded)
        trees = self.trees
        if trees and 0 < len(features) <= MAX_FUSED_ROWS:
            return np.asarray(self._fused_of(trees).rejections(features) <= forgiven)
        alive = np.arange(len(features))
        rejections = np.zeros(len(features), dtype=np.int64)
        for classifier in reversed(self._classifiers):
            if not len(alive):
                break
            rejections += ~classifier.predict(features)
            keep = rejections <= forgiven
            features, alive, rejections = features[keep], alive[keep], rejections[keep]
        accepted = np.zeros(len(encoded), dtype=bool)
        accepted[alive] = True
        return accepted

    def _fused_of(self, trees: Sequence[BoostedTrees]) -> FusedTrees:
        if self._fused is None or len(self._fused) != len(trees):
            self._fused = FusedTrees(trees)
        return self._fused
