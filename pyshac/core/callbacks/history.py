"""History: a record of a run, one entry per epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyshac.core.callbacks.callback import Callback, Logs
from pyshac.core.callbacks.samples import Samples


class History(Callback):
    """A record of a run; `fit` and `fit_dataset` return one.

    Attributes:
        epochs: Numbers of the epochs.
        history: `begin_run_index`, and lists with one entry per epoch: `parameters`,
            `evaluations`, `device_ids` (the slots), `dataset_index` (number of the first sample
            of the stage), `cascade_in_force` (number of classifiers that accept the samples; None
            if not known), `model` (the classifier trained, or None), `generator_threads` and
            `per_classifier_budget`. The parameters of an epoch read like a list of `OrderedDict`s,
            but are stored as columns; JSON needs `list(...)` of them.
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
    """Returns parameters as columns, unless a callback has changed their names or lengths."""
    try:
        return Samples(samples)
    except ValueError:
        return samples


def get_history(callbacks: Iterable[Any]) -> History | None:
    """Returns the first `History` among callbacks; None if there is none."""
    return next((each for each in callbacks if isinstance(each, History)), None)
