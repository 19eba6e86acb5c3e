"""Features: the numbers that classifiers see of a sample."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from pyshac.core.basics.arrays import Float32Array, FloatArray


class Scaling(Protocol):
    """A map from encoded values to a scale on which single precision tells draws apart."""

    def rows(self, encoded: FloatArray) -> FloatArray:
        """Scales encoded rows, shape (n, columns)."""

    def column(self, column: int, encoded: FloatArray) -> FloatArray:
        """Scales encoded values of one column, of any shape."""


class Features:
    """Maps encoded samples to what classifiers see: scaled values in single precision.

    XGBoost compares numbers in single precision, which cannot tell 1e9 from 1e9 + 10.

    Args:
        scaling: The scaling; None for searches that PySHAC 1.0 began, whose classifiers learned
            from encoded values without scaling.
    """

    def __init__(self, scaling: Scaling | None = None) -> None:
        self._scaling = scaling

    @property
    def are_scaled(self) -> bool:
        """Whether encoded values are scaled."""
        return self._scaling is not None

    def __call__(self, encoded: FloatArray) -> Float32Array:
        """Returns the features of encoded rows, both of shape (n, columns)."""
        return _in_single_precision(self._scaling.rows(encoded) if self._scaling else encoded)

    def column(self, column: int, encoded: FloatArray) -> Float32Array:
        """Returns the features of encoded values of one column, both of the same shape.

        They are exactly those of whole rows.
        """
        scaling = self._scaling
        return _in_single_precision(scaling.column(column, encoded) if scaling else encoded)


UNSCALED = Features()


def _in_single_precision(values: FloatArray) -> Float32Array:
    largest = np.finfo(np.float32).max
    with np.errstate(over="ignore"):
        features = np.array(values, dtype=np.float32, order="C")
    np.clip(features, -largest, largest, out=features)
    return features
