"""LightningReport: a PyTorch Lightning callback that reports each validation epoch.

This module imports Lightning.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from pyshac.core.basics.optional_packages import is_installed, require
from pyshac.managed.monitored import check_monitor, report_monitored

_ADVICE = "Log it in validation_step: self.log(name, value)."
_FITTING = "fit"


def _base() -> Any:
    """Returns the callback class of the Lightning in use, which has two packages."""
    for name in ("lightning.pytorch", "pytorch_lightning"):
        if sys.modules.get(name) is not None:
            return sys.modules[name].Callback
    if is_installed("pytorch_lightning") and not is_installed("lightning"):
        return importlib.import_module("pytorch_lightning").Callback
    require("LightningReport", "lightning", "lightning")
    return importlib.import_module("lightning.pytorch").Callback


_Callback: Any = _base()


class LightningReport(_Callback):  # type: ignore[misc]
    """Reports a logged value after each validation epoch of a fit. It is a callback for `Trainer`.

    The step of a report is the number of the validation epoch, from 1. Lightning's sanity check
    does not count. If the search prunes and the curve is hopeless, `trainer.fit` raises `Pruned`;
    do not catch it. The callback reports nothing outside an evaluation, or in processes that
    Lightning starts for further devices.

    It works with the trainers of both packages, `lightning` and `pytorch_lightning`.

    Args:
        monitor: The name of the value. It must be the quantity that the evaluation function returns
            at the end. For a loss, the search needs the objective 'min'.

    Raises:
        ModuleNotFoundError: If Lightning is not installed.
        TypeError: If `monitor` is not a str.
        ValueError: In `trainer.fit`, if the fit has no validation or does not log the value.

    Example:
        ```python
        def evaluate(worker_id, parameters):
            trainer = Trainer(max_epochs=27, callbacks=[LightningReport("val_accuracy")])
            trainer.fit(Network(parameters), training_loader, validation_loader)
            return trainer.callback_metrics["val_accuracy"].item()
        ```
    """

    def __init__(self, monitor: str = "val_loss") -> None:
        super().__init__()
        self.monitor = check_monitor(monitor)
        self._step = 0

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Resets the step when a fit begins. Lightning calls this method and the following ones."""
        if stage == _FITTING:
            self._step = 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Raises `ValueError` if the fit has no validation, so that nothing would be reported."""
        if not trainer.enable_validation:
            raise ValueError(
                "LightningReport reports after validation epochs, and this fit has none. Give the "
                "module a validation_step, and pass validation data to trainer.fit."
            )

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Reports the value."""
        if trainer.sanity_checking or trainer.state.fn != _FITTING:
            return
        self._step += 1
        report_monitored(self._step, self.monitor, trainer.callback_metrics, _ADVICE)

    def state_dict(self) -> dict[str, Any]:
        """Returns the step for a checkpoint, so that a fit from it continues to count."""
        return {"step": self._step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores the step from a checkpoint."""
        self._step = state_dict["step"]
