"""Training: cross-validates and fits one classifier, and refuses a useless one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import BoolArray, Float32Array
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.classifier import Classifier

NUM_FOLDS = 5
MIN_ACCURACY = 0.5


@dataclass(frozen=True)
class Training:
    """The outcome of training one classifier.

    Attributes:
        classifier: The classifier, or None if it was refused.
        reason: Why it was refused, or its accuracy; for the log.
    """

    classifier: Classifier | None
    reason: str


def train_classifier(
    features: Float32Array,
    is_good: BoolArray,
    stream: np.random.SeedSequence,
    check: bool = True,
    new: Callable[[int], Classifier] = BoostedTrees,
) -> Training:
    """Trains a classifier to tell good rows from the others, and refuses a useless one.

    Args:
        features: Shape (n, columns).
        is_good: Shape (n,).
        stream: Random stream for the folds and the trees.
        check: Whether to refuse a classifier whose mean accuracy in stratified 5-fold cross
            validation is below 1/2. A constant classifier is always refused.
        new: Returns an untrained classifier, given a seed.
    """
    seed = seeding.as_integer(stream)
    labels = np.asarray(is_good, dtype=bool)
    smallest_class = int(min(labels.sum(), len(labels) - labels.sum()))
    if smallest_class == 0:
        return Training(None, "no sample is better than the others")
    accuracy = None
    if check:
        if smallest_class < 2:
            return Training(None, "one good or one bad sample is too few for cross validation")
        accuracy = _cross_validate(features, labels, min(NUM_FOLDS, smallest_class), new, seed)
        if accuracy < MIN_ACCURACY:
            return Training(None, f"its cross-validated accuracy is only {accuracy:.2f}")
    classifier = new(seed).fit(features, labels)
    predicted = classifier.predict(features)
    if (predicted == predicted[0]).all():
        return Training(None, "it predicts the same for every sample")
    classifier.compact()
    return Training(classifier, "unchecked" if accuracy is None else f"accuracy {accuracy:.2f}")


def _cross_validate(
    features: Float32Array,
    labels: BoolArray,
    num_folds: int,
    new: Callable[[int], Classifier],
    seed: int,
) -> float:
    """Returns the mean accuracy over stratified folds."""
    from sklearn.model_selection import StratifiedKFold

    classifier = new(seed)
    accuracies = []
    folds = StratifiedKFold(num_folds, shuffle=True, random_state=seed)
    for train, test in folds.split(features, labels):
        classifier.fit(features[train], labels[train])
        accuracies.append(np.mean(classifier.predict(features[test]) == labels[test]))
    return float(np.mean(accuracies))
