"""Batch: samples that were drawn together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyshac.core.basics.results.curve import Limit
from pyshac.core.basics.results.details import Details
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.formats.draws_file import Drew, Origin

# Of those that a user's own rule may return.
MAX_LIMITS = 10_000


@dataclass
class Batch:
    """Samples that were drawn together: a batch, or a part of a batch in a stream.

    Attributes:
        start: Number of the first sample.
        rows: The samples' values, in order.
        num_checks: Minimum number of classifiers that accept each sample, except samples from the
            queue; None if unknown.
        chosen_by: Number of the ranking that chose each sample after those from the queue. Samples
            that no ranking chose come last and are left out.
        num_enqueued: Number of samples from the queue, which come first.
        worker_ids: The slot of each scored sample, by sample number; None if it had no slot.
        skip_cv_checks: Whether to keep the classifier due after the batch without cross validation,
            as the last `tell` requested. `fit` has its own option.
        origin: The origin of a stream's samples; None for other samples.
        limits: The limits for curves, by ascending steps; None if the batch was drawn without
            pruning.
    """

    start: int
    rows: list[list[Any]]
    num_checks: int | None = None
    chosen_by: list[int] = field(default_factory=list)
    num_enqueued: int = 0
    worker_ids: dict[int, int | None] = field(default_factory=dict)
    skip_cv_checks: bool = False
    limits: list[Limit] | None = None
    origin: Origin | None = None

    @property
    def ids(self) -> range:
        """The samples' numbers."""
        return range(self.start, self.start + len(self.rows))

    @property
    def pending(self) -> list[int]:
        """The numbers of the samples that have no score yet."""
        return [number for number in self.ids if number not in self.worker_ids]

    @property
    def is_complete(self) -> bool:
        """Whether all samples have scores."""
        return len(self.worker_ids) == len(self.rows)

    @property
    def drew(self) -> Drew | None:
        """The draw of a stream; None for other samples."""
        if self.origin is None:
            return None
        return Drew(self.start, len(self.rows), self.num_enqueued, self.origin)

    def row(self, number: int) -> list[Any]:
        """Returns the values of a sample by its number."""
        return self.rows[number - self.start]

    def add_score(self, dataset: Dataset, number: int, score: float, details: Details) -> None:
        """Adds a sample of the batch to a dataset. Its score is NaN if it failed or was pruned."""
        dataset.add_sample(self.row(number), score, number, details)
        self.worker_ids[number] = details.slot
