"""Run: a search and its save directory, kept in sync."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyshac.core.basics import seeding, signals
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.paths import shown_path
from pyshac.core.basics.results.details import Details
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import Features
from pyshac.core.classifiers.training import Admission, Training, admission
from pyshac.core.classifiers.user_classifier import name_of
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.formats.csv_file import check_row_length
from pyshac.core.errors import EvaluationError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.space.frozen import frozen_copy
from pyshac.core.hyperparameters.space.prior_scaling import PriorScaling
from pyshac.core.sampling.generators import Generators
from pyshac.core.search.batch import Batch
from pyshac.core.search.pruning.rule import Pruning
from pyshac.core.search.search import Search
from pyshac.core.search.settings import Settings
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.core.storage.saved_run import SavedRun

logger = logging.getLogger("pyshac")


class Run:
    """A search and its save directory. New batches and scores are on disk when a call returns.

    Args:
        search: The search.
        directory: Its save directory.
        is_seeded: Whether a user chose the seed.
        lock: Held in each step, so that the steps of several threads follow each other; None for
            one of its own.

    Attributes:
        search: The search.
        directory: Its save directory.
        is_seeded: Whether a user chose the seed.
        lock: As above.
    """

    def __init__(
        self,
        search: Search,
        directory: SaveDirectory,
        is_seeded: bool,
        lock: CopyableLock | None = None,
    ) -> None:
        self.search = search
        self.directory = directory
        self.is_seeded = is_seeded
        self.lock = lock or CopyableLock()

    @classmethod
    def new(
        cls,
        space: HyperParameterList,
        settings: Settings,
        directory: SaveDirectory,
        lock: CopyableLock | None = None,
    ) -> Run:
        """Returns a run without samples, in a copy of a search space.

        Raises:
            InfeasibleSpaceError: If its constraints contradict each other.
            TypeError: If a parameter cannot be copied.
            ValueError: If the search space is empty, or its rows could be too long to be saved.
        """
        if not len(space):
            raise ValueError("hyperparameter_list must hold at least one hyperparameter.")
        check_row_length(space)
        entropy = seeding.fresh_entropy() if space.seed is None else space.seed
        own = frozen_copy(space)
        cascade = Cascade(features=Features(PriorScaling(own)))
        search = Search(own, settings, entropy, Dataset(own, None), cascade)
        search.require_feasible()
        return cls(search, directory, space.seed is not None, lock)

    def as_saved(self) -> SavedRun:
        """Returns the run as data; dataset, cascade and batch are the search's own, not copies."""
        search, settings = self.search, self.search.settings
        return SavedRun(
            search.space,
            search.dataset,
            search.cascade,
            objective=settings.objective.name,
            method=settings.method.name,
            classifier=name_of(settings.template),
            total_budget=settings.schedule.total_budget,
            batch_size=settings.schedule.batch_size,
            max_classifiers=settings.schedule.max_classifiers,
            entropy=search.entropy,
            is_seeded=self.is_seeded,
            num_complete=search.num_complete,
            stage_starts=search.stage_starts,
            open=search.open,
            shares=search.shares,
            added=search.added,
            queue=search.queue,
            refused=search.refused,
            stage_end=search.stage_end,
            is_exhausted=search.is_spent and search.is_exhausted,
            pace=settings.pace.name,
            open_batches=settings.pace.open_batches,
            draws=search.draws,
        )

    def snapshot(self) -> SavedRun:
        """Returns a copy of the run as data of one moment, while other threads go on with it."""
        with self.search.lock:
            saved = self.as_saved()
            return replace(
                saved,
                dataset=saved.dataset.copy(),
                cascade=saved.cascade.first(len(saved.cascade)),
                stage_starts=[*saved.stage_starts],
                open=saved.open.copy(),
                draws=saved.draws.copy(),
                added=saved.added.copy(),
                queue=saved.queue.copy(),
            )

    def interruption(self) -> str:
        """Returns what an interrupted run leaves behind, and how to go on."""
        number, path = len(self.search.dataset), shown_path(self.directory.path)
        evaluations = f"{number} of {self.search.settings.schedule.total_budget} evaluations"
        if self.directory.has_failed:
            return (
                f"Interrupted: {evaluations} are in memory only, since {path!r} could not be "
                "written. Call save_data() when it can."
            )
        return (
            f"Interrupted: {evaluations} are saved in {path!r}. To go on, call fit() again, or run "
            "the script again with resume=True."
        )

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Locks the save directory for writing; saves the whole run first if that is due.

        Enter it with the lock held.
        """
        with signals.left_whole() as stack:
            with signals.whole():
                stack.enter_context(self.directory.writing())
            if self.directory.must_save:
                self.save()
            yield

    @contextlib.contextmanager
    def writing_in_steps(self) -> Iterator[None]:
        """Does what `writing` does for a loop, which holds the lock in its steps only."""
        with contextlib.ExitStack() as stack:
            with self.lock, signals.whole():
                stack.enter_context(self.writing())
            yield

    def save(self) -> None:
        """Replaces the content of the save directory with the present run."""
        with self.lock:
            self.directory.save(self.as_saved())
        logger.info("Saved %d samples and %d classifiers to %r.",
                    len(self.search.dataset), len(self.search.cascade),
                    str(self.directory.path))  # fmt: skip

    def draw(
        self,
        relax_checks: bool,
        generators: Generators,
        number: int | None = None,
        pruning: Pruning | None = None,
    ) -> Batch:
        """Draws samples that the pace allows now, and opens them as a batch.

        Args:
            relax_checks: Whether rejections are overlooked where too little is accepted.
            generators: The generators that draw.
            number: The largest number of samples; None for the rest of their batch.
            pruning: The rule that gives up hopeless curves among them, or None.

        Raises:
            SaveDirectoryError: If a constraint is a function that was not handed over.
        """
        self.search.space.require_functions()
        situation = self.search.situation(number, pruning)
        batch = self.search.drawing.draw(situation, relax_checks, generators)
        self.begin(batch)
        return batch

    def begin(self, batch: Batch) -> None:
        """Opens a batch that was drawn."""
        with self.lock:
            self.search.begin(batch)
            self.directory.append_batch(batch)

    def take_in(
        self, scores: Sequence[tuple[int, float, Details]], skip_cv_checks: bool = False
    ) -> None:
        """Adds scores to the open batches. If one of them cannot be added, the others are.

        Args:
            scores: Each as (number, score, details).
            skip_cv_checks: Whether the classifier due after the batch needs no cross validation,
                for `ask` to know if a crash comes before the batch is closed.

        Raises:
            OSError: If they cannot be written; they stay in memory, for `save` to try again.
        """
        with self.lock, signals.whole(), contextlib.ExitStack() as errors:
            added = []
            for score in scores:
                try:
                    self.search.learn_score(*score)
                except Exception as error:
                    errors.callback(_raise, error)
                else:
                    added.append(score)
            for number, *_ in added:
                self.search.open.of(number).skip_cv_checks = skip_cv_checks
            if self.directory.must_save:
                # After a failure, the journal may end with a torn line.
                self.save()
            else:
                self.directory.append_scores(added, skip_cv_checks)

    def close_batch(self, admission: Admission) -> Training | None:
        """Trains the classifier that is due, and closes the oldest open batch; see `close`."""
        training = self.search.train_due(admission)
        self.close(training)
        return training

    def make_up(self, admission: Admission) -> Training | None:
        """Trains the classifier that a former budget had none for, and saves; see `Search`."""
        with self.lock:
            training = self.search.make_up(admission)
            if training is not None:
                self.save()
        return training

    def close_complete(self) -> None:
        """Closes all batches that may be closed; what was told with their scores counts."""
        while parts := self.search.closable:
            self.close_batch(admission(parts[-1].skip_cv_checks))

    def close(self, training: Training | None) -> None:
        """Closes the oldest open batch, whose samples all have scores, and saves.

        Args:
            training: The outcome of training the classifier that is due.

        Raises:
            EvaluationError: If all of its samples failed, and there were several.
        """
        with self.lock:
            number, start = self.search.batch_number, self.search.num_complete
            self.search.close(training)
            self.save()
            part = slice(start, self.search.num_complete)
            scores = self.search.dataset.Y[part]
            are_pruned = self.search.dataset.details.curves.are_pruned[part]
        if len(scores) > 1 and all(map(math.isnan, scores)) and not are_pruned.any():
            raise EvaluationError(
                f"All {len(scores)} evaluations of batch {number} failed, so the run stops. "
                "Everything is saved; fit() or ask() continues with the next batch."
            )

    def learn_batch(self, admission: Admission) -> Training | None:
        """Closes a batch whose samples came with their scores; see `Search.close_batch`."""
        with self.lock:
            return self.search.close_batch(admission)

    def set_budget(self, total_budget: int) -> None:
        """Changes the budget.

        Raises:
            ValueError: If it is below the number of evaluations.
        """
        with self._changing() as search:
            check_budget(total_budget, len(search.dataset), str(self.directory.path))
            schedule = replace(search.settings.schedule, total_budget=total_budget)
            search.settings = replace(search.settings, schedule=schedule)

    def enqueue(self, given: Sequence[Mapping[str, Any]]) -> int:
        """Appends samples to the queue; see `Queue.enqueue`.

        Raises:
            RuntimeError: If the budget has no room for them.
        """
        with self._changing() as search:
            number = search.queue.enqueue(given, search.space, search.entropy)
            budget = search.settings.schedule.total_budget
            room = max(budget - search.num_drawn, 0)
            if number and len(search.waiting) > room:
                raise RuntimeError(
                    f"The budget of {budget} evaluations has room for {room} more, and "
                    f"{len(search.waiting)} samples would wait in the queue. Raise it first: "
                    "engine.total_budget = ..."
                )
        return number

    def add(self, scored: Sequence[tuple[Mapping[str, Any], float]]) -> int:
        """Adds samples from elsewhere, each as (parameters, score); see `Added.add`."""
        to_row = self.search.space.to_stored_row
        return self.add_rows([(to_row(parameters), score) for parameters, score in scored])

    def add_rows(self, samples: Sequence[tuple[list[Any], float]]) -> int:
        """Adds samples from elsewhere, each as (row in the search space, score)."""
        with self._changing() as search:
            return search.added.add(samples, search.num_complete)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Search]:
        """Saves what a block changes of the budget, the queue and the added samples, or undoes it.

        A run that has not been saved yet is saved by the first `writing`.
        """
        search = self.search
        with self.lock:
            before, marks = search.settings, (search.queue.mark(), search.added.mark())
            try:
                yield search
                sizes = len(search.queue.samples), len(search.added)
                if (search.settings, *sizes) != (before, marks[0][0], marks[1][0]):
                    self.directory.must_save = True
                    if self.directory.is_attached:
                        with self.writing():
                            pass
            except BaseException:
                search.settings = before
                search.queue.reset(marks[0])
                search.added.reset(marks[1])
                raise

    def set_seed(self, seed: int | None) -> None:
        """Seeds the search and its parameters; None takes a fresh seed."""
        self.search.space.set_seed(seed)
        self.search.entropy = seeding.fresh_entropy() if seed is None else seed
        self.is_seeded = seed is not None
        self.directory.must_save = True

    @contextlib.contextmanager
    def seeded(self, seed: int | None) -> Iterator[None]:
        """Seeds the run inside a `with` block, and restores its former seeds afterwards."""
        space = self.search.space
        before = self.search.entropy, self.is_seeded, space.seed
        states = [(parameter, parameter.seed, parameter.random) for parameter in space]
        self.set_seed(seed)
        try:
            yield
        finally:
            self.search.entropy, self.is_seeded, space.seed = before
            self.directory.must_save = True
            for parameter, parameter_seed, random in states:
                parameter.seed, parameter.random = parameter_seed, random


def _raise(error: Exception) -> None:
    raise error


def check_budget(total_budget: int, num_evaluations: int, path: str) -> None:
    """Raises `ValueError` if a budget is below the number of evaluations of a run."""
    if total_budget < num_evaluations:
        raise ValueError(
            f"total_budget must be at least {num_evaluations}, the number of evaluations of the "
            f"run in {path!r}. Got {total_budget} instead. SHAC.load() takes the run's own budget."
        )
