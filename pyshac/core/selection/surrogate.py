"""Surrogate: a Gaussian process of the scores, on the encoded samples."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.dataset.objective import Objective
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.selection.feature_map import FeatureMap
from pyshac.core.selection.gaussian_process import GaussianProcess
from pyshac.core.selection.score_transform import ScoreTransform

# Largest number of samples that the process is fitted to; half of them are the best.
MAX_SAMPLES = 256
# Largest number of samples that it is told later, until it is fitted again.
MAX_TOLD = 64
# Largest number of running samples that are believed in, the nearest ones: the cost of a batch
# would grow with the cube of their number.
MAX_BELIEVED = 64


class Surrogate:
    """A Gaussian process of the scores, on a scale on which higher is better.

    Args:
        encoded: Evaluated samples, shape (n, columns), with n >= 1.
        scores: Their scores, shape (n,); NaN for failed samples.
        objective: Which scores are better.
        space: The search space.

    Attributes:
        best: The highest expected value of an evaluated sample.
    """

    def __init__(
        self,
        encoded: FloatArray,
        scores: FloatArray,
        objective: Objective,
        space: HyperParameterList,
    ) -> None:
        self._transform = ScoreTransform(scores, objective)
        values = self._transform(scores)
        kept = _best_and_others(values, MAX_SAMPLES)
        self._features = FeatureMap(space, encoded)
        points = self._features(encoded[kept])
        process = GaussianProcess(
            points,
            self._features.columns,
            values[kept],
            # A branch with few samples would seem to be known, as if nothing in it mattered.
            is_alike=space.hierarchy.conditional,
            num_active=np.count_nonzero(~np.isnan(encoded)) / len(encoded),
        )
        self._take(process, points)

    def _take(self, process: GaussianProcess, points: FloatArray) -> None:
        """Sets a process without beliefs, and all its training points."""
        self._process = self._told = process
        self._points, self._believed = points, points[:0]
        self.best = float(process.expected(points).max())

    def told(self, encoded: FloatArray, scores: FloatArray) -> Surrogate:
        """Returns the surrogate with further samples, on unchanged scales.

        Args:
            encoded: Samples, shape (m, columns).
            scores: Their scores, shape (m,); NaN for failed samples.
        """
        if not len(encoded):
            return self
        values = self._transform(scores)
        kept = _best_and_others(values, MAX_TOLD)
        surrogate, points = copy.copy(self), self._features(encoded[kept])
        process = self._told.told(points, values[kept])
        surrogate._take(process, np.concatenate([self._points, points]))
        return surrogate

    def predict(self, encoded: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns expected values and standard deviations, each of shape (n,)."""
        return self._process.predict(self._features(encoded))

    def believing(self, rows: FloatArray) -> Surrogate:
        """Returns the surrogate under the assumption that running samples score as expected.

        Args:
            rows: The samples, shape (m, columns).
        """
        if not len(rows):
            return self
        points = self._features(rows)
        surrogate, room = copy.copy(self), MAX_BELIEVED - len(self._believed)
        surrogate._believed = np.concatenate([self._believed, points])
        if room > 0:
            surrogate._process = self._process.believing(points[:room])
        return surrogate

    def near(self, row: FloatArray) -> Surrogate:
        """Returns the surrogate for use near a sample, shape (columns,).

        If there are many assumed scores, only the nearest count.
        """
        if len(self._believed) <= MAX_BELIEVED:
            return self
        order = self._told.nearest_first(self._features(row[None])[0], self._believed)
        surrogate = copy.copy(self)
        surrogate._process = self._told.believing(self._believed[np.sort(order[:MAX_BELIEVED])])
        return surrogate


def _best_and_others(values: FloatArray, number: int) -> npt.NDArray[np.intp]:
    """Returns the indices of all samples; if there are too many, of the best and some others."""
    best_first = np.argsort(-values, kind="stable")
    if len(values) <= number:
        return best_first
    others = np.linspace(number // 2, len(values) - 1, number - number // 2).astype(int)
    return best_first[np.concatenate([np.arange(number // 2), others])]
