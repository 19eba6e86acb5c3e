"""The import path of earlier PySHAC for `pyshac.core.callbacks`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyshac.core.callbacks import Callback, CallbackList, CSVLogger, History

__all__ = ["CSVLogger", "Callback", "CallbackList", "History", "get_history"]


def get_history(callbacks: Iterable[Any]) -> History | None:
    """Returns the first `History` among callbacks; None if there is none."""
    return next((each for each in callbacks if isinstance(each, History)), None)
