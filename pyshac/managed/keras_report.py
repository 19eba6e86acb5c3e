"""KerasReport: a Keras callback that reports each epoch. This module imports Keras."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from pyshac.core.managed.keras_backend import find_keras
from pyshac.managed.monitored import check_monitor, report_monitored

_ADVICE = "Values that begin with 'val_' need validation data, and validation_freq=1."


def _base() -> Any:
    """Returns the class of callbacks of the Keras in use."""
    choice = find_keras("KerasReport")
    is_separate = choice.is_legacy and choice.backend == "tensorflow"
    return importlib.import_module("tf_keras" if is_separate else "keras").callbacks.Callback


_Callback: Any = _base()


class KerasReport(_Callback):  # type: ignore[misc]
    """Reports a monitored value after each epoch. It is a callback for `model.fit`.

    The step of a report is the number of the epoch, from 1. If the search prunes and the curve is
    hopeless, `model.fit` raises `Pruned`; do not catch it. Outside an evaluation the callback
    reports nothing. A second `model.fit` in one evaluation needs `initial_epoch`, because epochs
    must increase.

    The callback belongs to the Keras that `KerasSHAC` would use.

    Args:
        monitor: The name of the value. It must be the quantity that the evaluation function returns
            at the end. For a loss, the search needs the objective 'min'.

    Raises:
        ModuleNotFoundError: If Keras or its backend is not installed.
        TypeError: If `monitor` is not a str.
        ValueError: In `model.fit`, if the logs of an epoch do not have the value, for example after
            an epoch without validation.

    Example:
        ```python
        def evaluate(session, worker_id, parameters):
            model = build(parameters)
            report = KerasReport("val_accuracy")
            history = model.fit(x, y, epochs=27, validation_data=(x_val, y_val), callbacks=[report])
            return history.history["val_accuracy"][-1]
        ```
    """

    def __init__(self, monitor: str = "val_loss") -> None:
        super().__init__()
        self.monitor = check_monitor(monitor)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Reports the value. Keras calls this method."""
        report_monitored(epoch + 1, self.monitor, logs or {}, _ADVICE)
