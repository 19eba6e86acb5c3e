"""Search: the algorithm in memory, which draws batches and learns from their scores.

It knows neither disks nor slots. The same seed and the same scores give the same run.
"""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyshac.core.basics import seeding, signals
from pyshac.core.basics.arrays import BoolArray, without_float_errors
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.seeding import Purpose
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.classifier import Classifier
from pyshac.core.classifiers.training import Training, train_classifier
from pyshac.core.classifiers.user_classifier import UserClassifier
from pyshac.core.dataset import Dataset
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.generators import Generators
from pyshac.core.sampling.proposal_planner import ProposalPlanner
from pyshac.core.sampling.region import AcceptedRegion
from pyshac.core.search.batch import Batch
from pyshac.core.search.method import PAPER
from pyshac.core.search.settings import Settings
from pyshac.core.selection.climbing import Climber
from pyshac.core.selection.ranking import Ranking
from pyshac.core.selection.selection import Selection
from pyshac.core.selection.tree_ranking import TreeRanking

logger = logging.getLogger("pyshac")


@dataclass
class Search:
    """A search, in memory.

    Attributes:
        space: The search space.
        settings: The settings, which are fixed for the whole search.
        entropy: The seed of all random streams.
        dataset: The samples that have a score.
        cascade: The classifiers so far, and their features.
        num_complete: Number of samples in closed batches.
        stage_starts: Number of the first sample drawn after each classifier, ascending.
        batch: The open batch, or None between batches.
    """

    space: HyperParameterList
    settings: Settings
    entropy: int
    dataset: Dataset
    cascade: Cascade
    num_complete: int = 0
    stage_starts: list[int] = field(default_factory=list)
    batch: Batch | None = None

    def __post_init__(self) -> None:
        self._planner = ProposalPlanner(self.space)
        self._latest_rankings: tuple[tuple[int, int], list[Ranking]] | None = None
        # Held in each short step that changes several attributes, so that others see all or none.
        self.lock = CopyableLock()

    @property
    def is_spent(self) -> bool:
        """Whether the whole budget has been evaluated."""
        is_cut = self.batch is not None and self.room == 0 and bool(self.batch.pending)
        return is_cut or self.num_complete >= self.settings.schedule.total_budget

    @property
    def room(self) -> int:
        """Number of evaluations that the budget still allows.

        The open batch may have more samples without a score, if it was drawn for a larger budget.
        """
        return max(self.settings.schedule.total_budget - len(self.dataset), 0)

    @property
    def batch_number(self) -> int:
        """Number of the batch that is open or comes next, from 1."""
        return self.num_complete // self.settings.schedule.batch_size + 1

    @property
    def stage_start(self) -> int:
        """Number of the first sample drawn since the last classifier."""
        return self.stage_starts[len(self.cascade) - 1] if len(self.cascade) else 0

    def region(self, relax_checks: bool, generators: Generators) -> AcceptedRegion:
        """Returns the region that the cascade in force accepts."""
        return AcceptedRegion(self._planner, self.cascade, relax_checks, generators)

    @without_float_errors
    def parameters(self, batch: Batch) -> list[OrderedDict[str, Any]]:
        """Returns the samples of a batch as an evaluation function receives them."""
        return [self.space.to_parameters(row) for row in batch.rows]

    def draw_batch(self, relax_checks: bool, generators: Generators) -> Batch:
        """Opens the next batch, with samples that the cascade in force accepts.

        Args:
            relax_checks: Whether rejections are overlooked where nothing is accepted.
            generators: The generators that draw.
        """
        with np.errstate(all="ignore"):
            schedule, method = self.settings.schedule, self.settings.method
            size = min(schedule.batch_size, schedule.total_budget - self.num_complete)
            stream = seeding.stream(self.entropy, Purpose.DRAW, self.num_complete)
            region = self.region(relax_checks, generators)
            if method.num_choices == 1:
                encoded = region.draw(size, seeding.child(stream, 0))
            else:
                places = seeding.stream(self.entropy, Purpose.CLIMB, self.num_complete)
                climber = Climber(self.space, np.random.default_rng(places))
                learned = self.num_complete - self.num_complete % schedule.per_classifier_budget
                selection = Selection(self._rankings(learned), method.num_choices, climber)
                encoded = selection.select(region, size, self.dataset.encoded, stream)
            self.batch = Batch(self.num_complete, [self.space.decode(row) for row in encoded])
            return self.batch

    def _rankings(self, count: int) -> list[Ranking]:
        """Returns the rankings that are learned from the first `count` samples."""
        key = self.entropy, count
        if self._latest_rankings is None or self._latest_rankings[0] != key:
            stream = seeding.stream(self.entropy, Purpose.RANK, count)
            objective, method = self.settings.objective, self.settings.method
            learned = self.dataset.encoded[:count], self.dataset.scores[:count], objective
            rankings: list[Ranking] = [TreeRanking(*learned, self.cascade.features, stream)]
            if method.is_smooth:
                # It needs SciPy, which takes long to import.
                from pyshac.core.selection.process_ranking import ProcessRanking

                rankings.append(ProcessRanking(*learned, self.space, method.num_steps))
            self._latest_rankings = key, rankings
        return self._latest_rankings[1]

    @without_float_errors
    def adopt_batch(self) -> Batch:
        """Opens a batch of the next samples in the dataset, which have their scores already."""
        start, size = self.num_complete, self.settings.schedule.batch_size
        rows = self.dataset.X[start : start + size]
        self.batch = Batch(start, rows, dict.fromkeys(range(start, start + len(rows))))
        return self.batch

    @without_float_errors
    def learn_score(self, number: int, score: float, worker_id: int | None) -> None:
        """Adds the score of a sample of the open batch; NaN if it failed."""
        with self.lock:
            self._open_batch.add_score(self.dataset, number, score, worker_id)

    def replace_dataset(self, samples: Sequence[tuple[list[Any], float]]) -> None:
        """Takes samples and their scores, numbered from 0, in place of those so far."""
        dataset = Dataset(self.space, None)
        for row, score in samples:
            dataset.add_sample(row, score)
        with self.lock:
            self.dataset = dataset

    def without_known(self, told: Sequence[tuple[int, float]]) -> list[tuple[int, float, None]]:
        """Returns the scores that are new, each as (number, score, no slot).

        Args:
            told: Numbers of samples and their scores, of which a failed disk may have kept some in
                memory only.

        Raises:
            ValueError: If a sample has another score already.
        """
        new: list[tuple[int, float, None]] = []
        for number, score in told:
            known = self.dataset.score_of(number)
            if known is None:
                new.append((number, score, None))
            elif known != score and not (math.isnan(known) and math.isnan(score)):
                raise ValueError(
                    f"Sample {number} has the score {known!r} already. Got {score!r} instead."
                )
        return new

    @property
    def _open_batch(self) -> Batch:
        if self.batch is None:
            raise RuntimeError("There is no open batch.")
        return self.batch

    @property
    def is_classifier_due(self) -> bool:
        """Whether a classifier is trained when the open batch is closed."""
        return self._training_set() is not None

    @without_float_errors
    def _training_set(self) -> BoolArray | None:
        """Returns the samples that the classifier due after the open batch is trained on.

        Returns:
            Which samples they are, shape (samples,); None if no classifier is due.
        """
        schedule, method = self.settings.schedule, self.settings.method
        stop = self._open_batch.ids.stop
        is_full = len(self.cascade) >= schedule.total_classifiers
        if is_full or not schedule.is_classifier_due(self.num_complete, stop):
            return None
        # With half of the earlier samples still accepted, training sets settle at two stages.
        two_stages = 2 * schedule.per_classifier_budget
        enough = min(method.min_share * schedule.total_budget, two_stages)
        if not len(self.cascade):
            enough *= method.first_times
        used = self._is_learned_from(stop)
        return used if int(used.sum()) >= enough else None

    @without_float_errors
    def close_batch(self, check: bool) -> Training | None:
        """Closes the open batch, whose samples all have scores, and trains the classifier due.

        Args:
            check: Whether the classifier has to pass cross validation.

        Returns:
            The outcome of training a classifier; None if none was due.
        """
        stop = self._open_batch.ids.stop
        used = self._training_set()
        training = None if used is None else self._train(used, stop, check, self._new_classifier)
        # Nothing has changed so far, so interrupted training can be repeated.
        with signals.whole(), self.lock:
            if training is not None and training.classifier is not None:
                self.cascade.append(training.classifier)
                self.stage_starts.append(stop)
            self.num_complete, self.batch = stop, None
            self.dataset.pack()
        if training is not None:
            verb = "refused" if training.classifier is None else "trained"
            logger.info("Classifier %s, %d now: %s.", verb, len(self.cascade), training.reason)
        return training

    def close_all(self) -> None:
        """Counts all samples of the dataset as complete, without training on them."""
        with signals.whole(), self.lock:
            self.num_complete, self.batch = len(self.dataset), None

    @without_float_errors
    def learn_earlier_stage(self, start: int, stop: int) -> None:
        """Trains a classifier on a stage by the paper's method, unchecked, as PySHAC 0.3 did.

        A user's classifier is trained as `retrain` does.

        Args:
            start: Number of the first sample of the stage.
            stop: Number of the first sample after it.
        """
        if self.settings.template is None:
            ids = np.array(self.dataset.ids)
            training = self._train((ids >= start) & (ids < stop), stop, False, _new_paper_trees)
        else:
            used = self._is_learned_from(stop)
            training = self._train(used, stop, False, self._new_classifier)
        if training.classifier is not None:
            self.cascade.append(training.classifier)
            self.stage_starts.append(stop)

    def _train(
        self,
        used: BoolArray,
        num_complete: int,
        check: bool,
        new: Callable[[int], Classifier],
    ) -> Training:
        is_good = self.settings.objective.better_half(self.dataset.scores[used])
        stream = seeding.stream(self.entropy, Purpose.TRAIN, num_complete)
        features = self.cascade.features(self.dataset.encoded[used])
        return train_classifier(features, is_good, stream, check, new)

    def _is_learned_from(self, num_complete: int) -> BoolArray:
        """Returns which samples the next classifier is trained on, shape (samples,)."""
        ids = np.array(self.dataset.ids)
        if self.settings.method.reuse_samples:
            # Earlier samples in the region count as draws from the prior restricted to it, as the
            # samples of the stage do. Samples outside could only contradict the cascade.
            return (ids < num_complete) & self.cascade.accepts(self.dataset.encoded)
        return (ids < num_complete) & (ids >= self.stage_start)

    def _new_classifier(self, seed: int) -> Classifier:
        if self.settings.template is not None:
            return UserClassifier(self.settings.template, seed)
        return BoostedTrees(seed, boosting=self.settings.method.trees)

    @without_float_errors
    def retrain(self) -> None:
        """Retrains the classifiers of all stages so far, which the cascade lacks.

        Raises:
            SaveDirectoryError: If one of them is refused this time.
        """
        for start in self.stage_starts:
            used = self._is_learned_from(start)
            training = self._train(used, start, False, self._new_classifier)
            if training.classifier is None:
                raise SaveDirectoryError(
                    f"Classifier {len(self.cascade) + 1} does not come out as before: "
                    f"{training.reason}. Its settings must be those of the run that was saved."
                )
            self.cascade.append(training.classifier)


def _new_paper_trees(seed: int) -> Classifier:
    return BoostedTrees(seed, boosting=PAPER.trees)
