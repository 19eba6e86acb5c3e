"""Cascades to test with, and the plain ways to ask them that the library must agree with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from pyshac.core.basics import seeding
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import Features
from pyshac.core.classifiers.training import Admission, train_classifier
from pyshac.core.hyperparameters import HyperParameterList, UniformHP
from pyshac.core.hyperparameters.space.prior_scaling import PriorScaling
from pyshac.core.sampling.accepted_share import ShareEstimator
from pyshac.core.sampling.covers import Covers
from pyshac.core.sampling.generators import ALONE, Generators
from pyshac.core.sampling.proposal_planner import ProposalPlanner
from pyshac.core.sampling.region import AcceptedRegion

FloatArray = npt.NDArray[np.float64]
Rule = Callable[[FloatArray], npt.NDArray[np.bool_]]


def region(
    space: HyperParameterList,
    cascade: Cascade,
    relax_checks: bool = False,
    generators: Generators = ALONE,
) -> AcceptedRegion:
    """The region that a cascade accepts, with nothing planned or cached yet."""
    return AcceptedRegion(ProposalPlanner(space), cascade, relax_checks, generators)


def covers_of(space: HyperParameterList) -> Covers:
    """Covers of regions of a space, with nothing built yet."""
    return Covers(space, ShareEstimator(space))


def unit_square() -> HyperParameterList:
    """Two uniform parameters in [0, 1]."""
    return HyperParameterList([UniformHP("x", 0, 1), UniformHP("y", 0, 1)])


def features_of(space: HyperParameterList) -> Features:
    """What the classifiers of a new search see of encoded samples."""
    return Features(PriorScaling(space))


def cascade_of(space: HyperParameterList, *rules: Rule, num_rows: int = 400) -> Cascade:
    """Classifiers that have learnt one rule each from many samples."""
    cascade = Cascade(features=features_of(space))
    rows = space.draw(num_rows, seeding.stream(99, seeding.Purpose.DRAW))
    for rule in rules:
        classifier = BoostedTrees(0).fit(cascade.features(rows), rule(rows))
        classifier.compact()
        cascade.append(classifier)
    return cascade


def trained_cascade(
    space: HyperParameterList,
    score: Callable[[FloatArray], FloatArray],
    num_classifiers: int,
    num_rows: int = 40,
) -> Cascade:
    """A cascade as a run trains it, each classifier on samples that those before it accept."""
    cascade = Cascade(features=features_of(space))
    for number in range(num_classifiers):
        rows = rejection_sample(space, cascade, num_rows, number)
        scores = score(rows)
        stream = seeding.stream(98, seeding.Purpose.TRAIN, number)
        features, is_good = cascade.features(rows), scores > np.median(scores)
        training = train_classifier(features, is_good, stream, Admission.USEFUL)
        assert training.classifier is not None, training.reason
        cascade.append(training.classifier)
    return cascade


def rejections(cascade: Cascade, rows: FloatArray) -> npt.NDArray[np.int64]:
    """Asks every classifier about every row and counts those that reject it."""
    features = cascade.features(rows)
    counts = np.zeros(len(rows), dtype=np.int64)
    for classifier in cascade:
        counts += ~classifier.predict(features)
    return counts


def plainly_accepts(cascade: Cascade, rows: FloatArray, forgiven: int = 0) -> npt.NDArray[np.bool_]:
    """Says which rows at most `forgiven` classifiers reject."""
    return rejections(cascade, rows) <= forgiven


def proposals(space: HyperParameterList, seed: int, size: int) -> Iterator[FloatArray]:
    """Yields draws from the prior, `size` at a time, that no other code of the tests uses."""
    number = 0
    while True:
        yield space.draw(size, np.random.SeedSequence([97, seed, number]))
        number += 1


def rejection_sample(
    space: HyperParameterList, cascade: Cascade, n: int, seed: int, size: int = 4096
) -> FloatArray:
    """Draws n samples that every classifier accepts, by plain rejection."""
    accepted: list[FloatArray] = []
    for rows in proposals(space, seed, size):
        accepted.append(rows[plainly_accepts(cascade, rows)])
        if sum(map(len, accepted)) >= n:
            break
    return np.concatenate(accepted)[:n]
