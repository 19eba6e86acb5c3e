"""Callbacks: what happens in a run, told to whoever wants to know."""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TextIO

from pyshac.core.columns import Samples

if TYPE_CHECKING:
    from pyshac.core.dataset import Dataset

logger = logging.getLogger("pyshac")

Logs = Mapping[str, Any] | None


class Callback:
    """Base of callbacks; overrides what it wants to know.

    Attributes:
        engine: The engine that runs, set before `on_train_begin`.
    """

    def __init__(self) -> None:
        self.engine: Any = None

    def set_engine(self, engine: Any) -> None:
        """Receives the engine."""
        self.engine = engine

    def on_train_begin(self, logs: Logs = None) -> None:
        """The run begins; `logs` has `begin_run_index`, the number of samples already there."""

    def on_train_end(self, logs: Logs = None) -> None:
        """The run ends without an error; `logs` is the history."""

    def on_train_error(self, error: BaseException, logs: Logs = None) -> None:
        """The run ends with an exception, which is raised when all callbacks have been told.

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
            logs: All that `History` keeps of an epoch.
        """

    def on_draw_begin(self, epoch: int, logs: Logs = None) -> None:
        """The samples of a batch are about to be drawn; not told where a cut run drew them.

        Args:
            epoch: The batch's number in the run, from 1.
            logs: As far as they are known.
        """

    def on_draw_end(self, epoch: int, logs: Logs = None) -> None:
        """The samples of a batch have been drawn.

        Args:
            epoch: The batch's number in the run, from 1.
            logs: As far as they are known.
        """

    def on_evaluation_begin(self, params: list[Any], logs: Logs = None) -> None:
        """The samples of a batch are about to be evaluated.

        Args:
            params: Their parameters, an `OrderedDict` each.
            logs: As far as they are known.
        """

    def on_sample_begin(self, id: int, logs: Logs = None) -> None:
        """One sample gets a slot; told again if its worker died and it is tried again.

        Args:
            id: The sample's number.
            logs: Its `parameters` and `worker_id`.
        """

    def on_sample_end(self, id: int, score: float, logs: Logs = None) -> None:
        """One sample has been evaluated, and its score is on disk.

        Args:
            id: The sample's number.
            score: Its score; NaN if it failed.
            logs: Its `parameters`, `worker_id` (None from `fit_dataset`), and `failure`: why it
                failed, or None.
        """

    def on_evaluation_ended(self, evaluations: list[float], logs: Logs = None) -> None:
        """The samples of a batch have been evaluated.

        Args:
            evaluations: Their scores in order; NaN for failed ones.
            logs: As far as they are known.
        """

    def on_dataset_changed(self, dataset: Dataset, logs: Logs = None) -> None:
        """The samples of a batch are in the dataset."""

    def on_classifier_begin(self, number: int, logs: Logs = None) -> None:
        """A classifier is about to be trained.

        Args:
            number: Its number in the cascade, from 1.
            logs: As far as they are known.
        """

    def on_classifier_end(self, number: int, logs: Logs = None) -> None:
        """A classifier has been trained or refused, and all is saved.

        Args:
            number: Its number in the cascade, from 1.
            logs: Also `model`, the classifier or None, and `reason`: why it was refused, or what
                it reached.
        """


class CallbackList(Callback):
    """Calls several callbacks in order; adds a `History` if there is none.

    Args:
        callbacks: Callbacks, one callback, or None. A list given is left as it is.

    Raises:
        TypeError: If an item is not a callback.
    """

    def __init__(self, callbacks: Iterable[Callback] | Callback | None = None) -> None:
        super().__init__()
        if isinstance(callbacks, Callback):
            callbacks = [callbacks]
        if not isinstance(callbacks, (Iterable, type(None))):
            raise TypeError(f"callbacks must be a list of callbacks. Got {callbacks!r} instead.")
        self.callbacks = list(callbacks or ())
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks must hold callbacks. Got {callback!r} instead.")
        if not any(isinstance(callback, History) for callback in self.callbacks):
            self.callbacks.append(History())

    def append(self, callback: Callback) -> None:
        """Adds a callback at the end."""
        self.callbacks.append(callback)

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
                # The others must know, and the first error is the one that tells what happened.
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
            callback.on_evaluation_begin(params, logs)

    def on_sample_begin(self, id: int, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_sample_begin(id, logs)

    def on_sample_end(self, id: int, score: float, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_sample_end(id, score, logs)

    def on_evaluation_ended(self, evaluations: list[float], logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_evaluation_ended(evaluations, logs)

    def on_dataset_changed(self, dataset: Dataset, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_dataset_changed(dataset, logs)

    def on_classifier_begin(self, number: int, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_classifier_begin(number, logs)

    def on_classifier_end(self, number: int, logs: Logs = None) -> None:
        for callback in self.callbacks:
            callback.on_classifier_end(number, logs)


class History(Callback):
    """Keeps what happened; `fit` and `fit_dataset` return one.

    Attributes:
        epochs: Numbers of the epochs.
        history: `begin_run_index`, and a list with one entry an epoch under `parameters`,
            `evaluations`, `device_ids` (the slots), `dataset_index` (number of the first sample
            of the stage), `model` (the classifier trained, or None), `generator_threads` and
            `per_classifier_budget`. The parameters of an epoch read like a list of `OrderedDict`s,
            each a copy made from columns; `list(...)` makes a list of them, as JSON needs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[int] = []
        self.history: dict[str, Any] = {}

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epochs = []
        self.history = dict(logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epochs.append(epoch)
        for key, value in (logs or {}).items():
            kept = _compact(value) if key == "parameters" else value
            self.history.setdefault(key, []).append(kept)


def _compact(samples: list[Any]) -> Samples | list[Any]:
    """Returns parameters as columns, unless a callback has made them differ in kind."""
    try:
        return Samples(samples)
    except ValueError:
        return samples


class CSVLogger(Callback):
    """Writes one line an epoch to a CSV file, everything that `History` keeps but the model.

    Args:
        filename: Path of the file.
        separator: What stands between cells.
        append: Go on with a file that is there instead of replacing it.
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        self.filename = filename
        self.separator = separator
        self.append = append

    def on_train_begin(self, logs: Logs = None) -> None:
        if not self.append:
            with self._open("w"):
                pass

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        cells = {"epoch": epoch, **{k: v for k, v in sorted((logs or {}).items()) if k != "model"}}
        with self._open("a") as file:
            writer = csv.writer(file, delimiter=self.separator, lineterminator="\n")
            if file.tell() == 0:
                writer.writerow(cells)
            writer.writerow(_cell(value) for value in cells.values())

    def _open(self, mode: Literal["w", "a"]) -> TextIO:
        return open(self.filename, mode, newline="", encoding="utf-8")


def _cell(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        return value
    items = (dict(item) if isinstance(item, Mapping) else item for item in value)
    return f"[{', '.join(map(str, items))}]"
