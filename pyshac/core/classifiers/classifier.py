"""The protocol of a classifier, and the form in which it sees samples."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import BoolArray, Float32Array, FloatArray, without_float_errors


class Classifier(Protocol):
    """A binary classifier: one link of a cascade."""

    def fit(self, features: Float32Array, labels: npt.ArrayLike) -> Classifier:
        """Trains the classifier from scratch.

        Args:
            features: Shape (n, columns).
            labels: Shape (n,); true for good rows.

        Returns:
            Itself.
        """

    def predict(self, features: Float32Array) -> BoolArray:
        """Returns which rows are good, shape (n,), for features of shape (n, columns)."""

    def compact(self) -> None:
        """Makes a trained classifier predict faster, if possible."""


@without_float_errors
def as_features(encoded: FloatArray) -> Float32Array:
    """Returns encoded rows in the precision in which XGBoost compares them."""
    largest = np.finfo(np.float32).max
    return np.ascontiguousarray(np.clip(encoded, -largest, largest), dtype=np.float32)
