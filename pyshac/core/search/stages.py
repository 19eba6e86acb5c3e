"""Stages: trains the classifier that is due at the end of each stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyshac.core.basics import seeding
from pyshac.core.basics.arrays import BoolArray, Float32Array
from pyshac.core.basics.seeding import Purpose
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.classifier import Classifier
from pyshac.core.classifiers.training import Admission, Training, train_classifier
from pyshac.core.classifiers.user_classifier import UserClassifier
from pyshac.core.sampling.region import PATIENCE, AcceptedRegion
from pyshac.core.search.given.added import Learned
from pyshac.core.search.method import PAPER
from pyshac.core.search.settings import Settings

# Number of draws from the region that tell a classifier how much it would cut off.
REGION_DRAWS = 256


@dataclass(frozen=True)
class Stages:
    """Trains classifiers on the samples of a search.

    Attributes:
        settings: The settings of the search.
        entropy: Its seed.
        learned: Its samples, in the order of their numbers.
        region: The region that its cascade accepts.
        cascade: The cascade.
        start: Number of the first sample drawn since the last classifier.
    """

    settings: Settings
    entropy: int
    learned: Learned
    region: AcceptedRegion
    cascade: Cascade
    start: int

    def train(self, stop: int, admission: Admission) -> Training:
        """Trains the classifier that is due after the sample before number `stop`."""
        used = self._is_learned_from(stop)
        region = self._features_of_region(stop) if self._is_lenient else None
        return self._train(used, stop, admission, self._new_classifier, region)

    def train_as_earlier(self, start: int, stop: int) -> Training:
        """Trains a classifier on a stage by the published method, unchecked, as PySHAC 0.3 did.

        A user's own classifier is trained as in `train`.

        Args:
            start: Number of the first sample of the stage.
            stop: Number of the first sample after it.
        """
        if self.settings.template is not None:
            return self.train(stop, Admission.USEFUL)
        numbers = self.learned.numbers
        used = (numbers >= start) & (numbers < stop)
        return self._train(used, stop, Admission.USEFUL, _new_paper_trees)

    def _train(
        self,
        used: BoolArray,
        num_complete: int,
        admission: Admission,
        new: Callable[[int], Classifier],
        region: Float32Array | None = None,
    ) -> Training:
        scores = self.learned.scores_after(num_complete)[used]
        is_good = self.settings.objective.better_half(scores)
        stream = seeding.stream(self.entropy, Purpose.TRAIN, num_complete)
        features = self.cascade.features(self.learned.encoded[used])
        return train_classifier(features, is_good, stream, admission, new, region)

    @property
    def _is_lenient(self) -> bool:
        """Whether classifiers reject only clear cases. A user's own ones have no threshold."""
        return self.settings.method.is_lenient and self.settings.template is None

    def _features_of_region(self, num_complete: int) -> Float32Array:
        """Returns features of draws from the region, shape (n, columns).

        There are few of them if draws are hard to find.
        """
        stream = seeding.stream(self.entropy, Purpose.TRAIN, num_complete)
        limits = self.region.limits(PATIENCE, 0)
        rows = self.region.draw(REGION_DRAWS, seeding.child(stream, 0), limits)
        return self.cascade.features(rows)

    def _is_learned_from(self, num_complete: int) -> BoolArray:
        """Returns which samples train the next classifier, shape (n,)."""
        is_complete = self.learned.numbers < num_complete
        if self.settings.method.reuse_samples:
            # Earlier samples in the region count as draws from the prior restricted to it, as the
            # samples of the stage do. Samples outside could only contradict the cascade.
            return is_complete & self.cascade.accepts(self.learned.encoded)
        return is_complete & (self.learned.numbers >= self.start)

    def _new_classifier(self, seed: int) -> Classifier:
        if self.settings.template is not None:
            return UserClassifier(self.settings.template, seed)
        return BoostedTrees(seed, boosting=self.settings.method.trees)


def _new_paper_trees(seed: int) -> Classifier:
    return BoostedTrees(seed, boosting=PAPER.trees)
