"""The engines: `_SHAC`, which knows the whole circle of a run, and `SHAC`, for plain functions.

    search space -> samples -> evaluation -> dataset -> cascade -> samples ...

`ask` and `tell` are the two halves of the circle; `fit` is a loop over them, with slots between.
"""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyshac.core.basics import plain_values, seeding
from pyshac.core.basics.checks import check_positive, check_score
from pyshac.core.basics.seeding import Purpose
from pyshac.core.callbacks.callback import Callback
from pyshac.core.callbacks.callback_list import CallbackList
from pyshac.core.callbacks.history import History
from pyshac.core.callbacks.progress_bar import ProgressBar, check_verbose
from pyshac.core.engine.call_forms import is_not_flag, optional_function
from pyshac.core.engine.fit_loop import FitLoop, FitOptions
from pyshac.core.engine.run import Run, check_same_space
from pyshac.core.engine.state import EngineState, check_function
from pyshac.core.evaluation.slot_pool import FailurePolicy, SlotPool
from pyshac.core.evaluation.worker import Evaluator
from pyshac.core.sampling.block_source import Generators


class _SHAC(EngineState, ABC):
    """What all engines share. A subclass says what surrounds one evaluation.

    Args:
        evaluation_function: What is to be optimised. May be left out, also by position, and
            handed to `fit` instead.
        hyperparameter_list: The search space: a list of hyperparameters or a
            `HyperParameterList`. None if it comes from the save directory.
        total_budget: N, number of evaluations.
        num_batches: M, number of batches; N must be divisible by it.
        objective: 'max' or 'min'.
        max_classifiers: Highest number of classifiers to train; 18 is the paper's.
        save_dir: Directory in which the search is saved. Nothing is written before `fit`, `ask`
            or `save_data` is called.
        method: 'default', or 'paper' for the procedure as it was published, without what makes
            the default find better scores.
        classifier: A classifier as in scikit-learn, to be trained at each stage instead of the
            library's own boosted trees. It is copied, and every `random_state` it has is set.

    Raises:
        TypeError: If an argument is of a wrong type.
        ValueError: If an argument has a value that is not allowed.

    References:
        Kumar, Dahl, Vasudevan, Norouzi: Parallel Architecture and Hyperparameter Search via
        Successive Halving and Classification, https://arxiv.org/abs/1805.10255
    """

    _loop: FitLoop | None = None

    @abstractmethod
    def _make_evaluator(self) -> Evaluator:
        """Returns what surrounds each call of the evaluation function; it must be picklable."""

    # The two halves of the circle

    def ask(
        self, n: int | None = None, *, relax_checks: bool = False
    ) -> list[OrderedDict[str, Any]]:
        """Returns samples of the running batch to be evaluated; draws the batch if need be.

        Args:
            n: At most so many samples; None for all of the batch that were not asked for yet.
            relax_checks: As for `fit`.

        Returns:
            Parameters, one `OrderedDict` a sample; empty if the budget is spent.

        Raises:
            RuntimeError: If the whole batch was asked for, and some of its scores are missing:
                the next batch depends on them.
        """
        if n is not None:
            n = check_positive("n", n)
        run = self._require_run()
        with run.writing():
            if run.search.batch is not None and not run.search.batch.pending:
                # A crash came between the batch's last score and what follows from it.
                run.finish_batch(True)
            batch = run.current_batch(relax_checks, self._generators(run.epoch))
        if batch is None:
            return []
        numbers = [number for number in batch.pending if number not in self._asked][:n]
        if not numbers:
            raise RuntimeError(
                f"All samples of this batch were asked for, and {len(batch.pending)} have no "
                "score yet: tell their scores before asking for more."
            )
        for number in numbers:
            self._asked[number] = _identity(batch.row(number))
        return [run.search.space.to_parameters(batch.row(number)) for number in numbers]

    def tell(
        self,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        scores: float | Sequence[float],
        *,
        skip_cv_checks: bool = False,
    ) -> None:
        """Takes in the scores of samples that `ask` returned, in any order.

        The last score of a batch trains the classifier that is due, and saves.

        Args:
            parameters: What `ask` returned, or one item of it.
            scores: As many scores, or one; NaN for an evaluation that failed.
            skip_cv_checks: As for `fit`.

        Raises:
            TypeError: If a score is not a number.
            ValueError: If a sample was not asked for, or has a score already.
        """
        run = self._require_run()
        if isinstance(parameters, Mapping):
            parameters, scores = [parameters], [scores]  # type: ignore[list-item]
        if not isinstance(scores, Iterable):
            raise TypeError(f"scores must be as many as parameters. Got {scores!r} instead.")
        samples, values = list(parameters), list(scores)
        if len(samples) != len(values):
            raise ValueError(
                f"scores must be as many as parameters. Got {len(values)} scores for "
                f"{len(samples)} samples."
            )
        numbers = self._find_asked(run, samples)
        told = [
            (number, check_score(value, f"sample {number}, {dict(sample)!r},"), None)
            for number, value, sample in zip(numbers, values, samples, strict=True)
        ]
        batch = run.search.batch
        if batch is None or not told:
            return
        with run.writing():
            run.record(batch, told)
            for number in numbers:
                del self._asked[number]
            if not batch.pending:
                run.finish_batch(not skip_cv_checks)

    def _find_asked(self, run: Run, samples: Sequence[Mapping[str, Any]]) -> list[int]:
        """Returns the samples' numbers; equal samples get theirs in the order of asking."""
        numbers: list[int] = []
        for sample in samples:
            identity = _identity(run.search.space.to_row(sample))
            found = next(
                (n for n, asked in self._asked.items() if asked == identity and n not in numbers),
                None,
            )
            if found is None:
                raise ValueError(
                    f"No sample with the parameters {dict(sample)!r} was asked for, or it has a "
                    "score already."
                )
            numbers.append(found)
        return numbers

    # The whole circle

    @optional_function(is_not_flag)
    def fit(
        self,
        evaluation_function: Callable[..., Any] | None = None,
        skip_cv_checks: bool = False,
        early_stop: bool = False,
        relax_checks: bool = False,
        callbacks: Iterable[Callback] | Callback | None = None,
        *,
        timeout: float | None = None,
        retries: int = 1,
        catch: type[BaseException] | Iterable[type[BaseException]] = (),
        fresh_process: bool = False,
        verbose: int = 1,
    ) -> History:
        """Spends the budget: draws batches, evaluates them in slots, trains the cascade.

        Everything is saved after each batch and on every way out; each score is on disk before
        its slot gets the next sample. With the budget already spent it returns at once.

        Args:
            evaluation_function: What is to be optimised, unless the constructor was given it.
                It is called with the number of its slot (the worker id) and an `OrderedDict` of
                parameters, and returns a number. May be a lambda, a closure, or typed into a
                notebook.
            skip_cv_checks: Keep classifiers whose accuracy in 5-fold cross validation is below
                one half. Useful for small batches.
            early_stop: Stop when a classifier is refused.
            relax_checks: After 2**k proposals without an accepted one, k the number of
                classifiers, overlook one more rejection.
            callbacks: Callbacks; a `History` is added.
            timeout: Seconds after which an evaluation is ended. Needs worker processes, or an
                executor, where it is interrupted.
            retries: How often an evaluation whose worker process died is tried again, alone.
            catch: Exception types whose evaluations become failed samples, without a score and
                "not good" in training. Any other exception stops the run.
            fresh_process: Evaluate every sample in a new process, so that all memory is given
                back. Needs worker processes of the engine's own.
            verbose: 1 to show a `ProgressBar`, 0 to show nothing.

        Returns:
            The `History`.

        Raises:
            EvaluationError: If an evaluation raised an exception that is not caught, or a whole
                batch failed.
            NothingAcceptedError: By the paper's method, if the cascade accepts nothing.
            RuntimeError: If there is no evaluation function, or there are no parameters.
            SaveDirectoryError: If the save directory holds another run, or is in use.
            TypeError: If an evaluation returned something other than a number.
        """
        function = check_function(evaluation_function) or self._function
        if function is None:
            raise RuntimeError(
                "There is no evaluation function: hand it to the constructor or to fit()."
            )
        run = self._require_run()
        policy = FailurePolicy(timeout, retries, _as_types(catch), fresh_process)
        backend = self._evaluators()
        policy.check(backend)
        self._asked.clear()
        told = self._begin_callbacks(callbacks, verbose)
        options = FitOptions(skip_cv_checks, early_stop, relax_checks)
        number = self.num_parallel_evaluators
        pool = SlotPool(self._make_evaluator(), function, number, backend, policy)
        with self._looping(run, told) as loop:
            return loop.fit(pool, options)

    def stop(self) -> None:
        """Ends a running `fit`, from a callback or from another thread; then it returns.

        No further sample starts. Evaluations that are running are brought in, and a batch that
        they complete is learned from. What is left of a batch stays open: the next `fit` or `ask`
        continues with it, and with a seed all goes on as if nothing had been stopped. A `fit` that
        is drawing samples or training ends that first; `fit_dataset` trains no further
        classifiers. Without a running `fit` this does nothing.
        """
        loop = self._loop
        if loop is not None:
            loop.stop()

    @contextlib.contextmanager
    def _looping(self, run: Run, callbacks: CallbackList) -> Iterator[FitLoop]:
        self._loop = FitLoop(run, callbacks, self._generators)
        try:
            yield self._loop
        finally:
            self._loop = None

    def fit_dataset(
        self,
        path: str | os.PathLike[str],
        skip_cv_checks: bool = False,
        early_stop: bool = False,
        presort: bool = True,
        callbacks: Iterable[Callback] | Callback | None = None,
        *,
        verbose: int = 1,
    ) -> History:
        """Trains the cascade from samples that were evaluated elsewhere, and saves.

        Args:
            path: A CSV file with the columns `id`, one for each parameter (`name_1` to `name_n`
                for multi parameters) and `scores`, in this order, and at least `total_budget`
                rows. The first `total_budget` rows count; an empty score is a failed sample.
            skip_cv_checks: As for `fit`.
            early_stop: As for `fit`.
            presort: Sort the rows from the worst to the best score first, so that each stage
                learns from better samples than the one before.
            callbacks: Callbacks; a `History` is added.
            verbose: As for `fit`.

        Returns:
            The `History`; `device_ids` are None.

        Raises:
            FileNotFoundError: If there is no such file.
            RuntimeError: If there are no parameters, or the engine has evaluations already.
            ValueError: If the file has other columns, too few rows, or a value that its column
                does not allow; the message names line and column.
        """
        run = self._require_run()
        if len(run.search.dataset) or run.search.batch is not None:
            raise RuntimeError(
                f"The engine has {len(run.search.dataset)} evaluations already, or a batch that "
                "was asked for, which would be lost. Make a new engine with a save_dir of its own."
            )
        options = FitOptions(skip_cv_checks, early_stop, False)
        with self._looping(run, self._begin_callbacks(callbacks, verbose)) as loop:
            return loop.fit_dataset(Path(path), presort, options)

    def _begin_callbacks(
        self, callbacks: Iterable[Callback] | Callback | None, verbose: int
    ) -> CallbackList:
        callback_list = CallbackList(callbacks)
        is_shown = any(isinstance(callback, ProgressBar) for callback in callback_list)
        if check_verbose(verbose) and not is_shown:
            callback_list.append(ProgressBar())
        callback_list.set_engine(self)
        return callback_list

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
        """Draws samples that the cascade accepts; without classifiers, from the prior.

        Args:
            num_batches: Draws this many times as many samples as the engine has batches.
            num_workers_per_batch: Number of generators; None for `num_parallel_generators`.
                Samples do not depend on it.
            relax_checks: As for `fit`.
            max_classfiers: Ask only the first so many classifiers; None for all.
            num_samples: Draw just so many samples instead.
            max_classifiers: The same as `max_classfiers`, spelled right.

        Returns:
            Parameters, one `OrderedDict` a sample. Every call draws new ones.

        Raises:
            NothingAcceptedError: If the cascade accepts nothing.
            RuntimeError: If there are no parameters.
            ValueError: If there are fewer classifiers.
        """
        run = self._require_run()
        if num_samples is None:
            num_samples = check_positive("num_batches", num_batches) * self.num_batches
        cascade = run.search.cascade.first(
            _check_count(max_classfiers, max_classifiers, len(run.search.cascade))
        )
        generators = self._generators(run.epoch)
        if num_workers_per_batch is not None:
            number = check_positive("num_workers_per_batch", num_workers_per_batch)
            generators = Generators(number, self.generator_backend)
        stream = seeding.stream(run.search.entropy, Purpose.PREDICT, self._num_predictions)
        encoded = run.search.sampler.draw(
            cascade,
            check_positive("num_samples", num_samples),
            stream,
            relax_checks,
            generators,
        )
        self._num_predictions += 1
        space = run.search.space
        return [space.to_parameters(space.decode(row)) for row in encoded]

    # The save directory

    def save_data(self) -> None:
        """Saves the dataset, the classifiers and all that is needed to continue.

        Raises:
            OSError: If that fails; what was saved before is untouched.
            RuntimeError: If there are no parameters.
            SaveDirectoryError: If the save directory holds another run, or is in use.
        """
        run = self._require_run()
        with run.writing():
            run.save()

    def restore_data(self) -> None:
        """Continues from what was saved in `save_dir`, also in the middle of a batch.

        The seed is the saved run's. Classifiers of your own kind are trained again from the
        dataset, as are those of directories of earlier PySHAC: a pickle could run any code.

        Raises:
            FileNotFoundError: If the directory holds no search.
            SaveDirectoryError: If a file is corrupt, or the search is another: of another space,
                objective, method or kind of classifier. Nothing is changed.
        """
        saved = self._directory.load(None if self._run is None else self._run.search.space)
        if self._run is not None:
            check_same_space(self._run.search.space, saved.search.space, self.save_dir)
        if saved.is_legacy and self._run is not None:
            saved.search.entropy = self._run.search.entropy
        self._run = Run.restored(
            saved,
            self._schedule,
            self._directory,
            self._objective,
            self._method,
            self._template,
        )
        self._asked.clear()
        self._num_predictions = 0


