"""The import path of earlier PySHAC for `pyshac.core.hyperparameters`."""

from pyshac.core.hyperparameters import *  # noqa: F403
