"""History: a record of a run, with one entry per epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from pyshac.core.callbacks.callback import Callback, Logs
from pyshac.core.callbacks.samples import Samples
from pyshac.core.dataset import Dataset, summaries


class History(Callback):
    """A record of a run. `fit` and `fit_dataset` return one.

    An epoch is a batch.

    Attributes:
        epochs: The numbers of the epochs.
        history: A dict with `begin_run_index` and lists that have one entry per epoch:
            `parameters`, `evaluations`, `device_ids` (the slots), `dataset_index` (the number of
            the first sample of the stage), `cascade_in_force` (the number of classifiers that
            accept the samples; None if not known), `model` (the classifier trained, or None),
            `generator_threads` and `per_classifier_budget`. The parameters of an epoch read like a
            list of `OrderedDict`s. They are stored as columns unless some are inactive; JSON needs
            `list(...)` of them.

    Example:
        ```python
        history = shac.fit()
        print(history.history["evaluations"][0])
        ```
    """

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[int] = []
        self.history: dict[str, Any] = {}
        self._num_pruned = 0

    def __repr__(self) -> str:
        return summaries.as_text("History", self._facts())

    def _facts(self) -> summaries.Facts:
        epochs = [*self.epochs]
        # Callbacks may have changed what they share with it.
        scores = [score for batch in self.history.get("evaluations", ()) for score in batch]
        known = [score for score in scores if not math.isnan(score)]
        pruned = min(self._num_pruned, len(scores) - len(known))
        failed = len(scores) - len(known) - pruned
        facts = [
            ("epochs", f"{epochs[0]} to {epochs[-1]}" if epochs else "none"),
            ("evaluations", summaries.counted(len(scores), None, failed, pruned)),
        ]
        if known:
            lowest, highest = map(summaries.value_text, (min(known), max(known)))
            facts.append(("scores", f"{lowest} to {highest}"))
        trained = sum(model is not None for model in self.history.get("model", ()))
        return [
            *facts,
            ("classifiers", str(trained)),
            ("keys", summaries.names_text([*self.history])),
        ]

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epochs = []
        self.history = dict(logs or {})
        self._num_pruned = 0

    def on_dataset_changed(self, dataset: Dataset, logs: Logs = None) -> None:
        # Callbacks may be called by others than an engine.
        if isinstance(dataset, Dataset):
            start = max(len(dataset) - len((logs or {}).get("evaluations", ())), 0)
            self._num_pruned += int(dataset.details.curves.are_pruned[start:].sum())

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epochs.append(epoch)
        for key, value in (logs or {}).items():
            kept = _compact(value) if key == "parameters" else value
            self.history.setdefault(key, []).append(kept)


def _compact(samples: list[Any]) -> Samples | list[Any]:
    """Returns parameters as columns, unless their names or lengths differ.

    They differ if some are inactive, or if a callback has changed them.
    """
    try:
        return Samples(samples)
    except ValueError:
        return samples


def get_history(callbacks: Iterable[Any]) -> History | None:
    """Returns the first `History` among callbacks; None if there is none."""
    return next((each for each in callbacks if isinstance(each, History)), None)
