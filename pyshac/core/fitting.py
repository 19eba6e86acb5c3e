"""The loop of `fit`: batch after batch, told to callbacks, with slots between ask and tell."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyshac.core import files, seeding
from pyshac.core.callbacks import CallbackList, History
from pyshac.core.cascade import Training
from pyshac.core.dataset import read_csv
from pyshac.core.evaluation import SlotPool
from pyshac.core.run import Run
from pyshac.core.sampler import Generators
from pyshac.core.search import Batch
from pyshac.core.seeding import Purpose
from pyshac.core.worker import Task

logger = logging.getLogger("pyshac")


@dataclass(frozen=True)
class FitOptions:
    """How `fit` trains and samples; the names are those of its arguments."""

    skip_cv_checks: bool
    early_stop: bool
    relax_checks: bool
    reuse_samples: bool


class FitLoop:
    """Spends the budget of a run.

    Args:
        run: The run.
        callbacks: Who is told what happens.
        generators: Returns who draws proposals, given the epoch.
    """

    def __init__(
        self, run: Run, callbacks: CallbackList, generators: Callable[[int], Generators]
    ) -> None:
        self._run = run
        self._callbacks = callbacks
        self._generators = generators

    def fit(self, pool: SlotPool, options: FitOptions) -> History:
        """Evaluates batches in the slots of `pool` until the budget is spent."""
        run = self._run
        with contextlib.ExitStack() as stack:
            if not run.is_spent:
                stack.enter_context(run.writing())
                stack.enter_context(pool)
            self._callbacks.on_train_begin({"begin_run_index": len(run.search.dataset)})
            with _saving_on_error(run):
                while not run.is_spent and self._evaluate_batch(pool, options):
                    pass
        return self._end()

    def _evaluate_batch(self, pool: SlotPool, options: FitOptions) -> bool:
        """Draws, evaluates and learns from one batch; says whether the run goes on."""
        run, epoch = self._run, self._run.epoch
        generators = self._generators(epoch)
        logs = self._begin_epoch(epoch, generators.number)
        batch = run.current_batch(options.relax_checks, generators)
        if batch is None:
            raise RuntimeError("A batch was to be evaluated after the budget was spent.")
        parameters = logs["parameters"] = run.search.parameters(batch)
        logger.info("Epoch %d: %d samples to evaluate.", epoch, len(batch.pending))
        self._callbacks.on_evaluation_begin(parameters, logs)
        for outcomes in pool.run(self._tasks(batch)):
            run.record(batch, [(o.task.id, o.score, o.worker_id) for o in outcomes])
        logs["device_ids"] = [batch.worker_ids[number] for number in batch.ids]
        self._end_evaluation(logs, run.search.dataset.Y[batch.start :])
        training = run.finish_batch(not options.skip_cv_checks, options.reuse_samples)
        return self._end_epoch(epoch, logs, training, options)

    def fit_dataset(self, path: Path, presort: bool, options: FitOptions) -> History:
        """Learns from the batches of a dataset file."""
        run = self._run
        samples = self._read_samples(path, presort)
        with run.writing():
            self._callbacks.on_train_begin({"begin_run_index": 0})
            for row, score in samples:
                run.search.dataset.add_sample(row, score)
            with _saving_on_error(run):
                try:
                    while not run.is_spent and self._learn_from_batch(options):
                        pass
                finally:
                    # Where training stops early, the other samples were evaluated all the same.
                    run.search.num_complete = len(samples)
                run.save()
        return self._end()

    def _learn_from_batch(self, options: FitOptions) -> bool:
        """Learns from one batch that is there already; says whether the run goes on."""
        run, epoch, start = self._run, self._run.epoch, self._run.search.num_complete
        logs = self._begin_epoch(epoch, 0)
        batch = Batch(start, run.search.dataset.X[start : start + run.schedule.num_workers])
        parameters = logs["parameters"] = run.search.parameters(batch)
        self._callbacks.on_evaluation_begin(parameters, logs)
        logs["device_ids"] = [None] * len(batch.rows)
        self._end_evaluation(logs, run.search.dataset.Y[start : batch.ids.stop])
        training = run.search.advance(
            batch.ids.stop, run.schedule, not options.skip_cv_checks, options.reuse_samples
        )
        return self._end_epoch(epoch, logs, training, options)

    def _read_samples(self, path: Path, presort: bool) -> list[tuple[list[Any], float]]:
        """Reads the first samples of a dataset file, as many as the budget; the worst first."""
        space, budget = self._run.search.space, self._run.schedule.total_budget
        text = files.decode_text(files.read_bounded(path, files.MAX_CSV_BYTES), path)
        samples = [(row, score) for _, row, score in read_csv(text, space, str(path))]
        if len(samples) < budget:
            raise ValueError(
                f"{str(path)!r} must have at least {budget} rows, the total budget. "
                f"Got {len(samples)} instead."
            )
        if len(samples) > budget:
            logger.warning("%s has %d rows; the first %d count.", path, len(samples), budget)
            samples = samples[:budget]
        if presort:
            scores = np.array([score for _, score in samples])
            ascending = scores if self._run.search.objective == "max" else -scores
            order = np.argsort(np.nan_to_num(ascending, nan=-np.inf), kind="stable")
            samples = [samples[index] for index in order]
        return samples

    def _tasks(self, batch: Batch) -> Iterator[Task]:
        search = self._run.search
        for number in batch.pending:
            seed = None
            if self._run.is_seeded:
                stream = seeding.stream(search.entropy, Purpose.EVALUATE, number)
                seed = seeding.as_integer(stream)
            yield Task(number, search.space.to_parameters(batch.row(number)), seed)

    def _begin_epoch(self, epoch: int, generators: int) -> dict[str, Any]:
        logs: dict[str, Any] = {
            "generator_threads": generators,
            "per_classifier_budget": self._run.schedule.per_classifier_budget,
        }
        self._callbacks.on_epoch_begin(epoch, logs)
        return logs

    def _end_evaluation(self, logs: dict[str, Any], evaluations: list[float]) -> None:
        logs["evaluations"] = evaluations
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
        history = self._callbacks.history
        self._callbacks.on_train_end(history.history)
        return history


@contextlib.contextmanager
def _saving_on_error(run: Run) -> Iterator[None]:
    """Saves on the way out of an error, and lets the error pass."""
    try:
        yield
    except BaseException:
        try:
            run.save()
        except (OSError, ValueError) as error:
            logger.error("Could not save to %s: %s", run.path, error)
        raise
