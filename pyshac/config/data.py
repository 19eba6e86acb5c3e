"""The import path of earlier PySHAC for `pyshac.core.dataset`."""

from collections import OrderedDict

from pyshac.core.dataset import Dataset, flatten_parameters

__all__ = ["Dataset", "OrderedDict", "flatten_parameters"]
