"""Callbacks of frameworks that report the epochs of a training. Each imports its framework."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyshac.managed.keras_report import KerasReport
    from pyshac.managed.lightning_report import LightningReport

__all__ = ["KerasReport", "LightningReport"]

_HOMES = {
    "KerasReport": "pyshac.managed.keras_report",
    "LightningReport": "pyshac.managed.lightning_report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
