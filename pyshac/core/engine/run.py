"""Run: a search and its save directory, kept in step; what it is told is on disk on return."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator, Sequence
from typing import Any

from pyshac.core.basics import signals
from pyshac.core.classifiers.training import Training
from pyshac.core.classifiers.user_classifier import name_of
from pyshac.core.errors import EvaluationError, SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.sampling.block_source import Generators
from pyshac.core.search.batch import Batch
from pyshac.core.search.method import Method
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.search import Search
from pyshac.core.storage.save_directory import SaveDirectory, SavedRun

logger = logging.getLogger("pyshac")


class Run:
    """A search under way.

    Args:
        search: The search.
        schedule: How its budget is spent.
        directory: Where it is saved.

    Attributes:
        search: The search.
        schedule: How its budget is spent.
        directory: Where it is saved.
        is_seeded: Whether a user chose the seed.
    """

    def __init__(self, search: Search, schedule: Schedule, directory: SaveDirectory) -> None:
        self.search = search
        self.schedule = schedule
        self.is_seeded = False
        self.directory = directory

    @property
    def is_spent(self) -> bool:
        """Whether the whole budget has been evaluated."""
        return self.search.num_complete >= self.schedule.total_budget

    @property
    def epoch(self) -> int:
        """Number of the batch that is running or comes next, from 1."""
        return self.search.num_complete // self.schedule.num_workers + 1

    @property
    def path(self) -> str:
        """The save directory."""
        return str(self.directory.path)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the save directory for writing; the first time, all of the run is saved."""
        with self.directory.writing():
            if self.directory.must_save:
                self.save()
            yield

    def save(self) -> None:
        """Replaces what the save directory holds by the run as it is."""
        schedule = self.schedule
        self.directory.save(
            self.search, schedule.total_budget, schedule.num_batches, self.is_seeded
        )
        logger.info("Saved %d samples and %d classifiers to %s.",
                    len(self.search.dataset), len(self.search.cascade), self.path)  # fmt: skip

    def current_batch(self, relax_checks: bool, generators: Generators) -> Batch | None:
        """Returns the running batch, drawing the next one if there is none.

        Returns:
            None if the budget is spent.
        """
        if self.search.batch is None and not self.is_spent:
            missing = self.schedule.total_budget - self.search.num_complete
            size = min(self.schedule.num_workers, missing)
            stage = self.schedule.per_classifier_budget
            batch = self.search.begin_batch(size, relax_checks, generators, stage)
            self.directory.begin_batch(batch)
        return self.search.batch

    def record(self, batch: Batch, scores: Sequence[tuple[int, float, int | None]]) -> None:
        """Takes in scores, each as (number, score, slot).

        Raises:
            OSError: If they cannot be written; they stay in memory, for `save` to try again.
        """
        with signals.whole():
            for score in scores:
                self.search.record(batch, *score)
            self.directory.record(scores)

    def finish_batch(self, check: bool) -> Training | None:
        """Closes the running batch, all of whose samples have scores, and saves.

        Returns:
            The outcome of training a classifier; None if none was due.

        Raises:
            EvaluationError: If all of its samples failed, and there were several.
        """
        batch = self.search.batch
        training = self.search.finish_batch(self.schedule, check)
        self.save()
        if batch is not None and len(batch.rows) > 1:
            scores = self.search.dataset.Y[-len(batch.rows) :]
            if all(math.isnan(score) for score in scores):
                raise EvaluationError(
                    f"All {len(scores)} evaluations of batch {self.epoch - 1} failed, so the run "
                    "stops. Everything is saved; fit() continues with the next batch."
                )
        return training

    @classmethod
    def restored(
        cls,
        saved: SavedRun,
        schedule: Schedule,
        directory: SaveDirectory,
        objective: str,
        method: Method,
        template: Any,
    ) -> Run:
        """Returns the run that a directory held, to be continued under a schedule.

        Raises:
            SaveDirectoryError: If it was after another objective, by another method or with
                another kind of classifier.
        """
        run = cls(saved.search, schedule, directory)
        run.is_seeded = saved.is_seeded
        saved.search.estimator = template
        if saved.is_legacy:
            saved.search.objective, saved.search.method = objective, method
            for _ in run.advance(check=True):
                pass
        else:
            run._check_same("objective", saved.search.objective, objective)
            run._check_same("method", saved.search.method.name, method.name)
            run._check_same("classifier", saved.classifier or None, name_of(template) or None)
            if saved.classifier:
                saved.search.retrain()
        directory.attach(saved)
        return run

    def _check_same(self, what: str, theirs: str | None, ours: str | None) -> None:
        if theirs != ours:
            raise SaveDirectoryError(
                f"{self.path!r} holds a search with {what} {theirs!r}, not {ours!r}."
            )

    def advance(self, check: bool) -> Iterator[Training | None]:
        """Takes samples that are there already into account, batch by batch.

        Yields:
            For each batch the outcome of training a classifier; None if none was due.
        """
        total, size = len(self.search.dataset), self.schedule.num_workers
        while self.search.num_complete < total:
            stop = min(self.search.num_complete + size, total)
            yield self.search.advance(stop, self.schedule, check)


def check_same_space(space: HyperParameterList, saved: HyperParameterList, path: str) -> None:
    """Raises `SaveDirectoryError` unless both are the same search space but for seeds."""
    ours, theirs = _comparable(space), _comparable(saved)
    if ours != theirs:
        differing = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
        raise SaveDirectoryError(
            f"{path!r} holds a search of another space: {differing!r} differ, or their order."
        )


def _comparable(space: HyperParameterList) -> dict[str, str]:
    comparable = {}
    for number, (name, (class_name, config)) in enumerate(space.get_config().items()):
        # Text tells 1 from 1.0 and from True, which compare equal.
        arguments = sorted((key, repr(value)) for key, value in config.items() if key != "seed")
        comparable[name] = f"{number}: {class_name}({arguments})"
    return comparable
