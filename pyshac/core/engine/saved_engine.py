"""SavedEngine: the methods of an engine for saving, seeding and given samples."""

from __future__ import annotations

import contextlib
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pyshac.core.basics import seeding, signals
from pyshac.core.basics.checks import check_flag, check_int, check_score
from pyshac.core.basics.messages.error_text import short_repr
from pyshac.core.basics.paths import absolute_path
from pyshac.core.engine.asked_samples import as_lists, as_samples
from pyshac.core.engine.call_forms import EvaluationFunction, SavePath, check_function
from pyshac.core.engine.overview import Overview
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.hyperparameters.constraints.constraining import constrained
from pyshac.core.hyperparameters.space.parameter_list import as_parameter_list
from pyshac.core.run.replay import replayed
from pyshac.core.run.restoring import restored, resumed, start_from, start_from_elsewhere
from pyshac.core.run.run import Run
from pyshac.core.search.paces.pace import PIPELINE
from pyshac.core.storage.layout import Stamp
from pyshac.core.storage.save_directory import SaveDirectory

Engine = TypeVar("Engine", bound="SavedEngine")


class SavedEngine(Overview):
    """The methods of an engine for saving, seeding and given samples."""

    # The save directory

    @classmethod
    def load(
        cls: type[Engine],
        save_dir: SavePath,
        evaluation_function: EvaluationFunction | None = None,
        **options: Any,
    ) -> Engine:
        """Returns an engine with the run in a save directory.

        Budget, batch size, pace, objective, method and parameters come from the directory. You can
        look at the run at once, and `fit` continues it.

        Args:
            save_dir: The save directory.
            evaluation_function: The function to optimise. You may pass it to `fit` instead.
            options: Other arguments of the constructor. Pass what no directory holds: a
                `classifier`, `constraints` that are functions, objects in `hyperparameter_list`, or
                the numbers of evaluators.

        Returns:
            The engine.

        Raises:
            FileNotFoundError: If the directory holds no run.
            SaveDirectoryError: If a file is corrupt.
            TypeError: If an option is not one of the constructor, or is `resume`.
            ValueError: If a constraint is not one of the run's.

        Example:
            ```python
            shac = SHAC.load("shac")
            print(shac.best_score, shac.best_parameters)
            ```
        """
        if "resume" in options:
            raise TypeError("load() always resumes the run. Leave resume out.")
        path = absolute_path("save_dir", save_dir)
        space = as_parameter_list(options.pop("hyperparameter_list", None))
        saved = SaveDirectory(path).load(space)[0]
        if space is not None and not space.constraints and saved.space.constraints:
            saved.space.take_functions(options.pop("constraints", ()))
            space = constrained(space, saved.space.constraints)
        known = max(len(saved.dataset), 1)
        arguments = {
            **cls._options_of_load(),
            "total_budget": max(saved.total_budget, known),
            "objective": saved.objective,
            "method": saved.method,
            "pace": saved.pace,
            "open_batches": saved.open_batches if saved.pace == PIPELINE else None,
            **({"max_classifiers": saved.max_classifiers} if saved.max_classifiers else {}),
            **options,
        }
        if "num_batches" not in options:
            arguments.setdefault("batch_size", saved.batch_size or known)
        make: Callable[..., Engine] = cls
        return make(
            check_function(evaluation_function), space, save_dir=path, resume=True, **arguments
        )

    @classmethod
    def _options_of_load(cls) -> dict[str, Any]:
        """Returns required arguments of the constructor that no directory holds."""
        return {}

    def save_data(self) -> None:
        """Saves the dataset, the classifiers and everything else that is needed to continue.

        Raises:
            OSError: If saving fails; the previous save is untouched.
            RuntimeError: If there are no parameters.
            SaveDirectoryError: If the save directory holds another run, or is in use.
        """
        with self._turns.lock:
            run = self._require_run()
            with run.writing():
                run.save()

    def restore_data(self) -> None:
        """Loads the run in `save_dir`, even in the middle of a batch.

        The engine takes the seed of the saved run and keeps its own budget and number of batches.
        So a larger budget continues the run. Classifiers of your own kind, and those of PySHAC 0.1
        to 0.3, are trained again on the dataset, because a pickle could run any code.

        Raises:
            FileNotFoundError: If the directory holds no search.
            RuntimeError: While `fit` runs.
            SaveDirectoryError: If a file is corrupt, or the saved search has another space,
                objective, method, max_classifiers or kind of classifier. The engine is unchanged.
                An engine with the default objective takes the saved one.
        """
        with self._turns.step("restore_data()"):
            lock, given = self._turns.lock, self._constraints
            self._adopt(*restored(self._directory, self._settings, self._run, lock, given))

    def _begin_or_resume(
        self, space: HyperParameterList | None, resume: bool, constraints: Sequence[Any]
    ) -> None:
        """Continues the run in the save directory, or begins a run if there are parameters."""
        new = None
        if space is None:
            # For the run that is restored.
            self._constraints = constraints
        if space is not None:
            new = Run.new(space, self._settings, self._directory, self._turns.lock)
        if resume and self._directory.holds_run():
            lock, given = self._turns.lock, self._constraints
            self._adopt(*resumed(self._directory, self._settings, new, lock, given))
        else:
            self._run = new

    def _adopt(self, run: Run, stamp: Stamp) -> None:
        # Ctrl-C in between could leave the old run, which would overwrite the saved one.
        with signals.whole():
            self._directory.attach(stamp, not run.search.open)
            self._run, self._settings = run, run.search.settings
            self._asked.clear()
            self._num_predictions = 0

    def replay(self, *, relax_checks: bool = False) -> list[OrderedDict[str, Any]]:
        """Draws all samples of a stream again, each from the scores that it was drawn from.

        A stream depends on the order in which scores arrived. The save directory records this
        order, so the drawn samples equal those of the run.

        Args:
            relax_checks: As in the run.

        Returns:
            One `OrderedDict` of parameters per sample, in the order of their numbers.

        Raises:
            RuntimeError: If some samples were drawn at another pace, which is reproduced by its
                seed alone, or there are no parameters.
        """
        relax_checks = check_flag("relax_checks", relax_checks)
        with self._turns.lock:
            search = self._require_run_to_go_on().search
            return replayed(search, relax_checks)

    # Samples that the user gives

    def enqueue(self, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> int:
        """Queues samples, which the next batches evaluate first, within the budget.

        They need not pass the cascade. A script that runs again and resumes its run enqueues
        nothing twice.

        Args:
            parameters: Values by name, of one sample or of several. Missing values are drawn from
                their priors.

        Returns:
            The number of samples that were enqueued.

        Raises:
            RuntimeError: If there are no parameters, the budget has no room for the samples, or
                `fit` runs.
            TypeError: If a value has the wrong type.
            ValueError: If a name is unknown, or a value lies outside the search space.

        Example:
            ```python
            shac.enqueue([{"x": 2.0}, {"x": 3.0}])
            shac.fit()
            ```
        """
        given = as_samples(parameters)
        with self._turns.step("enqueue()"):
            return self._require_run().enqueue(given)

    def add(
        self,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        scores: float | Sequence[float],
    ) -> int:
        """Adds results from elsewhere. The search learns from them.

        They use no budget. They are not in `dataset`, and the best sample is never one of them. A
        script that runs again and resumes its run adds nothing twice.

        Args:
            parameters: The parameters of one sample or of several.
            scores: A score for each sample, or the one score; NaN for a failed evaluation.

        Returns:
            The number of samples that were added.

        Raises:
            RuntimeError: If there are no parameters, or `fit` runs.
            TypeError: If a score is not a number, or a value has the wrong type.
            ValueError: If a name is missing or unknown, or a value lies outside the search space.
                Then nothing is added.

        Example:
            ```python
            shac.add([{"x": 1.0}, {"x": 2.5}], [0.3, 0.7])
            shac.fit()
            ```
        """
        samples, values = as_lists(parameters, scores)
        scored = [
            (sample, check_score(value, f"sample {place}, {dict(sample)!r},"))
            for place, (sample, value) in enumerate(zip(samples, values, strict=True))
        ]
        with self._turns.step("add()"):
            return self._require_run().add(scored)

    def _start_from(self, source: Any) -> None:
        """Adds the evaluations of another search that lie in the search space.

        Args:
            source: Its directory, or an object in which another project keeps it.

        Raises:
            TypeError: If it is something else.
        """
        run = self._require_run()
        if isinstance(source, (str, os.PathLike)):
            start_from(run, SaveDirectory(absolute_path("start_from", source)))
        elif not start_from_elsewhere(run, source):
            raise TypeError(
                "start_from must be the path of a save directory, or a study of Optuna. Got "
                f"{short_repr(source, 200)} of type {type(source).__name__} instead."
            )

    # Seeds

    def set_seed(self, seed: int | None) -> None:
        """Seeds the engine and its parameters. The same seed gives the same run.

        Args:
            seed: A non-negative int, or None for a fresh seed.

        Raises:
            RuntimeError: If the engine has no parameters yet, or `fit` runs.
        """
        with self._turns.step("set_seed()"):
            self._require_run().set_seed(seeding.check_seed(seed))
            self._num_predictions = 0

    @contextlib.contextmanager
    def as_deterministic(self: Engine, seed: int) -> Iterator[Engine]:
        """Seeds the engine inside a `with` block, and restores its former seeds afterwards.

        Args:
            seed: A non-negative int.

        Raises:
            RuntimeError: If the engine has no parameters yet.
            TypeError: If the seed is not an int.
            ValueError: If it is negative.

        Example:
            ```python
            with shac.as_deterministic(0):
                shac.fit()
            ```
        """
        seed = check_int("seed", seed, "a non-negative int", lambda number: number >= 0)
        with self._turns.step_beside_own_loop("as_deterministic()"):
            run, number = self._require_run(), self._num_predictions
        with run.seeded(seed):
            self._num_predictions = 0
            try:
                yield self
            finally:
                self._num_predictions = number
