"""_SHAC: the abstract engine, which runs the whole search.

    search space -> sampling -> selection -> evaluation -> dataset -> classifiers -> sampling ...

`ask` and `tell` are the two halves of this circle. `fit` loops over them and evaluates in slots.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, overload

from pyshac.core.basics.checks import check_flag, check_positive, check_seconds
from pyshac.core.basics.messages.renamed import renamed_arguments
from pyshac.core.basics.paths import absolute_path
from pyshac.core.callbacks import History
from pyshac.core.classifiers.training import Admission
from pyshac.core.classifiers.user_classifier import check_template
from pyshac.core.dataset.objective import get_objective
from pyshac.core.engine.asked_samples import as_lists, new_scores
from pyshac.core.engine.call_forms import (
    Callbacks,
    Constraints,
    EvaluationFunction,
    ExceptionTypes,
    Result,
    SavePath,
    SearchSource,
    SearchSpace,
    as_types,
    begins_with_function,
    check_count,
    check_function,
    is_not_flag,
    optional_function,
    schedule_of,
)
from pyshac.core.engine.loop.dataset_loop import DatasetLoop
from pyshac.core.engine.loop.fit_loop import FitLoop
from pyshac.core.engine.loop.loop import AnyLoop, FitOptions, callbacks_of_loop
from pyshac.core.engine.saved_engine import SavedEngine
from pyshac.core.errors import EvaluationError
from pyshac.core.evaluation.failures import FailurePolicy
from pyshac.core.evaluation.slot_pool import SlotPool
from pyshac.core.evaluation.worker import Evaluator
from pyshac.core.hyperparameters.constraints.constraining import constrained
from pyshac.core.hyperparameters.space.parameter_list import as_parameter_list
from pyshac.core.sampling.generators import Generators
from pyshac.core.search.method import get_method
from pyshac.core.search.paces.pace import get_pace
from pyshac.core.search.pruning.rule import Pruning, get_pruning
from pyshac.core.search.settings import Settings
from pyshac.core.storage.save_directory import SaveDirectory


class _SHAC(SavedEngine, ABC):
    """The base class of all engines; see `pyshac.SHAC` for its arguments and errors.

    A subclass defines the evaluator, which wraps each evaluation.
    """

    @overload
    def __init__(
        self, evaluation_function: EvaluationFunction | None,
        hyperparameter_list: SearchSpace | None, total_budget: int, num_batches: int | None = None,
        objective: str = "max", max_classifiers: int = 18, save_dir: SavePath | None = "shac",
        *, method: str = "default", classifier: Any = None, batch_size: int | None = None,
        resume: bool = False, start_from: SearchSource | None = None,
        constraints: Constraints | None = None, pace: str = "batch",
        open_batches: int | None = None,
    ) -> None: ...  # fmt: skip
    @overload
    def __init__(
        self, hyperparameter_list: SearchSpace | None, total_budget: int,
        num_batches: int | None = None, objective: str = "max", max_classifiers: int = 18,
        save_dir: SavePath | None = "shac",
        *, method: str = "default", classifier: Any = None, batch_size: int | None = None,
        resume: bool = False, start_from: SearchSource | None = None,
        constraints: Constraints | None = None, pace: str = "batch",
        open_batches: int | None = None,
        evaluation_function: EvaluationFunction | None = None,
    ) -> None: ...  # fmt: skip
    @optional_function(begins_with_function)
    def __init__(
        self,
        evaluation_function: EvaluationFunction | None,
        hyperparameter_list: SearchSpace | None,
        total_budget: int,
        num_batches: int | None = None,
        objective: str = "max",
        max_classifiers: int = 18,
        save_dir: SavePath | None = "shac",
        *,
        method: str = "default",
        classifier: Any = None,
        batch_size: int | None = None,
        resume: bool = False,
        start_from: SearchSource | None = None,
        constraints: Constraints | None = None,
        pace: str = "batch",
        open_batches: int | None = None,
    ) -> None:
        function, resume = check_function(evaluation_function), check_flag("resume", resume)
        settings = Settings(
            schedule_of(total_budget, num_batches, batch_size, max_classifiers),
            get_objective(objective),
            get_method(method),
            check_template(classifier),
            get_pace(pace, open_batches),
        )
        super().__init__(function, settings, SaveDirectory(save_dir))
        space = constrained(as_parameter_list(hyperparameter_list), constraints)
        self._begin_or_resume(space, resume, [*(constraints or ())])
        if function is not None or not resume:
            self._parallelism.warn_of_few_cores()
        if start_from is not None:
            self._start_from(start_from)

    @abstractmethod
    def _make_evaluator(self) -> Evaluator:
        """Returns the evaluator, which wraps each call of the evaluation function; picklable."""

    # The two halves of the circle

    def ask(
        self,
        n: int | None = None,
        *,
        relax_checks: bool = False,
        pruning: str | Pruning | None = None,
    ) -> list[OrderedDict[str, Any]]:
        """Returns samples to evaluate. Draws the next batch if the pace allows it.

        Args:
            n: The largest number of samples. A stream returns exactly this number while the budget
                lasts. None returns all samples of a batch that are not yet asked for.
            relax_checks: As for `fit`.
            pruning: As for `fit`, for a batch that this call draws. `pyshac.evaluate` then ends
                hopeless evaluations of its samples.

        Returns:
            One `OrderedDict` of parameters per sample. The list is empty if the budget is spent, or
            if a stream has returned all samples of it.

        Raises:
            NothingAcceptedError: As for `fit`.
            RuntimeError: If all open samples are already asked for and the next batch needs their
                missing scores, or while `fit` runs.
            SaveDirectoryError: As for `fit`.

        Example:
            ```python
            while samples := shac.ask():
                shac.tell(samples, [sample["x"] ** 2 for sample in samples])
            ```
        """
        n = None if n is None else check_positive("n", n)
        relax_checks, rule = check_flag("relax_checks", relax_checks), get_pruning(pruning)
        with self._turns.step("ask()"):
            run = self._require_run_to_go_on()
            search, is_part = run.search, n is not None and run.search.settings.pace.is_stream
            with run.writing():
                # A crash may have come between the last score of a batch and its closing.
                run.close_complete()
                if search.is_spent:
                    return []
                run.make_up(Admission.ACCURATE)
                free, wanted = self._asked.free(search), n if n is not None and is_part else 1
                while len(free) < wanted and search.may_draw:
                    epoch = search.batch_number_of(search.start_of_batch)
                    number = wanted - len(free) if is_part else None
                    run.draw(relax_checks, self._parallelism.generators(epoch), number, rule)
                    free = self._asked.free(search)
                return self._asked.hand_out(search, free[:n])

    def tell(
        self,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        scores: Result | Sequence[Result],
        *,
        skip_cv_checks: bool = False,
    ) -> None:
        """Adds the scores of samples that `ask` returned, in any order.

        The last score of a batch trains the classifier that is due and saves the run.

        Args:
            parameters: The samples that `ask` returned, or one of them.
            scores: A score for each sample, or the one score; NaN for a failed evaluation. A
                mapping has its score as `score` and further values besides it. A result of
                `pyshac.evaluate` is also allowed; it keeps the curve.
            skip_cv_checks: As for `fit`.

        Raises:
            EvaluationError: If a whole batch failed; everything is saved.
            OSError: If the disk failed. Call `tell` with the same scores again once it works.
            RuntimeError: While `fit` runs.
            TypeError: If a score is not a number, or a further value is not allowed.
            ValueError: If a sample was not asked for, or already has a score.

        Example:
            ```python
            first, second = shac.ask(2)
            shac.tell(first, 0.7)
            shac.tell([second], [float("nan")])  # the second one failed
            ```
        """
        samples, values = as_lists(parameters, scores)
        skip_cv_checks = check_flag("skip_cv_checks", skip_cv_checks)
        with self._turns.step("tell()"):
            run = self._require_run()
            numbers = self._asked.find(run.search.space, samples)
            told = self._asked.results(numbers, samples, values)
            if not told:
                return
            try:
                with run.writing():
                    run.take_in(new_scores(run.search.dataset, told), skip_cv_checks)
                    run.close_complete()
            except EvaluationError:
                # The scores are in, all the same.
                self._asked.settle(numbers)
                raise
            self._asked.settle(numbers)

    # The whole circle

    @overload
    def fit(
        self, evaluation_function: EvaluationFunction | None = None, skip_cv_checks: bool = False,
        early_stop: bool = False, relax_checks: bool = False, callbacks: Callbacks | None = None,
        *, timeout: float | None = None, retries: int = 1, catch: ExceptionTypes = (),
        fresh_process: bool = False, verbose: int = 1, max_seconds: float | None = None,
        pruning: str | Pruning | None = None, total_steps: int | None = None,
    ) -> History: ...  # fmt: skip
    @overload
    def fit(
        self, skip_cv_checks: bool, early_stop: bool = False, relax_checks: bool = False,
        callbacks: Callbacks | None = None, *, timeout: float | None = None, retries: int = 1,
        catch: ExceptionTypes = (), fresh_process: bool = False, verbose: int = 1,
        max_seconds: float | None = None,
        pruning: str | Pruning | None = None, total_steps: int | None = None,
        evaluation_function: EvaluationFunction | None = None,
    ) -> History: ...  # fmt: skip
    @renamed_arguments(eval_fn="evaluation_function")
    @optional_function(is_not_flag)
    def fit(
        self,
        evaluation_function: EvaluationFunction | None = None,
        skip_cv_checks: bool = False,
        early_stop: bool = False,
        relax_checks: bool = False,
        callbacks: Callbacks | None = None,
        *,
        timeout: float | None = None,
        retries: int = 1,
        catch: ExceptionTypes = (),
        fresh_process: bool = False,
        verbose: int = 1,
        max_seconds: float | None = None,
        pruning: str | Pruning | None = None,
        total_steps: int | None = None,
    ) -> History:
        """Runs the search: draws batches, evaluates them in slots, and trains classifiers.

        Each score is on disk before its slot gets the next sample. The run is saved after each
        batch and when `fit` ends. If the budget is spent, `fit` evaluates nothing.

        Args:
            evaluation_function: The function to optimise, unless the constructor has it. It
                receives the number of its slot (the worker id) and an `OrderedDict` of parameters.
                It returns a number, or a mapping with `score` and further values. It may be a
                lambda, a closure or a function defined in a notebook.
            skip_cv_checks: Also keep classifiers whose accuracy in 5-fold cross validation is below
                1/2. This is useful for small batches. With the default method and classifier, and
                without `early_stop`, each stage then adds a classifier.
            early_stop: Stop at the first stage whose classifier is refused.
            relax_checks: If no sample passes all classifiers, ignore the rejection of any one
                classifier, then of two, and so on.
            callbacks: The callbacks. A `History` is added.
            timeout: The time limit of each evaluation, in seconds. It needs worker processes or an
                executor, where the evaluation is interrupted.
            retries: How often an evaluation is retried, alone, if its worker died.
            catch: Exception types that make an evaluation a failed sample, which has no score and
                counts as not good in training. Any other exception stops the run.
            fresh_process: Evaluate each sample in a new process, which frees all memory. It needs
                the engine's own worker processes.
            verbose: 0 for no output, 1 for a `ProgressBar`, 2 for a line per evaluation as well.
            max_seconds: The time limit of the run. After it no evaluation starts; running ones
                finish and `fit` returns. The next `fit` continues.
            pruning: 'halving', 'median', 'forecast', or a rule such as `HalvingPruning(eta=4)`. It
                ends evaluations whose reported curves are hopeless next to those of earlier
                batches. None prunes nothing. A batch keeps the rule it was drawn with.
            total_steps: The number of steps after which no evaluation starts, as with
                `max_seconds`. The steps of a run are the last steps of all its curves, added up.

        Returns:
            The `History` of the run.

        Raises:
            EvaluationError: If an evaluation raised an exception of a type not in `catch`, or a
                whole batch failed.
            KeyboardInterrupt: After Ctrl-C. The message tells what is saved and how to continue.
            NothingAcceptedError: If the cascade of the paper's method accepts nothing.
            RuntimeError: If there is no evaluation function or no search space, or `fit` runs.
            SaveDirectoryError: If the save directory holds another run, or is in use.
            TypeError: If an evaluation returned neither a number nor such a mapping.

        Example:
            ```python
            history = shac.fit(evaluate, timeout=600, catch=MemoryError)
            ```
        """
        function = check_function(evaluation_function)
        if function is None:
            function = self._function
        if function is None:
            raise RuntimeError(
                "There is no evaluation function: hand it to the constructor or to fit()."
            )
        policy = FailurePolicy(timeout, retries, as_types(catch), fresh_process)
        max_seconds = check_seconds("max_seconds", max_seconds)
        steps = None if total_steps is None else check_positive("total_steps", total_steps)
        number, backend = self._parallelism.num_evaluators, self._parallelism.backend
        options = FitOptions(skip_cv_checks, early_stop, relax_checks, get_pruning(pruning))
        new_loop = functools.partial(self._new_loop, FitLoop, callbacks, verbose)
        with self._turns.looping("fit()", new_loop) as loop:
            self._directory.refuse_another_run()
            pool = SlotPool(self._make_evaluator(), function, number, backend, policy)
            self._asked.clear()
            return loop.spend_budget(pool, options, max_seconds, steps)

    def stop(self) -> None:
        """Makes a running `fit` return. Call it from a callback or another thread.

        No further sample starts. Running evaluations, drawing and training finish. The search
        learns from a batch that is then complete; an incomplete one stays open for the next `fit`
        or `ask`. With a seed, the continued run equals one that never stopped, except a stream.
        `fit_dataset` trains no more classifiers. If neither runs, `stop` does nothing.
        """
        loop = self._turns.loop
        if loop is not None:
            loop.stop()

    @renamed_arguments(dataset_path="path")
    def fit_dataset(
        self,
        path: SavePath,
        skip_cv_checks: bool = False,
        early_stop: bool = False,
        presort: bool = True,
        callbacks: Callbacks | None = None,
        *,
        verbose: int = 1,
    ) -> History:
        """Trains the cascade on samples that were evaluated elsewhere, and saves the run.

        Args:
            path: A CSV file with the columns `id`, one per parameter (`name_1` to `name_n` for
                multi parameters) and `scores`, in this order. It needs at least `total_budget`
                rows, and only these count. An empty score is a failed sample.
            skip_cv_checks: As for `fit`.
            early_stop: As for `fit`.
            presort: Sort the rows from the worst to the best score first. Each stage then learns
                from better samples than the one before.
            callbacks: The callbacks. A `History` is added.
            verbose: As for `fit`.

        Returns:
            The `History`; its `device_ids` are None.

        Raises:
            FileNotFoundError: If there is no such file.
            RuntimeError: If there are no parameters, the engine has evaluations, or `fit` runs.
            ValueError: If the file has other columns, too few rows, or a value that its column does
                not allow. The message names the line and column.

        Example:
            ```python
            history = shac.fit_dataset("evaluated.csv", presort=False)
            ```
        """
        options = FitOptions(skip_cv_checks, early_stop, False)
        presort = check_flag("presort", presort)
        new_loop = functools.partial(self._new_loop, DatasetLoop, callbacks, verbose)
        with self._turns.looping("fit_dataset()", new_loop) as loop:
            return loop.learn_dataset(absolute_path("path", path), presort, options)

    def _new_loop(self, kind: type[AnyLoop], callbacks: Callbacks | None, verbose: int) -> AnyLoop:
        told = callbacks_of_loop(callbacks, verbose)
        told.set_engine(self)
        return kind(self._require_run_to_go_on(), told, self._parallelism.generators)

    def predict(
        self,
        num_batches: int = 1,
        num_workers_per_batch: int | None = None,
        relax_checks: bool = False,
        max_classfiers: int | None = None,
        *,
        num_samples: int | None = None,
        max_classifiers: int | None = None,
    ) -> list[OrderedDict[str, Any]]:
        """Returns samples that the cascade accepts, the most promising first.

        By the default method, they are different and not evaluated yet, while there are such
        samples. Without evaluations, and by the paper's method, they are draws without a ranking.

        Args:
            num_batches: The number of samples, as a multiple of the engine's number of batches.
            num_workers_per_batch: The number of generators; None for `num_parallel_generators`.
                Samples do not depend on it.
            relax_checks: As for `fit`.
            max_classfiers: Use only this many classifiers, from the first on; None for all.
            num_samples: The number of samples, instead of `num_batches`.
            max_classifiers: The correct spelling of `max_classfiers`.

        Returns:
            One `OrderedDict` of parameters per sample. Each call returns other samples.

        Raises:
            NothingAcceptedError: If the cascade accepts nothing.
            RuntimeError: If there are no parameters.
            ValueError: If there are fewer classifiers than asked for.

        Example:
            ```python
            best, *others = shac.predict(num_samples=5)
            ```
        """
        if num_samples is None:
            num_samples = check_positive("num_batches", num_batches) * self.num_batches
        number = check_positive("num_samples", num_samples)
        relax_checks = check_flag("relax_checks", relax_checks)
        with self._turns.lock:
            search = self._require_run_to_go_on().search
            count = check_count(max_classfiers, max_classifiers, len(search.cascade))
            generators = self._parallelism.generators(search.batch_number)
            if num_workers_per_batch is not None:
                workers = check_positive("num_workers_per_batch", num_workers_per_batch)
                generators = Generators(workers, self.generator_backend)
            self._num_predictions += 1
            return search.predict(number, count, self._num_predictions, relax_checks, generators)
