"""Rankings by the Gaussian process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from pyshac.core.basics.arrays import FloatArray
from pyshac.core.selection.surrogate import Surrogate

# Number of standard deviations that are added to the expected value.
NUM_DEVIATIONS = 0.5
SMALLEST_DEVIATION = 1e-9
# Below this many deviations, the density and the probability cancel out in double precision.
FAR_BELOW = -5.0


@dataclass(frozen=True)
class BoundRanking:
    """Ranks samples by an upper confidence bound.

    Attributes:
        num_steps: Number of climbing steps for each sample that it chooses.
    """

    num_steps: int = 3

    def __call__(self, encoded: FloatArray, surrogate: Surrogate) -> FloatArray:
        expected, deviation = surrogate.predict(encoded)
        return expected + NUM_DEVIATIONS * deviation


@dataclass(frozen=True)
class ImprovementRanking:
    """Ranks samples by the logarithm of the expected improvement on the best expected value.

    The logarithm still distinguishes samples whose expected improvement is 0 in double precision
    (Ament et al., arXiv 2310.20708).

    Attributes:
        num_steps: Number of climbing steps for each sample that it chooses.
    """

    num_steps: int = 12

    def __call__(self, encoded: FloatArray, surrogate: Surrogate) -> FloatArray:
        expected, deviation = surrogate.predict(encoded)
        deviation = np.maximum(deviation, SMALLEST_DEVIATION)
        return np.log(deviation) + _log_improvement((expected - surrogate.best) / deviation)


def _log_improvement(z: FloatArray) -> FloatArray:
    """Returns the log of the expected improvement of a normal variable, in standard deviations.

    Args:
        z: How far its mean exceeds the value to improve, in standard deviations, shape (n,).
    """
    log_density = -(z**2) / 2 - np.log(2 * np.pi) / 2
    near = np.maximum(z, FAR_BELOW)
    improvement = np.exp(-(near**2) / 2) / np.sqrt(2 * np.pi) + near * special.ndtr(near)
    # The first term of the asymptotic series.
    far = log_density - 2 * np.log(np.maximum(-z, 1.0))
    return np.where(z > FAR_BELOW, np.log(improvement), far)
