"""Snapshot: the state of a search, from an engine, a save directory or a dataset."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from pyshac.core.basics.arrays import BoolArray, IntArray, without_float_errors
from pyshac.core.basics.paths import absolute_path
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.objective import MAX, Objective, get_objective
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.search.paces.open_batches import OpenBatches
from pyshac.core.search.progress import ALL_EVALUATED, BUDGET_SPENT, Progress
from pyshac.core.search.schedule import Schedule
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.core.storage.saved_run import SavedRun


@dataclass(frozen=True)
class Snapshot:
    """The state of a search at one moment.

    Attributes:
        dataset: The evaluated samples, including those that failed or were pruned.
        objective: Which scores are better.
        cascade: The classifiers; empty for a dataset or a directory from an earlier release.
        schedule: How the budget is spent; None if it is unknown and the stages are as well.
        starts: Number of the first sample drawn after each classifier.
        open: The open batches; some of their samples have no score yet.
        num_complete: Number of samples in closed batches.
        stage_end: Number of samples when the last classifier was trained or refused.
        refused: Number of refused classifiers, by reason.
        is_exhausted: Whether all points of the search space are evaluated.
        path: The save directory, or None.
    """

    dataset: Dataset
    objective: Objective
    cascade: Cascade = field(default_factory=Cascade)
    schedule: Schedule | None = None
    starts: tuple[int, ...] = ()
    open: OpenBatches = field(default_factory=OpenBatches)
    num_complete: int = 0
    stage_end: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    is_exhausted: bool = False
    path: str | None = None

    @property
    def ending(self) -> str:
        """Why no further sample is evaluated; empty while the search continues."""
        if self.schedule is None:
            return ""
        if len(self.dataset) >= self.schedule.total_budget:
            return BUDGET_SPENT
        return ALL_EVALUATED if self.is_exhausted else ""

    @property
    def space(self) -> HyperParameterList:
        """The search space."""
        if self.dataset.parameters is None:
            raise ValueError("The dataset has no parameters: there is nothing to look at.")
        return self.dataset.parameters

    @cached_property
    def stages(self) -> IntArray:
        """The stage in which each sample was drawn, counted from 1, shape (n,)."""
        starts = np.array(self.starts, dtype=np.int64)
        stages: IntArray = np.searchsorted(starts, self.dataset.ids, side="right") + 1
        return stages

    @property
    def num_stages(self) -> int:
        """Number of the last stage with samples. A new stage may have none yet."""
        return int(self.stages.max(initial=1))

    @property
    def progress(self) -> Progress | None:
        """The present stage and the counts of the classifiers; None without a schedule."""
        if self.schedule is None:
            return None
        return Progress(
            self.schedule,
            self.num_complete,
            self.stage_end,
            len(self.starts),
            self.refused,
            self.ending,
        )

    @property
    def trees(self) -> list[BoostedTrees]:
        """The classifiers if they are the library's; empty for a user's own classifiers."""
        return self.cascade.trees or []

    @cached_property
    def are_pruned(self) -> BoolArray:
        """Which samples were pruned, shape (n,)."""
        return self.dataset.details.curves.are_pruned

    @cached_property
    def have_failed(self) -> BoolArray:
        """Which samples failed, shape (n,)."""
        have_failed: BoolArray = np.isnan(self.dataset.scores) & ~self.are_pruned
        return have_failed

    @property
    def num_pending(self) -> int:
        """Number of samples of open batches that have no score yet."""
        return len(self.open.pending)

    @property
    def num_failed(self) -> int:
        """Number of samples that failed."""
        return int(self.have_failed.sum())

    @property
    def num_pruned(self) -> int:
        """Number of samples that were pruned."""
        return int(self.are_pruned.sum())

    @property
    def best(self) -> int | None:
        """Index of the first sample with the best score; None if there is no score."""
        return self.objective.best(self.dataset.scores)


@without_float_errors
def take_snapshot(source: Any, objective: str | None = None) -> Snapshot:
    """Returns the state of a search. A directory is only read, without locks or execution.

    Args:
        source: A `Dataset`, an engine, or the path of a save directory.
        objective: 'max' or 'min'; None for the search's own. A dataset, or a directory from an
            earlier release of PySHAC, does not record it; None then means 'max'.

    Raises:
        FileNotFoundError: If the directory contains no search.
        RuntimeError: If the engine has no parameters yet.
        SaveDirectoryError: If a file of the directory is corrupt.
        TypeError: If `source` has another type.
        ValueError: If `objective` is neither 'max' nor 'min'.
    """
    chosen = None if objective is None else get_objective(objective)
    if isinstance(source, Snapshot):
        return source
    if isinstance(source, Dataset):
        return Snapshot(source.copy(), chosen or MAX)
    if isinstance(source, (str, os.PathLike)):
        directory = SaveDirectory(absolute_path("source", source))
        return _of_run(directory.load()[0], str(directory.path), chosen)
    if hasattr(type(source), "_saved_run"):
        return _of_run(source._saved_run(), source.save_dir, chosen)
    raise TypeError(
        "source must be a Dataset, an engine or the path of a save directory. "
        f"Got {source!r} instead."
    )


def _of_run(run: SavedRun, path: str, objective: Objective | None) -> Snapshot:
    if run.is_legacy:
        return Snapshot(run.dataset, objective or MAX, path=path)
    schedule = Schedule(run.total_budget, run.batch_size)
    if run.max_classifiers:
        schedule = replace(schedule, max_classifiers=run.max_classifiers)
    return Snapshot(
        run.dataset,
        objective or get_objective(run.objective),
        run.cascade,
        schedule,
        tuple(run.stage_starts),
        run.open,
        run.num_complete,
        run.stage_end,
        run.refused,
        run.is_exhausted,
        path,
    )
