"""Training of a classifier, and the checks that decide whether it joins the cascade."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from pyshac.core.basics import seeding, signals
from pyshac.core.basics.arrays import BoolArray, Float32Array
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.classifier import Classifier
from pyshac.core.classifiers.leniency import lenient_threshold

NUM_FOLDS = 5
MIN_ACCURACY = 0.5
# Trees with XGBoost's default settings never split fewer rows.
MIN_ROWS = 8
# Fewer draws from the region do not tell how much a classifier would cut off.
MIN_DRAWS = 32


class Admission(Enum):
    """Conditions for a classifier to join a cascade.

    ACCURATE classifiers are right for at least half of the samples in stratified 5-fold cross
    validation. USEFUL classifiers distinguish some samples before their thresholds are lowered.
    With ALL, each stage of a lenient search adds a classifier, even one that accepts everything.
    """

    ACCURATE = "accurate"
    USEFUL = "useful"
    ALL = "all"


def admission(skip_cv_checks: bool, early_stop: bool = False) -> Admission:
    """Returns the conditions for a classifier, given the options of `fit`."""
    if not skip_cv_checks:
        return Admission.ACCURATE
    return Admission.USEFUL if early_stop else Admission.ALL


@dataclass(frozen=True)
class Training:
    """The outcome of training one classifier.

    Attributes:
        classifier: The classifier, or None if it was refused.
        reason: The reason for the refusal, or its accuracy; for the log.
        kind: The reason without its numbers, if there are any; for counting.
    """

    classifier: Classifier | None
    reason: str
    kind: str = ""

    @property
    def refusal(self) -> str:
        """The reason for the refusal, equal for all refusals of one kind; empty if accepted."""
        return "" if self.classifier is not None else self.kind or self.reason


def train_classifier(
    features: Float32Array,
    is_good: BoolArray,
    stream: np.random.SeedSequence,
    admission: Admission = Admission.ACCURATE,
    new: Callable[[int], Classifier] = BoostedTrees,
    region: Float32Array | None = None,
) -> Training:
    """Trains a classifier to separate good rows from the others, and refuses a useless one.

    Args:
        features: Shape (n, columns).
        is_good: Shape (n,).
        stream: Random stream for the folds and the trees.
        admission: Which classifiers are refused.
        new: Returns an untrained classifier, given a seed.
        region: Features of draws that the cascade so far accepts, shape (m, columns). They set the
            threshold of boosted trees that reject only clear cases; None means a threshold of 0.
    """
    seed = seeding.as_integer(stream)
    labels = np.asarray(is_good, dtype=bool)
    training = _train(features, labels, seed, admission, new, region)
    if training.classifier is None and admission is Admission.ALL and region is not None:
        accepting_all = new(seed).fit(features, np.ones(len(features)))
        return Training(accepting_all, f"it accepts everything, because {training.reason}")
    return training


def _train(
    features: Float32Array,
    labels: BoolArray,
    seed: int,
    admission: Admission,
    new: Callable[[int], Classifier],
    region: Float32Array | None,
) -> Training:
    smallest_class = int(min(labels.sum(), len(labels) - labels.sum()))
    if smallest_class == 0:
        return Training(None, "no sample is better than the others")
    if region is not None:
        if len(labels) < MIN_ROWS:
            few = f"{len(labels)} samples are too few to learn from"
            return Training(None, few, "too few samples to learn from")
        if len(region) < MIN_DRAWS:
            return Training(None, "what is left is hard to find")
    held_out, reason = None, "unchecked"
    if admission is Admission.ACCURATE or region is not None:
        if smallest_class < 2:
            return Training(None, "one good or one bad sample is too few for cross validation")
        held_out, accuracy = _cross_validate(features, labels, new, seed)
        reason = f"accuracy {accuracy:.2f}"
        if admission is Admission.ACCURATE and accuracy < MIN_ACCURACY:
            low = f"its cross-validated accuracy is only {accuracy:.2f}"
            return Training(None, low, f"cross-validated accuracy below {MIN_ACCURACY:.2f}")
    classifier = new(seed).fit(features, labels)
    predicted = classifier.predict(features)
    if (predicted == predicted[0]).all():
        return Training(None, "it predicts the same for every sample")
    if isinstance(classifier, BoostedTrees) and held_out is not None and region is not None:
        threshold = lenient_threshold(held_out[labels], len(labels), classifier.margin(region))
        classifier.raise_margin(-threshold)
    classifier.compact()
    return Training(classifier, reason)


def _cross_validate(
    features: Float32Array, labels: BoolArray, new: Callable[[int], Classifier], seed: int
) -> tuple[Float32Array, float]:
    """Returns the margins of held-out rows, shape (n,), and the mean accuracy."""
    signals.import_whole("sklearn.model_selection")
    from sklearn.model_selection import StratifiedKFold

    num_folds = int(min(NUM_FOLDS, labels.sum(), len(labels) - labels.sum()))
    classifier, margins = new(seed), np.empty(len(labels), dtype=np.float32)
    accuracies = []
    folds = StratifiedKFold(num_folds, shuffle=True, random_state=seed)
    for train, test in folds.split(features, labels):
        classifier.fit(features[train], labels[train])
        margins[test] = classifier.margin(features[test])
        accuracies.append(np.mean((margins[test] > 0) == labels[test]))
    return margins, float(np.mean(accuracies))
