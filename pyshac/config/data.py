"""The import path of earlier PySHAC for `pyshac.core.dataset`."""

from pyshac.core.dataset import Dataset, flatten_parameters

__all__ = ["Dataset", "flatten_parameters"]
