"""FitLoop: draws batches, evaluates them in slots, learns from them, and calls the callbacks."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyshac.core.basics import files, seeding, signals
from pyshac.core.basics.results.details import UNKNOWN, Details, as_datetime
from pyshac.core.basics.seeding import Purpose
from pyshac.core.basics.streams import usable_streams
from pyshac.core.callbacks.callback import Callback
from pyshac.core.callbacks.callback_list import CallbackList
from pyshac.core.callbacks.figures import first_line, last_line
from pyshac.core.callbacks.history import History
from pyshac.core.callbacks.progress_bar import ProgressBar, check_verbose
from pyshac.core.classifiers.training import Admission, Training, admission
from pyshac.core.dataset.formats.csv_file import read_csv
from pyshac.core.evaluation.rounds import Outcome
from pyshac.core.evaluation.slot_pool import SlotPool
from pyshac.core.evaluation.worker import Task
from pyshac.core.run.run import Run
from pyshac.core.sampling.generators import Generators
from pyshac.core.search.batch import Batch
from pyshac.core.search.pruning.rule import Pruning
from pyshac.core.search.schedule import Schedule

logger = logging.getLogger("pyshac")


@dataclass(frozen=True)
class FitOptions:
    """Options of training and sampling, named like the arguments of `fit`."""

    skip_cv_checks: bool
    early_stop: bool
    relax_checks: bool
    pruning: Pruning | None = None

    @property
    def admission(self) -> Admission:
        """Which classifiers join the cascade."""
        return admission(self.skip_cv_checks, self.early_stop)


class FitLoop:
    """Spends the budget of a run.

    Args:
        run: The run.
        callbacks: The callbacks.
        generators: Returns the generators of a batch, given its number from 1.
    """

    def __init__(
        self, run: Run, callbacks: CallbackList, generators: Callable[[int], Generators]
    ) -> None:
        self._run = run
        self._callbacks = callbacks
        self._generators = generators
        self._must_stop = False
        self._deadline = math.inf
        self._steps_left: float = math.inf
        self._first_error: Exception | None = None
        self._started: float | None = None

    def stop(self) -> None:
        """Starts no further sample and no further batch, so that `fit` returns."""
        self._must_stop = True

    def spend_budget(
        self,
        pool: SlotPool,
        options: FitOptions,
        max_seconds: float | None = None,
        total_steps: int | None = None,
    ) -> History:
        """Evaluates batches in the slots of a pool until the budget is spent.

        Args:
            pool: The slots.
            options: Options of training and sampling.
            max_seconds: Time after which nothing starts; None for no limit.
            total_steps: Number of steps of all curves after which nothing starts; None for no
                limit.
        """
        run = self._run
        if total_steps is not None:
            self._steps_left = total_steps - run.search.dataset.details.curves.total_steps
        if max_seconds is not None:
            self._deadline = time.monotonic() + max_seconds
        with self._surroundings():
            with contextlib.ExitStack() as stack:
                if not run.search.is_spent or run.directory.keeps_former:
                    stack.enter_context(run.writing_in_steps())
                    stack.enter_context(pool)
                self._begin(len(run.search.dataset))
                with _saving_on_error(run):
                    while not self._is_over and self._evaluate_batch(pool, options):
                        pass
            return self._end()

    def _evaluate_batch(self, pool: SlotPool, options: FitOptions) -> bool:
        """Draws, evaluates and learns from a batch; returns whether the run goes on."""
        run, epoch = self._run, self._run.search.batch_number
        generators = self._generators(epoch)
        logs = self._begin_epoch(epoch, generators.number)
        batch = self._open_batch(epoch, options, generators, logs)
        logs["cascade_in_force"] = batch.num_checks
        parameters = logs["parameters"] = run.search.parameters(batch)
        logger.info(
            "Batch %d of %d: %d samples to evaluate.",
            epoch, run.search.last_batch_number, len(batch.pending),
        )  # fmt: skip
        self._callbacks.on_evaluation_begin(parameters, logs)
        self._fill_slots(pool, batch)
        if batch.pending:
            run.save()
            return False
        logs["device_ids"] = [batch.worker_ids[number] for number in batch.ids]
        self._end_evaluation(logs, run.search.dataset.Y[batch.start :], batch.start)
        training = self._learn(logs, lambda: run.close_batch(options.admission))
        return self._end_epoch(epoch, logs, training, options)

    def _open_batch(
        self, epoch: int, options: FitOptions, generators: Generators, logs: dict[str, Any]
    ) -> Batch:
        """Returns the batch that an earlier `fit` left open, or draws one."""
        if self._run.search.batch is not None:
            return self._run.search.batch
        started = time.monotonic()
        self._callbacks.on_draw_begin(epoch, logs)
        batch = self._run.next_batch(options.relax_checks, generators, options.pruning)
        if batch is None:
            raise RuntimeError("A batch was to be evaluated after the budget was spent.")
        logger.info("Drew %d samples in %.1f s.", len(batch.rows), time.monotonic() - started)
        self._callbacks.on_draw_end(epoch, logs)
        return batch

    def _fill_slots(self, pool: SlotPool, batch: Batch) -> None:
        """Evaluates the rest of a batch, or a part of it if the run is stopped."""
        try:
            for outcomes in pool.run(
                self._tasks(batch), self._tell_start, lambda: self._is_stopping
            ):
                self._take(batch, outcomes)
        except BaseException as error:
            try:
                # After Ctrl-C there is time; a process that was asked to end has none.
                if type(error) is KeyboardInterrupt:
                    pool.outlast()
            finally:
                # An interruption may come between the end of an evaluation and its handover.
                self._take(batch, pool.unclaimed())
            raise
        if self._first_error is not None:
            raise self._first_error

    def _take(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Adds outcomes to the run, and notifies the callbacks."""
        new = [outcome for outcome in outcomes if outcome.task.id not in batch.worker_ids]
        with self._after_running():
            self._run.take_in([(o.task.id, o.score, o.details) for o in new])
        for outcome in new:
            if outcome.task.id in batch.worker_ids:
                self._steps_left -= outcome.details.num_steps
                self._tell_end(outcome)

    def _tell_start(self, task: Task, worker_id: int) -> None:
        logs = {"parameters": task.parameters, "worker_id": worker_id}
        with self._after_running():
            self._callbacks.on_sample_begin(task.id, logs)

    def _tell_end(self, outcome: Outcome) -> None:
        task = outcome.task
        logs = _sample_logs(task.parameters, outcome.details)
        logger.debug("Sample %d: score %r.", task.id, outcome.score)
        with self._after_running():
            self._callbacks.on_sample_end(task.id, outcome.score, logs)

    @contextlib.contextmanager
    def _after_running(self) -> Iterator[None]:
        """Defers an error of a callback or the disk until running evaluations have finished."""
        try:
            yield
        except Exception as error:
            self._must_stop = True
            self._first_error = self._first_error or error

    def _learn(
        self, logs: dict[str, Any], close_batch: Callable[[], Training | None]
    ) -> Training | None:
        """Closes the open batch; notifies the callbacks if a classifier is trained."""
        search = self._run.search
        if not search.is_classifier_due:
            return close_batch()
        number = len(search.cascade) + 1
        self._callbacks.on_classifier_begin(number, logs)
        training = close_batch()
        if training is not None:
            outcome = {"model": training.classifier, "reason": training.reason}
            self._callbacks.on_classifier_end(number, {**logs, **outcome})
        return training

    def learn_dataset(self, path: Path, presort: bool, options: FitOptions) -> History:
        """Learns from the batches of a dataset file.

        Raises:
            RuntimeError: If the run has evaluations already.
        """
        run = self._run
        if len(run.search.dataset) or run.search.batch is not None:
            raise RuntimeError(
                f"The engine has {len(run.search.dataset)} evaluations already, or a batch that "
                "was asked for, which would be lost. Make a new engine with a save_dir of its own."
            )
        samples = self._read_samples(path, presort)
        with self._surroundings():
            with run.writing_in_steps():
                self._begin(0)
                run.search.replace_dataset(samples)
                with _saving_on_error(run):
                    try:
                        while not self._is_over and self._learn_from_batch(options):
                            pass
                    finally:
                        # Samples are complete even if training on them stops early.
                        run.search.close_all()
                    run.save()
            return self._end()

    def _learn_from_batch(self, options: FitOptions) -> bool:
        """Learns from a batch that has its scores already; returns whether the run goes on."""
        search, epoch = self._run.search, self._run.search.batch_number
        logs = self._begin_epoch(epoch, 0)
        batch = search.adopt_batch()
        logs["cascade_in_force"] = batch.num_checks
        scores = search.dataset.Y[batch.start : batch.ids.stop]
        parameters = logs["parameters"] = search.parameters(batch)
        self._callbacks.on_evaluation_begin(parameters, logs)
        for number, score, sample in zip(batch.ids, scores, parameters, strict=True):
            self._callbacks.on_sample_end(number, score, _sample_logs(sample, UNKNOWN))
        logs["device_ids"] = [None] * len(batch.rows)
        self._end_evaluation(logs, scores, batch.start)
        training = self._learn(logs, lambda: self._run.learn_batch(options.admission))
        return self._end_epoch(epoch, logs, training, options)

    def _read_samples(self, path: Path, presort: bool) -> list[tuple[list[Any], float]]:
        """Reads the first N samples of a dataset file; if presorted, the worst come first."""
        space, budget = self._run.search.space, self._schedule.total_budget
        with files.open_text(path) as file:
            samples = [(row, score) for _, row, score in read_csv(file, space, str(path))]
        if len(samples) < budget:
            raise ValueError(
                f"{str(path)!r} must have at least {budget} rows, the total budget. "
                f"Got {len(samples)} instead."
            )
        if len(samples) > budget:
            logger.warning("%r has %d rows; the first %d count.", str(path), len(samples), budget)
            samples = samples[:budget]
        for place, (row, _) in enumerate(samples, 1):
            try:
                space.check_constraints(row)
            except ValueError as error:
                raise ValueError(f"{str(path)!r}, sample {place}: {error}") from None
        if presort:
            scores = np.array([score for _, score in samples])
            objective = self._run.search.settings.objective
            order = np.argsort(objective.worst_first(scores), kind="stable")
            samples = [samples[index] for index in order]
        return samples

    def _tasks(self, batch: Batch) -> Iterator[Task]:
        search = self._run.search
        for number in batch.pending[: search.room]:
            seed = None
            if self._run.is_seeded:
                stream = seeding.stream(search.entropy, Purpose.EVALUATE, number)
                seed = seeding.as_integer(stream)
            yield Task(
                number,
                search.space.to_parameters(batch.row(number)),
                seed,
                limits=None if batch.limits is None else tuple(batch.limits),
                sign=search.settings.objective.sign,
            )

    @property
    def _schedule(self) -> Schedule:
        return self._run.search.settings.schedule

    @property
    def _is_over(self) -> bool:
        return self._run.search.is_spent or self._is_stopping

    @property
    def _is_stopping(self) -> bool:
        is_late = time.monotonic() >= self._deadline or self._steps_left <= 0
        return self._must_stop or is_late

    def _begin(self, begin_run_index: int) -> None:
        self._started = time.monotonic()
        logger.info("%s.", first_line(self._callbacks.engine))
        self._callbacks.on_train_begin({"begin_run_index": begin_run_index})

    def _begin_epoch(self, epoch: int, generators: int) -> dict[str, Any]:
        logs: dict[str, Any] = {
            "generator_threads": generators,
            "per_classifier_budget": self._schedule.per_classifier_budget,
        }
        self._callbacks.on_epoch_begin(epoch, logs)
        return logs

    def _end_evaluation(self, logs: dict[str, Any], evaluations: list[float], start: int) -> None:
        logs["evaluations"] = evaluations
        scores = [score for score in evaluations if not math.isnan(score)]
        are_pruned = self._run.search.dataset.details.curves.are_pruned
        pruned = int(are_pruned[start : start + len(evaluations)].sum())
        logger.info(
            "%d samples evaluated, %d of them failed%s; scores from %.6g to %.6g.",
            len(evaluations), len(evaluations) - len(scores) - pruned,
            f", {pruned} pruned" if pruned else "",
            min(scores, default=math.nan), max(scores, default=math.nan),
        )  # fmt: skip
        logs["dataset_index"] = self._run.search.stage_start
        self._callbacks.on_evaluation_ended(evaluations, logs)
        self._callbacks.on_dataset_changed(self._run.search.dataset, logs)

    def _end_epoch(
        self, epoch: int, logs: dict[str, Any], training: Training | None, options: FitOptions
    ) -> bool:
        logs["model"] = training.classifier if training else None
        self._callbacks.on_epoch_end(epoch, logs)
        if options.early_stop and training is not None and training.classifier is None:
            logger.info("Stopping early: %s.", training.reason)
            return False
        return True

    def _end(self) -> History:
        self._log_end()
        history = self._callbacks.history
        self._callbacks.on_train_end(history.history)
        return history

    def _log_end(self, error: BaseException | None = None) -> None:
        seconds = time.monotonic() - (self._started or 0.0)
        logger.info("%s.", last_line(self._callbacks.engine, seconds, error))

    @contextlib.contextmanager
    def _surroundings(self) -> Iterator[None]:
        """Prepares streams and signals for a loop, and tells the callbacks of its error."""
        with usable_streams(), signals.ending_on_signals():
            try:
                yield
            except BaseException as error:
                if self._started is not None:
                    self._log_end(error)
                self._callbacks.on_train_error(error, self._callbacks.history.history)
                if isinstance(error, signals.TerminatedError):
                    # The signal ends the process where this block ends.
                    logger.warning("%s", self._run.interruption())
                elif type(error) is KeyboardInterrupt:
                    raise KeyboardInterrupt(self._run.interruption()) from None
                raise


def callbacks_of_loop(
    callbacks: Iterable[Callback] | Callback | None, verbose: int
) -> CallbackList:
    """Returns the callbacks of a loop, with a progress bar if one is wanted."""
    told = CallbackList(callbacks)
    is_shown = any(isinstance(callback, ProgressBar) for callback in told)
    level = check_verbose(verbose)
    if level and not is_shown:
        told.append(ProgressBar(each_sample=level == 2))
    return told


def _sample_logs(parameters: OrderedDict[str, Any], details: Details) -> dict[str, Any]:
    return {
        "parameters": parameters,
        "worker_id": details.slot,
        "failure": details.failure,
        "started": as_datetime(details.started),
        "seconds": details.seconds,
        "extras": dict(details.extras),
        "curve": details.curve,
        "pruned": details.is_pruned,
    }


@contextlib.contextmanager
def _saving_on_error(run: Run) -> Iterator[None]:
    """Saves if an error leaves the block, and raises it again."""
    try:
        yield
    except BaseException:
        try:
            run.save()
        except (OSError, ValueError) as error:
            logger.error("Could not save to %r: %s", str(run.directory.path), error)
        raise
