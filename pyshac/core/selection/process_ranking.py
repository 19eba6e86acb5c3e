"""ProcessRanking: how promising samples are, judged by a Gaussian process."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.dataset.objective import Objective
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.selection.feature_map import FeatureMap
from pyshac.core.selection.gaussian_process import GaussianProcess
from pyshac.core.selection.score_transform import power_transformed

# Largest number of samples that the process is fitted to; half of them are the best.
MAX_PROCESS_SAMPLES = 256
# Largest number of running samples that a belief extends to, the nearest ones: the cost of a batch
# would grow with its cube. With 64 a search in ten columns found less.
MAX_BELIEVED = 256
# Number of standard deviations that are added to the expected value, so that samples far from all
# others are chosen too.
NUM_DEVIATIONS = 0.5


class ProcessRanking:
    """Ranks samples by an upper confidence bound of a Gaussian process of the scores.

    Args:
        encoded: Evaluated samples, shape (n, columns).
        scores: Their scores, shape (n,); NaN for failed samples.
        objective: Which scores are better.
        space: The search space.
        num_steps: Number of climbing steps applied to each sample that it chose.
    """

    def __init__(
        self,
        encoded: FloatArray,
        scores: FloatArray,
        objective: Objective,
        space: HyperParameterList,
        num_steps: int,
    ) -> None:
        self.num_steps = num_steps
        self._process = None
        if not len(encoded):
            return
        values = power_transformed(scores, objective)
        kept = _best_and_others(values, MAX_PROCESS_SAMPLES)
        self._features = FeatureMap(space, encoded)
        self._process = GaussianProcess(
            self._features(encoded[kept]), self._features.columns, values[kept]
        )

    def __call__(self, encoded: FloatArray) -> FloatArray:
        if self._process is None:
            return np.zeros(len(encoded))
        expected, deviation = self._process.predict(self._features(encoded))
        return expected + NUM_DEVIATIONS * deviation

    def believing(self, encoded: FloatArray, near: FloatArray) -> ProcessRanking:
        if self._process is None or not len(encoded):
            return self
        points = self._features(encoded)
        if len(points) > MAX_BELIEVED:
            order = self._process.nearest_first(self._features(near[None])[0], points)
            points = points[np.sort(order[:MAX_BELIEVED])]
        ranking = copy.copy(self)
        ranking._process = self._process.believing(points)
        return ranking


def _best_and_others(values: FloatArray, number: int) -> npt.NDArray[np.intp]:
    """Returns the places of all samples or, if there are too many, of the best and some others."""
    best_first = np.argsort(-values, kind="stable")
    if len(values) <= number:
        return best_first
    others = np.linspace(number // 2, len(values) - 1, number - number // 2).astype(int)
    return best_first[np.concatenate([np.arange(number // 2), others])]
