"""Callback: the base class of all callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyshac.core.dataset.dataset import Dataset


Logs = Mapping[str, Any] | None


class Callback:
    """Base class of callbacks. A subclass overrides the methods of the events that it handles.

    Attributes:
        engine: The engine, which is set before `on_train_begin`.
    """

    def __init__(self) -> None:
        self.engine: Any = None

    def set_engine(self, engine: Any) -> None:
        """Receives the engine."""
        self.engine = engine

    def __getstate__(self) -> dict[str, Any]:
        # An engine belongs to its process. A copy gets one when it is handed to `fit`.
        return {**self.__dict__, "engine": None}

    def on_train_begin(self, logs: Logs = None) -> None:
        """The run begins; `logs` has `begin_run_index`, the number of samples so far."""

    def on_train_end(self, logs: Logs = None) -> None:
        """The run ends without an error; `logs` is the history."""

    def on_train_error(self, error: BaseException, logs: Logs = None) -> None:
        """The run ends with an exception, which is raised once all callbacks have been called.

        Everything is saved, and all slots are closed.

        Args:
            error: The exception; a `KeyboardInterrupt` for Ctrl-C.
            logs: The history.
        """

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """A batch begins.

        Args:
            epoch: Its number in the run, from 1.
            logs: `generator_threads` and `per_classifier_budget`.
        """

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """A batch has ended and is saved.

        Args:
            epoch: Its number in the run, from 1.
            logs: Everything that `History` keeps of an epoch.
        """

    def on_draw_begin(self, epoch: int, logs: Logs = None) -> None:
        """The samples of a batch are about to be drawn; not called if an earlier `fit` drew them.

        Args:
            epoch: The batch's number in the run, from 1.
            logs: The logs of the epoch so far.
        """

    def on_draw_end(self, epoch: int, logs: Logs = None) -> None:
        """The samples of a batch have been drawn.

        Args:
            epoch: The batch's number in the run, from 1.
            logs: The logs of the epoch so far.
        """

    def on_evaluation_begin(self, params: list[Any], logs: Logs = None) -> None:
        """The samples of a batch are about to be evaluated.

        Args:
            params: Their parameters, an `OrderedDict` each.
            logs: The logs of the epoch so far.
        """

    def on_sample_begin(self, id: int, logs: Logs = None) -> None:
        """A sample gets a slot; called again if its worker died and the sample is retried.

        If a callback stops the run or raises here, the sample does not start. It stays pending,
        without `on_sample_end`.

        Args:
            id: The sample's number.
            logs: Its `parameters` and `worker_id`.
        """

    def on_sample_end(self, id: int, score: float, logs: Logs = None) -> None:
        """A sample has been evaluated, and its score is on disk, unless that failed.

        Args:
            id: The sample's number.
            score: Its score; NaN if it failed or was pruned.
            logs: Its `parameters`, `worker_id`, `started` (a `datetime` in UTC), `seconds`,
                `extras` (a dict, the values beside the score), `curve` (a `Curve`, or None if it
                reported nothing), `pruned` (whether it was given up because of its curve), and
                `failure`: the reason for the failure, or None. From `fit_dataset` there are
                parameters only.
        """

    def on_evaluation_ended(self, evaluations: list[float], logs: Logs = None) -> None:
        """The samples of a batch have been evaluated.

        Args:
            evaluations: Their scores in order; NaN for those that failed or were pruned.
            logs: The logs of the epoch so far.
        """

    def on_dataset_changed(self, dataset: Dataset, logs: Logs = None) -> None:
        """The samples of a batch are in the dataset."""

    def on_classifier_begin(self, number: int, logs: Logs = None) -> None:
        """A classifier is about to be trained.

        Args:
            number: Its number in the cascade, from 1.
            logs: The logs of the epoch so far.
        """

    def on_classifier_end(self, number: int, logs: Logs = None) -> None:
        """A classifier has been trained or refused, and all is saved.

        Args:
            number: Its number in the cascade, from 1.
            logs: The logs of the epoch so far, with `model` (the classifier or None) and `reason`
                (the reason for its refusal, or its accuracy).
        """
