"""What an engine is made of: its plan, its run, its save directory and its seeds."""

from __future__ import annotations

import contextlib
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pyshac.core.basics import seeding
from pyshac.core.classifiers.classifier import Classifier
from pyshac.core.classifiers.user_classifier import check_template
from pyshac.core.dataset import summaries
from pyshac.core.dataset.dataset import Dataset
from pyshac.core.dataset.scores import check_objective
from pyshac.core.engine.call_forms import begins_with_function, optional_function
from pyshac.core.engine.parallelism import Parallelism
from pyshac.core.engine.run import Run
from pyshac.core.hyperparameters import AbstractHyperParameter, HyperParameterList
from pyshac.core.hyperparameters.space import as_parameter_list
from pyshac.core.search.method import get_method
from pyshac.core.search.schedule import Schedule
from pyshac.core.search.search import Search
from pyshac.core.storage.save_directory import SaveDirectory

Engine = TypeVar("Engine", bound="EngineState")


class EngineState(Parallelism):
    """The attributes of an engine, and its seeds. Arguments are those of `_SHAC`."""

    @optional_function(begins_with_function)
    def __init__(
        self,
        evaluation_function: Callable[..., Any] | None,
        hyperparameter_list: HyperParameterList | Sequence[AbstractHyperParameter] | None,
        total_budget: int,
        num_batches: int,
        objective: str = "max",
        max_classifiers: int = 18,
        save_dir: str | os.PathLike[str] = "shac",
        *,
        method: str = "default",
        classifier: Any = None,
    ) -> None:
        self._function = check_function(evaluation_function)
        self._schedule = Schedule(total_budget, num_batches, max_classifiers)
        super().__init__(self._schedule.num_workers)
        self._objective = check_objective(objective)
        self._method = get_method(method)
        self._template = check_template(classifier)
        self._directory = SaveDirectory(save_dir)
        self._asked: dict[int, Any] = {}
        self._num_predictions = 0
        self._run: Run | None = None
        space = as_parameter_list(hyperparameter_list)
        if space is not None:
            self._begin(space)

    def _begin(self, space: HyperParameterList) -> None:
        if not len(space):
            raise ValueError("hyperparameter_list must hold at least one hyperparameter.")
        entropy = seeding.fresh_entropy() if space.seed is None else space.seed
        search = Search(
            space, self._objective, entropy, Dataset(space), self._method, self._template
        )
        self._run = Run(search, self._schedule, self._directory)
        self._run.is_seeded = space.seed is not None

    def _facts(self) -> summaries.Facts:
        if self._run is None:
            return [("parameters", "none yet: restore_data() brings them")]
        scores, num_classifiers = self.dataset.Y, len(self._run.search.cascade)
        done = summaries.counted(len(scores), self.total_budget, summaries.count_failed(scores))
        best = "none" if self.best_score is None else summaries.value_text(self.best_score)
        return [
            ("evaluations", f"{done}, in {self.num_batches} batches of {self.num_workers}"),
            ("stage", f"{num_classifiers + 1} of {self.total_classifiers + 1}"),
            ("classifiers", f"{num_classifiers} of {self.total_classifiers}"),
            ("best score", f"{best} (objective: {self.objective})"),
            ("best parameters", summaries.parameters_text(self.best_parameters)),
            ("last scores", summaries.scores_text(scores)),
        ]

    def _title(self) -> str:
        return f"{type(self).__name__} in {summaries.cut(repr(self.save_dir), summaries.MAX_PATH)}"

    def __repr__(self) -> str:
        return summaries.as_text(self._title(), self._facts())

    def _repr_html_(self) -> str:
        return summaries.as_html(self._title(), self._facts(), self.dataset)

    def _require_run(self) -> Run:
        if self._run is None:
            raise RuntimeError(
                "The engine has no hyperparameters: hand them to the constructor, or call "
                "restore_data() first."
            )
        return self._run

    @property
    def total_budget(self) -> int:
        """N, number of evaluations."""
        return self._schedule.total_budget

    @property
    def num_batches(self) -> int:
        """M, number of batches."""
        return self._schedule.num_batches

    @property
    def num_workers(self) -> int:
        """W, samples in a batch."""
        return self._schedule.num_workers

    @property
    def total_classifiers(self) -> int:
        """K, classifiers in a full cascade."""
        return self._schedule.total_classifiers

    @property
    def objective(self) -> str:
        """'max' or 'min'."""
        return self._objective

    @property
    def method(self) -> str:
        """'default' or 'paper'."""
        return self._method.name

    @property
    def parameters(self) -> HyperParameterList | None:
        """The search space; None before `restore_data` if the constructor was given none."""
        return self._run.search.space if self._run else None

    @property
    def dataset(self) -> Dataset:
        """The samples that have a score. Look at it; `tell` is what adds to it."""
        return self._run.search.dataset if self._run else Dataset()

    @property
    def classifiers(self) -> list[Classifier]:
        """The classifiers so far, in order."""
        return list(self._run.search.cascade) if self._run else []

    @property
    def best_parameters(self) -> OrderedDict[str, Any] | None:
        """Parameters of the best sample so far; None if there is none."""
        return self.dataset.get_best_parameters(self._objective) if len(self.dataset) else None

    @property
    def best_score(self) -> float | None:
        """Best score so far; None if there is none."""
        return self.dataset.get_best_score(self._objective)

    @property
    def save_dir(self) -> str:
        """The save directory. Setting it saves to another directory from then on."""
        return str(self._directory.path)

    @save_dir.setter
    def save_dir(self, path: str | os.PathLike[str]) -> None:
        self._directory = SaveDirectory(path)
        if self._run is not None:
            self._run.directory = self._directory

    # Seeds

    def set_seed(self, seed: int | None) -> None:
        """Seeds the engine and its parameters; the same seed gives the same run.

        Args:
            seed: A non-negative int, or None for a fresh seed.

        Raises:
            RuntimeError: If the engine has no parameters yet.
        """
        run = self._require_run()
        seed = seeding.check_seed(seed)
        run.search.space.set_seed(seed)
        run.search.entropy = seeding.fresh_entropy() if seed is None else seed
        run.is_seeded = seed is not None
        run.directory.must_save = True
        self._num_predictions = 0

    @contextlib.contextmanager
    def as_deterministic(self: Engine, seed: int) -> Iterator[Engine]:
        """Seeds the engine inside a `with` block and puts back afterwards what was there before.

        Args:
            seed: A non-negative int.
        """
        run = self._require_run()
        before = (run.search.entropy, run.is_seeded, run.search.space.seed, self._num_predictions)
        states = [(parameter, parameter.seed, parameter.random) for parameter in run.search.space]
        self.set_seed(seed)
        try:
            yield self
        finally:
            run.search.entropy, run.is_seeded, run.search.space.seed, self._num_predictions = before
            run.directory.must_save = True
            for parameter, parameter_seed, random in states:
                parameter.seed, parameter.random = parameter_seed, random


def check_function(function: Any) -> Callable[..., Any] | None:
    """Returns an evaluation function, or None; raises if it is neither."""
    if function is not None and not callable(function):
        raise TypeError(f"evaluation_function must be callable or None. Got {function!r} instead.")
    return function
