"""What was evaluated, and its scores."""

from pyshac.core.dataset.dataset import Dataset, flatten_parameters

__all__ = ["Dataset", "flatten_parameters"]
