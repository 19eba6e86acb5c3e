"""The evaluated samples and their scores."""

from pyshac.core.dataset.dataset import Dataset, flatten_parameters

__all__ = ["Dataset", "flatten_parameters"]