class SHAC(_SHAC):
    """Finds good hyperparameters by Successive Halving and Classification.

    The evaluation function is called as `evaluation_function(worker_id, parameters)` and returns
    a number. Arguments, attributes and errors are those of `pyshac.core.engine._SHAC`.

    Example:
        ```python
        space = [pyshac.UniformHP("x", -5, 5), pyshac.DiscreteHP("kind", ["a", "b"])]
        shac = pyshac.SHAC(evaluate, space, total_budget=100, num_batches=10, objective="min")
        shac.fit()
        print(shac.best_score, shac.best_parameters)
        ```
    """

    def _make_evaluator(self) -> Evaluator:
        return Evaluator()


def _as_types(catch: Any) -> tuple[type[BaseException], ...]:
    return tuple(catch) if isinstance(catch, Iterable) else (catch,)


def _identity(row: Sequence[Any]) -> Any:
    return plain_values.identity(tuple(plain_values.check_value(value, "A value") for value in row))


def _check_count(first: int | None, second: int | None, available: int) -> int:
    """The number of classifiers asked for under either spelling."""
    if first is not None and second is not None and first != second:
        raise ValueError(
            "max_classfiers and max_classifiers are two spellings of one argument, but got "
            f"({first!r}, {second!r})."
        )
    count = second if first is None else first
    if count is None:
        return available
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"max_classifiers must be an int or None. Got {count!r} instead.")
    if not 0 <= count <= available:
        raise ValueError(
            f"max_classifiers must be in [0, {available}], the number of classifiers there are. "
            f"Got {count} instead."
        )
    return count
