"""LightningReport: a callback of PyTorch Lightning that reports each validation epoch.

Lightning loads with this file.
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
    """Returns the class of callbacks of Lightning, which has two packages."""
    for name in ("lightning.pytorch", "pytorch_lightning"):
        if sys.modules.get(name) is not None:
            return sys.modules[name].Callback
    if is_installed("pytorch_lightning") and not is_installed("lightning"):
        return importlib.import_module("pytorch_lightning").Callback
    require("LightningReport", "lightning", "lightning")
    return importlib.import_module("lightning.pytorch").Callback


_Callback: Any = _base()


class LightningReport(_Callback):  # type: ignore[misc]
    """Reports a logged value after each validation epoch of a fit: a callback for `Trainer`.

    The step of a report is the number of the validation epoch, from 1 on. Lightning's sanity check
    does not count. If the search was asked to prune and the curve is hopeless, `trainer.fit` raises
    `Pruned`; let it through. Outside an evaluation nothing is reported, nor is it in processes that
    Lightning starts for further devices.

    It fits the trainers of both packages, `lightning` and `pytorch_lightning`.

    Args:
        monitor: Name of the value. It must be of the kind that the evaluation function returns in
            the end; if that is a loss, the search's objective is 'min'.

    Raises:
        ModuleNotFoundError: If Lightning is not installed.
        TypeError: If `monitor` is not a str.
        ValueError: In `trainer.fit`, if it does not validate or does not log the value.

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
        """Starts to count; Lightning calls this, and the following methods."""
        if stage == _FITTING:
            self._step = 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Raises `ValueError` if nothing would ever be reported."""
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
        """Returns what a checkpoint keeps, so that a fit from one counts on."""
        return {"step": self._step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes what a checkpoint has kept."""
        self._step = state_dict["step"]
