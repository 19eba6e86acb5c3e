"""The evaluated samples and their scores."""

from pyshac.core.dataset.dataset import Dataset
from pyshac.core.dataset.evaluation import Evaluation
from pyshac.core.dataset.rows import flatten_parameters

__all__ = ["Dataset", "Evaluation", "flatten_parameters"]
