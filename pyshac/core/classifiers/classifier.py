"""The protocol of a classifier, and the form in which it sees samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pyshac.core.basics.arrays import BoolArray, Float32Array, FloatArray


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


def as_features(encoded: FloatArray) -> Float32Array:
    """Returns encoded rows in the precision in which XGBoost compares them."""
    largest = np.finfo(np.float32).max
    return np.ascontiguousarray(np.clip(encoded, -largest, largest), dtype=np.float32)


def predicted(
    predict: Callable[[Float32Array], Any], features: Float32Array, dtype: type
) -> npt.NDArray[Any]:
    """Returns a library's predictions, shape (n,), for features of shape (n, columns).

    Without rows the library is not asked: some raise an error, and XGBoost 3.4 returns shape
    (0, 0).
    """
    if not len(features):
        return np.empty(0, dtype)
    return np.asarray(predict(features), dtype)
