"""The cascade: train one classifier; ask all of them, in order, which rows they accept.

A classifier learns to tell the better half of its samples from the rest. A row is accepted by a
cascade if every classifier in it says "better half" (Kumar et al., arXiv 1805.10255, section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedKFold

from pyshac.core import seeding
from pyshac.core.classifier import BoostedTrees
from pyshac.core.estimator import Classifier

NUM_FOLDS = 5
MIN_ACCURACY = 0.5


@dataclass(frozen=True)
class Training:
    """The outcome of training one classifier.

    Attributes:
        classifier: The classifier, or None if it was refused.
        reason: Why it was refused or what it reached, for the log.
    """

    classifier: Classifier | None
    reason: str


def train_classifier(
    encoded: npt.NDArray[np.float64],
    is_good: npt.NDArray[np.bool_],
    stream: np.random.SeedSequence,
    check: bool = True,
    new: Callable[[int], Classifier] = BoostedTrees,
) -> Training:
    """Trains a classifier to tell good rows from the others, and refuses one that is no use.

    Args:
        encoded: Shape (n, columns).
        is_good: Shape (n,).
        stream: Random stream for the folds and the trees.
        check: Whether to refuse a classifier whose mean accuracy in stratified 5-fold cross
            validation is below one half. A constant classifier is always refused.
        new: Makes an untrained classifier from a seed.
    """
    seed = seeding.as_integer(stream)
    rows, labels = as_features(encoded), np.asarray(is_good, dtype=bool)
    smallest_class = int(min(labels.sum(), len(labels) - labels.sum()))
    if smallest_class == 0:
        return Training(None, "no sample is better than the others")
    accuracy = None
    if check:
        if smallest_class < 2:
            return Training(None, "one good or one bad sample is too few for cross validation")
        folds = StratifiedKFold(min(NUM_FOLDS, smallest_class), shuffle=True, random_state=seed)
        accuracy = _cross_validate(rows, labels, folds, new(seed))
        if accuracy < MIN_ACCURACY:
            return Training(None, f"its cross-validated accuracy is only {accuracy:.2f}")
    classifier = new(seed).fit(rows, labels)
    predicted = classifier.predict(rows)
    if (predicted == predicted[0]).all():
        return Training(None, "it says the same of every sample")
    classifier.compact()
    return Training(classifier, "unchecked" if accuracy is None else f"accuracy {accuracy:.2f}")


def _cross_validate(
    rows: npt.NDArray[np.float32],
    labels: npt.NDArray[np.bool_],
    folds: StratifiedKFold,
    classifier: Classifier,
) -> float:
    """Returns the mean accuracy over stratified folds."""
    accuracies = []
    for train, test in folds.split(rows, labels):
        classifier.fit(rows[train], labels[train])
        accuracies.append(np.mean(classifier.predict(rows[test]) == labels[test]))
    return float(np.mean(accuracies))


def as_features(encoded: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Returns encoded rows in the precision in which XGBoost compares them."""
    largest = np.finfo(np.float32).max
    return np.ascontiguousarray(np.clip(encoded, -largest, largest), dtype=np.float32)


class Cascade:
    """Classifiers in the order in which they were trained.

    Args:
        classifiers: Trained classifiers.
    """

    def __init__(self, classifiers: Sequence[Classifier] = ()) -> None:
        self._classifiers = list(classifiers)

    def append(self, classifier: Classifier) -> None:
        """Adds a classifier at the end."""
        self._classifiers.append(classifier)

    def first(self, count: int) -> Cascade:
        """Returns the cascade of the first `count` classifiers."""
        return Cascade(self._classifiers[:count])

    def __len__(self) -> int:
        return len(self._classifiers)

    def __iter__(self) -> Iterator[Classifier]:
        return iter(self._classifiers)

    @property
    def trees(self) -> list[BoostedTrees] | None:
        """The classifiers if all of them are the library's own; None if a user's are among them."""
        own = [item for item in self._classifiers if isinstance(item, BoostedTrees)]
        return own if len(own) == len(self) else None

    def accepts(self, encoded: npt.NDArray[np.float64], forgiven: int = 0) -> npt.NDArray[np.bool_]:
        """Says which rows at most `forgiven` classifiers reject.

        Each classifier is asked only about rows that can still be accepted, the newest first: what
        is left of the space is narrowest there, so that it rejects most.

        Args:
            encoded: Shape (n, columns).
            forgiven: Number of rejections that are overlooked.

        Returns:
            Shape (n,).
        """
        features = as_features(encoded)
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
