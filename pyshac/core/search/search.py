"""Search: the algorithm in memory, which draws batches and learns from their scores.

It knows neither disks nor slots. The same seed and the same scores give the same run.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyshac.core.basics import seeding, signals
from pyshac.core.basics.arrays import BoolArray, Float32Array, FloatArray, without_float_errors
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.results.details import Details
from pyshac.core.basics.seeding import Purpose
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.classifier import Classifier
from pyshac.core.classifiers.training import Admission, Training, train_classifier
from pyshac.core.classifiers.user_classifier import UserClassifier
from pyshac.core.dataset import Dataset
from pyshac.core.errors import SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.generators import ALONE, Generators
from pyshac.core.sampling.proposal_planner import ProposalPlanner
from pyshac.core.sampling.region import PATIENCE, AcceptedRegion
from pyshac.core.search.batch import Batch
from pyshac.core.search.given.added import Added, Learned
from pyshac.core.search.given.queue import Queue
from pyshac.core.search.method import PAPER
from pyshac.core.search.progress import ALL_EVALUATED, BUDGET_SPENT, Progress
from pyshac.core.search.selector import Selector
from pyshac.core.search.settings import Settings
from pyshac.core.search.shares import Shares
from pyshac.core.selection.selection import Choice, Selection, choose_at_random

logger = logging.getLogger("pyshac")

# Number of draws from the region that tell a classifier how much it would cut off.
REGION_DRAWS = 256
# Number of successive batches that choose from the same draws.
BATCHES_WITH_SAME_CANDIDATES = 4


@dataclass
class Search:
    """A search, in memory.

    Attributes:
        space: The search space.
        settings: The settings, of which only the budget may change.
        entropy: The seed of all random streams.
        dataset: The samples that have a score.
        cascade: The classifiers so far, and their features.
        num_complete: Number of samples in closed batches.
        stage_starts: Number of the first sample drawn after each classifier, ascending.
        batch: The open batch, or None between batches.
        added: Samples from elsewhere, which are learned from but not counted.
        queue: Samples that the user wants to be evaluated next.
        shares: How successful the rankings have been.
        refused: Number of classifiers that were refused, by reason.
    """

    space: HyperParameterList
    settings: Settings
    entropy: int
    dataset: Dataset
    cascade: Cascade
    num_complete: int = 0
    stage_starts: list[int] = field(default_factory=list)
    batch: Batch | None = None
    shares: Shares = field(default_factory=Shares)
    added: Added = field(default_factory=Added)
    queue: Queue = field(default_factory=Queue)
    refused: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._planner = ProposalPlanner(self.space)
        self._selector = Selector(self.space, self.cascade.features)
        if self.added.dataset.parameters is None:
            self.added = Added(Dataset(self.space, None))
        # Held in each short step that changes several attributes, so that others see all or none.
        self.lock = CopyableLock()

    @property
    def is_spent(self) -> bool:
        """Whether the whole budget has been evaluated."""
        is_cut = self.batch is not None and self.room == 0 and bool(self.batch.pending)
        is_over = self.num_complete >= self.settings.schedule.total_budget
        has_nothing = not self.waiting and self.is_exhausted
        return is_cut or is_over or (self.batch is None and has_nothing)

    @property
    def is_exhausted(self) -> bool:
        """Whether the scores of all points of a small finite search space are known.

        The paper's method evaluates them again.
        """
        if self.settings.method == PAPER or self.num_complete < len(self.dataset):
            return False
        grid = self._planner.grid
        if grid is None or len(self.dataset) + len(self.added) < len(grid):
            return False
        return not grid.unseen({row.tobytes() for row in self._learned.encoded}).any()

    @property
    def room(self) -> int:
        """Number of evaluations that the budget still allows.

        The open batch may have more samples without a score, if it was drawn for a larger budget.
        """
        return max(self.settings.schedule.total_budget - len(self.dataset), 0)

    @property
    def progress(self) -> Progress:
        """The present stage, and what has become of the classifiers."""
        ending = ""
        if self.is_spent:
            ending = ALL_EVALUATED if self.room else BUDGET_SPENT
        schedule, trained = self.settings.schedule, len(self.cascade)
        return Progress(schedule, self.num_complete, trained, {**self.refused}, ending)

    @property
    def batch_number(self) -> int:
        """Number of the batch that is open or comes next, from 1."""
        return -(-self.num_complete // self.settings.schedule.batch_size) + 1

    @property
    def last_batch_number(self) -> int:
        """Number of the last batch; more than M if a budget that was raised had cut one short."""
        schedule = self.settings.schedule
        left = max(schedule.total_budget - self.num_complete, 0)
        return self.batch_number - 1 - (-left // schedule.batch_size)

    @property
    def stage_start(self) -> int:
        """Number of the first sample drawn since the last classifier."""
        return self.stage_starts[len(self.cascade) - 1] if len(self.cascade) else 0

    @property
    def _candidates_since(self) -> int:
        """Number of complete samples when the present candidates were drawn.

        A few batches of one stage share them, since most are left over from each.
        """
        period = BATCHES_WITH_SAME_CANDIDATES * self.settings.schedule.batch_size
        return max(self.num_complete - self.num_complete % period, self.stage_start)

    @property
    def _learned(self) -> Learned:
        return Learned.of(self.added, self.dataset, self.settings.objective)

    @property
    def num_drawn(self) -> int:
        """Number of samples in closed batches and the open one."""
        return self.num_complete if self.batch is None else self.batch.ids.stop

    @property
    def waiting(self) -> list[list[Any]]:
        """The rows of the queue that wait for a batch."""
        return self.queue.waiting(0 if self.batch is None else self.batch.num_enqueued)

    def require_feasible(self) -> None:
        """Raises `InfeasibleSpaceError` if the relations of the space contradict each other."""
        self._planner.prior.require_cover()

    def region(self, relax_checks: bool, generators: Generators) -> AcceptedRegion:
        """Returns the region that the cascade in force accepts."""
        return AcceptedRegion(self._planner, self.cascade, relax_checks, generators)

    @without_float_errors
    def parameters(self, batch: Batch) -> list[OrderedDict[str, Any]]:
        """Returns the samples of a batch as an evaluation function receives them."""
        return [self.space.to_parameters(row) for row in batch.rows]

    def draw_batch(self, relax_checks: bool, generators: Generators) -> Batch:
        """Opens the next batch: samples of the queue, and samples that the cascade accepts.

        Args:
            relax_checks: Whether rejections are overlooked where too little is accepted.
            generators: The generators that draw.
        """
        with np.errstate(all="ignore"):
            start, schedule = self.num_complete, self.settings.schedule
            enqueued = self.waiting[: schedule.end_of_batch(start) - start]
            number = schedule.end_of_batch(start) - start - len(enqueued)
            stream = seeding.stream(self.entropy, Purpose.DRAW, start)
            region, first = self.region(relax_checks, generators), seeding.child(stream, 0)
            known = self._known(enqueued)
            if not number:
                choice = Choice(known[:0], [], len(self.cascade))
            elif self.settings.method.num_choices == 1:
                choice = choose_at_random(region, number, first)
            elif not start and len(self.added) < schedule.batch_size:
                seen = {row.tobytes() for row in known}
                choice = Choice(region.draw_new(number, number, seen, first), [], 0)
            else:
                climbing = seeding.stream(self.entropy, Purpose.CLIMB, start)
                place = seeding.stream(self.entropy, Purpose.DRAW, self._candidates_since)
                choice = self._selection(start, climbing).select(region, number, known, place)
            rows = choice.rows
            if len(rows) < number and self._planner.grid is None:
                # Nothing else is left of a space whose size is not known.
                rest = self._planner.prior.draw(number - len(rows), seeding.child(stream, 1))
                rows = np.concatenate([rows, rest])
            return self._open(choice, [*enqueued, *map(self.space.decode, rows)], len(enqueued))

    def _open(self, choice: Choice, rows: list[list[Any]], num_enqueued: int) -> Batch:
        if choice.num_checks < len(self.cascade):
            logger.info(
                "The %d classifiers accept too few new samples: those of this batch need to pass "
                "%d.", len(self.cascade), choice.num_checks,
            )  # fmt: skip
        start, checks = self.num_complete, choice.num_checks
        self.batch = Batch(start, rows, checks, choice.chosen_by, num_enqueued)
        return self.batch

    def predict(
        self, n: int, num_classifiers: int, number: int, relax_checks: bool, generators: Generators
    ) -> list[OrderedDict[str, Any]]:
        """Returns samples that the search would evaluate next, the most promising first.

        Args:
            n: Number of samples.
            num_classifiers: Number of classifiers that accept them, from the first one on.
            number: Number of the prediction; others return other samples.
            relax_checks: As for `draw_batch`.
            generators: The generators that draw.

        Raises:
            InfeasibleSpaceError: If the constraints allow next to nothing.
            NothingAcceptedError: If the cascade accepts nothing, and checks are not relaxed.
            SaveDirectoryError: If a constraint is a function that was not handed over.
        """
        self.space.require_functions()
        with np.errstate(all="ignore"):
            stream = seeding.stream(self.entropy, Purpose.PREDICT, number)
            rows = self.space.draw(0, stream)
            region = self.region(relax_checks, generators).first(num_classifiers)
            running = [] if self.batch is None else [*map(self.batch.row, self.batch.pending)]
            if self.settings.method.num_choices > 1 and not self.num_complete:
                seen = {row.tobytes() for row in self._known(running)}
                rows = region.draw_new(n, n, seen, seeding.child(stream, 0))
            elif self.settings.method.num_choices > 1:
                selection = self._selection(self.num_complete, seeding.child(stream, 0))
                rows = selection.predict(region, n, self._known(running), seeding.child(stream, 1))
            if len(rows) < n:
                repeated = choose_at_random(region, n - len(rows), seeding.child(stream, 2)).rows
                rows = np.concatenate([rows, repeated])
            return [self.space.to_parameters(self.space.decode(row)) for row in rows]

    def _known(self, others: list[list[Any]]) -> FloatArray:
        """Returns the samples that have a score, and the rows of others without one, encoded."""
        encoded = [self.space.encode(row) for row in others]
        rows = np.reshape(encoded, (-1, self.space.num_columns))
        return np.concatenate([self._learned.encoded, rows])

    def _selection(self, count: int, place: np.random.SeedSequence) -> Selection:
        return self._selector.selection(
            self._learned, count, self.settings, self.entropy, self.shares, place
        )

    @without_float_errors
    def adopt_batch(self) -> Batch:
        """Opens a batch of the next samples in the dataset, which have their scores already."""
        start = self.num_complete
        rows = self.dataset.X[start : self.settings.schedule.end_of_batch(start)]
        numbers = range(start, start + len(rows))
        self.batch = Batch(start, rows, worker_ids=dict.fromkeys(numbers))
        return self.batch

    @without_float_errors
    def learn_score(self, number: int, score: float, details: Details) -> None:
        """Adds the score of a sample of the open batch; NaN if it failed."""
        with self.lock:
            self._open_batch.add_score(self.dataset, number, score, details)

    def replace_dataset(self, samples: Sequence[tuple[list[Any], float]]) -> None:
        """Takes samples and their scores, numbered from 0, in place of those so far."""
        dataset = Dataset(self.space, None)
        for row, score in samples:
            dataset.add_sample(row, score)
        with self.lock:
            self.dataset = dataset

    @property
    def _open_batch(self) -> Batch:
        if self.batch is None:
            raise RuntimeError("There is no open batch.")
        return self.batch

    @property
    def is_classifier_due(self) -> bool:
        """Whether a classifier is trained when the open batch is closed."""
        schedule = self.settings.schedule
        is_full = len(self.cascade) >= schedule.total_classifiers
        stop = self._open_batch.ids.stop
        return not is_full and schedule.is_classifier_due(self.num_complete, stop)

    @without_float_errors
    def close_batch(self, admission: Admission) -> Training | None:
        """Closes the open batch, whose samples all have scores, and trains the classifier due.

        Args:
            admission: Which classifiers join the cascade.

        Returns:
            The outcome of training a classifier; None if none was due.
        """
        batch, stop = self._open_batch, self._open_batch.ids.stop
        training = None
        if self.is_classifier_due:
            training = self._train_stage(stop, admission)
        shares = self.shares
        if batch.chosen_by:
            before, new = np.split(self.dataset.scores, [batch.start])
            new = new[batch.num_enqueued :]
            shares = shares.learn(batch.chosen_by, before, new, self.settings.objective)
        # Nothing has changed so far, so interrupted training can be repeated.
        with signals.whole(), self.lock:
            if training is not None:
                self._take(training, stop)
            self.queue.num_taken += batch.num_enqueued
            self.num_complete, self.batch, self.shares = stop, None, shares
            self.dataset.pack()
        if training is not None:
            verb = "refused" if training.classifier is None else "trained"
            logger.info("Classifier %s, %d now: %s.", verb, len(self.cascade), training.reason)
        if self.is_exhausted:
            logger.info("All points of the search space have been evaluated: the search ends.")
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
            numbers = self._learned.numbers
            used = (numbers >= start) & (numbers < stop)
            training = self._train(used, stop, Admission.USEFUL, _new_paper_trees)
        else:
            training = self._train_stage(stop, Admission.USEFUL)
        if training.classifier is not None:
            self.cascade.append(training.classifier)
            self.stage_starts.append(stop)

    def _train_stage(self, stop: int, admission: Admission) -> Training:
        """Trains the classifier that is due after the sample before number `stop`."""
        used = self._is_learned_from(stop)
        region = self._features_of_region(stop) if self._is_lenient else None
        return self._train(used, stop, admission, self._new_classifier, region)

    @without_float_errors
    def train_stages(self) -> None:
        """Trains the classifiers of a search that has samples, all complete, and none yet."""
        schedule = self.settings.schedule
        length = schedule.per_classifier_budget
        for stop in range(length, self.num_complete + 1, length):
            if len(self.cascade) == schedule.total_classifiers:
                return
            self._take(self._train_stage(stop, Admission.USEFUL), stop)

    def _take(self, training: Training, stop: int) -> None:
        """Takes a classifier into the cascade, or counts it as refused."""
        if training.classifier is not None:
            self.cascade.append(training.classifier)
            self.stage_starts.append(stop)
        else:
            number = self.refused.get(training.refusal, 0)
            self.refused = {**self.refused, training.refusal: number + 1}

    def _train(
        self,
        used: BoolArray,
        num_complete: int,
        admission: Admission,
        new: Callable[[int], Classifier],
        region: Float32Array | None = None,
    ) -> Training:
        learned = self._learned
        is_good = self.settings.objective.better_half(learned.scores_after(num_complete)[used])
        stream = seeding.stream(self.entropy, Purpose.TRAIN, num_complete)
        features = self.cascade.features(learned.encoded[used])
        return train_classifier(features, is_good, stream, admission, new, region)

    @property
    def _is_lenient(self) -> bool:
        """Whether classifiers reject only what they are sure of; a user's have no threshold."""
        return self.settings.method.is_lenient and self.settings.template is None

    def _features_of_region(self, num_complete: int) -> Float32Array:
        """Returns features of draws from the region, shape (n, columns).

        They are few if draws are hard to find.
        """
        stream = seeding.stream(self.entropy, Purpose.TRAIN, num_complete)
        region = self.region(False, ALONE)
        limits = region.limits(PATIENCE, 0)
        rows = region.draw(REGION_DRAWS, seeding.child(stream, 0), limits)
        return self.cascade.features(rows)

    def _is_learned_from(self, num_complete: int) -> BoolArray:
        """Returns which of the learned samples train the next classifier, shape (n,)."""
        learned = self._learned
        if self.settings.method.reuse_samples:
            # Earlier samples in the region count as draws from the prior restricted to it, as the
            # samples of the stage do. Samples outside could only contradict the cascade.
            return (learned.numbers < num_complete) & self.cascade.accepts(learned.encoded)
        return (learned.numbers < num_complete) & (learned.numbers >= self.stage_start)

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
            training = self._train_stage(start, Admission.USEFUL)
            if training.classifier is None:
                raise SaveDirectoryError(
                    f"Classifier {len(self.cascade) + 1} does not come out as before: "
                    f"{training.reason}. Its settings must be those of the run that was saved."
                )
            self.cascade.append(training.classifier)


def _new_paper_trees(seed: int) -> Classifier:
    return BoostedTrees(seed, boosting=PAPER.trees)
