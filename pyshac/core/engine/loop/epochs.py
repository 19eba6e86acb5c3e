"""Epochs: notifies the callbacks of batches, one after the other."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

from pyshac.core.callbacks.callback_list import CallbackList
from pyshac.core.classifiers.training import Training
from pyshac.core.run.run import Run
from pyshac.core.search.batch import Batch

logger = logging.getLogger("pyshac")


class Epochs:
    """Notifies the callbacks of batches, each of which is an epoch.

    Samples and draws of later batches may be reported in between, but one epoch ends before the
    next begins.

    Args:
        run: The run.
        callbacks: The callbacks.

    Attributes:
        logs: The logs of the current epoch; None between epochs.
    """

    def __init__(self, run: Run, callbacks: CallbackList) -> None:
        self._run = run
        self._callbacks = callbacks
        self.logs: dict[str, Any] | None = None
        self._is_evaluating = False

    def new_logs(self, num_generators: int) -> dict[str, Any]:
        """Returns the initial logs of an epoch."""
        schedule = self._run.search.settings.schedule
        return {
            "generator_threads": num_generators,
            "per_classifier_budget": schedule.per_classifier_budget,
        }

    def begin(self, num_generators: int) -> dict[str, Any]:
        """Begins an epoch unless it has begun; returns its logs."""
        if self.logs is None:
            self.logs, self._is_evaluating = self.new_logs(num_generators), False
            self._callbacks.on_epoch_begin(self._run.search.batch_number, self.logs)
        return self.logs

    def begin_evaluation(self, batch: Batch) -> None:
        """Reports that the samples of an epoch will be evaluated, unless that was reported.

        A stream reports the first of them.
        """
        if self.logs is None or self._is_evaluating:
            return
        search, self._is_evaluating = self._run.search, True
        self.logs["cascade_in_force"] = batch.num_checks
        parameters = self.logs["parameters"] = search.parameters(batch.rows)
        logger.info(
            "Batch %d of %d: %d samples to evaluate.",
            search.batch_number, search.last_batch_number, len(batch.pending),
        )  # fmt: skip
        self._callbacks.on_evaluation_begin(parameters, self.logs)

    def end_evaluation(self, parts: Sequence[Batch]) -> dict[str, Any]:
        """Reports the scores of an epoch, and the classifier that is about to be trained.

        Args:
            parts: The samples of the epoch.

        Returns:
            The logs of the epoch.
        """
        search, logs = self._run.search, self.logs or {}
        if len(parts) > 1:
            checks = [part.num_checks for part in parts]
            known = [number for number in checks if number is not None]
            logs["cascade_in_force"] = min(known) if len(known) == len(checks) else None
            logs["parameters"] = search.parameters([row for part in parts for row in part.rows])
        logs["device_ids"] = [part.worker_ids[number] for part in parts for number in part.ids]
        scores = search.dataset.Y[parts[0].start : parts[-1].ids.stop]
        logs["evaluations"] = scores
        known_scores = [score for score in scores if not math.isnan(score)]
        are_pruned = search.dataset.details.curves.are_pruned
        pruned = int(are_pruned[parts[0].start : parts[-1].ids.stop].sum())
        logger.info(
            "%d samples evaluated, %d of them failed%s; scores from %.6g to %.6g.",
            len(scores), len(scores) - len(known_scores) - pruned,
            f", {pruned} pruned" if pruned else "",
            min(known_scores, default=math.nan), max(known_scores, default=math.nan),
        )  # fmt: skip
        logs["dataset_index"] = search.stage_start
        self._callbacks.on_evaluation_ended(scores, logs)
        self._callbacks.on_dataset_changed(search.dataset, logs)
        if search.is_classifier_due:
            self._callbacks.on_classifier_begin(len(search.cascade) + 1, logs)
        return logs

    def end(self, epoch: int, number: int, training: Training | None) -> None:
        """Reports the trained classifier and the end of an epoch.

        Args:
            epoch: The number of the batch in the run, from 1.
            number: The number of the classifier in the cascade, from 1.
            training: The outcome of its training; None if none was due.
        """
        logs, self.logs = self.logs or {}, None
        self.end_training(number, training, logs)
        logs["model"] = training.classifier if training else None
        self._callbacks.on_epoch_end(epoch, logs)

    def end_training(self, number: int, training: Training | None, logs: dict[str, Any]) -> None:
        """Reports the outcome of a classifier that was due, if one was, with the logs so far."""
        if training is not None:
            outcome = {"model": training.classifier, "reason": training.reason}
            self._callbacks.on_classifier_end(number, {**logs, **outcome})
