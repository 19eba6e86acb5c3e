"""SmoothRanking: how promising samples are by a Gaussian process."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.dataset.scores import evened_out
from pyshac.core.hyperparameters import HyperParameterList
from pyshac.core.selection.feature_map import Points
from pyshac.core.selection.gaussian_process import GaussianProcess

# A Gaussian process is fitted to so many samples at most, half of them the best.
MAX_PROCESS_SAMPLES = 256
# What a Gaussian process expects counts with this many standard deviations on top, so that samples
# far from all others have their turn.
NUM_DEVIATIONS = 0.5


class SmoothRanking:
    """Ranks by what a Gaussian process of the scores thinks possible.

    Args:
        encoded: Evaluated samples, shape (n, columns).
        scores: Their scores, shape (n,); NaN for failed samples.
        objective: 'max' or 'min'.
        space: The search space.
        num_steps: In how many steps samples are to be improved.
    """

    def __init__(
        self,
        encoded: FloatArray,
        scores: FloatArray,
        objective: str,
        space: HyperParameterList,
        num_steps: int = 0,
    ) -> None:
        self.num_steps = num_steps
        self._process = None
        if not len(encoded):
            return
        values = evened_out(scores, objective)
        kept = _best_and_others(values, MAX_PROCESS_SAMPLES)
        self._points = Points(space, encoded)
        self._process = GaussianProcess(
            self._points(encoded[kept]), self._points.columns, values[kept]
        )

    def __call__(self, encoded: FloatArray) -> FloatArray:
        if self._process is None:
            return np.zeros(len(encoded))
        expected, deviation = self._process.predict(self._points(encoded))
        return expected + NUM_DEVIATIONS * deviation

    def believing(self, encoded: FloatArray) -> SmoothRanking:
        if self._process is None or not len(encoded):
            return self
        ranking = copy.copy(self)
        ranking._process = self._process.believing(self._points(encoded))
        return ranking


def _best_and_others(values: FloatArray, number: int) -> npt.NDArray[np.intp]:
    """Returns which samples are kept: if there are too many, the best, and some of all others."""
    best_first = np.argsort(-values, kind="stable")
    if len(values) <= number:
        return best_first
    others = np.linspace(number // 2, len(values) - 1, number - number // 2).astype(int)
    return best_first[np.concatenate([np.arange(number // 2), others])]
