"""The import path of earlier PySHAC for `pyshac.core.callbacks`."""

from pyshac.core.callbacks import Callback, CallbackList, CSVLogger, History

__all__ = ["CSVLogger", "Callback", "CallbackList", "History"]
