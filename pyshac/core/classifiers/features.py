"""Features: the numbers that classifiers see of a sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pyshac.core.basics.arrays import Float32Array, FloatArray

# Maps encoded values of a column, given its number, to a scale on which single precision tells
# draws apart.
Scaling = Callable[[int, FloatArray], FloatArray]
LARGEST = np.finfo(np.float32).max


class Features:
    """Maps encoded samples to the features of classifiers: scaled values in single precision.

    XGBoost compares numbers in single precision, which cannot distinguish 1e9 from 1e9 + 10.

    Args:
        scaling: Scales each column. None is for searches that PySHAC 1.0 began, whose classifiers
            learned from unscaled encoded values.
    """

    def __init__(self, scaling: Scaling | None = None) -> None:
        self._scaling = scaling

    @property
    def are_scaled(self) -> bool:
        """Whether encoded values are scaled."""
        return self._scaling is not None

    def __call__(self, encoded: FloatArray) -> Float32Array:
        """Returns the features of encoded rows, both of shape (n, columns)."""
        features = np.empty(encoded.shape, dtype=np.float32)
        with np.errstate(over="ignore"):
            for column, values in enumerate(encoded.T):
                features[:, column] = self._scaled(column, values)
        return _bounded(features)

    def column(self, column: int, encoded: FloatArray) -> Float32Array:
        """Returns the features of encoded values of one column, both of the same shape."""
        with np.errstate(over="ignore"):
            return _bounded(self._scaled(column, encoded).astype(np.float32))

    def _scaled(self, column: int, encoded: FloatArray) -> FloatArray:
        return encoded if self._scaling is None else self._scaling(column, encoded)


def _bounded(features: Float32Array) -> Float32Array:
    """Replaces overflows by the largest number of single precision."""
    return np.clip(features, -LARGEST, LARGEST, out=features)


UNSCALED = Features()
