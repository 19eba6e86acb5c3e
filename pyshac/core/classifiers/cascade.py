"""The cascade: the classifiers in order.

A cascade accepts a row if all its classifiers predict "better half" (Kumar et al.,
arXiv 1805.10255, section 3).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import BoolArray, Float32Array, FloatArray, IntArray
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.classifier import Classifier
from pyshac.core.classifiers.features import UNSCALED, Features
from pyshac.core.classifiers.fused_trees import FusedTrees

# Number of classifiers in a fused model, and the number of rows up to which it is faster.
FUSED = 8
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
        self._fused: dict[int, FusedTrees] = {}
        self.features = features

    def __getstate__(self) -> dict[str, Any]:
        # Generators, to which cascades are sent, classify many rows at once.
        return {**vars(self), "_fused": {}}

    def append(self, classifier: Classifier) -> None:
        """Adds a classifier at the end."""
        self._classifiers.append(classifier)

    def first(self, count: int) -> Cascade:
        """Returns the cascade of the first `count` classifiers."""
        cascade = Cascade(self._classifiers[:count], self.features)
        cascade._fused = {
            start: fused for start, fused in self._fused.items() if start + len(fused) <= count
        }
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

        The newest classifier predicts first, since it rejects most rows. Each classifier predicts
        only the rows that can still be accepted.

        Args:
            encoded: Shape (n, columns).
            forgiven: Number of rejections to ignore.

        Returns:
            Shape (n,).
        """
        features = self.features(encoded)
        alive = np.arange(len(features))
        rejections = np.zeros(len(features), dtype=np.int64)
        for rejected_by in self._newest_first(len(features)):
            if not len(alive):
                break
            rejections += rejected_by(features)
            keep = rejections <= forgiven
            features, alive, rejections = features[keep], alive[keep], rejections[keep]
        accepted = np.zeros(len(encoded), dtype=bool)
        accepted[alive] = True
        return accepted

    def _newest_first(self, num_rows: int) -> Iterator[Callable[[Float32Array], IntArray]]:
        """Yields functions that count the rejections of each row, shape (n,), by some classifiers.

        If there are few rows, several classifiers predict them at once.
        """
        trees = self.trees if num_rows <= MAX_FUSED_ROWS else None
        if trees is None:
            for classifier in reversed(self._classifiers):
                yield functools.partial(_rejections_by, classifier)
            return
        for start in reversed(range(0, len(trees), FUSED)):
            part = trees[start : start + FUSED]
            if len(self._fused.get(start, ())) != len(part):
                self._fused[start] = FusedTrees(part)
            yield self._fused[start].rejections


def _rejections_by(classifier: Classifier, features: Float32Array) -> IntArray:
    return (~classifier.predict(features)).astype(np.int64)
