"""Reports the monitored value of a training's logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyshac.core.evaluation.curves.reporter import report


def check_monitor(monitor: Any) -> str:
    """Returns the name of a value; raises `TypeError` if it is not a str."""
    if not isinstance(monitor, str):
        raise TypeError(
            "monitor must be the name of a logged value, such as 'val_loss'. "
            f"Got {monitor!r} instead."
        )
    return monitor


def report_monitored(step: int, monitor: str, logs: Mapping[str, Any], advice: str) -> None:
    """Reports a value of the logs.

    Args:
        step: The step.
        monitor: The name of the value.
        logs: The values by name.
        advice: What to do if the value is missing.

    Raises:
        Pruned: As `report` does.
        ValueError: If the logs do not have the value.
    """
    if monitor not in logs:
        raise ValueError(
            f"monitor must be one of the logged values {sorted(logs)}. "
            f"Got {monitor!r} instead. {advice}"
        )
    report(step, logs[monitor])
