"""The protocol of a classifier, and the form in which it sees samples."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import BoolArray, Float32Array, FloatArray


def as_features(encoded: FloatArray) -> Float32Array:
    """Returns encoded rows in the precision in which XGBoost compares them."""
    largest = np.finfo(np.float32).max
    return np.ascontiguousarray(np.clip(encoded, -largest, largest), dtype=np.float32)


class Classifier(Protocol):
    """What a cascade consists of."""

    def fit(self, features: Float32Array, labels: npt.ArrayLike) -> Classifier:
        """Learns, anew, which rows of shape (n, columns) are good; returns itself."""

    def predict(self, features: Float32Array) -> BoolArray:
        """Says which rows are good, shape (n,)."""

    def compact(self) -> None:
        """Does, after the last `fit`, what makes it faster to ask."""
