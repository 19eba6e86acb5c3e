"""Search: the algorithm in memory, which draws batches and learns from their scores.

It uses neither disks nor slots. The same seed and the same scores give the same run; a stream also
needs the same order of draws and scores.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pyshac.core.basics import signals
from pyshac.core.basics.arrays import without_float_errors
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.results.details import Details
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.training import Admission, Training
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.formats.draws_file import DrawLog, Origin
from pyshac.core.errors import InfeasibleSpaceError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.generators import ALONE, Generators
from pyshac.core.sampling.region import AcceptedRegion
from pyshac.core.search.batch import Batch
from pyshac.core.search.drawing import Drawing, Situation
from pyshac.core.search.given.added import Added, Learned
from pyshac.core.search.given.queue import Queue
from pyshac.core.search.method import PAPER
from pyshac.core.search.paces.arrivals import Arrivals
from pyshac.core.search.paces.open_batches import OpenBatches
from pyshac.core.search.progress import ALL_EVALUATED, BUDGET_SPENT, Progress
from pyshac.core.search.pruning.limits import limits_of
from pyshac.core.search.pruning.rule import Pruning
from pyshac.core.search.settings import Settings
from pyshac.core.search.shares import Shares
from pyshac.core.search.stages import Stages

logger = logging.getLogger("pyshac")


@dataclass
class Search:
    """A search, in memory.

    Attributes:
        space: The search space.
        settings: The settings, of which only the budget may change.
        entropy: The seed of all random streams.
        dataset: The evaluated samples.
        cascade: The classifiers so far, and their features.
        num_complete: Number of samples in closed batches.
        stage_starts: Number of the first sample drawn after each classifier, ascending.
        open: The open batches.
        added: Samples from other sources. The search learns from them but does not count them.
        queue: Samples that the user wants to evaluate next.
        shares: How successful the rankings have been.
        refused: Number of refused classifiers, by reason.
        stage_end: Number of samples when the last classifier was trained or refused.
        draws: The origins of the samples in a stream's closed batches.
        drawing: Draws samples, given a `situation`; another thread may do so.
    """

    space: HyperParameterList
    settings: Settings
    entropy: int
    dataset: Dataset
    cascade: Cascade
    num_complete: int = 0
    stage_starts: list[int] = field(default_factory=list)
    open: OpenBatches = field(default_factory=OpenBatches)
    shares: Shares = field(default_factory=Shares)
    added: Added = field(default_factory=Added)
    queue: Queue = field(default_factory=Queue)
    refused: dict[str, int] = field(default_factory=dict)
    stage_end: int = 0
    draws: DrawLog = field(default_factory=DrawLog)

    def __post_init__(self) -> None:
        self.drawing = Drawing(self.space, self.cascade.features)
        if self.added.dataset.parameters is None:
            self.added = Added(Dataset(self.space, None))
        # Held in each short step that changes several attributes, so that others see all or none.
        self.lock = CopyableLock()
        self._arrivals = Arrivals.of(self.draws, self.open, self.dataset)

    # Where the search stands

    @property
    def is_spent(self) -> bool:
        """Whether no further sample is evaluated."""
        is_cut = self.room == 0 and bool(self.open.pending)
        is_over = self.num_complete >= self.settings.schedule.total_budget
        has_nothing = not self.waiting and self.is_exhausted
        return is_cut or is_over or (not self.open and has_nothing)

    @property
    def is_exhausted(self) -> bool:
        """Whether all points of a small finite search space are evaluated or being evaluated.

        The published method evaluates them again.
        """
        grid = self.drawing.planner.grid
        if self.settings.method == PAPER or grid is None:
            return False
        if len(self.dataset) > self.num_drawn:
            # The samples of a dataset file are taken over batch by batch.
            return False
        pending = [self.open.row(number) for number in self.open.pending]
        if len(self.dataset) + len(self.added) + len(pending) < len(grid):
            return False
        rows = [*self._learned.encoded, *map(self.space.encode, pending)]
        return not grid.unseen({row.tobytes() for row in rows}).any()

    @property
    def room(self) -> int:
        """Number of evaluations that the budget still allows.

        Open batches may have more samples without a score, if they were drawn for a larger budget.
        """
        return max(self.settings.schedule.total_budget - len(self.dataset), 0)

    @property
    def progress(self) -> Progress:
        """The present stage, and the counts of the classifiers."""
        ending = ""
        if self.is_spent:
            ending = ALL_EVALUATED if self.room else BUDGET_SPENT
        counts = self.num_complete, self.stage_end, len(self.cascade)
        return Progress(self.settings.schedule, *counts, {**self.refused}, ending)

    @property
    def batch_number(self) -> int:
        """Number of the batch that is open or comes next, from 1."""
        return self.batch_number_of(self.num_complete)

    def batch_number_of(self, start: int) -> int:
        """Returns the number of a batch, from 1, given that of its first sample."""
        return -(-start // self.settings.schedule.batch_size) + 1

    @property
    def last_batch_number(self) -> int:
        """Number of the last batch. It exceeds M if a former smaller budget cut a batch short."""
        schedule = self.settings.schedule
        left = max(schedule.total_budget - self.num_complete, 0)
        return self.batch_number - 1 - (-left // schedule.batch_size)

    @property
    def stage_start(self) -> int:
        """Number of the first sample drawn since the last classifier."""
        return self.stage_starts[len(self.cascade) - 1] if len(self.cascade) else 0

    @property
    def num_drawn(self) -> int:
        """Number of samples in closed batches and the open ones."""
        return max(self.num_complete, self.open.stop)

    @property
    def waiting(self) -> list[list[Any]]:
        """The rows of the queue that wait for a batch."""
        return self.queue.waiting(self.open.num_enqueued)

    @property
    def _learned(self) -> Learned:
        with self.lock:
            return Learned.of(self.added, self.dataset, self.settings.objective)

    def require_feasible(self) -> None:
        """Raises `InfeasibleSpaceError` if the relations of the space are contradictory."""
        self.drawing.planner.prior.require_cover()

    def require_points(self) -> None:
        """Raises `InfeasibleSpaceError` if the constraints allow no point of a small space."""
        grid = self.drawing.planner.grid
        if grid is not None and not len(grid):
            raise InfeasibleSpaceError(
                f"The constraints {[*self.space.constraints]!r} allow no point of the search "
                "space. Change the ranges of the parameters, or remove a constraint."
            )

    def region(self, relax_checks: bool, generators: Generators) -> AcceptedRegion:
        """Returns the region that the current cascade accepts."""
        return self.drawing.region(self.cascade, relax_checks, generators)

    @without_float_errors
    def parameters(self, rows: Sequence[list[Any]]) -> list[OrderedDict[str, Any]]:
        """Returns samples in the form that an evaluation function receives."""
        return [self.space.to_parameters(row) for row in rows]

    # Drawing

    @property
    def may_draw(self) -> bool:
        """Whether the pace and the budget allow drawing samples now."""
        pace, total = self.settings.pace, self.settings.schedule.total_budget
        if self.num_drawn >= total or self.room == 0:
            return False
        if not pace.is_stream and len(self.open) >= pace.open_batches:
            return False
        return bool(self.waiting) or not self.is_exhausted

    @property
    def start_of_batch(self) -> int:
        """Number of the first sample of the batch that is drawn or continued now."""
        if not self.settings.pace.is_stream:
            return self.num_drawn
        drawn = self._drawn
        return drawn[-1][-1].ids.stop if drawn else self.num_complete

    def situation(self, number: int | None = None, pruning: Pruning | None = None) -> Situation:
        """Returns the state on which samples drawn now depend.

        Args:
            number: The maximum number of samples; None for the rest of their batch.
            pruning: The rule that stops hopeless curves among them, or None.
        """
        start = self.num_drawn
        stop = self.settings.schedule.end_of_batch(self.start_of_batch)
        rest = max(stop - start, 0)
        number = rest if number is None else min(number, rest)
        with self.lock:
            learned, running, origin = self._present()
            count = start if origin is not None else self.num_complete
            limits = limits_of(pruning, self.dataset, count, self.settings.objective)
        return Situation(
            self.settings,
            self.entropy,
            self.cascade,
            self.shares,
            learned,
            running,
            self.waiting[:number],
            start,
            number,
            self.stage_start,
            origin,
            limits,
        )

    @without_float_errors
    def _present(self) -> tuple[Learned, Any, Origin | None]:
        """Returns the samples to learn from now, the others, and the origin of a draw."""
        learned, origin = self._learned, None
        if self.settings.pace.is_stream:
            learned = learned.in_order(self._arrivals.numbers())
            size = self.settings.schedule.total_budget, self.settings.schedule.batch_size
            since = self._arrivals.new
            origin = Origin(since, self.num_complete, len(self.added), *size)
            others = [self.open.row(number) for number in self.open.pending]
        else:
            # Scores that came in early do not count yet: samples depend on the seed alone.
            learned = learned.until(self.num_complete)
            others = [row for batch in self.open for row in batch.rows]
        encoded = [self.space.encode(row) for row in others]
        return learned, np.reshape(encoded, (-1, self.space.num_columns)), origin

    def begin(self, batch: Batch) -> None:
        """Opens a batch that was drawn."""
        with self.lock:
            self.open.append(batch)
            if batch.origin is not None:
                self._arrivals.learn(batch.origin.since)

    def predict(
        self, n: int, num_classifiers: int, number: int, relax_checks: bool, generators: Generators
    ) -> list[OrderedDict[str, Any]]:
        """Returns samples that the search would evaluate next; see `Drawing.predict`.

        Raises:
            SaveDirectoryError: If the function of a constraint is missing.
        """
        self.space.require_functions()
        return self.drawing.predict(
            self.situation(), n, num_classifiers, number, relax_checks, generators
        )

    # Learning

    @without_float_errors
    def adopt_batch(self) -> Batch:
        """Opens a batch of the next samples in the dataset, which already have scores."""
        start = self.num_complete
        rows = self.dataset.X[start : self.settings.schedule.end_of_batch(start)]
        numbers = range(start, start + len(rows))
        self.open = OpenBatches([Batch(start, rows, worker_ids=dict.fromkeys(numbers))])
        return next(iter(self.open))

    @without_float_errors
    def learn_score(self, number: int, score: float, details: Details) -> None:
        """Adds the score of a sample of an open batch; NaN if it failed or was pruned."""
        with self.lock:
            self.open.of(number).add_score(self.dataset, number, score, details)
            self._arrivals.add(number)

    def replace_dataset(self, samples: Sequence[tuple[list[Any], float]]) -> None:
        """Replaces all samples by given ones with their scores, numbered from 0."""
        dataset = Dataset(self.space, None)
        for row, score in samples:
            dataset.add_sample(row, score)
        with self.lock:
            self.dataset = dataset
            self._arrivals = Arrivals.of(self.draws, self.open, dataset)

    @property
    def closable(self) -> list[Batch]:
        """The oldest open batch (all its parts, in a stream) if it may be closed; otherwise empty.

        In a pipeline, the next batch must be drawn first. Otherwise its samples would depend on
        when scores arrive.
        """
        parts = self._oldest_parts()
        return parts if parts and all(part.is_complete for part in parts) else []

    def _oldest_parts(self) -> list[Batch]:
        if not self.settings.pace.is_stream:
            return [] if self.may_draw else [*self.open][:1]
        if drawn := self._drawn:
            return drawn[0]
        return [] if self.may_draw else [*self.open]

    @property
    def _drawn(self) -> list[list[Batch]]:
        return self.open.drawn(self.num_complete, self.settings.schedule.batch_size)

    @property
    def is_classifier_due(self) -> bool:
        """Whether closing the next batch that may be closed trains a classifier."""
        parts = self.closable
        return bool(parts) and self._is_due_after(parts[-1].ids.stop)

    @property
    def has_missed_classifier(self) -> bool:
        """Whether a stage is complete without a classifier, since a former budget needed none."""
        return not self.open and self._is_due_after(self.num_complete)

    def _is_due_after(self, stop: int) -> bool:
        """Returns whether a classifier is due when the samples before number `stop` are known."""
        schedule = self.settings.schedule
        is_full = len(self.cascade) >= schedule.total_classifiers
        return schedule.is_classifier_due(self.stage_end, stop) and not is_full

    @without_float_errors
    def train_due(self, admission: Admission) -> Training | None:
        """Trains the classifier that is due when the batch that may be closed is closed.

        It joins the cascade only when the batch is closed. Another thread may call this method.

        Returns:
            The outcome; None if no classifier is due.
        """
        if not self.is_classifier_due:
            return None
        with self.drawing.lock:
            return self.stages().train(self.closable[-1].ids.stop, admission)

    @without_float_errors
    def make_up(self, admission: Admission) -> Training | None:
        """Trains the classifier of `has_missed_classifier`; returns None if there is none."""
        if not self.has_missed_classifier:
            return None
        with self.drawing.lock:
            training = self.stages().train(self.num_complete, admission)
        with signals.whole(), self.lock:
            self.take(training, self.num_complete)
        self._log(training)
        return training

    def stages(self) -> Stages:
        """Returns what trains the next classifier, on all samples so far."""
        region = self.region(False, ALONE)
        parts = (self._learned, region, self.cascade, self.stage_start)
        return Stages(self.settings, self.entropy, *parts)

    def close_batch(self, admission: Admission) -> Training | None:
        """Trains the classifier that is due, and closes the batch; see `train_due` and `close`."""
        training = self.train_due(admission)
        self.close(training)
        return training

    def close(self, training: Training | None) -> None:
        """Closes the oldest open batch, all of whose samples have scores.

        Args:
            training: The outcome of `train_due`.
        """
        parts = self.closable
        if not parts:
            raise RuntimeError("There is no open batch whose samples all have scores.")
        shares, scores = self.shares, self.dataset.scores
        for part in parts:
            if part.chosen_by:
                new = scores[part.start + part.num_enqueued : part.ids.stop]
                before = scores[: part.start]
                shares = shares.learn(part.chosen_by, before, new, self.settings.objective)
        stop, schedule = parts[-1].ids.stop, self.settings.schedule
        size = schedule.total_budget, schedule.batch_size
        # Nothing has changed so far, so interrupted training can be repeated.
        with signals.whole(), self.lock:
            if training is not None:
                self.take(training, stop)
            for part in parts:
                self.queue.num_taken += part.num_enqueued
                if part.drew is not None:
                    self.draws.append(replace(part.drew, closed=size))
            self.open.close(len(parts))
            self.num_complete, self.shares = stop, shares
            self.dataset.pack()
        if training is not None:
            self._log(training)
        if not self.open and self.is_exhausted:
            logger.info("All points of the search space have been evaluated: the search ends.")

    def close_all(self) -> None:
        """Marks all samples of the dataset as complete, without training on them."""
        with signals.whole(), self.lock:
            self.num_complete, self.open = len(self.dataset), OpenBatches()

    def take(self, training: Training, stop: int) -> None:
        """Adds a classifier that was trained to the cascade, or counts it as refused.

        Args:
            training: The outcome of training it.
            stop: Number of the first sample after its stage.
        """
        self.stage_end = stop
        if training.classifier is not None:
            # A draw that is under way goes on with the cascade that it began with.
            self.cascade = self.cascade.first(len(self.cascade))
            self.cascade.append(training.classifier)
            self.stage_starts.append(stop)
        else:
            number = self.refused.get(training.refusal, 0)
            self.refused = {**self.refused, training.refusal: number + 1}

    def _log(self, training: Training) -> None:
        verb = "refused" if training.classifier is None else "trained"
        logger.info("Classifier %s, %d now: %s.", verb, len(self.cascade), training.reason)
