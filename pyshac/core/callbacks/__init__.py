"""Callbacks, which the engine calls at the events of a run."""

from pyshac.core.callbacks.callback import Callback
from pyshac.core.callbacks.callback_list import CallbackList
from pyshac.core.callbacks.csv_logger import CSVLogger
from pyshac.core.callbacks.history import History
from pyshac.core.callbacks.progress_bar import ProgressBar

__all__ = ["CSVLogger", "Callback", "CallbackList", "History", "ProgressBar"]
