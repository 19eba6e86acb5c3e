"""The import path of earlier PySHAC for `pyshac.core.callbacks`."""

from pyshac.core.callbacks import Callback, CallbackList, CSVLogger, History
from pyshac.core.callbacks.history import get_history

__all__ = ["CSVLogger", "Callback", "CallbackList", "History", "get_history"]
