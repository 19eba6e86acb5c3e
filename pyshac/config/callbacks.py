"""The import path of earlier PySHAC for `pyshac.core.callbacks`."""

from typing import NoReturn

from pyshac.core.callbacks import Callback, CallbackList, CSVLogger, History

__all__ = ["CSVLogger", "Callback", "CallbackList", "History"]


def __getattr__(name: str) -> NoReturn:
    hint = "CallbackList(callbacks).history is the History" if name == "get_history" else ""
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(f"{message}: {hint}." if hint else message)
