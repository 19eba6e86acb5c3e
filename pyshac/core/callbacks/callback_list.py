"""CallbackList: calls several callbacks in order."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pyshac.core.basics.plain_values import copied
from pyshac.core.callbacks.callback import Callback, Logs
from pyshac.core.callbacks.history import History, get_history
from pyshac.core.callbacks.other_objects import as_callback, is_callback

if TYPE_CHECKING:
    from pyshac.core.dataset.dataset import Dataset


logger = logging.getLogger("pyshac")


class CallbackList(Callback):
    """Calls several callbacks in order. Adds a `History` if there is none.

    Each callback receives its own copies of lists and parameters. All share the logs of an epoch.

    Args:
        callbacks: Callbacks, one callback, or None. A list is copied. An object of any class counts
            as a callback if it has one of the methods.

    Raises:
        TypeError: If an item is not a callback.
    """

    def __init__(self, callbacks: Iterable[Any] | Any | None = None) -> None:
        super().__init__()
        if is_callback(callbacks):
            callbacks = [callbacks]
        if not isinstance(callbacks, (Iterable, type(None))):
            raise TypeError(f"callbacks must be a list of callbacks. Got {callbacks!r} instead.")
        self.callbacks = [as_callback(callback) for callback in callbacks or ()]
        if get_history(self.callbacks) is None:
            self.callbacks.append(History())

    def append(self, callback: Any) -> None:
        """Appends a callback; raises `TypeError` if it is not one."""
        self.callbacks.append(as_callback(callback))

    def __iter__(self) -> Iterator[Callback]:
        return iter(self.callbacks)

    @property
    def history(self) -> History:
        """The first `History` among the callbacks."""
        return next(callback for callback in self.callbacks if isinstance(callback, History))

    def set_engine(self, engine: Any) -> None:
        super().set_engine(engine)
        for callback in self.callbacks:
            callback.set_engine(engine)

    def on_train_begin(self, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_train_begin(logs)

    def on_train_end(self, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_train_end(logs)

    def on_train_error(self, error: BaseException, logs: Logs = None) -> None:
        for callback in self.callbacks:
            try:
                callback.on_train_error(error, logs)
            except Exception:
                # The other callbacks must be called, too, and the first error is the one to raise.
                logger.exception("%r raised in on_train_error.", callback)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_draw_begin(self, epoch: int, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_draw_begin(epoch, logs)

    def on_draw_end(self, epoch: int, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_draw_end(epoch, logs)

    def on_evaluation_begin(self, params: list[Any], logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_evaluation_begin(copied(params), logs)

    def on_sample_begin(self, id: int, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_sample_begin(id, copied(logs))

    def on_sample_end(self, id: int, score: float, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_sample_end(id, score, copied(logs))

    def on_evaluation_ended(self, evaluations: list[float], logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_evaluation_ended(copied(evaluations), logs)

    def on_dataset_changed(self, dataset: Dataset, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_dataset_changed(dataset, logs)

    def on_classifier_begin(self, number: int, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_classifier_begin(number, logs)

    def on_classifier_end(self, number: int, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_classifier_end(number, logs)
