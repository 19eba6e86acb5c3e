"""Callback: the base class of all callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyshac.core.dataset.dataset import Dataset


Logs = Mapping[str, Any] | None


class Callback:
    """The base class of callbacks. A subclass overrides the methods of the events that it handles.

    The methods are called in the thread that called `fit` or `fit_dataset`.

    Attributes:
        engine: The engine. It is set before `on_train_begin`.

    Example:
        ```python
        class StopWhenGood(Callback):
            def on_sample_end(self, id, score, logs=None):
                if score > 0.95:
                    self.engine.stop()

        shac.fit(callbacks=[StopWhenGood()])
        ```
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
        """The run begins.

        Args:
            logs: `begin_run_index`, the number of samples so far.
        """

    def on_train_end(self, logs: Logs = None) -> None:
        """The run has ended without an error.

        Args:
            logs: The history.
        """

    def on_train_error(self, error: BaseException, logs: Logs = None) -> None:
        """The run has ended with an exception, which is raised after all callbacks were called.

        Everything is saved, unless the disk failed. All slots are closed.

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
        """A batch has ended and is saved. `fit_dataset` saves only at the end of the run.

        Args:
            epoch: Its number in the run, from 1.
            logs: All values that `History` keeps of an epoch.
        """

    def on_draw_begin(self, epoch: int, logs: Logs = None) -> None:
        """The samples of a batch are about to be drawn.

        This method and `on_draw_end` are not called if an earlier run has drawn them.

        Args:
            epoch: The number of the batch in the run, from 1.
            logs: The logs of the epoch so far.
        """

    def on_draw_end(self, epoch: int, logs: Logs = None) -> None:
        """The samples of a batch have been drawn.

        Args:
            epoch: The number of the batch in the run, from 1.
            logs: The logs of the epoch so far.
        """

    def on_evaluation_begin(self, params: list[Any], logs: Logs = None) -> None:
        """The samples of a batch are about to be evaluated.

        Args:
            params: The parameters of its samples, an `OrderedDict` each.
            logs: The logs of the epoch so far.
        """

    def on_sample_begin(self, id: int, logs: Logs = None) -> None:
        """A sample gets a slot. This repeats if its worker died and the sample is retried.

        If a callback stops the run or raises here, the sample does not start. It stays pending, and
        `on_sample_end` is not called.

        Args:
            id: The number of the sample.
            logs: Its `parameters` and `worker_id`.
        """

    def on_sample_end(self, id: int, score: float, logs: Logs = None) -> None:
        """A sample has been evaluated. Its score is on disk, unless the disk failed.

        `fit_dataset` calls this with the parameters of each sample, and without further values.

        Args:
            id: The number of the sample.
            score: Its score; NaN if it failed or was pruned.
            logs: Its `parameters`, `worker_id`, `started` (a `datetime` in UTC), `seconds`,
                `extras` (a dict of the values besides the score), `curve` (a `Curve`, or None
                without a report), `pruned` (whether its curve ended it early), and `failure` (the
                reason, or None).
        """

    def on_evaluation_ended(self, evaluations: list[float], logs: Logs = None) -> None:
        """All samples of a batch have been evaluated.

        Args:
            evaluations: Their scores in order; NaN for those that failed or were pruned.
            logs: The logs of the epoch so far.
        """

    def on_dataset_changed(self, dataset: Dataset, logs: Logs = None) -> None:
        """The samples of a batch are in the dataset.

        Args:
            dataset: The dataset.
            logs: The logs of the epoch so far.
        """

    def on_classifier_begin(self, number: int, logs: Logs = None) -> None:
        """A classifier is about to be trained.

        Args:
            number: Its number in the cascade, from 1.
            logs: The logs of the epoch so far.
        """

    def on_classifier_end(self, number: int, logs: Logs = None) -> None:
        """A classifier has been trained or refused. The run is saved, except by `fit_dataset`.

        Args:
            number: Its number in the cascade, from 1.
            logs: The logs of the epoch so far, with `model` (the classifier, or None) and `reason`
                (the reason for its refusal, or its accuracy).
        """
