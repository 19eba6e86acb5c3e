"""Search: the algorithm itself, in memory: which samples come next, and what their scores teach.

It knows neither disks nor slots. Contract: the same seed and the same scores give the same run.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyshac.core.basics import seeding, signals
from pyshac.core.basics.arrays import BoolArray, FloatArray
from pyshac.core.basics.seeding import Purpose
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.classifier import Classifier
from pyshac.core.classifiers.training import Training, train_classifier
from pyshac.core.classifiers.user_classifier import UserClassifier
from pyshac.core.dataset.dataset import Dataset
from pyshac.core.dataset.scores import is_better_half
from pyshac.core.errors import NothingAcceptedError, SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.block_source import Generators
from pyshac.core.sampling.sampler import Sampler
from pyshac.core.search.batch import Batch
from pyshac.core.search.method import DEFAULT, Method
from pyshac.core.search.schedule import Schedule
from pyshac.core.selection.climbing import Climber
from pyshac.core.selection.process_ranking import SmoothRanking
from pyshac.core.selection.ranking import Ranking
from pyshac.core.selection.selection import Selection
from pyshac.core.selection.tree_ranking import TreeRanking

logger = logging.getLogger("pyshac")


# A choice among samples is not worth more proposals than these.
PATIENCE = 2**13


@dataclass
class Search:
    """The state of a run.

    Attributes:
        space: The search space.
        objective: 'max' or 'min'.
        entropy: What all random streams of the run come from.
        dataset: The samples that have a score.
        method: How it learns and chooses.
        estimator: A user's own classifier, to be copied for each stage; None for the library's.
        cascade: The classifiers so far.
        num_complete: Samples in finished batches.
        stage_starts: Number of the first sample drawn after each classifier, ascending.
        batch: The batch that is being evaluated, or None between batches.
    """

    space: HyperParameterList
    objective: str
    entropy: int
    dataset: Dataset
    method: Method = DEFAULT
    estimator: Any = None
    cascade: Cascade = field(default_factory=Cascade)
    num_complete: int = 0
    stage_starts: list[int] = field(default_factory=list)
    batch: Batch | None = None

    def __post_init__(self) -> None:
        self.sampler = Sampler(self.space)
        self._latest_rankings: tuple[tuple[int, int], list[Ranking]] | None = None

    @property
    def stage_start(self) -> int:
        """Number of the first sample drawn since the last classifier."""
        return self.stage_starts[len(self.cascade) - 1] if len(self.cascade) else 0

    def begin_batch(
        self, size: int, relax_checks: bool, generators: Generators, stage: int = 1
    ) -> Batch:
        """Draws the next batch; there must be none running.

        Args:
            size: Number of samples.
            relax_checks: Whether rejections are overlooked where nothing is accepted.
            generators: Who draws.
            stage: After how many samples at a time the rankings learn from them.
        """
        encoded = self._choose(size, relax_checks, generators, stage)
        self.batch = Batch(self.num_complete, [self.space.decode(row) for row in encoded])
        return self.batch

    def _choose(
        self, size: int, relax_checks: bool, generators: Generators, stage: int
    ) -> FloatArray:
        """Returns the samples to be evaluated next, encoded."""
        stream = seeding.stream(self.entropy, Purpose.DRAW, self.num_complete)
        depth, evaluated = len(self.cascade), self.dataset.encoded

        def draw(num_classifiers: int, n: int) -> FloatArray:
            # As for the whole cascade, with fewer classifiers after that.
            place = seeding.child(stream, depth - num_classifiers)
            cascade = self.cascade.first(num_classifiers)
            try:
                return self.sampler.draw(cascade, n, place, relax_checks, generators, PATIENCE)
            except NothingAcceptedError:
                return evaluated[:0]

        if self.method.num_choices == 1:
            place = seeding.child(stream, 0)
            return self.sampler.draw(self.cascade, size, place, relax_checks, generators)
        places = seeding.stream(self.entropy, Purpose.CLIMB, self.num_complete)
        selection = Selection(
            draw,
            lambda num_classifiers, rows: self.cascade.first(num_classifiers).accepts(rows),
            self._rankings(self.num_complete - self.num_complete % stage),
            self.method.num_choices,
            Climber(self.space, np.random.default_rng(places)),
        )
        return selection.select(depth, size, evaluated)

    def _rankings(self, count: int) -> list[Ranking]:
        """Returns the rankings that the first so many samples give."""
        key = self.entropy, count
        if self._latest_rankings is None or self._latest_rankings[0] != key:
            stream = seeding.stream(self.entropy, Purpose.RANK, count)
            learned = self.dataset.encoded[:count], self.dataset.scores[:count], self.objective
            rankings: list[Ranking] = [TreeRanking(*learned, stream)]
            if self.method.is_smooth:
                rankings.append(SmoothRanking(*learned, self.space, self.method.num_steps))
            self._latest_rankings = key, rankings
        return self._latest_rankings[1]

    def parameters(self, batch: Batch) -> list[OrderedDict[str, Any]]:
        """Returns the samples of a batch as an evaluation function receives them."""
        return [self.space.to_parameters(row) for row in batch.rows]

    def record(self, batch: Batch, number: int, score: float, worker_id: int | None) -> None:
        """Notes the score of one sample of the running batch; NaN if it failed."""
        self.dataset.add_sample(batch.row(number), score, number)
        batch.worker_ids[number] = worker_id

    def finish_batch(self, schedule: Schedule, check: bool) -> Training | None:
        """Closes a batch whose samples all have scores.

        Returns:
            The outcome of training a classifier; None if none was due.
        """
        if self.batch is None:
            raise RuntimeError("finish_batch was called without a batch.")
        return self.advance(self.batch.ids.stop, schedule, check)

    def is_classifier_due(self, num_complete: int, schedule: Schedule) -> bool:
        """Says whether `advance` to `num_complete` samples trains a classifier."""
        is_full = len(self.cascade) >= schedule.total_classifiers
        if is_full or not schedule.is_classifier_due(self.num_complete, num_complete):
            return False
        # With half of the earlier samples still accepted, training sets settle at two stages.
        two_stages = 2 * schedule.per_classifier_budget
        enough = min(self.method.min_share * schedule.total_budget, two_stages)
        if not len(self.cascade):
            enough *= self.method.first_times
        return int(self._is_learned_from(num_complete).sum()) >= enough

    def advance(self, num_complete: int, schedule: Schedule, check: bool) -> Training | None:
        """Takes the samples up to `num_complete` into account, as if a batch ended there.

        Args:
            num_complete: Number of samples that count from now on.
            schedule: Says when a classifier is due, and how many there may be.
            check: Whether a classifier has to pass cross validation.

        Returns:
            The outcome of training a classifier; None if none was due.
        """
        training = None
        if self.is_classifier_due(num_complete, schedule):
            training = self._train(num_complete, check)
        # Nothing has changed so far: training that is interrupted can be done again.
        with signals.whole():
            if training is not None and training.classifier is not None:
                self.cascade.append(training.classifier)
                self.stage_starts.append(num_complete)
            self.num_complete, self.batch = num_complete, None
        if training is not None:
            verb = "refused" if training.classifier is None else "trained"
            logger.info("Classifier %s, %d now: %s.", verb, len(self.cascade), training.reason)
        return training

    def _train(self, num_complete: int, check: bool) -> Training:
        used = self._is_learned_from(num_complete)
        is_good = is_better_half(self.dataset.scores[used], self.objective)
        stream = seeding.stream(self.entropy, Purpose.TRAIN, num_complete)
        rows = self.dataset.encoded[used]
        return train_classifier(rows, is_good, stream, check, self._new_classifier)

    def _is_learned_from(self, num_complete: int) -> BoolArray:
        """Says which samples the next classifier learns from, shape (samples,)."""
        ids = np.array(self.dataset.ids)
        if self.method.reuse_samples:
            # Earlier samples that fall into the region are taken for draws from the prior
            # restricted to it, as those of its own stage are. Those outside could only contradict
            # the cascade.
            return (ids < num_complete) & self.cascade.accepts(self.dataset.encoded)
        return (ids < num_complete) & (ids >= self.stage_start)

    def _new_classifier(self, seed: int) -> Classifier:
        if self.estimator is not None:
            return UserClassifier(self.estimator, seed)
        return BoostedTrees(seed, boosting=self.method.trees)

    def retrain(self) -> None:
        """Trains the classifiers of all stages so far, which `cascade` lacks, as they were trained.

        Raises:
            SaveDirectoryError: If one of them does not come out again.
        """
        for start in self.stage_starts:
            training = self._train(start, check=False)
            if training.classifier is None:
                raise SaveDirectoryError(
                    f"Classifier {len(self.cascade) + 1} does not come out as before: "
                    f"{training.reason}. Its settings must be those of the run that was saved."
                )
            self.cascade.append(training.classifier)
