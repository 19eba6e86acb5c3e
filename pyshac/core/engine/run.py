"""Run: a search and its save directory, kept in sync."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pyshac.core.basics import seeding, signals
from pyshac.core.basics.locks import CopyableLock
from pyshac.core.basics.results.details import Details
from pyshac.core.classifiers.cascade import Cascade
from pyshac.core.classifiers.features import Features
from pyshac.core.classifiers.training import Admission, Training
from pyshac.core.classifiers.user_classifier import name_of
from pyshac.core.dataset import Dataset
from pyshac.core.dataset.formats.csv_file import check_row_length
from pyshac.core.dataset.objective import MAX, get_objective
from pyshac.core.errors import EvaluationError, SaveDirectoryError
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.frozen_space import frozen_copy
from pyshac.core.hyperparameters.prior_scaling import PriorScaling
from pyshac.core.sampling.generators import Generators
from pyshac.core.search.batch import Batch
from pyshac.core.search.earlier_runs import train_again
from pyshac.core.search.search import Search
from pyshac.core.search.settings import Settings
from pyshac.core.storage.layout import Stamp
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
        return cls(search, directory, space.seed is not None, lock)

    @classmethod
    def restored(
        cls,
        directory: SaveDirectory,
        settings: Settings,
        current: Run | None = None,
        lock: CopyableLock | None = None,
    ) -> tuple[Run, Stamp]:
        """Returns the run that a directory holds, and the stamp with which to adopt it.

        Args:
            directory: The save directory.
            settings: The settings of the engine that continues the run.
            current: The engine's run so far, whose search space must be equal; None if the engine
                has no run.
            lock: The engine's lock.

        Raises:
            FileNotFoundError: If the directory holds no run.
            SaveDirectoryError: If a file is corrupt, or the run has another search space,
                objective, method, kind of classifier or number of classifiers. The default
                objective gives way to the saved one.
        """
        saved, stamp = directory.load(None if current is None else current.search.space)
        path, entropy = str(directory.path), saved.entropy
        if not saved.is_legacy:
            settings = _with_saved_objective(saved, settings, path)
        if current is not None:
            _check_same_space(current.search.space, saved.space, path)
            entropy = current.search.entropy if saved.is_legacy else entropy
        search = Search(
            saved.space,
            settings,
            entropy,
            saved.dataset,
            saved.cascade,
            saved.num_complete,
            saved.stage_starts,
            saved.batch,
            saved.shares,
        )
        if saved.is_legacy:
            train_again(search, path)
            return cls(search, directory, saved.is_seeded, lock), stamp
        _check_same_settings(saved, settings, path)
        if saved.classifier:
            search.retrain()
        return cls(search, directory, saved.is_seeded, lock), stamp

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
            num_batches=settings.schedule.num_batches,
            max_classifiers=settings.schedule.max_classifiers,
            entropy=search.entropy,
            is_seeded=self.is_seeded,
            num_complete=search.num_complete,
            stage_starts=search.stage_starts,
            batch=search.batch,
            shares=search.shares,
        )

    def snapshot(self) -> SavedRun:
        """Returns a copy of the run as data of one moment, while other threads go on with it."""
        with self.search.lock:
            saved = self.as_saved()
            batch = saved.batch
            return replace(
                saved,
                dataset=saved.dataset.copy(),
                cascade=saved.cascade.first(len(saved.cascade)),
                stage_starts=[*saved.stage_starts],
                batch=batch and replace(batch, worker_ids={**batch.worker_ids}),
            )

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Locks the save directory for writing; saves the whole run first if that is due.

        Enter it with the lock held.
        """
        with self.directory.writing():
            if self.directory.must_save:
                self.save()
            yield

    @contextlib.contextmanager
    def writing_in_steps(self) -> Iterator[None]:
        """Does what `writing` does for a loop, which holds the lock in its steps only."""
        with contextlib.ExitStack() as stack:
            with self.lock:
                stack.enter_context(self.writing())
            yield

    def save(self) -> None:
        """Replaces the content of the save directory with the present run."""
        with self.lock:
            self.directory.save(self.as_saved())
        logger.info("Saved %d samples and %d classifiers to %r.",
                    len(self.search.dataset), len(self.search.cascade),
                    str(self.directory.path))  # fmt: skip

    def next_batch(self, relax_checks: bool, generators: Generators) -> Batch | None:
        """Returns the open batch, or draws the next one; None if the budget is spent."""
        with self.lock:
            if self.search.is_spent:
                return None
            if self.search.batch is None:
                self.directory.append_batch(self.search.draw_batch(relax_checks, generators))
            return self.search.batch

    def take_in(
        self, scores: Sequence[tuple[int, float, Details]], skip_cv_checks: bool = False
    ) -> None:
        """Adds scores to the open batch.

        Args:
            scores: Each as (number, score, details).
            skip_cv_checks: Whether the classifier due after the batch needs no cross validation,
                for `ask` to know if a crash comes before the batch is closed.

        If one of them cannot be added, the others are.

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
            if self.search.batch is not None:
                self.search.batch.skip_cv_checks = skip_cv_checks
            if self.directory.must_save:
                # After a failure, the journal may end with a torn line.
                self.save()
            else:
                self.directory.append_scores(added, skip_cv_checks)

    def close_batch(self, admission: Admission) -> Training | None:
        """Closes the open batch, whose samples all have scores, and saves.

        Args:
            admission: Which classifiers join the cascade.

        Returns:
            The outcome of training a classifier; None if none was due.

        Raises:
            EvaluationError: If all of its samples failed, and there were several.
        """
        with self.lock:
            number, start = self.search.batch_number, self.search.num_complete
            training = self.search.close_batch(admission)
            self.save()
            scores = self.search.dataset.Y[start:]
        if len(scores) > 1 and all(map(math.isnan, scores)):
            raise EvaluationError(
                f"All {len(scores)} evaluations of batch {number} failed, so the run stops. "
                "Everything is saved; fit() or ask() continues with the next batch."
            )
        return training

    def learn_batch(self, admission: Admission) -> Training | None:
        """Closes a batch whose samples came with their scores; see `Search.close_batch`."""
        with self.lock:
            return self.search.close_batch(admission)

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


def _with_saved_objective(saved: SavedRun, settings: Settings, path: str) -> Settings:
    """Returns the settings of an engine, with the saved objective if it has the default one."""
    if saved.objective == settings.objective.name or settings.objective != MAX:
        return settings
    logger.warning(
        "%r holds a search with objective %r, which the engine takes instead of the default, %r.",
        path, saved.objective, settings.objective.name,
    )  # fmt: skip
    return replace(settings, objective=get_objective(saved.objective))


def _check_same_settings(saved: SavedRun, settings: Settings, path: str) -> None:
    schedule = settings.schedule
    # The number of classifiers may only differ where another bound, M - 1, is the lower one.
    largest = replace(schedule, max_classifiers=saved.max_classifiers or schedule.max_classifiers)
    if largest.total_classifiers == schedule.total_classifiers:
        largest = schedule
    for what, theirs, ours in (
        ("max_classifiers", largest.max_classifiers, schedule.max_classifiers),
        ("objective", saved.objective, settings.objective.name),
        ("method", saved.method, settings.method.name),
        ("classifier", saved.classifier or None, name_of(settings.template) or None),
    ):
        if theirs != ours:
            raise SaveDirectoryError(
                f"{path!r} holds a search with {what} {theirs!r}, not {ours!r}."
            )


def _check_same_space(space: HyperParameterList, saved: HyperParameterList, path: str) -> None:
    """Raises `SaveDirectoryError` unless two search spaces are equal up to their seeds."""
    ours, theirs = _comparable(space), _comparable(saved)
    if ours != theirs:
        differing = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
        raise SaveDirectoryError(
            f"{path!r} holds a search of another space: {differing!r} differ, or their order."
        )


def _comparable(space: HyperParameterList) -> dict[str, str]:
    comparable = {}
    for number, (name, (class_name, config)) in enumerate(space.get_config().items()):
        # Text distinguishes 1, 1.0 and True, which compare equal.
        arguments = sorted((key, repr(value)) for key, value in config.items() if key != "seed")
        comparable[name] = f"{number}: {class_name}({arguments})"
    return comparable
