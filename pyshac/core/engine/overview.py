"""Overview: the parts and attributes of an engine."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

from pyshac.core.basics import signals
from pyshac.core.basics.checks import check_flag
from pyshac.core.basics.paths import shown_path
from pyshac.core.classifiers.classifier import Classifier
from pyshac.core.dataset import Dataset, Evaluation, summaries
from pyshac.core.engine.asked_samples import AskedSamples
from pyshac.core.engine.call_forms import EvaluationFunction
from pyshac.core.engine.earlier_names import EarlierEngineNames
from pyshac.core.engine.parallelism import Parallelism
from pyshac.core.engine.turns import Turns
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.types.objects import require_objects
from pyshac.core.run.run import Run
from pyshac.core.search.progress import Progress
from pyshac.core.search.settings import Settings
from pyshac.core.storage.save_directory import SaveDirectory
from pyshac.core.storage.saved_run import SavedRun


class Overview(EarlierEngineNames):
    """The parts of an engine, and the attributes that show them.

    A copy of an engine, pickled or not, has the same settings and save directory. It has no
    evaluation function, parameters or samples until `restore_data` loads the saved ones. So a class
    may keep the engine that evaluates its own method, and the samples never travel to a worker.

    Args:
        function: The evaluation function, or None.
        settings: The settings, which do not change during the search.
        directory: The save directory.
    """

    def __init__(
        self, function: EvaluationFunction | None, settings: Settings, directory: SaveDirectory
    ) -> None:
        self._settings = settings
        self._parallelism = Parallelism(settings.schedule.batch_size)
        self._make_parts(function, directory)

    def _make_parts(self, function: EvaluationFunction | None, directory: SaveDirectory) -> None:
        self._function = function
        self._directory = directory
        directory.caller = type(self).__name__
        self._turns = Turns()
        self._asked = AskedSamples()
        self._num_predictions = 0
        self._constraints: Sequence[Any] = ()
        self._run: Run | None = None

    def __getstate__(self) -> dict[str, Any]:
        own = ("_function", "_constraints", "_turns", "_asked", "_num_predictions", "_run")
        state = {name: value for name, value in vars(self).items() if name not in own}
        state["_directory"] = self._directory.path
        state["_parallelism"] = self._parallelism.without_executor()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._make_parts(None, SaveDirectory(state["_directory"]))

    def _require_run(self) -> Run:
        if self._run is None:
            raise RuntimeError(
                "The engine has no hyperparameters: hand them to the constructor, or call "
                "restore_data() first."
            )
        return self._run

    def _require_run_to_go_on(self) -> Run:
        """Returns the run, for methods that draw samples or return them for evaluation.

        Raises:
            InfeasibleSpaceError: If its constraints allow no point of a small space.
            RuntimeError: If the engine has no run.
            SaveDirectoryError: If its parameters have objects as values that are not available.
        """
        signals.import_whole("scipy.linalg", "scipy.optimize", "scipy.special")
        run = self._require_run()
        require_objects(run.search.space)
        run.search.require_points()
        return run

    def _saved_run(self) -> SavedRun:
        """Returns a snapshot of the run, for plots and reports."""
        return self._require_run().snapshot()

    def _progress(self) -> Progress:
        """Returns the stage and the counts of classifiers, for displays."""
        return self._require_run().search.progress

    # The search

    @property
    def total_budget(self) -> int:
        """N, the number of evaluations. Set it to extend a run, even one that has ended.

        A value below the number of evaluations so far raises a `ValueError`.
        """
        return self._settings.schedule.total_budget

    @total_budget.setter
    def total_budget(self, number: int) -> None:
        with self._turns.step("total_budget"):
            schedule = replace(self._settings.schedule, total_budget=number)
            if self._run is not None:
                self._run.set_budget(schedule.total_budget)
            self._settings = replace(self._settings, schedule=schedule)

    @property
    def num_batches(self) -> int:
        """M, the number of batches."""
        return self._settings.schedule.num_batches

    @property
    def num_workers(self) -> int:
        """W, the number of samples in a batch."""
        return self._settings.schedule.batch_size

    @property
    def total_classifiers(self) -> int:
        """K, the number of classifiers in a full cascade."""
        return self._settings.schedule.total_classifiers

    @property
    def objective(self) -> str:
        """'max' or 'min'."""
        return self._settings.objective.name

    @property
    def method(self) -> str:
        """'default' or 'paper'."""
        return self._settings.method.name

    @property
    def pace(self) -> str:
        """'batch', 'pipeline' or 'stream'."""
        return self._settings.pace.name

    @property
    def parameters(self) -> HyperParameterList | None:
        """The search space. None before `restore_data` if the constructor received none."""
        return self._run.search.space if self._run else None

    @property
    def dataset(self) -> Dataset:
        """The samples with a score. Do not change it; `tell` adds to it."""
        return self._run.search.dataset if self._run else Dataset(None, None)

    @property
    def classifiers(self) -> list[Classifier]:
        """The classifiers so far, in order."""
        return list(self._run.search.cascade) if self._run else []

    @property
    def refused_classifiers(self) -> dict[str, int]:
        """The number of refused classifiers for each reason."""
        return {**self._run.search.refused} if self._run else {}

    @property
    def best_parameters(self) -> OrderedDict[str, Any] | None:
        """The parameters of the best sample so far, which print as a dict; None without a score."""
        return self.dataset.get_best_parameters(self.objective) if len(self.dataset) else None

    @property
    def best_score(self) -> float | None:
        """The best score so far; None without a score."""
        return self.dataset.get_best_score(self.objective)

    @property
    def evaluations(self) -> list[Evaluation]:
        """Records of all evaluations so far, in the order of their numbers.

        They include failed and pruned evaluations.
        """
        return self.dataset.evaluations

    def top(self, n: int = 10) -> list[Evaluation]:
        """Returns records of the evaluations with the best scores so far.

        Args:
            n: The largest number of records.

        Returns:
            The records, the best first. Equal scores keep the order of their numbers. Evaluations
            without a score are left out.

        Raises:
            TypeError: If `n` is not an int.
            ValueError: If it is below 1.
        """
        return self.dataset.top(n, self.objective)

    @property
    def save_dir(self) -> str:
        """The absolute path of the save directory. Set it to save elsewhere from then on."""
        return str(self._directory.path)

    @save_dir.setter
    def save_dir(self, path: str | os.PathLike[str]) -> None:
        with self._turns.step("save_dir"):
            directory = SaveDirectory(path)
            if directory.path == self._directory.path:
                return
            self._directory = directory
            self._directory.caller = type(self).__name__
            if self._run is not None:
                self._run.directory = self._directory

    # Generators and evaluators

    @property
    def num_parallel_generators(self) -> int:
        """The number of processes or threads that draw samples when there is much to draw.

        Samples do not depend on it. None and negative numbers mean the same as for
        `num_parallel_evaluators`.
        """
        return self._parallelism.num_generators

    @num_parallel_generators.setter
    def num_parallel_generators(self, n: int | None) -> None:
        self._parallelism.set_num_generators(n)

    def set_num_parallel_generators(self, n: int | None) -> None:
        """Sets `num_parallel_generators`.

        Args:
            n: The number; see `num_parallel_evaluators` for None and negative numbers.

        Raises:
            TypeError: If `n` is not an int or None.
            ValueError: If it is 0.
        """
        self._parallelism.set_num_generators(n)

    @property
    def num_parallel_evaluators(self) -> int:
        """The number of slots: evaluations that run at once, each with its own `worker_id`.

        None sets it to the batch size or the number of cores, whichever is smaller, and warns if
        the cores are fewer. -1 sets it to the number of cores, -2 to all cores except one.
        """
        return self._parallelism.num_evaluators

    @num_parallel_evaluators.setter
    def num_parallel_evaluators(self, n: int | None) -> None:
        self._parallelism.set_num_evaluators(n)

    def set_num_parallel_evaluators(self, n: int | None) -> None:
        """Sets `num_parallel_evaluators`.

        Args:
            n: The number of slots, or None for the default.

        Raises:
            TypeError: If `n` is not an int or None.
            ValueError: If it is 0.
        """
        self._parallelism.set_num_evaluators(n)

    @property
    def limit_memory(self) -> bool:
        """Whether the number of generators stays the same after ten batches and does not double."""
        return self._parallelism.limit_memory

    @limit_memory.setter
    def limit_memory(self, limit: bool) -> None:
        self._parallelism.limit_memory = check_flag("limit_memory", limit)

    @property
    def generator_backend(self) -> str:
        """Generators: threads ('threading') or processes ('loky' or 'multiprocessing')."""
        return self._parallelism.generator_backend

    @generator_backend.setter
    def generator_backend(self, backend: str) -> None:
        self._parallelism.set_generator_backend(backend)

    @property
    def evaluator_backend(self) -> str | Executor:
        """Where the slots are: 'loky', 'multiprocessing', 'threading' or an executor.

        'loky' and 'multiprocessing' are processes, 'threading' is threads. With 'threading' and one
        evaluator, evaluations run one after the other in the thread that called `fit`. An executor
        is any `concurrent.futures.Executor`; the engine does not shut it down. 'dask' is the
        executor of the Dask client that is current when `fit` is called.
        """
        return self._parallelism.backend.setting

    @evaluator_backend.setter
    def evaluator_backend(self, backend: str | Executor) -> None:
        self._parallelism.set_evaluator_backend(backend)

    def parallel_evaluators(self) -> None:
        """Runs evaluations in worker processes: sets `evaluator_backend` to 'loky'."""
        self.evaluator_backend = "loky"

    def concurrent_evaluators(self) -> None:
        """Runs evaluations in threads of this process: sets `evaluator_backend` to 'threading'."""
        self.evaluator_backend = "threading"

    # Summaries

    def _facts(self, dataset: Dataset) -> summaries.Facts:
        if self._run is None:
            return [("parameters", "none yet: restore_data() brings them")]
        progress = self._run.search.progress
        without = summaries.count_without_score(dataset)
        best = dataset.get_best_score(self.objective)
        score = "none" if best is None else summaries.value_text(best)
        parameters = dataset.get_best_parameters(self.objective, named=True)
        return [
            (
                "evaluations",
                f"{summaries.counted(len(dataset), self.total_budget, *without)}, "
                f"in {progress.batches}",
            ),
            ("stage", progress.stage),
            ("classifiers", progress.classifiers),
            ("best score", f"{score} (objective: {self.objective})"),
            ("best parameters", summaries.parameters_text(parameters)),
            ("last scores", summaries.scores_text(dataset.Y)),
        ]

    def _title(self) -> str:
        path = summaries.cut(repr(shown_path(self.save_dir)), summaries.MAX_PATH)
        return f"{type(self).__name__} in {path}"

    def __repr__(self) -> str:
        return summaries.as_text(self._title(), self._facts(self.dataset.copy()))

    def _repr_html_(self) -> str:
        present = self.dataset.copy()
        return summaries.as_html(self._title(), self._facts(present), present)
