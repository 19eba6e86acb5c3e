"""Snapshot: a search as it stands, read from an engine, a save directory or a dataset."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pyshac.core.basics import files
from pyshac.core.basics.arrays import IntArray
from pyshac.core.classifiers.boosted_trees import BoostedTrees
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.dataset.dataset import Dataset
from pyshac.core.dataset.scores import check_objective
from pyshac.core.engine.state import EngineState
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.search import Search
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.core.storage.state_file import decode_state
from pyshac.looking.stages import stages_of


@dataclass(frozen=True)
class Snapshot:
    """A search as it stood when it was looked at.

    Attributes:
        dataset: The samples that have a score.
        objective: 'max' or 'min'.
        cascade: The classifiers; none for a dataset, or a directory of an earlier PySHAC.
        schedule: How the budget is spent; None where that is not known.
        starts: Number of the first sample drawn after each classifier.
        num_pending: Samples of the running batch that have no score yet.
        path: The save directory, or None.
    """

    dataset: Dataset
    objective: str
    cascade: Cascade = field(default_factory=Cascade)
    schedule: Schedule | None = None
    starts: tuple[int, ...] = ()
    num_pending: int = 0
    path: str | None = None

    @property
    def space(self) -> HyperParameterList:
        """The search space."""
        if self.dataset.parameters is None:
            raise ValueError("The dataset has no parameters: there is nothing to look at.")
        return self.dataset.parameters

    @cached_property
    def stages(self) -> IntArray:
        """How many classifiers had been trained when each sample was drawn, shape (n,)."""
        return stages_of(self.dataset.ids, self.starts)

    @property
    def num_stages(self) -> int:
        """Number of stages that have samples; a last classifier may have had none yet."""
        return int(self.stages.max(initial=0)) + 1

    @property
    def trees(self) -> list[BoostedTrees]:
        """The classifiers if they are the library's own; a user's say nothing of themselves."""
        return self.cascade.trees or []

    @property
    def is_better(self) -> str:
        """The objective in words."""
        return "higher is better" if self.objective == "max" else "lower is better"

    @property
    def num_failed(self) -> int:
        """Number of samples that failed."""
        return int(np.isnan(self.dataset.scores).sum())

    @property
    def best(self) -> int | None:
        """Place of the first sample with the best score; None if there is no score."""
        best = self.dataset.get_best_score(self.objective)
        return None if best is None else self.dataset.Y.index(best)


def take_snapshot(source: Any, objective: str | None = None) -> Snapshot:
    """Looks at a search. Of a directory nothing is locked, written or executed.

    Args:
        source: A `Dataset`, an engine, or the path of a save directory.
        objective: 'max' or 'min'; None for the search's own. A dataset, or a directory of an
            earlier PySHAC, does not know it: there None means 'max'.

    Raises:
        FileNotFoundError: If the directory holds no search.
        RuntimeError: If the engine has no parameters yet.
        SaveDirectoryError: If a file of the directory is corrupt.
        TypeError: If `source` is something else.
        ValueError: If `objective` is neither.
    """
    if objective is not None:
        check_objective(objective)
    if isinstance(source, Snapshot):
        return source
    if isinstance(source, Dataset):
        return Snapshot(source, objective or "max")
    if isinstance(source, (str, os.PathLike)):
        return _of_directory(SaveDirectory(source), objective)
    if isinstance(source, EngineState):
        run = source._require_run()
        return _of_search(run.search, run.schedule, run.path, objective)
    raise TypeError(
        "source must be a Dataset, an engine or the path of a save directory. "
        f"Got {source!r} instead."
    )


def _of_search(search: Search, schedule: Schedule, path: str, objective: str | None) -> Snapshot:
    return Snapshot(
        search.dataset,
        objective or search.objective,
        search.cascade,
        schedule,
        tuple(search.stage_starts),
        len(search.batch.pending) if search.batch else 0,
        path,
    )


def _of_directory(directory: SaveDirectory, objective: str | None) -> Snapshot:
    path = str(directory.path)
    saved = directory.load()
    if saved.is_legacy:
        return Snapshot(saved.search.dataset, objective or "max", path=path)
    return _of_search(saved.search, _read_schedule(directory.path), path, objective)


def _read_schedule(path: Path) -> Schedule:
    """Reads N and M, which are not part of the search itself."""
    file = path / "state.json"
    text = files.decode_text(files.read_bounded(file, files.MAX_JSON_BYTES), file)
    state = decode_state(text, repr(str(file)))
    return Schedule(state.total_budget, state.num_batches)
