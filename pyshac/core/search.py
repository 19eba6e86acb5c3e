"""Search: the algorithm itself, in memory: which samples come next, and what their scores teach.

It knows neither disks nor slots. Contract: the same seed and the same scores give the same run.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyshac.core import seeding, signals
from pyshac.core.cascade import Cascade, Training, train_classifier
from pyshac.core.dataset import Dataset
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampler import Generators, Sampler
from pyshac.core.schedule import Schedule
from pyshac.core.scores import is_better_half
from pyshac.core.seeding import Purpose

logger = logging.getLogger("pyshac")


@dataclass
class Batch:
    """The samples that are being evaluated.

    Attributes:
        start: Number of the first sample.
        rows: The samples' values, in order.
        worker_ids: The slot in which each finished sample ran, by number; None outside slots.
    """

    start: int
    rows: list[list[Any]]
    worker_ids: dict[int, int | None] = field(default_factory=dict)

    @property
    def ids(self) -> range:
        """The numbers of its samples."""
        return range(self.start, self.start + len(self.rows))

    @property
    def pending(self) -> list[int]:
        """The numbers of the samples that have no score yet."""
        return [number for number in self.ids if number not in self.worker_ids]

    def row(self, number: int) -> list[Any]:
        """The values of a sample, given its number."""
        return self.rows[number - self.start]


@dataclass
class Search:
    """The state of a run.

    Attributes:
        space: The search space.
        objective: 'max' or 'min'.
        entropy: What all random streams of the run come from.
        dataset: The samples that have a score.
        cascade: The classifiers so far.
        num_complete: Samples in finished batches.
        stage_starts: Number of the first sample drawn after each classifier, ascending.
        batch: The batch that is being evaluated, or None between batches.
    """

    space: HyperParameterList
    objective: str
    entropy: int
    dataset: Dataset
    cascade: Cascade = field(default_factory=Cascade)
    num_complete: int = 0
    stage_starts: list[int] = field(default_factory=list)
    batch: Batch | None = None

    def __post_init__(self) -> None:
        self.sampler = Sampler(self.space)

    @property
    def stage_start(self) -> int:
        """Number of the first sample drawn since the last classifier."""
        return self.stage_starts[-1] if self.stage_starts else 0

    def begin_batch(self, size: int, relax_checks: bool, generators: Generators) -> Batch:
        """Draws the next batch of `size` samples; there must be none running."""
        stream = seeding.stream(self.entropy, Purpose.DRAW, self.num_complete)
        encoded = self.sampler.draw(self.cascade, size, stream, relax_checks, generators)
        self.batch = Batch(self.num_complete, [self.space.decode(row) for row in encoded])
        return self.batch

    def parameters(self, batch: Batch) -> list[OrderedDict[str, Any]]:
        """Returns the samples of a batch as an evaluation function receives them."""
        return [self.space.to_parameters(row) for row in batch.rows]

    def record(self, batch: Batch, number: int, score: float, worker_id: int | None) -> None:
        """Notes the score of one sample of the running batch; NaN if it failed."""
        self.dataset.add_sample(batch.row(number), score, number)
        batch.worker_ids[number] = worker_id

    def finish_batch(self, schedule: Schedule, check: bool, reuse_samples: bool) -> Training | None:
        """Closes a batch whose samples all have scores.

        Returns:
            The outcome of training a classifier; None if none was due.
        """
        if self.batch is None:
            raise RuntimeError("finish_batch was called without a batch.")
        return self.advance(self.batch.ids.stop, schedule, check, reuse_samples)

    def is_classifier_due(self, num_complete: int, schedule: Schedule) -> bool:
        """Says whether `advance` to `num_complete` samples trains a classifier."""
        return len(self.cascade) < schedule.total_classifiers and schedule.is_classifier_due(
            self.num_complete, num_complete
        )

    def advance(
        self, num_complete: int, schedule: Schedule, check: bool, reuse_samples: bool
    ) -> Training | None:
        """Takes the samples up to `num_complete` into account, as if a batch ended there.

        Args:
            num_complete: Number of samples that count from now on.
            schedule: Says when a classifier is due, and how many there may be.
            check: Whether a classifier has to pass cross validation.
            reuse_samples: Whether it sees all samples of its region, or only those of its stage.

        Returns:
            The outcome of training a classifier; None if none was due.
        """
        training = None
        if self.is_classifier_due(num_complete, schedule):
            training = self._train(num_complete, check, reuse_samples)
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

    def _train(self, num_complete: int, check: bool, reuse_samples: bool) -> Training:
        encoded, scores = self.dataset.encoded, self.dataset.scores
        seen = np.array(self.dataset.ids) < num_complete
        if reuse_samples:
            # Earlier samples that fall into the region are draws from the prior restricted to
            # it, as those of its own stage are. Those outside could only contradict the cascade.
            used = seen & self.cascade.accepts(encoded)
        else:
            used = seen & (np.array(self.dataset.ids) >= self.stage_start)
        is_good = is_better_half(scores[used], self.objective)
        stream = seeding.stream(self.entropy, Purpose.TRAIN, num_complete)
        return train_classifier(encoded[used], is_good, stream, check)
