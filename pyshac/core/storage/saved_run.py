"""SavedRun: a run as data."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.formats.draws_file import DrawLog
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.search.given.added import Added
from pyshac.core.search.given.queue import Queue
from pyshac.core.search.paces.open_batches import OpenBatches
from pyshac.core.search.shares import Shares


@dataclass
class SavedRun:
    """A run as data, without behaviour: the content of a save directory, and the source of plots.

    Attributes:
        space: The search space.
        dataset: The samples that have a score.
        cascade: The classifiers, none if `is_legacy`, and their features.
        objective: 'max' or 'min'.
        method: 'default' or 'paper'.
        classifier: Name of the user's kind of classifier; empty for the library's own. A user's
            classifiers are not saved, so a directory does not contain them.
        total_budget: N; 0 if `is_legacy`.
        batch_size: W; 0 if `is_legacy`.
        max_classifiers: Largest number of classifiers to train; 0 if the directory does not tell.
        entropy: The seed of all random streams.
        is_seeded: Whether a user chose the seed.
        num_complete: Number of samples in closed batches.
        stage_starts: Number of the first sample drawn after each classifier, ascending.
        open: The open batches.
        added: Samples from elsewhere.
        queue: Samples that the user has enqueued.
        shares: How successful the rankings have been.
        refused: Number of classifiers that were refused, by reason.
        stage_end: Number of samples when the last classifier was trained or refused.
        is_exhausted: Whether all points of the search space were evaluated when it was saved.
        pace: 'batch', 'pipeline' or 'stream'.
        open_batches: The largest number of open batches, unless it is a stream.
        draws: What the samples of closed batches of a stream were drawn from.
        is_legacy: Whether an earlier PySHAC saved the run, with only the space and the dataset.
    """

    space: HyperParameterList
    dataset: Dataset
    cascade: Cascade
    objective: str = "max"
    method: str = "default"
    classifier: str = ""
    total_budget: int = 0
    batch_size: int = 0
    max_classifiers: int = 0
    entropy: int = 0
    is_seeded: bool = False
    num_complete: int = 0
    stage_starts: list[int] = field(default_factory=list)
    open: OpenBatches = field(default_factory=OpenBatches)
    shares: Shares = field(default_factory=Shares)
    added: Added = field(default_factory=Added)
    queue: Queue = field(default_factory=Queue)
    refused: dict[str, int] = field(default_factory=dict)
    stage_end: int = 0
    is_exhausted: bool = False
    pace: str = "batch"
    open_batches: int = 1
    draws: DrawLog = field(default_factory=DrawLog)
    is_legacy: bool = False
